"""Variance in time over a region, by hand and by NumPy, in one piece and in several."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.grids import latitude_weights
from climbench.metrics.variance_ratio import time_sums, variance_ratio
from climbench.regions import region_weights
from tests.example_grids import regular


def field(seed, scale=1.0, times=12):
    at = regular(12)
    values = 280.0 + scale * np.random.default_rng(seed).standard_normal((times, 12, at.sizes["longitude"]))
    return xr.DataArray(values, dims=("time", "latitude", "longitude"), coords={"time": np.arange(times), **at.coords})


def tropics(values):
    return region_weights(latitude_weights(values["latitude"]), values, "tropics")


def test_by_hand():
    """Areas 1 and 3; variances 1 and 4 of the forecast, 2.25 and 1 of the truth: (1 + 12) / (2.25 + 3)."""
    axes = {"latitude": [-10.0, 10.0], "longitude": [0.0]}
    weights = xr.DataArray([1.0, 3.0], coords={"latitude": axes["latitude"]}, dims="latitude")

    def two(*steps):
        values = np.array([[[-s] for s in steps], [[s] for s in steps]]) + 5.0
        return xr.DataArray(values, dims=("time", *axes), coords={"time": [0, 1], **axes})

    ratio = variance_ratio(time_sums(two(1.0, 2.0)), time_sums(two(1.5, 1.0)), weights)
    assert float(ratio) == pytest.approx(13.0 / 5.25)


def test_sums_of_parts_and_dask_are_those_of_the_whole_and_the_variance_is_numpys():
    values = field(0)
    whole = time_sums(values)
    parts = time_sums(values.isel(time=slice(0, 5))) + time_sums(values.isel(time=slice(5, None)).chunk(time=2))
    assert whole.variance().values == pytest.approx(values.values.var(axis=0), rel=1e-9)
    assert parts.count == 12
    assert parts.variance().values == pytest.approx(whole.variance().values, rel=1e-9)


def test_only_the_tropics_count():
    truth = field(1)
    mean = truth.mean("time")
    damped = mean + 0.5 * (truth - mean)
    elsewhere = damped.where(abs(truth["latitude"]) <= 20.0, 100.0 * truth)
    for forecast in (damped, elsewhere):
        found = variance_ratio(time_sums(forecast), time_sums(truth), tropics(truth))
        assert float(found) == pytest.approx(0.25)


def test_what_has_no_variance_is_refused():
    values = field(2)
    with pytest.raises(DataError, match="two times or more"):
        time_sums(values.isel(time=[0])).variance()
    with pytest.raises(DataError, match="no such dimension"):
        time_sums(values.isel(time=0))
    with pytest.raises(DataError, match="12 and 11 times"):
        variance_ratio(time_sums(values), time_sums(values.isel(time=slice(1, None))), tropics(values))
    still = variance_ratio(time_sums(values), time_sums(xr.zeros_like(values)), tropics(values))
    assert np.isnan(float(still))
