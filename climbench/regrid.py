"""First-order conservative regridding between regular latitude-longitude grids."""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.grids import latitude_edges


def _overlap(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return lengths shared by each target cell and each source cell, from their edges: (target, source)."""
    low = np.maximum(target[:-1, None], source[None, :-1])
    high = np.minimum(target[1:, None], source[None, 1:])
    return np.maximum(high - low, 0.0)


def _longitude_edges(longitude: np.ndarray) -> np.ndarray:
    step = np.diff(longitude, append=longitude[0] + 360.0)
    return np.append(longitude - 0.5 * np.roll(step, 1), longitude[-1] + 0.5 * step[-1])


def _longitude_overlap(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    edges = _longitude_edges(source)
    return sum(
        (_overlap(edges + turn, _longitude_edges(target)) for turn in (-360.0, 0.0, 360.0)),
        start=np.zeros((target.size, source.size)),
    )


def regrid_conservative(maps: xr.DataArray, target: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """Regrid global maps so that the area integral is kept (first order; cells are boxes in sin(latitude), longitude).

    Parameters
    ----------
    maps : DataArray of shape (..., latitude, longitude)
        Global maps with ascending latitude and longitude in degrees.
    target : Dataset or DataArray
        Where the maps shall go: its ``latitude`` and ``longitude`` coordinates are taken.

    Returns
    -------
    DataArray of shape (..., latitude, longitude)
        The maps as cell means on the target grid, float64, attributes kept.

    References
    ----------
    Jones (1999), First- and second-order conservative remapping schemes for grids in spherical coordinates,
    Mon. Weather Rev. 127, eq. 6 (first-order term).
    """
    lat_in, lon_in = maps["latitude"].values, maps["longitude"].values
    lat_out, lon_out = target["latitude"].values, target["longitude"].values
    sine = [np.sin(np.deg2rad(latitude_edges(lat.astype("float64")))) for lat in (lat_in, lat_out)]
    rows = _overlap(sine[0], sine[1])
    columns = _longitude_overlap(lon_in.astype("float64"), lon_out.astype("float64"))
    rows, columns = (m / m.sum(axis=1, keepdims=True) for m in (rows, columns))

    def apply(values: np.ndarray) -> np.ndarray:
        regridded: np.ndarray = np.matmul(rows, values.astype("float64")) @ columns.T
        return regridded

    result = xr.apply_ufunc(
        apply,
        maps,
        input_core_dims=[["latitude", "longitude"]],
        output_core_dims=[["latitude", "longitude"]],
        exclude_dims={"latitude", "longitude"},
        keep_attrs=True,
    )
    return result.assign_coords(latitude=target["latitude"], longitude=target["longitude"])
