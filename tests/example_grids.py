"""Grids of each kind, for tests of areas and regridding."""

from __future__ import annotations

import numpy as np
import xarray as xr

SPACE = ("latitude", "longitude")


def grid(latitude, longitude):
    return xr.Dataset(coords={"latitude": np.asarray(latitude, float), "longitude": np.asarray(longitude, float)})


def columns(n):
    return np.arange(n) * 360.0 / n


def regular(n):
    """Return n rows of cells between the poles, and twice as many columns."""
    half = 90.0 / n
    return grid(np.linspace(-90 + half, 90 - half, n), columns(2 * n))


def with_poles(n):
    """Return n rows of which the first and the last lie on the poles."""
    return grid(np.linspace(-90.0, 90.0, n), columns(2 * (n - 1)))


def gaussian(n):
    return grid(np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(n)[0])), columns(2 * n))


def random_maps(on, n=3, seed=0, dtype="float64"):
    shape = (n, on.sizes["latitude"], on.sizes["longitude"])
    values = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    return xr.DataArray(values, coords={"time": np.arange(n), **on.coords}, dims=("time", *SPACE), name="field")
