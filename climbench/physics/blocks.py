"""Kernels of columns put to named arrays, several at once, block by block, and each block in slabs that fit a cache.

Memory is what budgets take time for: each field of a state is read once, turned into float64 once, and gone through a
few times while it is still in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.physics.arrays import Array
from climbench.physics.columns import Column
from climbench.physics.quantities import QUANTITIES

LEVEL, DEPTH, SPACE = "level", "depth", ("latitude", "longitude")
COLUMN, INTERFACES = "column", "interfaces"
SLAB = 2**16  # numbers of the largest array at once: 0.5 MB of float64


@dataclass(frozen=True)
class Way:
    """One way to a field: a kernel of a column and of arrays, and the quantities that they are.

    Attributes
    ----------
    needs : tuple of str
        Names of quantities, and `COLUMN` or `INTERFACES` where a vertical coordinate is needed.
    kernel : callable
        Takes the column and the arrays of the quantities in order, then the optional ones, None where not there.
    optional : tuple of str
        Quantities that it can do without.
    """

    needs: tuple[str, ...]
    kernel: Callable[..., Array]
    optional: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Quantities in the order that the kernel takes them."""
        return [name for name in (*self.needs, *self.optional) if name in QUANTITIES]

    def quantities(self, data: xr.Dataset) -> list[str]:
        """Return those that are there."""
        return [name for name in self.names if name in data]


class _Depths:
    """A column that works out its pressures once for one surface pressure."""

    def __init__(self, column: Column) -> None:
        self._column, self._kept = column, dict[str, Array]()

    def thickness(self, surface_pressure: Array | None = None) -> Array:
        if "thickness" not in self._kept:
            self._kept["thickness"] = self._column.thickness(surface_pressure)
        return self._kept["thickness"]

    def above(self) -> Column:
        return self._column.above()

    def interface_pressure(self, surface_pressure: Array | None = None) -> Array:
        if "interfaces" not in self._kept:
            self._kept["interfaces"] = self._column.interface_pressure(surface_pressure)
        return self._kept["interfaces"]


def applied(ways: dict[str, Way], data: xr.Dataset, column: Column | None) -> dict[str, xr.DataArray]:
    """Return what the kernels of several ways make of the data in one pass, block by block where it is lazy.

    Parameters
    ----------
    ways : dict of str to Way
        All of fields with the same dimensions beside levels, rows and columns; what they need is there.
    data : Dataset of shape (..., [level,] latitude, longitude)
        Quantities.
    column : Column or None
        The vertical coordinate.

    Returns
    -------
    dict of str to DataArray of shape (..., latitude, longitude)
        Float64.

    Raises
    ------
    DataError
        If the levels are not as many as the column has.
    """
    there = list(dict.fromkeys(name for way in ways.values() for name in way.quantities(data)))
    given = [_whole(data[name], column) for name in there]
    core = [[d for d in (LEVEL, DEPTH, *SPACE) if d in values.dims] for values in given]
    made = xr.apply_ufunc(
        lambda *arrays: _in_slabs(list(ways.values()), column, there, [len(c) for c in core], arrays),
        *given,
        input_core_dims=core,
        output_core_dims=[list(SPACE)] * len(ways),
        dask="parallelized",
        output_dtypes=[np.float64] * len(ways),
    )
    return dict(zip(ways, made if len(ways) > 1 else (made,), strict=True))


def _whole(values: xr.DataArray, column: Column | None) -> xr.DataArray:
    """Return a quantity with all its levels, rows and columns in one chunk."""
    if LEVEL in values.dims and column is not None and values.sizes[LEVEL] != column.levels:
        raise DataError(
            f"{values.name} has {values.sizes[LEVEL]} levels, and its vertical coordinate {column.levels}. Give the "
            "coordinate of all levels there are, or choose those it is for."
        )
    dims = [d for d in (LEVEL, DEPTH, *SPACE) if d in values.dims]
    return values.chunk(dict.fromkeys(dims, -1)) if values.chunks is not None else values


def _in_slabs(
    ways: list[Way], column: Column | None, names: list[str], core: list[int], arrays: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, ...] | np.ndarray:
    """Return what kernels make of a block, a few of its times at once."""
    loops = max(array.ndim - dims for array, dims in zip(arrays, core, strict=True))
    sliced = [array.ndim - dims == loops > 0 and array.shape[0] > 1 for array, dims in zip(arrays, core, strict=True)]
    length = max((a.shape[0] for a, along in zip(arrays, sliced, strict=True) if along), default=1)
    step = max(1, SLAB * length // max(array.size for array in arrays)) if max(a.size for a in arrays) else length
    slabs = []
    for start in range(0, length, step):
        parts = (a[start : start + step] if along else a for a, along in zip(arrays, sliced, strict=True))
        double = dict(zip(names, (np.asarray(a, "float64") for a in parts), strict=True))
        depths = None if column is None else _Depths(column)
        slabs.append([way.kernel(depths, *(double.get(name) for name in way.names)) for way in ways])
    whole = [np.concatenate(pieces) if len(pieces) > 1 else pieces[0] for pieces in zip(*slabs, strict=True)]
    return tuple(whole) if len(whole) > 1 else whole[0]
