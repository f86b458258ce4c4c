"""One pass over the chunks of a variable: which are read, in what order their summaries are joined, and what comes out.

The tree in which summaries are joined follows from the chunks alone, not from who is ready first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
import xarray as xr

from climbench.calendars import days_since
from climbench.data.summaries import BEGINS, FOLLOWS, NUMBERS, NaN, Stretch, Totals, joined, summarise, total
from climbench.errors import DataError
from climbench.grids import WeightKind, latitude_weights

FAN = 8  # stretches joined at a time
BLOCK = 2**24  # bytes that are read at a time where the chunks are smaller and dask has not been told


class Column(NamedTuple):
    """All chunks of one part of the grid.

    Attributes
    ----------
    cells : tuple of (start, stop)
        Where along the kept dimensions its totals belong.
    totals : Delayed
        Computes to `Totals`.
    """

    cells: tuple[tuple[int, int], ...]
    totals: Any


def kinds_of_times(time: xr.DataArray, positions: np.ndarray) -> np.ndarray:
    """Return what each time is: left out of a split, the first after a gap, or one step after the time before.

    Parameters
    ----------
    time : DataArray of shape (time,)
        Integer years, datetime64 or cftime dates.
    positions : ndarray of int
        The times of the split, ascending.

    Returns
    -------
    ndarray of shape (time,)
        int8: ``LEFT_OUT``, ``BEGINS`` or ``FOLLOWS``. A step is what most of the split's times are apart (the lower
        median, within half of it, so that months are steps and a missing one is a gap).

    Raises
    ------
    DataError
        If times repeat.
    """
    kinds = np.zeros(time.size, "int8")
    steps = np.diff(days_since(time[positions]))
    if (steps <= 0).any():
        raise DataError("The time axis repeats a time; keep one of each, for example data.drop_duplicates('time').")
    usual = np.percentile(steps, 50, method="lower") if steps.size else 0.0
    kinds[positions[:1]] = BEGINS
    kinds[positions[1:]] = np.where(np.abs(steps - usual) <= 0.5 * usual, FOLLOWS, BEGINS)
    return kinds


def columns(
    variable: xr.DataArray, kinds: np.ndarray, *, kept: Sequence[str], weights: WeightKind | None, nan: NaN
) -> list[Column]:
    """Return what to compute for the totals of a variable.

    Parameters
    ----------
    variable : DataArray
        With ``time`` or without, lazy.
    kinds : ndarray of shape (time,)
        From `kinds_of_times`.
    kept : sequence of str
        Dimensions kept apart.
    weights : {"cell_area", "cos_latitude"} or None
        The kind of area weights.
    nan : {"error", "mask"}
        What to do with NaN.

    Returns
    -------
    list of Column
        In a fixed order.
    """
    variable = with_dask(variable)
    if "time" not in variable.dims:
        variable, kinds = variable.expand_dims(time=[0]), np.array([BEGINS], "int8")
    kept = [dim for dim in kept if dim in variable.dims]
    variable = variable.transpose("time", *kept, ...)
    stretches = _stretches(variable, kinds, len(kept), weights, nan)
    whole = da.reduction(
        stretches,
        chunk=_as_is,
        combine=_joined,
        aggregate=_totals,
        axis=0,
        keepdims=True,
        dtype=object,
        split_every=FAN,
        concatenate=False,
        meta=stretches._meta,
    ).to_delayed()
    edges = [np.cumsum((0, *sizes)) for sizes in variable.data.chunks[1 : 1 + len(kept)]]
    return [Column(_cells(place, edges), whole[place]) for place in np.ndindex(whole.shape)]


def _cells(place: tuple[int, ...], edges: Sequence[np.ndarray]) -> tuple[tuple[int, int], ...]:
    return tuple((int(e[i]), int(e[i + 1])) for i, e in zip(place[1:], edges, strict=False))


def gathered(found: Sequence[Column], shape: tuple[int, ...]) -> Totals:
    """Return the totals of a variable from the computed totals of the parts of its grid.

    Parameters
    ----------
    found : sequence of Column
        Computed; those of the same cells are pooled in their order.
    shape : tuple of int
        Sizes of the kept dimensions.

    Returns
    -------
    Totals
    """
    parts: dict[tuple[tuple[int, int], ...], list[Totals]] = {}
    for column in found:
        parts.setdefault(column.cells, []).append(column.totals)
    whole = np.empty((NUMBERS, *shape))
    for cells, totals in parts.items():
        whole[(slice(None), *(slice(*cell) for cell in cells))] = total(totals).to_array()
    return Totals.from_array(whole)


def _as_is(stretch: Stretch, axis: Any, keepdims: bool) -> Stretch:
    return stretch


def _joined(stretches: list[Stretch], axis: Any, keepdims: bool) -> Stretch:
    return joined(stretches)


def _totals(stretches: list[Stretch], axis: Any, keepdims: bool) -> Totals:
    return joined(stretches).totals


def _stretches(variable: xr.DataArray, kinds: np.ndarray, kept: int, weights: WeightKind | None, nan: NaN) -> da.Array:
    """Return an array of `Stretch` in the place of each chunk that holds a time of the split; others are not read."""
    array, axes = variable.data, tuple(range(variable.ndim))
    along_time = array.chunks[:1]
    used = [bool(part.any()) for part in np.split(kinds, np.cumsum(along_time[0])[:-1])]
    arguments = [array.blocks[used], axes]
    for labels in (kinds, variable["time"].values):
        arguments += [da.from_array(labels, chunks=along_time, name=False).blocks[used], (0,)]
    if weights is not None and "latitude" in variable.dims:
        arguments += [_weights(variable, kept, weights), axes[1 + kept :]]
    meta = np.empty((0,) * variable.ndim, object)
    names = {"kept": kept, "nan": nan, "variable": str(variable.name)}
    return da.blockwise(summarise, axes, *arguments, dtype=object, meta=meta, **names)


def _weights(variable: xr.DataArray, kept: int, kind: WeightKind) -> da.Array:
    """Return weights that are one in the mean, with the dimensions that are not kept, of size one but for latitude."""
    weights = latitude_weights(variable["latitude"], kind).values
    dims = variable.dims[1 + kept :]
    axis = dims.index("latitude")
    shape = [1] * len(dims)
    shape[axis] = weights.size
    chunks: list[tuple[int, ...]] = [(1,)] * len(dims)
    chunks[axis] = variable.chunksizes["latitude"]
    return da.from_array((weights / weights.mean()).reshape(shape), chunks=tuple(chunks), name=False)


def with_dask(variable: xr.DataArray) -> xr.DataArray:
    """Return a variable in dask's chunks: its own, or as many of the file's at a time as make a block of some size."""
    if variable.chunks is not None:
        return variable
    preferred = variable.encoding.get("preferred_chunks", {})
    chunks = {dim: preferred.get(dim, size) for dim, size in variable.sizes.items() if dim != "time"}
    if "time" in variable.dims:
        one = _largest(preferred.get("time", 1))
        size = variable.dtype.itemsize * one * math.prod(map(_largest, chunks.values()))
        chunks["time"] = one * max(1, BLOCK // size)
    return variable.chunk(chunks)


def _largest(chunks: int | tuple[int, ...]) -> int:
    return max(chunks) if isinstance(chunks, tuple) else chunks
