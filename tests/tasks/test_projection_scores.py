"""Scores of a projection, worked by hand on two members, two years and four cells.

Latitudes -60 and 0 weigh 1/2 and 1, so weights sum to 3. Rows are latitudes, columns longitudes.

    member 1    2000: 1 3   2001: 3 5   mean: 2 4        member 2    2000: 1 1   2001: 3 3   mean: 2 2
                      2 2         4 2         3 2                          2 4         2 2         2 3

    ensemble    2000: 1 2   2001: 3 4   mean: 2   3      prediction, both years: 2 4
                      2 3         3 2         2.5 2.5                            3 4
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import xarray as xr

from climbench.cards import find_dataset, find_task, with_settings
from climbench.records import COLUMNS
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.projection_scores import ProjectionScorer

MEMBERS = np.array([[[[1, 3], [2, 2]], [[3, 5], [4, 2]]], [[[1, 1], [2, 4]], [[3, 3], [2, 2]]]], "f8")
PREDICTION = np.array([[[2, 4], [3, 4]]] * 2, "f8")
COORDS = {"time": [2000, 2001], "latitude": [-60.0, 0.0], "longitude": [0.0, 180.0]}


def dataset(values, name="tas"):
    values = np.asarray(values)
    coords = {"member": np.arange(1, len(values) + 1), **COORDS} if values.ndim == 4 else COORDS
    return xr.Dataset({name: (tuple(coords), values)}, coords=coords)


def scorer(members=MEMBERS, **settings):
    card = with_settings(find_task("climatebench"), {"targets": ["tas"], **settings})
    return ProjectionScorer(ProjectionTask(card, None, find_dataset("climatebench")), dataset(members))


def by_metric(scores):
    return {row["metric"]: row for row in scores.rows if row["region"] == "global"}


@pytest.fixture
def rows():
    return by_metric(scorer().score("mine", dataset(PREDICTION), dataset(np.full_like(PREDICTION, 2.5))))


def test_spatial_error(rows):
    """Mean maps differ by 0 1 / 0.5 1.5: (0.5 (0 + 1) + 0.25 + 2.25) / 3 = 1. The target's mean is 7.5 / 3 = 2.5."""
    assert rows["rmse_spatial"]["value"] == pytest.approx(1.0)
    assert rows["nrmse_spatial"]["value"] == pytest.approx(0.4)


def test_global_error(rows):
    """Global means: prediction 10/3; target 6.5/3 and 8.5/3. Mean square (3.5^2 + 1.5^2) / 9 / 2 = 14.5 / 18."""
    assert rows["rmse_global"]["value"] == pytest.approx(sqrt(14.5 / 18.0))
    assert rows["nrmse_global"]["value"] == pytest.approx(sqrt(14.5 / 18.0) / 2.5)


def test_total(rows):
    assert rows["nrmse_total"]["value"] == pytest.approx(0.4 + 5.0 * sqrt(14.5 / 18.0) / 2.5)
    assert by_metric(scorer(**{"scoring.global_factor": 2}).score("mine", dataset(PREDICTION), None))["nrmse_total"][
        "value"
    ] == pytest.approx(0.4 + 2.0 * sqrt(14.5 / 18.0) / 2.5)


def test_floors(rows):
    """Spatial: mean maps differ by 0 2 / 1 -1, variances 0 2 / 0.5 0.5: (0.5 * 2 + 1) / 3 / 2 = 1/3.

    Global: annual means 2, 10/3 and 7/3, 7/3; variances 1/18 and 1/2, their mean 5/18, over two members 5/36.
    """
    assert rows["rmse_spatial"]["floor"] == pytest.approx(sqrt(1.0 / 3.0))
    assert rows["nrmse_spatial"]["floor"] == pytest.approx(sqrt(1.0 / 3.0) / 2.5)
    assert rows["rmse_global"]["floor"] == pytest.approx(sqrt(5.0) / 6.0)
    assert rows["nrmse_total"]["floor"] == pytest.approx((sqrt(1.0 / 3.0) + 5.0 * sqrt(5.0) / 6.0) / 2.5)


def test_the_debiased_error_takes_the_squared_floor_off(rows):
    assert rows["rmse_spatial_debiased"]["value"] == pytest.approx(sqrt(1.0 - 1.0 / 3.0))
    assert rows["rmse_spatial_debiased"]["floor"] is None


def test_an_error_below_the_floor_is_debiased_to_zero_and_kept_unclipped():
    scores = scorer().score("mine", dataset(MEMBERS.mean(axis=0)), None)
    assert by_metric(scores)["rmse_spatial"]["value"] == 0.0
    assert by_metric(scores)["rmse_spatial_debiased"]["value"] == 0.0
    assert scores.details[0]["debiased_mean_square"] == pytest.approx(-1.0 / 3.0)


def test_skill(rows):
    """The reference is 2.5 everywhere: off by 0.5 -0.5 / 0 0, mean square 0.25 / 3 = 1 / 12."""
    assert rows["skill_vs_lps"]["value"] == pytest.approx(1.0 - sqrt(12.0))


