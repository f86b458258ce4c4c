"""First-order conservative and bilinear regridding between regular, Gaussian and regional grids.

There is a good library for this, xarray-regrid, but its conservative weights are not exact: a source row weighs by the
area of a uniform cell around its centre, so that a row on a pole weighs nothing and Gaussian rows too much or too
little, and the area integral is not kept.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import xarray as xr
from numpy.typing import DTypeLike
from scipy import sparse

from climbench.errors import DataError
from climbench.grids import ascending, goes_round, latitude_edges, longitude_bounds, longitude_gaps
from climbench.remapping import Remapping

Maps = TypeVar("Maps", xr.DataArray, xr.Dataset)
Axes = tuple[np.ndarray, np.ndarray]

SPACE = ("latitude", "longitude")
# A smaller share of a cell is the rounding of its bounds.
SLIVER = 1e-9
# By which part of a step coordinates may be off for being rounded, to float32 for example.
ROUNDED = 1e-3


def regrid_conservative(
    maps: Maps, target: xr.Dataset | xr.DataArray, *, min_valid: float = 0.5, dtype: DTypeLike | None = None
) -> Maps:
    """Regrid so that the area integral is kept (first order; cells are boxes in sin(latitude) and longitude).

    Parameters
    ----------
    maps : DataArray or Dataset of shape (..., latitude, longitude)
        Dimensions in any order, coordinates in degrees and ascending; a whole globe or a part of it, NaN where a value
        is missing. May be dask arrays: nothing is computed then, and chunks along other dimensions are kept. Variables
        of a dataset with neither latitude nor longitude are passed on.
    target : Dataset or DataArray
        Where the maps shall go: its ``latitude`` and ``longitude`` coordinates are taken.
    min_valid : float
        A cell's value is the mean over its part that lies within the source and is not missing. Where that part is
        less than this fraction of the cell, from 0 to 1, it is NaN. With 1 nothing may be missing, with 0 any part
        will do.
    dtype : dtype, optional
        Of the arithmetic and the result. By default float32 for float32 and shorter values, otherwise float64. In
        float32 a value, and the area mean, is off by less than 1e-6 of the largest magnitude on its map.

    Returns
    -------
    DataArray or Dataset of shape (..., latitude, longitude)
        Cell means on the target grid, dimensions in the order they came in, attributes kept.

    Raises
    ------
    DataError
        If a grid lacks a coordinate, is not rectilinear or does not ascend; if values are not real numbers; if
        `min_valid` is not a fraction.

    References
    ----------
    Jones (1999), First- and second-order conservative remapping schemes for grids in spherical coordinates,
    Mon. Weather Rev. 127, eq. 6 (first-order term).
    """
    (lat, lon), (lat_out, lon_out) = _axes(maps, "maps"), _axes(target, "target grid")
    sine = [np.sin(np.deg2rad(latitude_edges(a))) for a in (lat, lat_out)]
    rows = _overlap(*(np.stack([s[:-1], s[1:]], axis=1) for s in sine), turns=(0.0,))
    bounds, bounds_out = _turns(longitude_bounds(lon)), _turns(longitude_bounds(lon_out))
    columns = _overlap(bounds, bounds_out, turns=(-360.0, 0.0, 360.0))
    return _regrid(maps, target, rows, columns, min_valid, dtype)


def regrid_bilinear(
    maps: Maps, target: xr.Dataset | xr.DataArray, *, min_valid: float = 0.5, dtype: DTypeLike | None = None
) -> Maps:
    """Regrid by linear interpolation in latitude and longitude between the four surrounding values.

    Parameters
    ----------
    maps : DataArray or Dataset of shape (..., latitude, longitude)
        As for `regrid_conservative`. Maps round the globe are periodic, and between their outermost row and the pole
        the pole's value is taken to be the mean of that row, as suits a scalar and not the components of a vector.
        A region is not extrapolated beyond its outer centres: the result is NaN there.
    target : Dataset or DataArray
        Where the maps shall go: its ``latitude`` and ``longitude`` coordinates are taken.
    min_valid : float
        A value is the weighted mean over those of the four that are not missing. Where their weights add up to less
        than this fraction, from 0 to 1, it is NaN.
    dtype : dtype, optional
        As for `regrid_conservative`.

    Returns
    -------
    DataArray or Dataset of shape (..., latitude, longitude)
        Values at the target's centres, dimensions in the order they came in, attributes kept.

    Raises
    ------
    DataError
        As for `regrid_conservative`.
    """
    (lat, lon), (lat_out, lon_out) = _axes(maps, "maps"), _axes(target, "target grid")
    (first, *_, last), periodic = latitude_edges(lat), goes_round(lon)
    south = bool(periodic and lat_out[0] < lat[0] and first - ROUNDED * (lat[1] - lat[0]) <= -90.0)
    north = bool(periodic and lat_out[-1] > lat[-1] and last + ROUNDED * (lat[-1] - lat[-2]) >= 90.0)
    rows = _between(np.concatenate([[-90.0] * south, lat, [90.0] * north]), lat_out)
    return _regrid(maps, target, rows, _between_columns(lon, lon_out), min_valid, dtype, (south, north))


def _axes(grid: xr.Dataset | xr.DataArray, what: str) -> Axes:
    """Return latitudes and longitudes in float64 if they are those of a rectilinear grid, else raise `DataError`."""
    for name in SPACE:
        if name not in grid.coords or grid[name].dims != (name,):
            raise DataError(
                f"The {what} have no coordinate '{name}' along a dimension of that name; found the coordinates "
                f"{', '.join(map(str, grid.coords)) or 'none'}. Only latitude-longitude grids can be regridded."
            )
    latitude, longitude = (ascending(grid[name].values, name) for name in SPACE)
    if (np.abs(latitude) > 90.0).any():
        raise DataError(f"The {what} have latitudes beyond the poles: {latitude.min():g}..{latitude.max():g}.")
    return latitude, longitude


def _turns(bounds: np.ndarray) -> np.ndarray:
    """Return the bounds of columns that begin in the first turn round the globe."""
    return bounds - 360.0 * np.floor(bounds[:, :1] / 360.0)


def _overlap(source: np.ndarray, target: np.ndarray, *, turns: tuple[float, ...]) -> sparse.csr_array:
    """Return which fraction of each target cell each source cell covers: (target, source).

    Both are bounds of cells that do not overlap one another, of shape (n, 2) and (m, 2); the source is repeated at each
    of `turns`. Between any two neighbouring bounds there is at most one cell of either.
    """
    repeated = np.concatenate([source + turn for turn in turns])
    bounds = np.unique(np.concatenate([repeated, target], axis=None))
    middle, length = 0.5 * (bounds[1:] + bounds[:-1]), np.diff(bounds)
    (i, in_target), (j, in_source) = _find(middle, target), _find(middle, repeated)
    share = length / np.diff(target, axis=1)[i, 0]
    both = in_target & in_source & (share > SLIVER)
    return _matrix(share[both], i[both], j[both] % len(source), (len(target), len(source)))


def _find(points: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return in which cell each point lies, and whether it lies in one at all."""
    order = np.argsort(bounds[:, 0])
    cell = order[np.maximum(np.searchsorted(bounds[order, 0], points) - 1, 0)]
    return cell, (points > bounds[cell, 0]) & (points < bounds[cell, 1])


