"""Variability about a trend against lines and noise that are known, and other libraries' residuals."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from climbench.errors import DataError
from climbench.grids import latitude_weights
from climbench.metrics import noise_floor
from climbench.metrics.variability import internal_std, variability_ratio, variance_about_trend
from tests.metrics.test_trends import YEARS, field, maps


def test_by_hand():
    """Years 0 to 3, values 0 2 0 2: slope 0.4, residuals -0.4 1.2 -1.2 0.4, squares 3.2 over 2 degrees of freedom."""
    assert float(variance_about_trend(field([0, 2, 0, 2], np.arange(4)))) == pytest.approx(1.6)


def test_a_line_does_not_vary():
    assert float(variance_about_trend(field(280.0 + 0.03 * YEARS))) == pytest.approx(0.0, abs=1e-8)


def test_another_library_agrees_also_far_from_zero():
    rng = np.random.default_rng(0)
    for offset in (0.0, 280.0):
        values = offset + 0.1 * rng.standard_normal(21) + 0.02 * (YEARS - 2090)
        fit = stats.linregress(YEARS - 2090, values)
        residuals = values - fit.intercept - fit.slope * (YEARS - 2090)
        expected = (residuals**2).sum() / 19
        assert float(variance_about_trend(field(values))) == pytest.approx(expected, rel=1e-7)


def test_it_is_unbiased_about_a_line():
    values = np.random.default_rng(1).standard_normal((20_000, 5)) * 2.0 + 3.0 * np.arange(5)
    found = variance_about_trend(field(values, np.arange(5)))
    assert float(found.mean()) == pytest.approx(4.0, rel=0.03)


def test_the_ratio_averages_variances_before_the_root():
    """Prediction's members vary by 1 and 3 (variances), the target's by 4 and 12: sqrt(2 / 8)."""
    wave = np.array([1.0, -2.0, 1.0])  # a sum of squares of 6 about a line of slope 0: variance 6
    years = np.arange(3)

    def members(*variances):
        values = np.stack([wave * (v / 6) ** 0.5 for v in variances])[:, :, None, None] * np.ones((2, 2))
        coords = {"member": range(len(variances)), "time": years, "latitude": [-30.0, 30.0], "longitude": [0.0, 180.0]}
        return xr.DataArray(values, coords=coords, dims=tuple(coords))

    weights = xr.DataArray([1.0, 1.0], coords={"latitude": [-30.0, 30.0]}, dims="latitude")
    assert float(variability_ratio(members(1, 3), members(4, 12), weights)) == pytest.approx(0.5)
    mean = members(1, 3).mean("member")
    alone = float(variability_ratio(mean, members(4, 12), weights))
    assert alone == pytest.approx(((1 + 3**0.5) / 2) / 8**0.5)


def test_a_member_of_the_target_has_a_ratio_of_about_one_and_its_forced_response_none():
    weights = latitude_weights(maps()["latitude"])
    other = maps(9, members=20, slope=0.3)
    ratio = variability_ratio(maps(8, members=20, slope=0.1), other, weights)
    assert float(ratio) == pytest.approx(1.0, abs=0.03)
    forced = maps(0, slope=0.3).isel(member=0, drop=True) - maps(0).isel(member=0, drop=True)
    assert float(variability_ratio(forced, other, weights)) == pytest.approx(0.0, abs=1e-6)


def test_regions_are_scored_together():
    weights = xr.DataArray(np.random.default_rng(2).random((3, 4, 5)), dims=("region", "latitude", "longitude"))
    weights = weights.assign_coords({d: maps()[d] for d in ("latitude", "longitude")})
    members = maps(members=4)
    for score in (lambda w: variability_ratio(members.isel(member=0), members, w), lambda w: internal_std(members, w)):
        together = score(weights)
        np.testing.assert_allclose(together, [float(score(weights[n])) for n in range(3)], rtol=1e-12)


def test_the_internal_standard_deviation_is_the_floor_times_the_root_of_the_members():
    members, weights = maps(members=5), latitude_weights(maps()["latitude"])
    floor = float(noise_floor.floor_square_spatial(members, weights)) ** 0.5
    assert float(internal_std(members, weights)) == pytest.approx(floor * 5**0.5)
    # White noise of variance 1: the mean over 21 years has a standard deviation of 1 / sqrt(21).
    assert float(internal_std(maps(members=400), weights)) == pytest.approx(21**-0.5, rel=0.05)


def test_chunks_make_no_difference():
    members = maps(slope=0.1)
    lazy = variance_about_trend(members.chunk(time=4, latitude=3))
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), variance_about_trend(members), rtol=1e-10)


def test_two_years_are_too_few():
    with pytest.raises(DataError, match="three years at least; 'time' has 2"):
        variance_about_trend(field([1.0, 2.0]))
