"""The CRPS against hand-worked numbers, three other libraries, its analytic limit, and pairs counted one by one."""

from __future__ import annotations

import numpy as np
import properscoring
import pytest
import xarray as xr
import xskillscore
from hypothesis import given, settings
from hypothesis import strategies as st
from scores.probability import crps_for_ensemble

from climbench.errors import DataError
from climbench.metrics import ensemble_kernels
from climbench.metrics.crps import absolute_error, almost_fair_crps, crps, fair_crps, half_mean_difference
from tests.metrics.ensemble_examples import draw, line, target

SCORES = (fair_crps, crps, almost_fair_crps)


def test_by_hand():
    """Members 0, 1, 3 and target 2: mean error (2 + 1 + 1) / 3; differences 1 + 3 + 2 over 3 pairs, half of it 1."""
    members, value = line(0, 1, 3), xr.DataArray(2.0)
    assert float(fair_crps(members, value)) == pytest.approx(1 / 3)
    assert float(crps(members, value)) == pytest.approx(2 / 3)
    assert float(absolute_error(members, value)) == pytest.approx(4 / 3)
    assert float(half_mean_difference(members)) == pytest.approx(1.0)
    assert float(half_mean_difference(members, fair=False)) == pytest.approx(2 / 3)
    assert float(almost_fair_crps(members, value, alpha=0.25)) == pytest.approx(0.25 / 3 + 0.75 * 2 / 3)


def test_many_members_of_a_normal_distribution_reach_its_closed_form():
    """Of the standard normal at 0.5 it is 0.33140353; evenly spaced quantiles stand for very many members."""
    from scipy.special import ndtri

    members = line(*ndtri((np.arange(20000) + 0.5) / 20000))
    assert float(fair_crps(members, xr.DataArray(0.5))) == pytest.approx(0.33140353, abs=1e-4)
    assert float(crps(members, xr.DataArray(0.5))) == pytest.approx(0.33140353, abs=1e-4)


def test_other_libraries_agree():
    members, value = draw(), target()
    stacked = members.transpose(..., "member").values
    np.testing.assert_allclose(crps(members, value), properscoring.crps_ensemble(value.values, stacked), atol=1e-10)
    for name, ours in (("ecdf", crps), ("fair", fair_crps)):
        theirs = crps_for_ensemble(members, value, "member", method=name, preserve_dims="all")
        xr.testing.assert_allclose(ours(members, value), theirs, atol=1e-10)
    mean = xskillscore.crps_ensemble(value, members, member_dim="member")
    assert float(crps(members, value).mean()) == pytest.approx(float(mean), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9), st.floats(-1e3, 1e3))
def test_the_sorted_form_is_the_sum_over_pairs(members, value):
    x = np.array(members)
    pairs = np.abs(x[:, None] - x).sum()
    expected = np.abs(x - value).mean() - pairs / (2 * x.size * (x.size - 1))
    assert float(fair_crps(line(*members), xr.DataArray(value))) == pytest.approx(expected, abs=1e-9)


def test_one_member_has_its_absolute_error():
    members, value = draw(member=1), target()
    np.testing.assert_allclose(crps(members, value), abs(members.isel(member=0) - value))
    for score in (fair_crps, almost_fair_crps):
        with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
            score(members, value)
    assert almost_fair_crps(members, value, alpha=0.0).equals(crps(members, value))


def test_the_absolute_error_keeps_the_targets_members():
    members, values = draw(), draw(2, member=4)
    found = absolute_error(members, values)
    for n in range(4):
        expected = abs(members - values.isel(member=n, drop=True)).mean("member")
        xr.testing.assert_allclose(found.isel(member=n, drop=True), expected.transpose(*found.dims[:-1]), rtol=1e-12)
    lazy = absolute_error(members.chunk(member=2, time=3), values.chunk(member=1, latitude=2))
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute().transpose(*found.dims), found, rtol=1e-13)