def _between(source: np.ndarray, target: np.ndarray, shift: int = 0, size: int = 0) -> sparse.csr_array:
    """Return the weights of linear interpolation, none outside the source: (target, source).

    Point k of `source` is number k + `shift` of `size` points on a circle, if these are given.
    """
    size = size or source.size
    left = np.clip(np.searchsorted(source, target, side="right") - 1, 0, source.size - 2)
    part = (target - source[left]) / (source[left + 1] - source[left])
    inside = (part >= -ROUNDED) & (part <= 1.0 + ROUNDED)
    left, part, row = left[inside], np.clip(part[inside], 0.0, 1.0), np.flatnonzero(inside)
    points = (np.concatenate([left, left + 1]) + shift) % size
    return _matrix(np.concatenate([1.0 - part, part]), np.tile(row, 2), points, (target.size, size))


def _between_columns(source: np.ndarray, target: np.ndarray) -> sparse.csr_array:
    """Return the weights of linear interpolation along a circle or a part of it: (target, source)."""
    periodic = goes_round(source)
    # A part of the circle is followed from the column east of its gap, which need not be the first one.
    first = 0 if periodic else (int(longitude_gaps(source).argmax()) + 1) % source.size
    along = np.roll(source, -first)
    along = along + 360.0 * (along < along[0])
    if periodic:
        along = np.append(along, along[0] + 360.0)
    start = along[0] - (0.0 if periodic else ROUNDED * (along[1] - along[0]))
    return _between(along, start + np.mod(target - start, 360.0), first, source.size)


