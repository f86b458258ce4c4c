"""Trends, variability and honest denominators: against NumPy's fits, and what a perfect emulator scores."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from climbench.grids import latitude_weights
from climbench.metrics import noise_floor
from climbench.metrics.base import area_mean
from climbench.regions import region_weights
from climbench.tasks.projection_metrics import CHANGES
from tests.tasks.scored_fields import fields, scorer, table

SETTINGS = {"scoring__regions": ["tropics"], "scoring__metrics": [*CHANGES, "rmse_over_internal_std"]}
REGIONS = ("global", "tropics")


@pytest.fixture(scope="module")
def target():
    return fields(0, members=12)


@pytest.fixture(scope="module")
def prediction():
    return fields(1)


@pytest.fixture(scope="module")
def rows(target, prediction):
    return table(scorer(target, **SETTINGS).score("mine", prediction, None))


def weights_of(region, target):
    return region_weights(latitude_weights(target["latitude"], "cos_latitude"), target, region)


def fitted(field):
    """Return slopes per decade and the variance of residuals, by xarray's polynomial fit."""
    fit = field.polyfit("time", 1)["polyfit_coefficients"]
    residuals = field - xr.polyval(field["time"], fit)
    return 10 * fit.sel(degree=1, drop=True), (residuals**2).sum("time") / (field.sizes["time"] - 2)


@pytest.mark.parametrize("region", REGIONS)
def test_local_trends(rows, target, prediction, region):
    weights = weights_of(region, target)
    ours, theirs = fitted(prediction["tas"])[0], fitted(target["tas"])[0]
    square = float(area_mean((ours - theirs.mean("member")) ** 2, weights))
    floor = float(area_mean(theirs.var("member", ddof=1), weights)) / 12
    row = rows["tas", "trend_rmse_spatial", region]
    assert row["value"] == pytest.approx(square**0.5, rel=1e-6)
    assert row["floor"] == pytest.approx(floor**0.5, rel=1e-6)
    assert row["low"] <= row["value"] <= row["high"]
    assert row["units"] == "K/decade"
    debiased = rows["tas", "trend_rmse_spatial_debiased", region]
    assert debiased["value"] == pytest.approx(max(square - floor, 0.0) ** 0.5, rel=1e-6)
    assert debiased["floor"] is None


@pytest.mark.parametrize("region", REGIONS)
def test_trends_of_area_means(rows, target, prediction, region):
    weights = weights_of(region, target)
    ours, theirs = (
        np.polynomial.polynomial.polyfit(np.arange(21), area_mean(f["pr"], weights).transpose("time", ...).values, 1)[1]
        for f in (prediction, target)
    )
    row = rows["pr", "trend_error_global", region]
    assert row["value"] == pytest.approx(10 * (ours - theirs.mean()), rel=1e-9)
    assert row["floor"] == pytest.approx(10 * theirs.std(ddof=1) / 12**0.5, rel=1e-9)
    half = stats.t.ppf(0.975, 11) * row["floor"]
    assert (row["low"], row["high"]) == pytest.approx((row["value"] - half, row["value"] + half), rel=1e-9)
    assert row["units"] == "mm/day/decade"


@pytest.mark.parametrize("region", REGIONS)
def test_variability_about_the_trend(rows, target, prediction, region):
    weights = weights_of(region, target)
    for metric, prepare in (
        ("variability_ratio_spatial", lambda field: field),
        ("variability_ratio_global", lambda field: area_mean(field, weights)),
    ):
        ours, theirs = (fitted(prepare(f["tas"]))[1] for f in (prediction, target))
        if "latitude" in ours.dims:
            ours, theirs = (area_mean(v, weights) for v in (ours, theirs))
        row = rows["tas", metric, region]
        assert row["value"] == pytest.approx(float((ours / theirs.mean()) ** 0.5), rel=1e-6)
        half = stats.t.ppf(0.975, 11) * float(theirs.std(ddof=1)) / 12**0.5
        assert row["low"] == pytest.approx(float((ours / (theirs.mean() + half)) ** 0.5), rel=1e-6)
        assert row["high"] == pytest.approx(float((ours / (theirs.mean() - half)) ** 0.5), rel=1e-6)
        assert (row["units"], row["floor"]) == ("1", None)


def test_the_members_of_a_prediction_vary_not_their_mean(target):
    ensemble = fields(1, members=16)
    found = {
        name: table(scorer(target, **SETTINGS).score("mine", data, None))
        for name, data in (("members", ensemble), ("mean", ensemble.mean("member")))
    }
    for metric in ("variability_ratio_spatial", "variability_ratio_global"):
        members, mean = (found[n]["tas", metric, "global"]["value"] for n in ("members", "mean"))
        assert members == pytest.approx(1.0, abs=0.15)
        assert mean == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize("region", REGIONS)
