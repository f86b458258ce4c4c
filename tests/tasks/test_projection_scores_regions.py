"""Scores in regions: hand-worked, and against the same formulas with the regions' weights alone."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import xarray as xr

from climbench.errors import CardError
from climbench.grids import latitude_weights
from climbench.land import land_fraction
from climbench.metrics import errors, noise_floor, resampling, significance
from climbench.regions import region_weights
from tests.tasks.scored_fields import fields, scorer, table
from tests.tasks.test_projection_scores import MEMBERS, PREDICTION, dataset

REGIONS = ["global_land", "global_ocean", "tropics", "northern-hemisphere", "southern-hemisphere", "giorgi-med"]
CONTRACT = ["nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial", "rmse_global", "rmse_spatial_debiased"]


def weights_of(region, target, kind="cos_latitude"):
    area = latitude_weights(target["latitude"], kind)
    return region_weights(area, target, region, land_fraction=land_fraction(target))


def by_hand(region, metric):
    target = dataset(MEMBERS)
    found = scorer(target, scoring__regions=[region], scoring__metrics=[])
    scores = found.score("mine", dataset(PREDICTION), dataset(np.full_like(PREDICTION, 2.5)))
    return table(scores)["tas", metric, region]


def test_the_tropics_by_hand():
    """Of the hand-worked target the row on the equator: maps differ by 0.5 1.5, variances are 0.5 0.5.

    Annual means: prediction 3.5; target 2.5 and 2.5.
    """
    assert by_hand("tropics", "rmse_spatial")["value"] == pytest.approx(sqrt((0.25 + 2.25) / 2))
    assert by_hand("tropics", "rmse_spatial")["floor"] == pytest.approx(0.5)
    assert by_hand("tropics", "rmse_spatial_debiased")["value"] == pytest.approx(sqrt(1.25 - 0.25))
    assert by_hand("tropics", "rmse_global")["value"] == pytest.approx(1.0)
    assert by_hand("tropics", "skill_vs_lps")["value"] is None  # the reference has no error there


@pytest.fixture(scope="module")
def target():
    return fields(0, members=12)


@pytest.fixture(scope="module")
def prediction():
    return fields(1)


@pytest.fixture(scope="module")
def reference():
    return fields(2)


@pytest.fixture(scope="module")
def scores(target, prediction, reference):
    return scorer(target, scoring__regions=REGIONS, scoring__metrics=[]).score("mine", prediction, reference)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("variable", ["tas", "pr"])
def test_errors_and_floors_are_those_with_the_regions_weights(scores, target, prediction, region, variable):
    weights, rows = weights_of(region, target), table(scores)
    ours, members = prediction[variable], target[variable]
    for metric, error, floor in (
        ("rmse_spatial", errors.rmse_spatial, noise_floor.floor_square_spatial),
        ("rmse_global", errors.rmse_global, noise_floor.floor_square_global),
    ):
        row = rows[variable, metric, region]
        assert row["value"] == pytest.approx(float(error(ours, members.mean("member"), weights)), rel=1e-9)
        assert row["floor"] == pytest.approx(float(floor(members, weights)) ** 0.5, rel=1e-9)
        assert row["units"] == {"tas": "K", "pr": "mm/day"}[variable]


@pytest.mark.parametrize("region", ["global", *REGIONS])
def test_intervals_are_those_with_the_regions_weights(scores, target, prediction, region):
    """From the products of all years' errors, which is another way to the same numbers."""
    weights = weights_of(region, target)
    gram = resampling.error_gram(prediction["tas"] - target["tas"], weights)
    interval = significance.debiased_interval(resampling.resampling_spatial(gram))
    floor = float(noise_floor.floor_square_spatial(target["tas"], weights))
    row = table(scores)["tas", "rmse_spatial", region]
    assert row["low"] == pytest.approx(sqrt(max(interval.low + floor, 0.0)), rel=1e-6)
    assert row["high"] == pytest.approx(sqrt(interval.high + floor), rel=1e-6)


@pytest.mark.parametrize("region", ["global", *REGIONS])
def test_skill_and_its_interval_are_those_with_the_regions_weights(scores, target, prediction, reference, region):
    weights, mean = weights_of(region, target), target["pr"].mean("member")
    ours, base = (float(errors.rmse_spatial(p["pr"], mean, weights)) for p in (prediction, reference))
    change, interval = significance.paired_interval(
        prediction["pr"] - target["pr"], reference["pr"] - target["pr"], weights
    )
    row = table(scores)["pr", "skill_vs_lps", region]
    assert row["value"] == pytest.approx(1.0 - ours / base, rel=1e-9)
    assert change == pytest.approx(ours**2 - base**2, rel=1e-9)
    assert row["low"] == pytest.approx(1.0 - sqrt(max(base**2 + interval.high, 0.0)) / base, rel=1e-6)
    assert row["high"] == pytest.approx(1.0 - sqrt(max(base**2 + interval.low, 0.0)) / base, rel=1e-6)


def test_land_and_ocean_make_up_the_globe(scores, target):
    rows, sizes = table(scores), {r: float(weights_of(r, target).sum()) for r in ("global_land", "global_ocean")}
    parts = sum(rows["tas", "rmse_spatial", r]["value"] ** 2 * size for r, size in sizes.items())
    assert rows["tas", "rmse_spatial", "global"]["value"] ** 2 == pytest.approx(parts / sum(sizes.values()))


