"""Spread and errors of ensemble means against hand-worked numbers, xarray's own, and what they are in expectation."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.metrics.base import weighted_sum
from climbench.metrics.ensembles import (
    ensemble_mean_rmse,
    ensemble_variance,
    spread,
    spread_error_ratio,
    squared_error,
)
from tests.metrics.ensemble_examples import draw, line, target


def over_all(field):
    return weighted_sum(field, xr.DataArray(1.0), field.dims)


def test_by_hand():
    """Members 0, 1, 5: mean 2, variance (4 + 1 + 9) / 2 = 7. Target 4: error 4, less 7 / 3. Target 3, 5: less 2 / 2."""
    members, value = line(0, 1, 5), xr.DataArray(4.0)
    assert float(ensemble_variance(members)) == pytest.approx(7.0)
    assert float(squared_error(members, value, unbiased=False)) == pytest.approx(4.0)
    assert float(squared_error(members, value, unbiased=True)) == pytest.approx(4.0 - 7.0 / 3.0)
    assert float(squared_error(members, line(3, 5), unbiased=False)) == pytest.approx(4.0)
    assert float(squared_error(members, line(3, 5), unbiased=True)) == pytest.approx(4.0 - 7.0 / 3.0 - 1.0)


def test_roots_and_ratios_come_last():
    """Variances 1 and 7: spread 2. Squares 1 and 3: error sqrt(2), ratio sqrt(2); weights 1 and 3 give 5.5 over 2.5."""
    variances, squares = line(1, 7, dim="x"), line(1, 3, dim="x")
    even, uneven = line(1, 1, dim="x"), line(1, 3, dim="x")
    of = {n: tuple(weighted_sum(f, w, ("x",)) for f in (variances, squares)) for n, w in (("e", even), ("u", uneven))}
    assert float(spread(of["e"][0])) == pytest.approx(2.0)
    assert float(ensemble_mean_rmse(of["e"][1])) == pytest.approx(2**0.5)
    assert float(spread_error_ratio(*of["e"])) == pytest.approx(2**0.5)
    assert float(spread_error_ratio(*of["u"])) == pytest.approx((5.5 / 2.5) ** 0.5)


def test_an_unbiased_mean_square_below_zero_has_no_ratio_and_a_root_of_zero():
    negative, variance = over_all(line(-1, 0.5)), over_all(line(1, 1))
    assert float(ensemble_mean_rmse(negative)) == 0.0
    assert np.isnan(float(spread_error_ratio(variance, negative)))


def test_xarray_agrees():
    members, value = draw(), target()
    xr.testing.assert_allclose(ensemble_variance(members), members.var("member", ddof=1), rtol=1e-9)
    expected = (members.mean("member") - value) ** 2
    xr.testing.assert_allclose(squared_error(members, value, unbiased=False), expected, rtol=1e-9, atol=1e-12)
    less = expected - members.var("member", ddof=1) / 5
    xr.testing.assert_allclose(squared_error(members, value, unbiased=True), less, rtol=1e-9, atol=1e-12)


def test_a_reliable_ensemble_has_a_ratio_of_one_whatever_its_size():
    """Against single draws; and against another ensemble's mean, an unbiased square is zero in expectation."""
    rng = np.random.default_rng(3)
    points = 100_000
    value = xr.DataArray(rng.standard_normal(points), dims="x")
    others = xr.DataArray(rng.standard_normal((4, points)), dims=("member", "x"))
    for size in (2, 5):
        members = xr.DataArray(rng.standard_normal((size, points)), dims=("member", "x"))
        variance = over_all(ensemble_variance(members))
        unbiased = over_all(squared_error(members, value, unbiased=True))
        assert float(spread_error_ratio(variance, unbiased)) == pytest.approx(1.0, abs=0.01)
        biased = over_all(squared_error(members, value, unbiased=False))
        assert float(spread_error_ratio(variance, biased)) == pytest.approx((size / (size + 1)) ** 0.5, abs=0.01)
        both = over_all(squared_error(members, others, unbiased=True))
        assert float(both.mean()) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("values", [target(), draw(2, member=3)], ids=["one", "members"])
def test_chunks_make_no_difference(values):
    members = draw()
    whole = squared_error(members, values, unbiased=True)
    lazy = squared_error(members.chunk(member=2, time=3), values.chunk(latitude=1), unbiased=True)
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute().transpose(*whole.dims), whole, rtol=1e-12, atol=1e-12)


def test_statistics_of_parts_add_up():
    members, value = draw(), target()
    weights = xr.DataArray(np.arange(1.0, 5.0), dims="latitude")
    dims = ("time", "latitude", "longitude")
    whole = weighted_sum(squared_error(members, value, unbiased=True), weights, dims)
    parts = (slice(0, 2), slice(2, 7))
    first, second = (
        weighted_sum(squared_error(members.isel(time=p), value.isel(time=p), unbiased=True), weights, dims)
        for p in parts
    )
    assert float((first + second).mean()) == pytest.approx(float(whole.mean()), rel=1e-12)


def test_single_precision_far_from_zero_is_summed_in_double():
    members = (draw(member=50) + 1e5).astype("float32")
    exact = members.astype("float64").var("member", ddof=1)
    xr.testing.assert_allclose(ensemble_variance(members), exact, rtol=1e-9)


def test_too_few_members_are_refused():
    one = draw(member=1)
    with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
        ensemble_variance(one)
    with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
        squared_error(draw(), one, unbiased=True)
    assert float(squared_error(one, target(), unbiased=False).min()) >= 0.0
