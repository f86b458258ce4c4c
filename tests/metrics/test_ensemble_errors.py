"""Forecast scores of ensembles against hand-worked numbers, expectations, and another library's energy distance."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import energy_distance
from scores.continuous import rmse as their_rmse

from climbench.errors import DataError
from climbench.metrics.ensemble_errors import crps_distance, ensemble_mean_rmse, spread, spread_skill
from tests.metrics.ensemble_examples import draw, line, target

WEIGHTS = xr.DataArray([1.0, 3.0, 2.0, 0.5], coords={"latitude": np.arange(4)}, dims="latitude")
ONE = xr.DataArray([1.0], dims="latitude")
TIME = {"inits": "time"}


def inits(*members):
    """One cell: a value for each init and member."""
    return xr.DataArray(np.array(members, "float64")[..., None], dims=("init_time", "member", "latitude"))


def values(*each):
    return xr.DataArray(np.array(each, "float64")[:, None], dims=("init_time", "latitude"))


def test_by_hand():
    """Members 0, 1, 5: mean 2, variance 7; then 1, 1, 4: mean 2, variance 3. Targets 5 and 3: squares 9 and 1.

    Mean variance 5 and square 5; less 5 / 3 for three members, 10 / 3. The ratio is 1, unbiased sqrt(3 / 2), adjusted
    sqrt(4 / 3). Ratios of each init would be sqrt(7) / 3 and sqrt(3), the mean of roots of squares 2.
    """
    members, value = inits([0, 1, 5], [1, 1, 4]), values(5, 3)
    assert float(spread(members, ONE)) == pytest.approx(5**0.5)
    assert float(ensemble_mean_rmse(members, value, ONE)) == pytest.approx(5**0.5)
    assert float(ensemble_mean_rmse(members, value, ONE, unbiased=True)) == pytest.approx((10 / 3) ** 0.5)
    assert float(spread_skill(members, value, ONE)) == pytest.approx(1.5**0.5)
    assert float(spread_skill(members, value, ONE, unbiased=False)) == pytest.approx(1.0)
    assert float(spread_skill(members, value, ONE, unbiased=False, adjusted=True)) == pytest.approx((4 / 3) ** 0.5)


def test_a_targets_members_are_averaged_and_taken_off():
    """Target members 4, 6 in place of 5: their variance 2 over 2 is 1 for one of two inits."""
    members, value = inits([0, 1, 5], [1, 1, 4]), inits([4, 6], [3, 3])
    assert float(ensemble_mean_rmse(members, value, ONE)) == pytest.approx(5**0.5)
    assert float(ensemble_mean_rmse(members, value, ONE, unbiased=True)) == pytest.approx((10 / 3 - 1 / 2) ** 0.5)


def test_another_library_agrees_about_the_mean():
    members, value = draw(), target()
    theirs = their_rmse(members.mean("member"), value, weights=WEIGHTS)
    assert float(ensemble_mean_rmse(members, value, WEIGHTS, **TIME)) == pytest.approx(float(theirs), rel=1e-10)


def test_a_reliable_ensemble_has_a_ratio_of_one_whatever_its_size():
    rng = np.random.default_rng(3)
    points = 100_000
    value = xr.DataArray(rng.standard_normal((points, 1)), dims=("init_time", "latitude"))
    for size in (2, 5):
        members = xr.DataArray(rng.standard_normal((size, points, 1)), dims=("member", "init_time", "latitude"))
        assert float(spread_skill(members, value, ONE)) == pytest.approx(1.0, abs=0.01)
        biased = float(spread_skill(members, value, ONE, unbiased=False))
        assert biased == pytest.approx((size / (size + 1)) ** 0.5, abs=0.01)
        adjusted = float(spread_skill(members, value, ONE, unbiased=False, adjusted=True))
        assert adjusted == pytest.approx(1.0, abs=0.01)
        assert float(ensemble_mean_rmse(members, value, ONE, unbiased=True)) == pytest.approx(1.0, abs=0.01)


def test_where_the_unbiased_square_is_negative_there_is_no_ratio():
    members, value = inits([0, 4], [0, 4]), values(2, 2)
    assert float(ensemble_mean_rmse(members, value, ONE, unbiased=True)) == 0.0
    assert np.isnan(float(spread_skill(members, value, ONE)))


SCORES = {
    "ensemble_mean_rmse": lambda x, y, w: ensemble_mean_rmse(x, y, w, unbiased=True, **TIME),
    "spread": lambda x, y, w: spread(x, w, **TIME),
    "spread_skill": lambda x, y, w: spread_skill(x, y, w, **TIME),
}


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("chunks", [1, 7, -1])
def test_chunks_and_order_make_no_difference(name, chunks):
    members, value = draw(), target()
    whole = SCORES[name](members, value, WEIGHTS)
    turned = members.isel(member=[3, 0, 4, 1, 2]).transpose("longitude", "member", ...).chunk(chunks)
    lazy = SCORES[name](turned, value.chunk(chunks), WEIGHTS)
    assert lazy.chunks is not None
    assert float(lazy) == pytest.approx(float(whole), rel=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_a_missing_value_is_noticed(name):
    members = draw()
    members[2, 3, 1, 4] = np.nan
    assert np.isnan(float(SCORES[name](members, target(), WEIGHTS)))


def test_the_distance_by_hand():
    """0, 2 against 1, 3: across 1, 3, 1, 1, on average 3 / 2; within 2 and 2, of all pairs half of that: 1 and 1."""
    assert float(crps_distance(line(0, 2), line(1, 3))) == pytest.approx(-0.5)
    assert float(crps_distance(line(0, 2), line(1, 3), fair=False)) == pytest.approx(0.5)
    assert float(crps_distance(line(0, 2, 2), line(2, 0, 2), fair=False)) == pytest.approx(0.0, abs=1e-15)


def test_another_librarys_energy_distance_is_the_root_of_twice_it():
    members, others = draw(time=2), draw(2, time=2, member=8) + 0.5
    found = crps_distance(members, others, fair=False)
    for place in np.ndindex(found.shape):
        at = dict(zip(found.dims, place, strict=True))
        expected = energy_distance(members.isel(at), others.isel(at)) ** 2 / 2
        assert float(found.isel(at)) == pytest.approx(expected, rel=1e-9)


def test_the_fair_distance_of_two_samples_of_one_distribution_is_zero_in_expectation():
    """Of the ensembles as they are it is half a mean difference, 1 / sqrt(pi), over each number of members."""
    rng = np.random.default_rng(8)
    points = 100_000
    ours, theirs = (xr.DataArray(rng.standard_normal((n, points)), dims=("member", "x")) for n in (3, 5))
    assert float(crps_distance(ours, theirs).mean()) == pytest.approx(0.0, abs=0.005)
    assert float(crps_distance(ours, theirs, fair=False).mean()) == pytest.approx(
        (1 / 3 + 1 / 5) * np.pi**-0.5, rel=0.01
    )


def test_the_fair_distance_of_others_is_the_integral_of_their_distribution_functions():
    from scipy.integrate import quad
    from scipy.special import ndtr

    rng = np.random.default_rng(9)
    ours, theirs = (xr.DataArray(rng.standard_normal((n, 100_000)), dims=("member", "x")) for n in (3, 4))
    expected = quad(lambda x: (ndtr(x) - ndtr(x - 1.0)) ** 2, -10, 11)[0]
    assert float(crps_distance(ours, theirs + 1.0).mean()) == pytest.approx(expected, rel=0.02)


def test_wrong_use_is_refused():
    members, value = draw(), target()
    with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
        spread(draw(member=1), WEIGHTS, **TIME)
    with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
        ensemble_mean_rmse(draw(member=1), value, WEIGHTS, unbiased=True, **TIME)
    with pytest.raises(DataError, match="averaged over 'init_time', and there is no such dimension"):
        ensemble_mean_rmse(members, value, WEIGHTS)
    with pytest.raises(DataError, match="needs no adjustment for the number of members"):
        spread_skill(members, value, WEIGHTS, adjusted=True, **TIME)
    with pytest.raises(DataError, match="the target has members of its own"):
        spread_skill(members, draw(2), WEIGHTS, **TIME)
    with pytest.raises(DataError, match="no dimension 'member'"):
        crps_distance(members, value)
