"""The energy score against pairs of fields counted one by one, and the CRPS where a field has one cell."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.metrics.crps import crps, fair_crps
from climbench.metrics.energy_score import energy_distance_within, energy_score, energy_score_of_fields
from tests.metrics.ensemble_examples import draw, target

WEIGHTS = xr.DataArray([1.0, 3.0, 2.0, 0.5], coords={"latitude": np.arange(4)}, dims="latitude")


def distance(one, other):
    share = np.repeat(WEIGHTS.values / WEIGHTS.values.sum() / 6, 6).reshape(4, 6)
    return np.sqrt((share * (one - other) ** 2).sum())


def by_pairs(members, values, *, fair):
    """Sum over all pairs of members, and over those of members and target members."""
    m = len(members)
    across = np.mean([distance(x, y) for x in members for y in values])
    within = sum(distance(x, other) for x in members for other in members)
    return across - within / (2 * m * (m - 1 if fair else m))


def test_by_hand():
    """Two cells of weights 3 and 1. Members 0 0 and 2 2, target 0 2: distances 1 and sqrt(3); of the members 2."""
    weights = xr.DataArray([3.0, 1.0], dims="cell")
    members = xr.DataArray([[0.0, 0.0], [2.0, 2.0]], dims=("member", "cell"))
    value = xr.DataArray([0.0, 2.0], dims="cell")
    across = (1.0 + 3**0.5) / 2
    assert float(energy_score(members, value, weights, dim=("cell",))) == pytest.approx(across - 1.0)
    assert float(energy_score(members, value, weights, fair=False, dim=("cell",))) == pytest.approx(across - 0.5)
    assert float(energy_distance_within(members, weights, dim=("cell",))) == pytest.approx(1.0)


@pytest.mark.parametrize("fair", [True, False])
@pytest.mark.parametrize("values", [target(), draw(2, member=3)], ids=["one", "members"])
def test_it_is_the_sum_over_pairs(values, fair):
    members = draw()
    found = energy_score(members, values, WEIGHTS, fair=fair)
    assert found.dims == ("time",)
    for year in range(7):
        ours, theirs = (f.isel(time=year).values.reshape(-1, 4, 6) for f in (members, values))
        assert float(found[year]) == pytest.approx(by_pairs(ours, theirs, fair=fair), rel=1e-9)


def test_of_one_cell_it_is_the_crps():
    members, value = draw(latitude=1, longitude=1), target().isel(latitude=[0], longitude=[0])
    weights = xr.DataArray([2.0], dims="latitude")
    for fair, other in ((True, fair_crps), (False, crps)):
        ours = energy_score(members, value, weights, fair=fair)
        np.testing.assert_allclose(ours.values, other(members, value).values.ravel(), rtol=1e-9, atol=1e-12)


def test_weights_need_not_be_normalised_and_may_be_a_map():
    members, value = draw(), target()
    whole = energy_score(members, value, WEIGHTS)
    xr.testing.assert_allclose(energy_score(members, value, 7.0 * WEIGHTS), whole, rtol=1e-12)
    as_map = WEIGHTS * xr.DataArray(np.ones(6), dims="longitude")
    xr.testing.assert_allclose(energy_score(members, value, as_map), whole, rtol=1e-12)


def test_cells_without_weight_do_not_count():
    members, value = draw(), target()
    weights = WEIGHTS.where(WEIGHTS["latitude"] > 1, 0.0)
    spoiled = members.where(members["latitude"] > 1, -5.0)
    xr.testing.assert_allclose(energy_score(spoiled, value, weights), energy_score(members, value, weights))


def test_its_expectation_does_not_depend_on_the_number_of_members():
    """Of the target's own distribution the fair score is half the mean distance between two draws, of any size."""
    rng = np.random.default_rng(6)
    weights = xr.DataArray([1.0, 1.0, 1.0], dims="cell")

    def fields(size):
        return xr.DataArray(rng.standard_normal((size, 40_000, 3)), dims=("member", "time", "cell"))

    expected = float(energy_distance_within(fields(2), weights, dim=("cell",)).mean())
    for size in (2, 6):
        score = energy_score(fields(size), fields(1).isel(member=0), weights, dim=("cell",))
        assert float(score.mean()) == pytest.approx(expected, rel=0.02)


def test_the_order_of_members_and_chunks_make_no_difference():
    members, values = draw(), draw(2, member=3)
    whole = energy_score(members, values, WEIGHTS)
    xr.testing.assert_allclose(energy_score(members.isel(member=[2, 0, 4, 1, 3]), values, WEIGHTS), whole, rtol=1e-12)
    lazy = energy_score(members.chunk(time=2, latitude=3, member=2), values.chunk(time=3), WEIGHTS)
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole, rtol=1e-12)


def test_members_are_needed():
    with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
        energy_score(draw(member=1), target(), WEIGHTS)
    with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
        energy_distance_within(draw(member=1), WEIGHTS)


def test_adjacent_members_by_hand():
    """Two cells of weights 3 and 1. Members 0 0, 2 2 and 2 0, target 0 0: distances 0, 2, sqrt(3); adjacent 2 and 1."""
    weights = xr.DataArray([3.0, 1.0], dims="cell")
    members = xr.DataArray([[0.0, 0.0], [2.0, 2.0], [2.0, 0.0]], dims=("member", "cell"))
    value = xr.DataArray([0.0, 0.0], dims="cell")
    found = energy_score(members, value, weights, differences="adjacent", dim=("cell",))
    assert float(found) == pytest.approx((2.0 + 3**0.5) / 3 - 0.5 * 1.5)
    turned = energy_score(members.isel(member=[0, 2, 1]), value, weights, differences="adjacent", dim=("cell",))
    assert float(turned) == pytest.approx((2.0 + 3**0.5) / 3 - 0.5 * (3**0.5 + 1.0) / 2)


def test_adjacent_members_have_the_expectation_of_all_pairs():
    rng = np.random.default_rng(7)
    fields = xr.DataArray(rng.standard_normal((5, 20_000, 3)), dims=("member", "time", "cell"))
    weights = xr.DataArray([1.0, 1.0, 1.0], dims="cell")
    members, value = fields.isel(member=slice(4)), fields.isel(member=4)
    pairs, adjacent = (
        float(energy_score(members, value, weights, differences=d, dim=("cell",)).mean()) for d in ("pairs", "adjacent")
    )
    assert adjacent == pytest.approx(pairs, rel=0.02)
    assert adjacent != pairs


def test_of_two_members_adjacent_ones_are_all_pairs():
    members = draw(member=2)
    adjacent = energy_score(members, target(), WEIGHTS, differences="adjacent")
    xr.testing.assert_allclose(adjacent, energy_score(members, target(), WEIGHTS), rtol=1e-9)


@pytest.mark.parametrize("differences", ["pairs", "adjacent"])
def test_numpy_arrays_have_the_same_score(differences):
    members, value = draw(), target()
    share = np.repeat(WEIGHTS.values, 6)
    ours = members.values.reshape(7, 5, 24).astype("float32")
    theirs = value.values.reshape(7, 1, 24).astype("float32")
    found = energy_score_of_fields(ours, theirs, share, differences=differences)
    np.testing.assert_allclose(found, energy_score(members, value, WEIGHTS, differences=differences), rtol=1e-4)


def test_adjacent_members_are_always_fair():
    with pytest.raises(DataError, match="Adjacent members are different ones"):
        energy_score(draw(), target(), WEIGHTS, fair=False, differences="adjacent")
