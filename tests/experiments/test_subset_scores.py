"""Scores from inner products: those of the suite's own metrics, computed from the fields."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.experiments.subset_scores import TargetFrame
from climbench.metrics import errors, noise_floor, significance

LATITUDE = xr.DataArray(np.linspace(-75, 75, 6), dims="latitude")
WEIGHTS = xr.DataArray(np.cos(np.deg2rad(LATITUDE.values)), coords={"latitude": LATITUDE.values}, dims="latitude")


def field(rng, *, members=None, offset=0.0):
    sizes = {"time": 21, "latitude": 6, "longitude": 8}
    sizes = sizes if members is None else {"member": members, **sizes}
    coords = {"time": range(2080, 2101), "latitude": LATITUDE.values, "longitude": np.arange(8) * 45.0}
    values = offset + rng.standard_normal(tuple(sizes.values()))
    return xr.DataArray(values, coords={d: coords[d] for d in sizes if d != "member"}, dims=tuple(sizes))


@pytest.fixture(params=[4, 12])
def case(request):
    """Members with a large common part, two predictions, and the truth."""
    rng = np.random.default_rng(request.param)
    common = field(rng, offset=288.0)
    members = common + 0.4 * field(rng, members=request.param)
    ours, theirs = common + 0.3 * field(rng), common + 0.1 * field(rng) + 0.2
    return members, ours, theirs, common


def chosen_sets(members):
    return [[0, 2], list(range(members.sizes["member"]))]


def test_mean_squares_against_any_members_are_those_of_the_metrics(case):
    members, ours, _, _ = case
    frame = TargetFrame(members, WEIGHTS)
    kept = frame.of_prediction(ours)
    for chosen in chosen_sets(members):
        mean = members.isel(member=chosen).mean("member")
        expected = [float(f(ours, mean, WEIGHTS)) ** 2 for f in (errors.rmse_spatial, errors.rmse_global)]
        np.testing.assert_allclose(frame.mean_squares(kept, chosen), expected, rtol=1e-8)


def test_floors_are_those_of_the_metrics(case):
    members, *_ = case
    frame, count = TargetFrame(members, WEIGHTS), members.sizes["member"]
    floors = [float(f(members, WEIGHTS)) for f in (noise_floor.floor_square_spatial, noise_floor.floor_square_global)]
    np.testing.assert_allclose(frame.floor_squares(count), floors, rtol=1e-8)
    np.testing.assert_allclose(frame.floor_squares(2), np.array(floors) * count / 2, rtol=1e-8)


def test_the_difference_of_two_is_the_paired_interval_of_the_fields(case):
    members, ours, theirs, _ = case
    frame = TargetFrame(members, WEIGHTS)
    kept = [frame.of_prediction(p) for p in (ours, theirs)]
    for chosen in chosen_sets(members):
        part = members.isel(member=chosen)
        gap, interval = significance.paired_interval(ours - part, theirs - part, WEIGHTS)
        (found, spatial), _ = frame.differences(kept[:1], kept[1:], chosen)
        assert found == pytest.approx(gap, rel=1e-7)
        assert (spatial.low, spatial.high) == pytest.approx((interval.low, interval.high), rel=1e-7)


def test_the_global_difference_has_student_s_interval(case):
    """By hand: D less its expectation is -2 mean_t(gap_t noise_t), one value a member."""
    from scipy import stats

    members, ours, theirs, _ = case
    frame, count = TargetFrame(members, WEIGHTS), members.sizes["member"]
    kept = [frame.of_prediction(p) for p in (ours, theirs)]
    globe = lambda f: f.weighted(WEIGHTS).mean(("latitude", "longitude"))  # noqa: E731
    gap = globe(ours) - globe(theirs)
    values = -2.0 * (gap * globe(members)).mean("time").transpose("member").values
    squares = [((globe(p) - globe(members).mean("member")) ** 2).mean() for p in (ours, theirs)]
    half = stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)
    _, (found, interval) = frame.differences(kept[:1], kept[1:], range(count))
    assert found == pytest.approx(float(squares[0] - squares[1]), rel=1e-7)
    assert (interval.low, interval.high) == pytest.approx((found - half, found + half), rel=1e-6)


def test_draws_are_averaged_before_they_are_compared(case):
    members, ours, theirs, common = case
    frame = TargetFrame(members, WEIGHTS)
    everyone = range(members.sizes["member"])
    a, b, c, d = (frame.of_prediction(p) for p in (ours, theirs, common, 0.5 * (ours + common)))
    both = frame.differences([a, c], [b, d], everyone)
    singly = [frame.differences([a], [b], everyone), frame.differences([c], [d], everyone)]
    for place in (0, 1):
        assert both[place][0] == pytest.approx(np.mean([s[place][0] for s in singly]))


def test_the_truth_is_kept_beside_every_prediction(case):
    members, ours, _, common = case
    frame = TargetFrame(members, WEIGHTS, common)
    expected = [float(f(ours, common, WEIGHTS)) ** 2 for f in (errors.rmse_spatial, errors.rmse_global)]
    np.testing.assert_allclose(frame.of_prediction(ours).true_squares, expected, rtol=1e-8)
    np.testing.assert_allclose(frame.of_truth().true_squares, 0.0, atol=1e-20)
    assert TargetFrame(members, WEIGHTS).of_truth() is None


def test_one_member_has_no_floor_and_no_interval(case):
    members, ours, theirs, _ = case
    frame = TargetFrame(members.isel(member=[0]), WEIGHTS)
    kept = [frame.of_prediction(p) for p in (ours, theirs)]
    assert np.isnan(frame.floor_squares(1)).all()
    (gap, interval), _ = frame.differences(kept[:1], kept[1:], [0])
    assert np.isfinite(gap)
    assert interval.low is None
    assert "one member" in interval.reason
