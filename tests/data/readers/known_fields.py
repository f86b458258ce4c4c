"""Fields whose value in each cell tells its place, so that a test knows what must stand where after any reordering."""

from __future__ import annotations

import numpy as np
import xarray as xr


def positions(coordinate: xr.DataArray) -> np.ndarray:
    """Return a coordinate as numbers: dates as days since 2020, durations as hours, anything else as it is."""
    values = coordinate.values
    if values.dtype.kind == "M":
        return (values - np.datetime64("2020-01-01")) / np.timedelta64(1, "D")
    if values.dtype.kind == "m":
        return values / np.timedelta64(1, "h")
    return values.astype("float64")


def expected(coords: dict[str, xr.DataArray], base: float) -> xr.DataArray:
    """Return base + 0.1 latitude + 0.01 longitude + 0.001 level + time in days + 0.02 hours of lead + member."""
    slopes = {
        "latitude": 0.1,
        "longitude": 0.01,
        "level": 0.001,
        "time": 1.0,
        "init_time": 1.0,
        "lead_time": 0.02,
        "member": 1.0,
        "hour": 0.02,
        "dayofyear": 0.01,
    }
    total = xr.DataArray(base)
    for name, coordinate in coords.items():
        total = total + slopes[name] * xr.DataArray(positions(coordinate), {name: coordinate.values}, (name,))
    return total


def assert_expected(data: xr.DataArray, base: float, tolerance: float = 1e-4) -> None:
    """Assert that each value of a canonical variable stands where it belongs."""
    wanted = expected({str(d): data[d] for d in data.dims}, base).transpose(*data.dims)
    np.testing.assert_allclose(data.values, wanted.values, atol=tolerance, rtol=0.0)
