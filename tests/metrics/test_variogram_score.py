"""The variogram score against pairs of cells counted one by one, and what it sees and does not."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.metrics import variogram_score as module
from climbench.metrics.variogram_score import variogram_score, variogram_score_of_fields, variogram_variance
from tests.metrics.ensemble_examples import draw, target

CELL = ("cell",)
WEIGHTS = xr.DataArray([1.0, 3.0, 2.0, 0.5], coords={"latitude": np.arange(4)}, dims="latitude")


def by_pairs(members, values, *, p, fair):
    weight = np.repeat(WEIGHTS.values, 6)
    total = sizes = 0.0
    for a in range(24):
        for b in range(24):
            if a == b:
                continue
            ours = np.abs(members[:, a] - members[:, b]) ** p
            squares = [(np.abs(y[a] - y[b]) ** p - ours.mean()) ** 2 for y in values]
            off = ours.var(ddof=1) / len(ours) if fair else 0.0
            total += weight[a] * weight[b] * (np.mean(squares) - off)
            sizes += weight[a] * weight[b]
    return total / sizes


def test_by_hand():
    """Three cells 0 1 4: roots of differences 1, 2, sqrt(3). One member 0 0 1: 0, 1, 1. Weights 1, 1, 2.

    Squares 1, 1, (sqrt(3) - 1)^2, of weights 1, 2, 2.
    """
    weights = xr.DataArray([1.0, 1.0, 2.0], dims="cell")
    member, value = xr.DataArray([[0.0, 0.0, 1.0]], dims=("member", "cell")), xr.DataArray([0.0, 1.0, 4.0], dims="cell")
    expected = (1.0 + 2.0 + 2.0 * (3**0.5 - 1) ** 2) / 5
    assert float(variogram_score(member, value, weights, fair=False, dim=CELL)) == pytest.approx(expected)


@pytest.mark.parametrize("fair", [True, False])
@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("values", [target(), draw(2, member=3)], ids=["one", "members"])
def test_it_is_the_sum_over_pairs(values, p, fair, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 50)
    module._pairs.cache_clear()
    members = draw(time=2)
    values = values.isel(time=slice(2))
    found = variogram_score(members, values, WEIGHTS, p=p, fair=fair)
    for year in range(2):
        ours, theirs = (f.isel(time=year).values.reshape(-1, 24) for f in (members, values))
        assert float(found[year]) == pytest.approx(by_pairs(ours, theirs, p=p, fair=fair), rel=1e-9)
    module._pairs.cache_clear()


def test_numpy_arrays_have_the_same_score():
    members, value = draw(time=2), target().isel(time=slice(2))
    ours, theirs = members.values.reshape(2, 5, 24), value.values.reshape(2, 1, 24)
    for fair in (True, False):
        found = variogram_score_of_fields(ours, theirs, np.repeat(WEIGHTS.values, 6), fair=fair)
        np.testing.assert_allclose(found, variogram_score(members, value, WEIGHTS, fair=fair), rtol=1e-12)


def test_the_variance_across_members_is_what_a_perfect_ensemble_scores():
    """In expectation, and whatever its size: the square of a draw's distance from the mean of its distribution."""
    rng = np.random.default_rng(6)
    weights = xr.DataArray([1.0, 2.0, 3.0], dims="cell")

    def fields(size):
        return xr.DataArray(rng.standard_normal((size, 20_000, 3)), dims=("member", "time", "cell"))

    expected = float(variogram_variance(fields(5), weights, dim=CELL).mean())
    for size in (2, 6):
        score = variogram_score(fields(size), fields(1).isel(member=0), weights, dim=CELL)
        assert float(score.mean()) == pytest.approx(expected, rel=0.03)


def test_it_sees_wrong_correlations_and_no_common_bias():
    rng = np.random.default_rng(7)
    common = rng.standard_normal((50, 300, 1)) + 0.1 * rng.standard_normal((50, 300, 8))
    alone = rng.standard_normal((50, 300, 8)) * 1.01**0.5
    values = rng.standard_normal((300, 1)) + 0.1 * rng.standard_normal((300, 8))
    weights, value = xr.DataArray(np.ones(8), dims="cell"), xr.DataArray(values, dims=("time", "cell"))
    right, wrong = (
        float(variogram_score(xr.DataArray(m, dims=("member", "time", "cell")), value, weights, dim=CELL).mean())
        for m in (common, alone)
    )
    assert wrong > 5 * right
    members = xr.DataArray(common, dims=("member", "time", "cell"))
    shifted = variogram_score(members + 3.0, value, weights, dim=CELL)
    xr.testing.assert_allclose(shifted, variogram_score(members, value, weights, dim=CELL))


def test_the_order_of_members_and_chunks_make_no_difference():
    members, values = draw(), draw(2, member=3)
    whole = variogram_score(members, values, WEIGHTS)
    shuffled = variogram_score(members.isel(member=[2, 0, 4, 1, 3]), values, WEIGHTS)
    xr.testing.assert_allclose(shuffled, whole, rtol=1e-10)
    lazy = variogram_score(members.chunk(time=2, latitude=3, member=2), values.chunk(time=3), WEIGHTS)
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole, rtol=1e-10)


def test_wrong_use_is_refused():
    with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
        variogram_score(draw(member=1), target(), WEIGHTS)
    with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
        variogram_variance(draw(member=1), WEIGHTS)
    large = xr.DataArray(np.zeros((2, 5000)), dims=("member", "cell"))
    weights = xr.DataArray(np.ones(5000), dims="cell")
    with pytest.raises(DataError, match="all pairs of cells; 5000 are too many"):
        variogram_score(large, large.isel(member=0), weights, dim=CELL)
