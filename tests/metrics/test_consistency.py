"""Ratios of mean changes and impossible amounts against hand-worked numbers and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from climbench.metrics.consistency import (
    against_members,
    below,
    below_zero,
    ratio_against_members,
    ratio_of_means,
)


def test_a_ratio_of_means_is_no_mean_of_ratios():
    """Precipitation 0.06 and 0.10 at warmings of 1 and 3 K: 0.08 / 2, not (0.06 + 0.0333) / 2."""
    assert ratio_of_means(np.array([0.06, 0.10]), np.array([1.0, 3.0])) == pytest.approx(0.04)
    assert np.isnan(ratio_of_means(np.array([1.0]), np.array([-1.0, 1.0])))


def test_the_error_of_a_ratio_by_hand():
    """Target 4 / 2 = 2; members 3 4 5 over 2 2 2 move it by -0.5 0 0.5: floor 0.5 / sqrt(3)."""
    found = ratio_against_members(2.5, np.array([3.0, 4.0, 5.0]), np.array([2.0, 2.0, 2.0]))
    floor = 0.5 / 3**0.5
    assert found.error == pytest.approx(0.5)
    assert found.floor == pytest.approx(floor)
    half = stats.t.ppf(0.975, 2) * floor
    assert (found.interval.low, found.interval.high) == pytest.approx((0.5 - half, 0.5 + half))


def test_what_moves_both_parts_alike_is_no_noise_of_the_ratio():
    warming = np.array([1.0, 2.0, 3.0])
    found = ratio_against_members(0.05, 0.05 * warming, warming)
    assert found.error == pytest.approx(0.0, abs=1e-15)
    assert found.floor == pytest.approx(0.0, abs=1e-15)


def test_a_denominator_within_its_noise_has_no_ratio():
    found = ratio_against_members(1.0, np.array([1.0, 1.0, 1.0]), np.array([-1.0, 0.1, 1.2]))
    assert np.isnan(found.error)
    assert "within its noise" in found.interval.reason
    assert np.isnan(ratio_against_members(1.0, np.array([1.0]), np.array([0.0])).error)


def test_the_interval_of_a_ratio_holds_the_truth():
    """Gaussian members about 0.06 over 2, noise in both parts: 95 % of intervals about the error hold it."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        numerator = 0.06 + 0.004 * rng.standard_normal(4)
        found = ratio_against_members(0.035, numerator, 2.0 + 0.08 * rng.standard_normal(4))
        held += found.interval.low <= 0.005 <= found.interval.high
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


def test_a_number_against_members_by_hand():
    """Members 1 2 6: mean 3, standard deviation sqrt(7); prediction 5."""
    found = against_members(5.0, np.array([1.0, 2.0, 6.0]))
    assert found.error == pytest.approx(2.0)
    assert found.floor == pytest.approx((7 / 3) ** 0.5)
    half = stats.t.ppf(0.975, 2) * (7 / 3) ** 0.5
    assert (found.interval.low, found.interval.high) == pytest.approx((2 - half, 2 + half))


@pytest.mark.parametrize("score", [against_members, lambda p, m: ratio_against_members(p, m, m * 0 + 1.0)])
def test_one_member_has_an_error_and_no_interval(score):
    found = score(5.0, np.array([3.0]))
    assert found.error == pytest.approx(2.0)
    assert np.isnan(found.floor)
    assert found.interval.low is None
    assert "one member" in found.interval.reason


def test_amounts_below_zero_are_counted_and_rounding_is_not():
    field = xr.DataArray([-1.0, -1e-4, 0.0, 2.0, np.nan], dims="x")
    np.testing.assert_array_equal(below_zero(field), [1.0, 0.0, 0.0, 0.0, np.nan])
    np.testing.assert_array_equal(below_zero(field, tolerance=0.0), [1.0, 1.0, 0.0, 0.0, np.nan])


def test_an_amount_below_another_is_counted():
    one, other = xr.DataArray([1.0, 2.0, 2.0, np.nan], dims="x"), xr.DataArray([2.0, 2.0005, 1.0, 1.0], dims="x")
    np.testing.assert_array_equal(below(one, other), [1.0, 0.0, 0.0, np.nan])
