"""Latitude-longitude grids: cell edges, exact cell areas, weights, and how far two grids lie apart."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

WeightKind = Literal["cell_area", "cos_latitude"]


def latitude_edges(latitude: np.ndarray) -> np.ndarray:
    """Return cell edges half-way between latitudes, ending at the poles where the grid reaches them.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        Cell centres in degrees north, ascending.

    Returns
    -------
    ndarray of shape (n + 1,)
        Edges in degrees north, within [-90, 90]. A regional grid keeps its own outer edges.
    """
    inner = 0.5 * (latitude[1:] + latitude[:-1])
    first = latitude[0] - (inner[0] - latitude[0])
    last = latitude[-1] + (latitude[-1] - inner[-1])
    return np.clip(np.concatenate([[first], inner, [last]]), -90.0, 90.0)


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
    """
    degrees = latitude.values.astype("float64")
    if kind == "cos_latitude":
        weights = np.cos(np.deg2rad(degrees))
    else:
        weights = np.diff(np.sin(np.deg2rad(latitude_edges(degrees))))
    return xr.DataArray(np.maximum(weights, 0.0), coords={"latitude": latitude}, dims="latitude", name="weights")


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
