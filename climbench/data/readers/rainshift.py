"""RainShift: for each region of the world, pairs of ERA5 precipitation and IMERG's on a finer grid.

Below a folder for each region stand ``train_data_in.zarr``, ``train_data_out.zarr``, ``test_data_in.zarr``,
``test_data_out.zarr``, packed as 16-bit integers, and ``static_variables.nc``, fixed fields on the finer grid.

Reference: arXiv:2507.04930.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from climbench.data.files import names_in
from climbench.data.readers.base import Reader
from climbench.data.readers.scenarios import world_mark
from climbench.data.stores import is_url, open_store
from climbench.errors import DataError

STATIC = "static"
FILES = {
    "train inputs": "train_data_in.zarr",
    "train targets": "train_data_out.zarr",
    "test inputs": "test_data_in.zarr",
    "test targets": "test_data_out.zarr",
    STATIC: "static_variables.nc",
}
GRID = {"y": ("lat", "latitude"), "x": ("lon", "longitude")}


class RainShiftReader(Reader):
    """Reads the folder of a region, or the folder above it.

    Parts are named ``REGION train inputs``, ``REGION train targets``, the same with ``test``, and ``REGION static``.
    """

    layout = "rainshift"
    own_card = "rainshift"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether pairs of stores stand in a local folder, or in a folder in it."""
        if is_url(place) or not Path(place).is_dir():
            return False
        names = names_in(place)
        below = (names_in(Path(place) / name) for name in names if "." not in name)
        return _has_pairs(names) or any(_has_pairs(inside) for inside in below)

    def parts(self) -> list[str]:
        """Return the names of the parts."""
        return list(self._places)

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return one store or file, unpacked lazily."""
        empty = "error" if self.card is None else self.card.empty_chunks
        data = open_store(
            self._places[part], chunks=self.chunks, empty_chunks=empty, storage_options=self.storage_options
        )
        notes = list(data.encoding["climbench_notes"])
        data = _on_degrees(data, self.describe(part))
        if part.endswith(STATIC) and "z" in data.data_vars:  # elsewhere z is the geopotential of a level
            data = data.rename(z="geopotential_at_surface")
            notes.append(f"{self.describe(part)}: 'z' read as 'geopotential_at_surface'")
        data = data.drop_vars([str(v) for v in data.data_vars if not data[v].dims])
        data.encoding["climbench_notes"] = notes
        return data

    def origin(self, paths: Sequence[Path]) -> dict[str, Any] | None:
        """Return the mark of a simulated world in the first of some files, or None for real data."""
        return world_mark(paths[0]) if paths else None

    def paths(self, parts: Sequence[str]) -> list[Path]:
        """Return the files and stores of some parts; raise `DataError` for a part that is not there."""
        return [Path(self._places[self._chosen(part)]) for part in parts]

    @cached_property
    def _places(self) -> dict[str, str]:
        """The parts and where each is."""
        own = str(self.place).rstrip("/")
        here = names_in(self.place, self.storage_options)
        regions = {own.rpartition("/")[2]: own} if _has_pairs(here) else {n: f"{own}/{n}" for n in here if "." not in n}
        found = {}
        for region, folder in regions.items():
            place: str | Path = folder if is_url(self.place) else Path(folder)
            inside = here if folder == own else names_in(place, self.storage_options)
            found.update({f"{region} {what}": f"{folder}/{file}" for what, file in FILES.items() if file in inside})
        if not found:
            raise DataError(f"{self.place} has no folder of a region with {', '.join(FILES.values())}.")
        return found


def _has_pairs(names: Sequence[str]) -> bool:
    return any({FILES[f"{split} inputs"], FILES[f"{split} targets"]} <= set(names) for split in ("train", "test"))


def _on_degrees(data: xr.Dataset, where: str) -> xr.Dataset:
    """Return a data set whose rows and columns are named as latitudes and longitudes, where files call them y and x."""
    for dim, names in GRID.items():
        if dim not in data.dims:
            continue
        own = next((n for n in names if n in data.variables and data[n].dims == (dim,)), None)
        if own is None:
            raise DataError(
                f"{where} has rows and columns (y, x) without latitude and longitude; write them to the file."
            )
        data = data.set_coords(own).swap_dims({dim: own})
    return data