def test_skill_without_a_reference_is_null_with_the_reason():
    scores = scorer().score("mine", dataset(PREDICTION), None, why_no_skill="lps was not run")
    assert by_metric(scores)["skill_vs_lps"]["value"] is None
    assert "skill_vs_lps: lps was not run" in scores.reasons


def test_skill_against_a_perfect_reference_is_null_with_the_reason():
    scores = scorer().score("mine", dataset(PREDICTION), dataset(MEMBERS.mean(axis=0)))
    assert by_metric(scores)["skill_vs_lps"]["value"] is None
    assert "skill_vs_lps: the reference has no error" in scores.reasons


def test_the_members_of_a_prediction_are_averaged_before_anything_is_squared(rows):
    spread = np.stack([PREDICTION - 5.0, PREDICTION + 5.0])
    again = by_metric(scorer().score("mine", dataset(spread), None))
    for metric in ("rmse_spatial", "rmse_global", "nrmse_total", "rmse_spatial_debiased"):
        assert again[metric]["value"] == pytest.approx(rows[metric]["value"])


CONTRACT = (
    *("nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial", "rmse_global", "rmse_spatial_debiased"),
    "skill_vs_lps",
)


def test_rows_keep_the_contract(rows):
    assert tuple(rows)[:7] == CONTRACT
    for row in rows.values():
        assert set(row) | {"task"} >= set(COLUMNS)
        assert (row["model"], row["variable"], row["region"], row["lead_time"]) == ("mine", "tas", "global", None)
    units = {metric: rows[metric]["units"] for metric in CONTRACT}
    assert {m for m, u in units.items() if u == "K"} == {"rmse_spatial", "rmse_global", "rmse_spatial_debiased"}
    assert {m for m, u in units.items() if u == "1"} == {"nrmse_spatial", "nrmse_global", "nrmse_total", "skill_vs_lps"}


def test_cell_area_weights_when_asked_for():
    """Rows at -60 and 0 with edges at -90, -30 and 30: sines -1, -0.5 and 0.5, so 1/2 and 1 here as well."""
    area = by_metric(scorer(**{"scoring.weights": "cell_area"}).score("mine", dataset(PREDICTION), None))
    assert area["rmse_spatial"]["value"] == pytest.approx(1.0)


# What is missing


def test_a_single_member_gives_errors_but_no_floor_and_no_interval_with_the_reason():
    scores = scorer(MEMBERS[:1]).score("mine", dataset(PREDICTION), dataset(np.full_like(PREDICTION, 2.5)))
    rows = by_metric(scores)
    # Mean map 2 4 / 3 2 against 2 4 / 3 4: 4 / 3.
    assert rows["rmse_spatial"]["value"] == pytest.approx(sqrt(4.0 / 3.0))
    assert rows["rmse_spatial_debiased"]["value"] is None
    for metric in CONTRACT:
        row = rows[metric]
        assert (row["floor"], row["low"], row["high"]) == (None, None, None)
    reason = "the target has one member, so neither floor nor interval can be known"
    assert f"spatial intervals, global intervals: {reason}" in scores.reasons
    assert "skill_vs_lps: the target has one member, so its spread is not known" in scores.reasons


def test_members_without_the_variable_do_not_count():
    members = np.concatenate([np.full_like(MEMBERS[:1], np.nan), MEMBERS])
    rows = by_metric(scorer(members).score("mine", dataset(PREDICTION), None))
    assert rows["rmse_spatial"]["value"] == pytest.approx(1.0)
    assert rows["rmse_spatial"]["floor"] == pytest.approx(sqrt(1.0 / 3.0))


@pytest.fixture
def gap():
    """Member 2 lacks one year of the cell on the equator and 180 E: the three others weigh 0.5, 0.5 and 1."""
    members = MEMBERS.copy()
    members[1, 0, 1, 1] = np.nan
    return scorer(members, nan="mask")


def test_cells_with_missing_values_weigh_nothing(gap):
    """Spatial (0.5 * 1 + 0.25) / 2; floor (0.5 * 2 + 0.5) / 2 / 2; the target's mean (0.5 * 5 + 2.5) / 2 = 2.5."""
    rows = by_metric(gap.score("mine", dataset(PREDICTION), None))
    assert rows["rmse_spatial"]["value"] == pytest.approx(sqrt(0.375))
    assert rows["nrmse_spatial"]["value"] == pytest.approx(sqrt(0.375) / 2.5)
    assert rows["rmse_spatial"]["floor"] == pytest.approx(sqrt(0.375))
    # Annual means: target 1.75 and 3.25, prediction 3.
    assert rows["rmse_global"]["value"] == pytest.approx(sqrt((1.25**2 + 0.25**2) / 2.0))
    assert gap.task.notes == ["tas: 1 cells with missing values left out of the scores"]


def test_cells_that_a_prediction_lacks_weigh_nothing():
    prediction = PREDICTION.copy()
    prediction[0, 1, 1] = np.nan
    rows = by_metric(scorer(nan="mask").score("mine", dataset(prediction), None))
    assert rows["rmse_spatial"]["value"] == pytest.approx(sqrt(0.375))


