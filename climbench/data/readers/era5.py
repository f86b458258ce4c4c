"""ERA5 from the Climate Data Store: netCDF in its old and its new form and GRIB, one file or a folder of them.

Files that share a grid are one part: those of one variable are joined in time, variables stand side by side. Packed
values are unpacked. ERA5's hourly accumulations (precipitation in m, radiation in J m-2) are over the hour that ends
at their time; over what hours others are, the card has to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import xarray as xr

from climbench.cards import DatasetCard
from climbench.data.accumulation import era5_windows
from climbench.data.files import files_under, first_files
from climbench.data.grib import open_grib
from climbench.data.readers.base import Reader
from climbench.data.readers.cds import in_one_dialect, is_from_cds
from climbench.data.readers.joining import join_in_time, side_by_side
from climbench.data.readers.plain import FILES, is_store
from climbench.data.stores import GRIB, is_url, open_store
from climbench.errors import DataError, did_you_mean
from climbench.variables import known_name

LOOK = 3  # files opened to tell the layout of a folder
DEGREES = 1e-4  # coordinates that differ by less are written with other round-off


class Era5Reader(Reader):
    """Reads ERA5's files as the Climate Data Store gives them."""

    layout = "era5"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether one of the first files says that ECMWF made it; GRIB files are taken for granted."""
        if str(place).endswith(GRIB):
            return True
        if is_url(place) or Path(place).is_file():
            return str(place).endswith(FILES) and is_from_cds(open_store(place))
        found = [path for suffix in FILES for path in first_files(place, suffix)]
        return any(path.endswith(GRIB) or is_from_cds(open_store(path)) for path in islice(found, LOOK))

    def parts(self) -> list[str]:
        """Return the grids by the name of the place, or each by its first file where there are several."""
        return list(self._grids)

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return what lies on one grid, joined in time and side by side."""
        where, notes = self.describe(part), []
        holders: dict[str, dict[str, xr.Dataset]] = {}
        for name, piece in self._grids[part].items():
            notes += self._notes[name]
            for variable in map(str, piece.data_vars):
                holders.setdefault(variable, {})[name] = piece[[variable]]
        chosen = holders if variables is None else _asked_for(holders, variables, where)
        joined = {v: _joined(h, f"{where}: {v}", self.card) for v, h in chosen.items()}
        data = side_by_side(joined, where, notes)
        data.encoding["climbench_notes"] = list(dict.fromkeys(notes))
        return data.chunk(self.chunks) if self.chunks is not None else data

    def windows(self, data: xr.Dataset, where: str, card: DatasetCard | None) -> Mapping[str, float]:
        """Return one hour for what ERA5 accumulates; an error where the times are not hourly."""
        return era5_windows(data, where, card)

    @cached_property
    def _notes(self) -> dict[str, list[str]]:
        """What there was to say on each piece while it was opened."""
        return {}

    @cached_property
    def _grids(self) -> dict[str, dict[str, xr.Dataset]]:
        """The parts, and of each the pieces by their names."""
        groups: list[dict[str, xr.Dataset]] = []
        for name, piece in self._pieces():
            home = next((g for g in groups if _fits(piece, next(iter(g.values())))), None)
            if home is None:
                groups.append({name: piece})
            else:
                home[name] = piece
        if not groups:
            raise DataError(f"{self.place} has no netCDF or GRIB files. Name the folder that does.")
        own = str(self.place).rstrip("/").rpartition("/")[2]
        return {own if len(groups) == 1 else next(iter(group)): group for group in groups}

    def _pieces(self) -> Iterator[tuple[str, xr.Dataset]]:
        """Yield the content of each file in one dialect, by the file's name below the place."""
        paths = self._paths()
        for path in paths:
            contents = self._opened(path)
            for i, data in enumerate(contents):
                name = self._short(path) if len(contents) == 1 else f"{self._short(path)} ({i + 1})"
                self._notes[name] = list(data.encoding.get("climbench_notes", ()))
                piece = in_one_dialect(data, name, self._notes[name])
                yield name, piece.chunk("auto") if len(paths) > 1 or len(contents) > 1 else piece

    def _short(self, path: str) -> str:
        if is_store(self.place) or is_url(path):
            return path.rpartition("/")[2]
        return Path(path).relative_to(Path(self.place).resolve()).as_posix()

    def _paths(self) -> list[str]:
        if is_store(self.place):
            return [str(self.place)]
        return sorted(path for suffix in FILES for path in files_under(self.place, suffix, self.storage_options))

    def _opened(self, path: str) -> list[xr.Dataset]:
        if path.endswith(GRIB) and not is_url(path):
            return open_grib(path)
        return [open_store(path, storage_options=self.storage_options)]


def _asked_for(
    holders: dict[str, dict[str, xr.Dataset]], asked: Sequence[str], where: str
) -> dict[str, dict[str, xr.Dataset]]:
    """Return the files of the variables that are asked for, by whichever of their names."""
    wanted = {known_name(v) for v in asked}
    names = {known_name(v, wanted): v for v in holders}
    for name in asked:
        if known_name(name, names) not in names:
            raise DataError(f"{where} has no variable '{name}'. {did_you_mean(name, names)}")
    return {names[known_name(name, names)]: holders[names[known_name(name, names)]] for name in asked}


def _joined(pieces: Mapping[str, xr.Dataset], where: str, card: DatasetCard | None) -> xr.Dataset:
    """Return a variable's files joined in time; a field without time is taken from the first."""
    fixed = [name for name, piece in pieces.items() if "time" not in piece.dims]
    return pieces[fixed[0]] if len(fixed) == len(pieces) else join_in_time(pieces, where, card)


def _fits(piece: xr.Dataset, other: xr.Dataset) -> bool:
    """Return whether two pieces can be parts of one data set: the same grid, and levels where both have them."""
    shared = (set(piece.dims) & set(other.dims)) - {"time"}
    members = ("number" in piece.dims) == ("number" in other.dims)
    return members and bool(shared) and all(_same(piece, other, str(d)) for d in shared)


def _same(piece: xr.Dataset, other: xr.Dataset, name: str) -> bool:
    first, second = piece[name].values, other[name].values
    if first.shape != second.shape:
        return False
    if first.dtype.kind not in "iuf" or second.dtype.kind not in "iuf":
        return bool(np.array_equal(first, second))
    return bool(np.allclose(first, second, rtol=0.0, atol=DEGREES))