@pytest.mark.parametrize("score", SCORES)
def test_a_target_with_members_is_scored_against_each(score):
    members, values = draw(), draw(2, member=4)
    each = [score(members, values.isel(member=n)) for n in range(4)]
    xr.testing.assert_allclose(score(members, values), sum(each) / 4, rtol=1e-10)


def test_its_expectation_does_not_depend_on_the_number_of_members():
    """The fair score of the target's own distribution is half the mean difference, 1 / sqrt(pi), of any size.

    The classical one is larger by (1 / M) of it.
    """
    rng = np.random.default_rng(5)
    points = 200_000
    value = xr.DataArray(rng.standard_normal(points), dims="x")
    for size in (2, 3, 10):
        members = xr.DataArray(rng.standard_normal((size, points)), dims=("member", "x"))
        fair, classical = (float(score(members, value).mean()) for score in (fair_crps, crps))
        assert fair == pytest.approx(np.pi**-0.5, rel=0.01)
        assert classical == pytest.approx((1 + 1 / size) * np.pi**-0.5, rel=0.01)
        assert float(half_mean_difference(members).mean()) == pytest.approx(np.pi**-0.5, rel=0.01)


@pytest.mark.parametrize("score", SCORES)
def test_the_order_of_members_and_dimensions_makes_no_difference(score):
    members, value = draw(), target()
    whole = score(members, value)
    shuffled = members.isel(member=[3, 0, 4, 1, 2]).transpose("longitude", "member", "time", "latitude")
    turned = score(shuffled, value.transpose("latitude", "time", "longitude"))
    xr.testing.assert_allclose(whole, turned.transpose(*whole.dims), rtol=1e-12)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("values", [target(), draw(2, member=3)], ids=["one", "members"])
def test_chunks_and_blocks_make_no_difference(score, values, monkeypatch):
    members = draw()
    whole = score(members, values)
    lazy = score(members.chunk(time=2, member=2, longitude=5), values.chunk(time=3))
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute().transpose(*whole.dims), whole, rtol=1e-13)
    monkeypatch.setattr(ensemble_kernels, "BLOCK_BYTES", 1)
    xr.testing.assert_allclose(score(members, values), whole, rtol=1e-13)


def test_single_precision_is_summed_in_double():
    members, value = draw(member=50), target()
    single = fair_crps(members.astype("float32"), value.astype("float32"))
    assert single.dtype == "float64"
    exact = fair_crps(members.astype("float32").astype("float64"), value.astype("float32").astype("float64"))
    xr.testing.assert_allclose(single, exact, rtol=1e-5)


def test_the_inputs_stay_as_they_are():
    members, values = draw(), draw(2, member=3)
    copies = members.copy(deep=True), values.copy(deep=True)
    fair_crps(members, values)
    half_mean_difference(members)
    absolute_error(members, values.isel(member=0))
    assert members.identical(copies[0])
    assert values.identical(copies[1])


@pytest.mark.parametrize("score", [*SCORES, absolute_error])
def test_a_missing_value_is_passed_on(score):
    members, value = draw(), target()
    members[2, 3, 1, 4] = np.nan
    value[5, 0, 0] = np.nan
    missing = score(members, value).isnull()
    assert int(missing.sum()) == 2
    assert bool(missing[2, 1, 4])
    assert bool(missing[5, 0, 0])


def test_the_dimension_of_members_is_found_by_name():
    members, value = draw(), target()
    assert fair_crps(members.rename(member="number"), value, member="number").equals(fair_crps(members, value))
    with pytest.raises(DataError, match="no dimension 'member'; it has time, number, latitude, longitude"):
        fair_crps(members.rename(member="number"), value)


def test_wrong_use_is_refused():
    with pytest.raises(DataError, match=r"alpha, must lie between 0 and 1; found 1\.5"):
        almost_fair_crps(draw(), target(), alpha=1.5)


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4)])
@pytest.mark.parametrize("size", [1, 2, 5, 7, 1000])
def test_blocks_cover_every_element_once(shape, size):
    seen = np.zeros(shape, int)
    for part in ensemble_kernels.blocks(shape, size):
        assert seen[part].size <= max(size, 1)
        seen[part] += 1
    assert (seen == 1).all()
