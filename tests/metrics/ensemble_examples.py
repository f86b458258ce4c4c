"""Ensembles to score: small ones with gaps of nothing, of any shape, and what they are called."""

from __future__ import annotations

import numpy as np
import xarray as xr

SIZES = {"time": 7, "member": 5, "latitude": 4, "longitude": 6}


def draw(seed=0, **sizes):
    """Return normal draws about 280 with the given dimensions, none where a size is 0."""
    kept = {dim: size for dim, size in {**SIZES, **sizes}.items() if size}
    values = 280.0 + np.random.default_rng(seed).standard_normal(tuple(kept.values()))
    return xr.DataArray(values, coords={dim: np.arange(size) for dim, size in kept.items()}, dims=tuple(kept))


def target(seed=1):
    return draw(seed, member=0)


def line(*values, dim="member"):
    return xr.DataArray(np.array(values, "float64"), dims=dim)
