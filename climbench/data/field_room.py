"""Room for one field of a climatology while it is filled band by band: in memory, or in a file that is never held."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
import xarray as xr

CHUNK_BYTES = 4_000_000
WHOLE = ("quantile", "latitude", "longitude")  # along these, chunks are as long as the field


class Band(NamedTuple):
    """A part of a variable that is done at once: one level, or None where it has none, and some rows."""

    level: int | None
    rows: slice


class OnDisk:
    """An array in one of NumPy's files, opened for each part that is read or written: no page of it stays mapped.

    Parameters
    ----------
    path : Path
        The file, which is made.
    shape : tuple of int
        Of float32.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        self.path, self.shape, self.ndim, self.dtype = path, shape, len(shape), np.dtype("float32")

    def __getitem__(self, key: Any) -> np.ndarray:
        """Return a part, in memory."""
        return np.array(np.load(self.path, mmap_mode="r", allow_pickle=False)[key])

    def __setitem__(self, key: Any, values: np.ndarray) -> None:
        """Write a part."""
        np.load(self.path, mmap_mode="r+", allow_pickle=False)[key] = values


class FieldRoom:
    """Room for one field, float32.

    Parameters
    ----------
    name : str
        Its name.
    coords : dict of str to ndarray
        Its coordinates, in the order of its dimensions.
    attrs : dict of str to str
        Its attributes.
    scratch : Path or None
        The folder for its file; None keeps it in memory.
    """

    def __init__(self, name: str, coords: dict[str, np.ndarray], attrs: dict[str, str], scratch: Path | None) -> None:
        self.name, self.coords, self.attrs = name, coords, attrs
        shape = tuple(values.size for values in coords.values())
        self.values = np.empty(shape, np.float32) if scratch is None else OnDisk(scratch / f"{name}.npy", shape)

    def put(self, band: Band, values: np.ndarray) -> None:
        """Fill a band with values of shape (hour, dayofyear, [quantile,] cell)."""
        where = {"latitude": band.rows, "level": band.level}
        key = tuple(where.get(dim, slice(None)) for dim in self.coords)
        rows = band.rows.stop - band.rows.start
        self.values[key] = values.reshape(*values.shape[:-1], rows, -1)

    def array(self) -> xr.DataArray:
        """Return the field; a dask array where it is in a file."""
        values: Any = self.values
        if isinstance(values, OnDisk):
            values = da.from_array(values, chunks=field_chunks(self.coords))
        return xr.DataArray(values, self.coords, tuple(self.coords), self.name, self.attrs)


def field_chunks(coords: dict[str, np.ndarray]) -> tuple[int, ...]:
    """Return chunks of a field: one hour and level, whole maps, and as many days as make about 4 MB."""
    sizes = {dim: values.size if dim in WHOLE else 1 for dim, values in coords.items()}
    days = CHUNK_BYTES // (4 * int(np.prod(list(sizes.values()))))
    return tuple((sizes | {"dayofyear": max(1, min(coords["dayofyear"].size, days))}).values())