def test_the_error_over_the_internal_standard_deviation(rows, target, region):
    weights = weights_of(region, target)
    std = (12 * float(noise_floor.floor_square_spatial(target["tas"], weights))) ** 0.5
    row, error = (rows["tas", m, region] for m in ("rmse_over_internal_std", "rmse_spatial"))
    for number in ("value", "floor", "low", "high"):
        assert row[number] == pytest.approx(error[number] / std, rel=1e-9)
    assert row["floor"] == pytest.approx(12**-0.5)


def test_a_perfect_emulator_is_at_the_floor_of_trends():
    squares = []
    for seed in range(150):
        target = fields(seed, members=5, years=10)
        truth = xr.Dataset({n: fields(0, years=10)[n] * 0.0 for n in target})
        truth = truth.map(lambda f: {"tas": 2.0, "pr": 0.1}[f.name] * (1.0 + 0.02 * (f["time"] - 2090)) + f)
        rows = table(scorer(target, scoring__regions=[], scoring__metrics=list(CHANGES)).score("perfect", truth, None))
        row = rows["tas", "trend_rmse_spatial", "global"]
        squares.append((row["value"] ** 2, row["floor"] ** 2))
    value, floor = np.mean(squares, axis=0)
    assert value == pytest.approx(floor, rel=0.05)


def test_two_years_have_no_trend_and_say_so():
    target, prediction = fields(0, members=3, years=2), fields(1, years=2)
    scores = scorer(target, **SETTINGS).score("mine", prediction, None)
    rows = table(scores)
    for metric in CHANGES:
        for region in REGIONS:
            assert rows["tas", metric, region]["value"] is None
    assert rows["tas", "rmse_over_internal_std", "global"]["value"] > 0.0
    assert any("need 3 test years at least" in reason for reason in scores.reasons)


def test_one_member_has_errors_without_floor_or_interval_and_says_so(prediction):
    scores = scorer(fields(0, members=1), **SETTINGS).score("mine", prediction, None)
    rows = table(scores)
    for metric in ("trend_rmse_spatial", "trend_error_global", "variability_ratio_spatial"):
        row = rows["tas", metric, "global"]
        assert row["value"] is not None
        assert (row["floor"], row["low"], row["high"]) == (None, None, None)
    assert rows["tas", "rmse_over_internal_std", "global"]["value"] is None
    (reason,) = [r for r in scores.reasons if "its internal variability is not known" in r]
    assert reason.startswith("rmse_over_internal_std, trend_")


def test_three_members_have_no_interval_of_local_trends_and_say_so(prediction):
    scores = scorer(fields(0, members=3), **SETTINGS).score("mine", prediction, None)
    row = table(scores)["tas", "trend_rmse_spatial", "global"]
    assert row["floor"] > 0.0
    assert row["low"] is None
    assert any("trend_rmse_spatial intervals" in r and "too few to resample" in r for r in scores.reasons)


def test_a_target_that_does_not_vary_has_no_ratio_and_says_so(prediction):
    years = xr.DataArray(np.arange(2080, 2101), coords={"time": np.arange(2080, 2101)}, dims="time")
    still = fields(0, members=3).map(lambda f: f.isel(time=0, drop=True) + 0.03 * years)
    scores = scorer(still, **SETTINGS).score("mine", prediction, None)
    for metric in ("variability_ratio_spatial", "variability_ratio_global"):
        assert table(scores)["tas", metric, "global"]["value"] is None
    assert any(r.endswith("the target does not vary about its trend") for r in scores.reasons)
    assert table(scores)["tas", "trend_rmse_spatial", "global"]["value"] > 0.0


def test_a_denominator_near_zero_is_warned_of_and_another_is_not():
    """Noise floors of annual global means are about 0.1 / sqrt(48) / sqrt(3) = 0.008: 0.005 is near zero, 2 is not."""
    level = {"tas": 2.0, "pr": 0.005}
    found = scorer(fields(0, members=3, level=level), **SETTINGS)
    found.score("mine", fields(1, level=level), None)
    (warning,) = [note for note in found.task.notes if note.startswith("WARNING")]
    assert warning.startswith("WARNING: pr: the NRMSEs are divided by a target mean of 0.0")
    assert "within 3 noise floors of zero" in warning
    assert "rmse_over_internal_std" in warning


def test_nothing_is_added_that_the_card_does_not_name(target, prediction):
    scores = scorer(target, scoring__regions=[], scoring__metrics=[]).score("mine", prediction, None)
    assert len(scores.rows) == 14