def test_the_globes_rows_come_first_and_the_contracts_before_its_others(target, prediction):
    metrics = ["rmse_over_internal_std", "trend_error_global", "polar_amplification"]
    found = scorer(target, scoring__regions=["tropics", "global_land"], scoring__metrics=metrics)
    rows = found.score("mine", prediction, None).rows
    assert [(r["variable"], r["metric"]) for r in rows[:14]] == [
        (v, m) for v in ("tas", "pr") for m in (*CONTRACT, "skill_vs_lps")
    ]
    assert list(dict.fromkeys(r["region"] for r in rows)) == ["global", "tropics", "global_land"]
    regions = [r["region"] for r in rows]
    assert regions == sorted(regions, key=["global", "tropics", "global_land"].index)


def test_a_regions_rows_are_errors_in_units_never_over_a_norm(scores):
    metrics = {row["metric"] for row in scores.rows if row["region"] == "tropics"}
    assert metrics == {"rmse_spatial", "rmse_global", "rmse_spatial_debiased", "skill_vs_lps"}


def test_the_globe_is_scored_without_being_named(target, prediction):
    found = scorer(target, scoring__regions=[], scoring__metrics=[]).score("mine", prediction, None)
    assert {row["region"] for row in found.rows} == {"global"}


def test_masked_cells_weigh_nothing_in_any_region(target, prediction):
    gap = target.copy(deep=True)
    gap["tas"][3, 2, 4, 1] = np.nan
    found = scorer(gap, nan="mask", scoring__regions=["northern-hemisphere"], scoring__metrics=[])
    row = table(found.score("mine", prediction, None))["tas", "rmse_spatial", "northern-hemisphere"]
    weights = weights_of("northern-hemisphere", target)
    weights[4, 1] = 0.0
    expected = errors.rmse_spatial(prediction["tas"], target["tas"].mean("member"), weights)
    assert row["value"] == pytest.approx(float(expected), rel=1e-9)


def test_a_region_without_cells_is_left_out_with_the_reason():
    found = scorer(dataset(MEMBERS), scoring__regions=["tropics", "arctic"], scoring__metrics=[])
    scores = found.score("mine", dataset(PREDICTION), None)
    assert {row["region"] for row in scores.rows} == {"global", "tropics"}
    assert any(r.startswith("region arctic: No cell of the grid lies in the region") for r in scores.reasons)


def test_land_that_cannot_be_had_is_left_out_with_the_reason(target, prediction, monkeypatch):
    from climbench.errors import DataError

    def no_land(*_):
        raise DataError("Land and sea cannot be told apart.")

    monkeypatch.setattr("climbench.tasks.projection_scores.land_of", no_land)
    found = scorer(target, scoring__regions=["global_land", "tropics"], scoring__metrics=["land_sea_warming_ratio"])
    scores = found.score("mine", prediction, None)
    rows = table(scores)
    assert {region for _, _, region in rows} == {"global", "tropics"}
    assert rows["tas", "land_sea_warming_ratio", "global"]["value"] is None
    assert any("Land and sea cannot be told apart" in reason for reason in scores.reasons)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"scoring__regions": ["europa"]}, r"there is no region 'europa'\. Did you mean 'europe'"),
        ({"scoring__metrics": ["crps_fare"]}, r"there is no metric 'crps_fare'\. Did you mean 'crps_fair'"),
    ],
)
def test_an_unknown_region_or_metric_is_refused_with_the_closest_match(target, setting, message):
    with pytest.raises(CardError, match=message):
        scorer(target, **setting)


def test_cell_areas_weigh_where_they_are_asked_for(target, prediction):
    found = scorer(target, scoring__regions=["global_land"], scoring__metrics=[], scoring__weights="cell_area")
    row = table(found.score("mine", prediction, None))["tas", "rmse_spatial", "global_land"]
    weights = weights_of("global_land", target, "cell_area")
    expected = errors.rmse_spatial(prediction["tas"], target["tas"].mean("member"), weights)
    assert row["value"] == pytest.approx(float(expected), rel=1e-9)


def test_leave_one_out_has_errors_in_regions(target):
    """Each of 12 members against the mean of the other 11: worked out one by one."""
    found = scorer(target, scoring__regions=["tropics"], scoring__metrics=["rmse_over_internal_std"])
    rows = table(found.score_leave_one_out("one-member", target))
    weights, members = weights_of("tropics", target), target["tas"]
    squares, floors = [], []
    for n in members["member"].values:
        others = members.drop_sel(member=n)
        squares.append(float(errors.rmse_spatial(members.sel(member=n), others.mean("member"), weights)) ** 2)
        floors.append(float(noise_floor.floor_square_spatial(others, weights)))
    row = rows["tas", "rmse_spatial", "tropics"]
    assert row["value"] ** 2 == pytest.approx(np.mean(squares), rel=1e-9)
    assert row["floor"] ** 2 == pytest.approx(np.mean(floors), rel=1e-9)
    # By its own members' variance: 1 + 1 / 11 in the square.
    over = rows["tas", "rmse_over_internal_std", "tropics"]
    assert over["value"] ** 2 == pytest.approx(1.0 + 1.0 / 11.0, rel=1e-9)
    assert over["floor"] ** 2 == pytest.approx(1.0 / 11.0, rel=1e-9)


def test_statistics_are_those_of_the_globe(scores, target, prediction):
    gram = scores.statistics["tas_error_gram"]
    expected = resampling.error_gram(prediction["tas"] - target["tas"], weights_of("global", target))
    np.testing.assert_allclose(gram, expected, rtol=1e-9, atol=1e-12)
    assert xr.Dataset(scores.statistics).sizes["member"] == 12
