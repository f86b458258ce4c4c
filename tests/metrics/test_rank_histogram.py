"""Rank histograms: hand-worked ranks, xskillscore's histogram, ties that are fair and do not depend on computing."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import xskillscore

from climbench.errors import DataError
from climbench.metrics.rank_histogram import rank_histogram, ranks
from tests.metrics.ensemble_examples import draw, line, target


def histogram(found, members):
    return rank_histogram(found, xr.ones_like(found), found.dims, members=members).mean().values


def test_the_rank_is_the_number_of_members_below():
    members = line(3, 1, 2)
    assert [float(ranks(members, xr.DataArray(v))) for v in (0.0, 1.5, 2.5, 9.0)] == [0, 1, 2, 3]


def test_another_library_agrees_where_there_are_no_ties():
    members, value = draw(), target()
    theirs = xskillscore.rank_histogram(value, members, member_dim="member")
    counts = rank_histogram(ranks(members, value), xr.ones_like(value), value.dims, members=5).total
    np.testing.assert_array_equal(counts.values, theirs.values)


def test_ties_fall_on_each_place_among_them_equally_often():
    """Five members equal to the target: six ranks with a sixth each. One below and one above it are never passed."""
    points = 60_000
    same = xr.DataArray(np.full((5, points), 2.0), dims=("member", "x"))
    value = xr.DataArray(np.full(points, 2.0), dims="x")
    shares = histogram(ranks(same, value, seed=4), 5)
    np.testing.assert_allclose(shares, 1 / 6, atol=5 * (1 / 6 * 5 / 6 / points) ** 0.5)
    around = xr.concat([same.isel(member=slice(2)), same.isel(member=[2]) - 0.1, same.isel(member=[3]) + 0.1], "member")
    shares = histogram(ranks(around, value), 4)
    assert shares[0] == shares[4] == 0.0
    np.testing.assert_allclose(shares[1:4], 1 / 3, atol=0.01)


def ties(seed=0):
    rng = np.random.default_rng(seed)
    sizes = {"time": 6, "member": 4, "latitude": 5, "longitude": 7}
    values = rng.integers(0, 3, tuple(sizes.values())).astype("float64")
    return xr.DataArray(values, dims=tuple(sizes))


def test_ties_do_not_depend_on_chunks_or_order():
    members, value = ties(), ties(1).isel(member=0, drop=True)
    whole = ranks(members, value, seed=8)
    lazy = ranks(
        members.chunk(time=4, member=2, longitude=3).transpose("longitude", "member", ...),
        value.chunk(latitude=2).transpose("latitude", "longitude", "time"),
        seed=8,
    )
    assert lazy.chunks is not None
    assert lazy.transpose(*whole.dims).compute().equals(whole)
    assert not ranks(members, value, seed=9).equals(whole)
    assert ranks(members, value, seed=8).equals(whole)


def test_each_member_of_a_target_has_its_rank():
    members, values = draw(), draw(2, member=3)
    found = ranks(members, values)
    assert found.sizes["member"] == 3
    for n in range(3):
        one = values.isel(member=n)
        assert found.isel(member=n).equals(ranks(members, one).transpose(*one.dims).assign_coords(member=n))


def test_weights_count():
    members = xr.DataArray([[0.0, 0.0], [1.0, 1.0]], dims=("member", "x"))
    value = xr.DataArray([0.5, 2.0], dims="x")
    shares = rank_histogram(ranks(members, value), line(1, 3, dim="x"), ("x",), members=2)
    np.testing.assert_allclose(shares.mean(), [0.0, 0.25, 0.75])
    assert float(shares.mean().sum()) == pytest.approx(1.0)


def test_a_reliable_ensemble_has_a_flat_histogram_and_a_narrow_one_does_not():
    rng = np.random.default_rng(2)
    points = 50_000
    value = xr.DataArray(rng.standard_normal(points), dims="x")
    members = xr.DataArray(rng.standard_normal((4, points)), dims=("member", "x"))
    np.testing.assert_allclose(histogram(ranks(members, value), 4), 0.2, atol=0.01)
    narrow = histogram(ranks(0.5 * members, value), 4)
    assert narrow[0] > 0.25
    assert narrow[4] > 0.25
    assert narrow[2] < 0.15


def test_a_missing_value_is_noticed():
    members, value = draw(), target()
    members[0, 2, 1, 1] = np.nan
    found = ranks(members, value)
    assert int(found.isnull().sum()) == 1
    assert np.isnan(histogram(found, 5)).all()


def test_members_are_needed():
    with pytest.raises(DataError, match="no dimension 'member'"):
        ranks(target(), target())