def test_a_target_whose_mean_is_zero_has_no_relative_error():
    scores = scorer(MEMBERS - 2.5).score("mine", dataset(PREDICTION - 2.5), None)
    rows = by_metric(scores)
    assert rows["rmse_spatial"]["value"] == pytest.approx(1.0)
    for metric in ("nrmse_spatial", "nrmse_global", "nrmse_total"):
        assert rows[metric]["value"] is None
    assert "NRMSEs of tas: the target's mean over globe and years is zero" in scores.reasons


@pytest.mark.parametrize("coordinate", ["time", "latitude", "longitude"])
def test_other_years_or_cells_are_an_error_never_joined(coordinate):
    shifted = dataset(PREDICTION)
    shifted = shifted.assign_coords({coordinate: shifted[coordinate] + 1})
    with pytest.raises(ValueError, match=f"cannot align.*{coordinate}"):
        scorer().score("mine", shifted, None)


# Leave-one-out


def test_leave_one_out():
    """Each member against the other: maps differ by 0 2 / 1 -1, so (0.5 * 4 + 2) / 3 = 4 / 3 both times."""
    scores = scorer().score_leave_one_out("one-member", dataset(MEMBERS))
    rows = by_metric(scores)
    assert rows["rmse_spatial"]["value"] == pytest.approx(sqrt(4.0 / 3.0))
    assert rows["nrmse_spatial"]["value"] == pytest.approx(sqrt(4.0 / 3.0) / 2.5)
    # Annual means differ by 1/3 and 1.
    assert rows["rmse_global"]["value"] == pytest.approx(sqrt(5.0) / 3.0)
    assert rows["skill_vs_lps"]["value"] is None
    assert "floors of tas: one-member: 2 members are too few" in scores.reasons
    assert any("its members are the target's own" in reason for reason in scores.reasons)


def test_leave_one_out_leaves_the_same_cells_out_as_every_score(gap):
    rows = by_metric(gap.score_leave_one_out("one-member", gap.target))
    # Maps differ by 0 2 / 1: (0.5 * 4 + 1) / 2 = 1.5; the target's mean over these cells is 2.5.
    assert rows["rmse_spatial"]["value"] == pytest.approx(sqrt(1.5))
    assert rows["nrmse_spatial"]["value"] == pytest.approx(sqrt(1.5) / 2.5)


def test_leave_one_out_where_a_cell_is_missing_in_all_members():
    members = MEMBERS.copy()
    members[:, :, 1, 1] = np.nan
    rows = by_metric(scorer(members, nan="mask").score_leave_one_out("one-member", dataset(members)))
    assert rows["nrmse_spatial"]["value"] == pytest.approx(sqrt(1.5) / 2.5)


def test_leave_one_out_with_one_member_that_has_the_variable_is_null_with_the_reason():
    members = np.stack([MEMBERS[0], np.full_like(MEMBERS[0], np.nan)])
    scores = scorer(members).score_leave_one_out("one-member", dataset(members))
    for row in scores.rows:
        assert row["value"] is None
    assert "floors of tas: one-member: 1 members are too few" in scores.reasons


# Intervals and what is kept


@pytest.fixture(scope="module")
def three():
    rng = np.random.default_rng(4)
    members = 3.0 + rng.standard_normal((3, 2, 2, 2))
    return members, scorer(members).score("mine", dataset(PREDICTION), None)


def test_intervals_are_those_of_the_unclipped_square_with_the_floor_put_back(three):
    _, scores = three
    rows = by_metric(scores)
    spatial = next(d for d in scores.details if d["part"] == "spatial")
    low, high, floor = spatial["low"], spatial["high"], spatial["floor_square"]
    assert low < spatial["debiased_mean_square"] < high
    norm = rows["rmse_spatial"]["value"] / rows["nrmse_spatial"]["value"]
    for metric, scale in (("rmse_spatial", 1.0), ("nrmse_spatial", norm)):
        assert rows[metric]["low"] == pytest.approx(sqrt(max(low + floor, 0.0)) / scale)
        assert rows[metric]["high"] == pytest.approx(sqrt(high + floor) / scale)
    assert rows["rmse_spatial_debiased"]["high"] == pytest.approx(sqrt(high))
    assert rows["nrmse_total"]["low"] is None


def test_kept_statistics_give_the_scores_again(three):
    members, scores = three
    rows = by_metric(scores)
    gram = scores.statistics["tas_error_gram"]
    assert gram.sizes == {"member": 3, "time": 2, "other_member": 3, "other_time": 2}
    assert float(gram.mean()) == pytest.approx(rows["rmse_spatial"]["value"] ** 2)
    error = scores.statistics["tas_global_error"]
    assert float((error.mean("member") ** 2).mean()) == pytest.approx(rows["rmse_global"]["value"] ** 2)
    weights = np.array([0.5, 1.0])[:, None] * np.ones(2)
    first = (PREDICTION[0] - members[0, 0]) * weights
    assert float(gram[0, 0, 1, 1]) == pytest.approx((first * (PREDICTION[1] - members[1, 1])).sum() / 3.0)
