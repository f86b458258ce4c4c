"""Latitude-longitude grids: cell edges, exact cell areas, weights, and how far two grids lie apart.

Cells are boxes between edges. Edges lie half-way between centres, except on a Gaussian grid, where a row's area is its
quadrature weight. A grid need not span the globe: its outer cells reach half a step beyond their centres, clipped at
the poles, and its columns may be any part of the circle, across longitude 0 as well.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.quadrature import is_gaussian, quadrature

WeightKind = Literal["cell_area", "cos_latitude"]

# Columns go round the globe unless one gap between neighbours is this much wider than every other.
WIDE_GAP = 1.5

# Part of the sphere that the cells of a globe may lack: a row on the pole of a grid of one degree or finer.
LEFT_OUT = 1e-4


def ascending(values: np.ndarray, name: str) -> np.ndarray:
    """Return coordinates if they can be those of a grid.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Any numbers.
    name : str
        What to call one of them in an error.

    Returns
    -------
    ndarray of shape (n,)
        The same in float64.

    Raises
    ------
    DataError
        If there are none, they are not finite, or they do not ascend.
    """
    values = np.asarray(values, "float64")
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise DataError(f"A grid needs one {name} or more in one dimension, all finite; found {_brief(values)}.")
    if (np.diff(values) <= 0).any():
        raise DataError(
            f"The {name}s must ascend, and do not: {_brief(values)}. Open the data through climbench.open_dataset, or "
            f"call .sortby('{name}')."
        )
    return values


def latitude_edges(latitude: np.ndarray) -> np.ndarray:
    """Return cell edges half-way between latitudes, ending at the poles where the grid reaches them.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        Cell centres in degrees north, ascending; at least two.

    Returns
    -------
    ndarray of shape (n + 1,)
        Edges in degrees north, within [-90, 90]. A regional grid keeps its own outer edges, half a step beyond its
        outer rows. The rows of a Gaussian grid, recognised from its latitudes, are bounded so that the area of a row
        is its quadrature weight.

    Raises
    ------
    DataError
        If there are fewer than two latitudes, or they do not ascend.
    """
    latitude = ascending(latitude, "latitude")
    if latitude.size < 2:
        raise DataError(
            f"A cell's edges lie half-way to its neighbours, and there is one latitude only, {latitude[0]:g}. "
            "Give at least two rows, or average over latitude first."
        )
    if is_gaussian(latitude):
        area = np.cumsum(quadrature("legendre-gauss", latitude.size).weights)[:-1]
        return np.concatenate([[-90.0], np.rad2deg(np.arcsin(area - 1.0)), [90.0]])
    inner = 0.5 * (latitude[1:] + latitude[:-1])
    first = latitude[0] - (inner[0] - latitude[0])
    last = latitude[-1] + (latitude[-1] - inner[-1])
    return np.clip(np.concatenate([[first], inner, [last]]), -90.0, 90.0)


def longitude_bounds(longitude: np.ndarray) -> np.ndarray:
    """Return the western and eastern edge of each column, half-way to its neighbours on the circle.

    Parameters
    ----------
    longitude : ndarray of shape (n,)
        Cell centres in degrees east, ascending, over less than 360 degrees.

    Returns
    -------
    ndarray of shape (n, 2)
        In degrees east; the first column's western edge may be negative and the last one's eastern edge beyond 360.
        Where the columns cover part of the circle, the two beside the gap reach half a step into it.

    Raises
    ------
    DataError
        If the longitudes do not ascend, or span 360 degrees or more.
    """
    longitude = ascending(longitude, "longitude")
    gap = longitude_gaps(longitude)
    east, west = 0.5 * gap, 0.5 * np.roll(gap, 1)
    if not goes_round(longitude):
        last = int(gap.argmax())
        first = (last + 1) % longitude.size
        east[last], west[first] = west[last], east[first]
    return np.stack([longitude - west, longitude + east], axis=1)


def longitude_gaps(longitude: np.ndarray) -> np.ndarray:
    """Return the distance from each column to the next one east, the last one's to the first across the seam.

    Parameters
    ----------
    longitude : ndarray of shape (n,)
        Cell centres in degrees east, ascending.

    Returns
    -------
    ndarray of shape (n,)
        In degrees; they add up to 360.

    Raises
    ------
    DataError
        If the longitudes span 360 degrees or more, so that a column stands there twice.
    """
    gap = np.diff(longitude, append=longitude[0] + 360.0)
    if gap[-1] <= 1e-6:
        raise DataError(
            f"The longitudes {longitude[0]:g}..{longitude[-1]:g} span 360 degrees or more, so that columns stand there "
            "twice. Drop those that repeat."
        )
    return gap


def goes_round(longitude: np.ndarray) -> bool:
    """Return whether the columns go all round the globe.

    Parameters
    ----------
    longitude : ndarray of shape (n,)
        Cell centres in degrees east, ascending.

    Returns
    -------
    bool
        False where one gap is more than one and a half times as wide as every other; a single column goes round.
    """
    gap = np.sort(longitude_gaps(longitude))
    return bool(gap.size == 1 or gap[-1] <= WIDE_GAP * gap[-2])


def covers_globe(latitude: np.ndarray, longitude: np.ndarray) -> bool:
    """Return whether the cells of a grid cover the globe: round it, and from pole to pole.

    Parameters
    ----------
    latitude, longitude : ndarray of shape (n,)
        Cell centres in degrees, ascending.

    Returns
    -------
    bool
        Cells reach half a step beyond the outer rows. A row that is left out on a pole does not count where the grid is
        so fine that next to nothing is missing (0.01 % of the sphere). One row alone has no edges and covers no globe.

    Raises
    ------
    DataError
        If the coordinates are no grid.
    """
    if np.size(latitude) < 2 or not goes_round(longitude):
        return False
    edges = latitude_edges(latitude)
    return bool(np.sin(np.deg2rad(edges[-1])) - np.sin(np.deg2rad(edges[0])) >= 2.0 * (1.0 - LEFT_OUT))


def _brief(values: np.ndarray) -> str:
    return np.array2string(values, precision=6, threshold=6, edgeitems=2, separator=", ")


def latitude_weights(latitude: xr.DataArray, kind: WeightKind = "cell_area") -> xr.DataArray:
    """Return area weights along latitude (all longitudes of a regular grid weigh the same).

    Parameters
    ----------
    latitude : DataArray of shape (latitude,)
        Cell centres in degrees north, ascending.
    kind : {"cell_area", "cos_latitude"}
        ``cell_area`` is exact: the difference of sin(latitude) between a cell's edges. ``cos_latitude`` is the
        approximation that several published protocols prescribe; a row on a pole then weighs (almost) nothing.

    Returns
    -------
    DataArray of shape (latitude,)
        Positive weights without unit; not normalised.

    Raises
    ------
    DataError
        If ``cell_area`` is asked for and there are fewer than two latitudes, or they do not ascend.
    """
    degrees = latitude.values.astype("float64")
    if kind == "cos_latitude":
        weights = np.cos(np.deg2rad(degrees))
    else:
        weights = np.diff(np.sin(np.deg2rad(latitude_edges(degrees))))
    return xr.DataArray(np.maximum(weights, 0.0), coords={"latitude": latitude}, dims="latitude", name="weights")


def cell_areas(grid: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """Return the exact area of every cell on the unit sphere.

    Parameters
    ----------
    grid : Dataset or DataArray
        With coordinates ``latitude`` and ``longitude`` (canonical, degrees).

    Returns
    -------
    DataArray of shape (latitude, longitude)
        In sr, float64: the difference of sin(latitude) between a cell's edges times its width in radians. Those of a
        global grid add up to 4 pi; times the square of a radius they are areas.

    Raises
    ------
    DataError
        If a coordinate does not ascend, there are fewer than two latitudes, or the longitudes span 360 degrees.
    """
    rows = latitude_weights(grid["latitude"])
    width = np.deg2rad(np.diff(longitude_bounds(grid["longitude"].values), axis=1)[:, 0])
    columns = xr.DataArray(width, coords={"longitude": grid["longitude"]}, dims="longitude")
    return (rows * columns).rename("cell_area").assign_attrs(units="sr", standard_name="cell_area")


def grid_offset(one: xr.Dataset | xr.DataArray, other: xr.Dataset | xr.DataArray) -> float:
    """Return how far two grids lie apart, in cells of the finer spacing.

    Parameters
    ----------
    one, other : Dataset or DataArray
        With coordinates ``latitude`` and ``longitude`` (canonical, degrees).

    Returns
    -------
    float
        0 for equal grids; the largest shift of a row or column in cells; infinity where the number of rows or
        columns differs.
    """
    largest = 0.0
    for name, period in (("latitude", None), ("longitude", 360.0)):
        a, b = (d[name].values.astype("float64") for d in (one, other))
        if a.size != b.size:
            return float("inf")
        shift = np.abs(a - b)
        if period:
            shift = np.minimum(shift, period - shift)
        spacing = np.median(np.abs(np.diff(b))) if b.size > 1 else 1.0
        largest = max(largest, float(shift.max() / spacing))
    return largest


def describe_grid(grid: xr.Dataset | xr.DataArray) -> str:
    """Return a grid in words, for messages: size and first and last coordinates.

    Parameters
    ----------
    grid : Dataset or DataArray
        With coordinates ``latitude`` and ``longitude``.

    Returns
    -------
    str
        For example ``"48 x 72 (latitude -88.59..88.59, longitude 1.875..356.9)"``.
    """
    lat, lon = grid["latitude"].values, grid["longitude"].values
    return f"{lat.size} x {lon.size} (latitude {lat[0]:.4g}..{lat[-1]:.4g}, longitude {lon[0]:.4g}..{lon[-1]:.4g})"
