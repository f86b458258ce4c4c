"""Additive statistics against hand-worked sums, and coordinates that do not agree."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.metrics.base import area_mean, mean_over_inits, weighted_sum


def field(latitude):
    return xr.DataArray(np.ones((3, 2)), coords={"latitude": latitude}, dims=("latitude", "longitude"))


def test_the_mean_over_inits_counts_each_the_same_and_passes_a_missing_one_on():
    means = xr.DataArray([[1.0, 2.0, 6.0], [1.0, np.nan, 3.0]], dims=("lead_time", "init_time"))
    np.testing.assert_array_equal(mean_over_inits(means), [3.0, np.nan])
    assert mean_over_inits(means.rename(init_time="start"), inits="start").dims == ("lead_time",)
    with pytest.raises(
        DataError, match="averaged over 'init_time', and there is no such dimension; there is lead_time"
    ):
        mean_over_inits(means.isel(init_time=0))


def test_weights_on_other_coordinates_are_refused():
    """Latitudes in single precision: joined, only the row at 0 would be left."""
    weights = xr.DataArray([1.0, 2.0, 1.0], coords={"latitude": [-60.1, 0.0, 60.1]}, dims="latitude")
    assert float(area_mean(field([-60.1, 0.0, 60.1]), weights)) == 1.0
    for mean in (area_mean, lambda f, w: weighted_sum(f, w, ("latitude",))):
        with pytest.raises(DataError, match="weights have different coordinates along latitude"):
            mean(field(np.array([-60.1, 0.0, 60.1], "float32")), weights)
    assert float(area_mean(field([-60.1, 0.0, 60.1]), weights.drop_vars("latitude"))) == 1.0
    assert float(area_mean(field([60.1, 0.0, -60.1]), weights)) == 1.0
