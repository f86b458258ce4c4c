"""ACE's data sets (ai2cm/ace, "fme"): a global model's output on its hybrid layers, one zarr or netCDFs in a folder.

Layers are suffixes of a variable's name, ``air_temperature_0`` at the top to ``air_temperature_7`` at the surface; the
pressure of their interfaces is ``ak_k + bk_k * PRESsfc``, with scalars ``ak_0`` .. ``bk_8``. Here layers become a
dimension ``layer``, and ``ak`` and ``bk`` variables on a dimension ``interface``, in the units that the store states;
names stay the community's.

Reference: Watt-Meyer et al. (2025), ACE2, npj Clim. Atmos. Sci.; https://github.com/ai2cm/ace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from climbench.data.files import files_under, first_files
from climbench.data.readers.base import Reader
from climbench.data.readers.joining import join_in_time
from climbench.data.readers.plain import is_store
from climbench.data.stores import in_own_chunks, open_store
from climbench.errors import DataError
from climbench.variables import LEXICON

LAYERED = re.compile(r"(.+)_(\d{1,3})")
HYBRID = ("ak", "bk")
GRID = {"grid_yt": "latitude", "grid_xt": "longitude"}  # as the model itself names them
FIRST = ("ak_0", "bk_0")


class AceReader(Reader):
    """Reads one data set in ACE's layout."""

    layout = "ace"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether a store, or the first file of a folder, has the interfaces of hybrid layers."""
        first = place if is_store(place) else next(iter(first_files(place)), None)
        return first is not None and set(FIRST) <= set(map(str, open_store(first).variables))

    def parts(self) -> list[str]:
        """Return the one part there is, by the name of the place."""
        return [str(self.place).rstrip("/").rpartition("/")[2]]

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return the data set with its layers along a dimension."""
        where = self.describe(part)
        empty = "error" if self.card is None else self.card.empty_chunks
        pieces = {
            path.rpartition("/")[2]: open_store(
                path, chunks=self.chunks, empty_chunks=empty, storage_options=self.storage_options
            )
            for path in self._paths()
        }
        notes = [note for piece in pieces.values() for note in piece.encoding["climbench_notes"]]
        data = self._joined(pieces, where)
        data = with_layers(data, where, notes)
        data = data.rename({old: new for old, new in GRID.items() if old in data.dims})
        data.encoding["climbench_notes"] = list(dict.fromkeys(notes))
        return data

    def _paths(self) -> list[str]:
        if is_store(self.place):
            return [str(self.place)]
        paths = list(files_under(self.place, storage_options=self.storage_options))
        if not paths:
            raise DataError(f"{self.place} has no netCDF files. Name the folder that does, or a zarr store.")
        return paths

    def _joined(self, pieces: Mapping[str, xr.Dataset], where: str) -> xr.Dataset:
        if len(pieces) == 1:
            return next(iter(pieces.values()))
        first = next(iter(pieces))
        for name, piece in pieces.items():
            _refuse_other_interfaces(pieces[first], piece, f"{where}: {first} and {name}")
        lazy = {name: piece if piece.chunks else piece.chunk("auto") for name, piece in pieces.items()}
        return join_in_time(lazy, where, self.card)


def _refuse_other_interfaces(first: xr.Dataset, other: xr.Dataset, which: str) -> None:
    for name in _numbered(first, "ak") + _numbered(first, "bk"):
        if name not in other.variables or not np.isclose(float(first[name]), float(other[name]), rtol=1e-6, atol=0.0):
            raise DataError(f"{which} differ in their layers ('{name}'). Keep files of one model in a folder.")


def with_layers(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return a data set whose layers, suffixes of names until then, are a dimension.

    Parameters
    ----------
    data : Dataset
        As stored: ``ak_0``, ``bk_0`` and so on are scalars, variables in layers end in ``_0`` (the top) to ``_7``.
    where : str
        What to call it in messages.
    notes : list of str
        Takes a line on each variable that was joined.

    Returns
    -------
    Dataset
        With ``ak`` and ``bk`` of shape (interface,) and variables in layers along ``layer``; the latter are dask arrays
        in the chunks of the store.

    Raises
    ------
    DataError
        If interfaces or layers are missing, or do not fit together.
    """
    interfaces = _interfaces(data, where)
    layers = interfaces.sizes["interface"] - 1
    data = data.drop_vars([name for kind in HYBRID for name in _numbered(data, kind)])
    joined = {}
    for base in _bases(data):
        names = _numbered(data, base)
        if len(names) != layers and base not in LEXICON:
            continue  # numbered, but not by the atmosphere's layers: soil, for example
        if len(names) != layers:
            raise DataError(
                f"{where}: {base} has {len(names)} layers ({names[0]} to {names[-1]}), but {layers + 1} interfaces "
                f"make {layers}. Copy the data set again."
            )
        chunked = in_own_chunks(data[names])
        parts = [chunked[name].rename(base) for name in names]
        joined[base] = xr.concat(parts, xr.DataArray(np.arange(layers), dims="layer", name="layer"), coords="minimal")
        data = data.drop_vars(names)
        notes.append(f"{where}: {names[0]} to {names[-1]} read as layers of '{base}', 0 the top")
    return data.assign(joined).merge(interfaces)


def _interfaces(data: xr.Dataset, where: str) -> xr.Dataset:
    columns = {}
    for kind in HYBRID:
        names = _numbered(data, kind)
        values = np.array([float(data[name]) for name in names])
        if not np.isfinite(values).all():
            raise DataError(f"{where}: '{names[int(np.argmin(np.isfinite(values)))]}' is missing. Mend the store.")
        stated = {str(data[name].attrs.get("units", "")) for name in names}
        if len(stated) > 1:
            raise DataError(f"{where}: {kind} is in {' and '.join(map(repr, sorted(stated)))}. Give all in one unit.")
        unit = stated.pop()
        attrs = {"units": unit} if unit else {}
        columns[kind] = xr.DataArray(values, dims="interface", attrs=attrs)
    if len({column.size for column in columns.values()}) > 1:
        sizes = " and ".join(f"{column.size} of {kind}" for kind, column in columns.items())
        raise DataError(f"{where}: the interfaces of its layers do not fit together: there are {sizes}.")
    coords = {"interface": np.arange(columns["ak"].size)}
    return xr.Dataset(columns, coords)


def _bases(data: xr.Dataset) -> list[str]:
    """Return the names of which there is a layer 0 and a layer 1."""
    names = set(map(str, data.data_vars))
    return sorted(n.removesuffix("_0") for n in names if n.endswith("_0") and f"{n.removesuffix('_0')}_1" in names)


def _numbered(data: xr.Dataset, base: str) -> list[str]:
    """Return the names of a base that are numbered from 0 without a gap, by their numbers."""
    names = [str(v) for v in data.variables]
    numbers = sorted(int(m[2]) for n in names if (m := LAYERED.fullmatch(n)) and m[1] == base)
    return [f"{base}_{i}" for i in range(len(numbers)) if numbers[i] == i]