def _matrix(weights: np.ndarray, row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    # Products with short indices are faster by half.
    matrix = sparse.csr_array((weights, (row.astype("int32"), column.astype("int32"))), shape=shape)
    matrix.eliminate_zeros()
    return matrix


def _regrid(
    maps: Maps,
    target: xr.Dataset | xr.DataArray,
    rows: sparse.csr_array,
    columns: sparse.csr_array,
    min_valid: float,
    dtype: DTypeLike | None,
    poles: tuple[bool, bool] = (False, False),
) -> Maps:
    if not 0.0 <= min_valid <= 1.0:
        raise DataError(f"min_valid is a fraction of a cell, from 0 to 1; found {min_valid}.")
    covered = np.outer(*(np.minimum(m.sum(axis=1), 1.0) for m in (rows, columns)))
    remapping = Remapping(_shares(rows), _shares(columns), covered, min_valid, poles)
    if isinstance(maps, xr.DataArray):
        return _apply(maps, target, remapping, dtype)
    kept = maps.drop_dims(SPACE)
    return kept.assign({name: _apply(maps[name], target, remapping, dtype) for name in maps if name not in kept})


def _shares(weights: sparse.csr_array) -> sparse.csr_array:
    total = np.repeat(weights.sum(axis=1), np.diff(weights.indptr))
    return sparse.csr_array((weights.data / total, weights.indices, weights.indptr), shape=weights.shape)


def _apply(
    maps: xr.DataArray, target: xr.Dataset | xr.DataArray, remapping: Remapping, dtype: DTypeLike | None
) -> xr.DataArray:
    if maps.dtype.kind not in "biuf" or not set(SPACE) <= set(maps.dims):
        raise DataError(
            f"'{maps.name}' is no map of real numbers over latitude and longitude: found {maps.dtype} over "
            f"{', '.join(map(str, maps.dims)) or 'no dimension'}. Leave it out."
        )
    precision = np.dtype(dtype if dtype is not None else np.result_type(maps.dtype, np.float32))
    if precision not in (np.float32, np.float64):
        raise DataError(f"Maps are regridded in float32 or float64; {precision} was asked for.")
    moved = xr.apply_ufunc(
        remapping,
        maps,
        kwargs={"dtype": precision},
        input_core_dims=[SPACE],
        output_core_dims=[SPACE],
        exclude_dims=set(SPACE),
        keep_attrs=True,
        dask="parallelized",
        output_dtypes=[precision],
        dask_gufunc_kwargs={
            "output_sizes": dict(zip(SPACE, remapping.covered.shape, strict=True)),
            "allow_rechunk": True,
        },
    )
    return moved.assign_coords({name: target[name].variable for name in SPACE}).transpose(*maps.dims)
