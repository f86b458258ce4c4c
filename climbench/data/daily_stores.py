"""Zarr stores of one make, one for each day, as one lazy array: the first is opened, the others when they are read.

What the first store says of shape, type, grid and unit is taken to hold for all, and is checked whenever one is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from dask.base import normalize_token

from climbench.calendars import label
from climbench.data.checked_store import EmptyChunks
from climbench.data.stores import open_store
from climbench.errors import DataError

DEGREES = 1e-4  # coordinates that differ by less are written with other round-off


@dataclass(frozen=True)
class Day:
    """One day's store.

    Attributes
    ----------
    place : str
        Where it is.
    date : datetime64
        The day that its name tells.
    """

    place: str
    date: np.datetime64


@dataclass(frozen=True, eq=False)
class Make:
    """What all stores have to have in common of a variable.

    Attributes
    ----------
    dims : tuple of str
        The dimensions of one day.
    shape : tuple of int
        Their sizes.
    dtype : dtype
        Of the values.
    units : str or None
        As the attribute says.
    coords : dict of str to ndarray
        The values of the dimensions.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    units: str | None
    coords: dict[str, np.ndarray]

    @classmethod
    def of(cls, variable: xr.DataArray) -> Make:
        """Return the make of one day's variable."""
        dims = tuple(map(str, variable.dims))
        coords = {name: variable[name].values for name in dims if name in variable.coords}
        return cls(dims, variable.shape, np.dtype(variable.dtype), variable.attrs.get("units"), coords)

    def difference(self, found: xr.DataArray) -> str:
        """Return in what another day's variable differs, or nothing."""
        if set(self.dims) != set(found.dims):
            return f"its dimensions are {', '.join(map(str, found.dims))}"
        other = Make.of(found.transpose(*self.dims))
        for what in ("shape", "dtype", "units"):
            if getattr(self, what) != getattr(other, what):
                return f"its {what} is {getattr(other, what)}, not {getattr(self, what)}"
        return next((f"its '{n}' is another" for n, v in self.coords.items() if not _same(v, other.coords.get(n))), "")


def _same(first: np.ndarray, found: np.ndarray | None) -> bool:
    if found is None or first.dtype.kind not in "iuf" or found.dtype.kind not in "iuf":
        return found is not None and bool(np.array_equal(first, found))
    return bool(np.allclose(first, found, rtol=0.0, atol=DEGREES))


@dataclass(frozen=True, eq=False)
class DailyVariable:
    """A variable over all days, as an array whose first dimension is the day; each read of a day opens its store.

    Attributes
    ----------
    days : sequence of Day
        In order.
    name : str
        The variable.
    make : Make
        What it is like on the first day, and has to be on the others.
    empty_chunks : {"error", "fill"}
        Whether a missing chunk is an error.
    storage_options : mapping, optional
        Passed to fsspec.
    """

    days: Sequence[Day]
    name: str
    make: Make
    empty_chunks: EmptyChunks = "error"
    storage_options: Mapping[str, Any] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Days, and the shape of one day."""
        return (len(self.days), *self.make.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""
        return self.make.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions, days included."""
        return len(self.shape)

    def __getitem__(self, key: tuple[Any, ...]) -> np.ndarray:
        """Return a part, read from the stores of the days that the first of its slices selects."""
        which, *inner = key
        chosen = np.arange(len(self.days))[which]
        if chosen.ndim == 0:
            return self._read(self.days[int(chosen)], tuple(inner))
        return np.stack([self._read(self.days[int(i)], tuple(inner)) for i in chosen])

    def __dask_tokenize__(self) -> object:
        """Return what the array's content depends on."""
        places = [day.place for day in self.days]
        return normalize_token((type(self).__name__, places, self.name, self.shape, str(self.dtype), self.empty_chunks))

    def _read(self, day: Day, inner: tuple[Any, ...]) -> np.ndarray:
        data = open_store(day.place, empty_chunks=self.empty_chunks, storage_options=self.storage_options)
        found = one_day(data, day).get(self.name)
        problem = "it is not there" if found is None else self.make.difference(found)
        if found is None or problem:
            raise DataError(
                f"{day.place}: '{self.name}' is not as in {self.days[0].place}: {problem}. Copy the store again, or "
                "take it out of the folder."
            )
        return np.asarray(found.transpose(*self.make.dims).variable[inner].values)


def lazily(variable: DailyVariable) -> da.Array:
    """Return a variable over all days as a dask array of one chunk a day."""
    chunks = (1, *variable.make.shape)
    array: da.Array = da.from_array(variable, chunks=chunks, meta=np.empty((0,) * variable.ndim, variable.dtype))
    return array


def one_day(data: xr.Dataset, day: Day) -> xr.Dataset:
    """Return one store's content without its time, once that is found to be the day that the store's name tells.

    Parameters
    ----------
    data : Dataset
        As opened; its time is a scalar, a dimension of length one, or missing.
    day : Day
        Which.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the times inside are not that day.
    """
    if "time" in data.variables:
        times = np.atleast_1d(data["time"].values)
        if times.size != 1 or times.astype("datetime64[D]")[0] != day.date.astype("datetime64[D]"):
            found = ", ".join(label(t) for t in times[:3])
            raise DataError(
                f"{day.place}: its name says {label(day.date)}, its time {found}. Rename the store, or mend its time."
            )
        data = data.isel(time=0, drop=True) if "time" in data.dims else data.drop_vars("time")
    return data.drop_vars([c for c in data.coords if c not in data.dims])
