"""Scores of predictions with members: against properscoring and pairs counted one by one, and what they mean."""

from __future__ import annotations

import numpy as np
import properscoring
import pytest
import xarray as xr
from scipy import stats

from climbench.grids import latitude_weights
from climbench.metrics import noise_floor
from climbench.metrics.base import area_mean
from climbench.metrics.energy_score import energy_distance_within, energy_score
from climbench.metrics.fields import boxes
from climbench.metrics.variogram_score import variogram_score, variogram_variance
from climbench.regions import region_weights
from climbench.tasks.projection_metrics import ENSEMBLES
from tests.tasks.scored_fields import fields, scorer, table

SETTINGS = {"scoring__regions": ["tropics"], "scoring__metrics": list(ENSEMBLES)}


@pytest.fixture(scope="module")
def target():
    return fields(0, members=4)


@pytest.fixture(scope="module")
def ensemble():
    return fields(1, members=5)


@pytest.fixture(scope="module")
def scores(target, ensemble):
    return scorer(target, **SETTINGS).score("mine", ensemble, None)


def weights_of(region, target):
    return region_weights(latitude_weights(target["latitude"], "cos_latitude"), target, region)


def mean_of(field, region, target):
    return float(area_mean(field, weights_of(region, target)).mean())


@pytest.mark.parametrize("region", ["global", "tropics"])
def test_the_crps_is_the_mean_over_years_area_and_members_of_the_target(scores, target, ensemble, region):
    """Properscoring's classical score with M^2 in its spread turned into the fair one's M (M - 1), by pairs."""
    stacked = ensemble["tas"].transpose(..., "member").values
    pairs = np.abs(stacked[..., :, None] - stacked[..., None, :]).sum(axis=(-2, -1))
    each = []
    for n in target["member"].values:
        value = target["tas"].sel(member=n).transpose(*ensemble["tas"].transpose(..., "member").dims[:-1])
        classical = properscoring.crps_ensemble(value.values, stacked)
        fair = value.copy(data=classical + pairs / (2 * 25) - pairs / (2 * 5 * 4))
        each.append(mean_of(fair, region, target))
    row = table(scores)["tas", "crps_fair", region]
    assert row["value"] == pytest.approx(np.mean(each), rel=1e-9)
    half = stats.t.ppf(0.975, 3) * np.std(each, ddof=1) / 2
    assert (row["low"], row["high"]) == pytest.approx((np.mean(each) - half, np.mean(each) + half), rel=1e-9)
    members = target["tas"].transpose("member", ...).values
    differences = np.abs(members[:, None] - members).sum(axis=(0, 1)) / (2 * 4 * 3)
    floor = target["tas"].isel(member=0).transpose(*target["tas"].transpose("member", ...).dims[1:])
    assert row["floor"] == pytest.approx(mean_of(floor.copy(data=differences), region, target), rel=1e-9)
    assert row["units"] == "K"


@pytest.mark.parametrize("region", ["global", "tropics"])
def test_spread_and_its_ratio_to_the_error(scores, target, ensemble, region):
    rows = table(scores)
    variance = mean_of(ensemble["pr"].var("member", ddof=1), region, target)
    assert rows["pr", "spread", region]["value"] == pytest.approx(variance**0.5, rel=1e-9)
    own = mean_of(target["pr"].var("member", ddof=1), region, target)
    assert rows["pr", "spread", region]["floor"] == pytest.approx(own**0.5, rel=1e-9)
    squares = (ensemble["pr"].mean("member") - target["pr"]) ** 2 - ensemble["pr"].var("member", ddof=1) / 5
    error = mean_of(squares.mean("member"), region, target)
    row = rows["pr", "spread_error", region]
    assert row["value"] == pytest.approx((variance / error) ** 0.5, rel=1e-9)
    assert (row["units"], rows["pr", "spread", region]["units"]) == ("1", "mm/day")


@pytest.mark.parametrize("region", ["global", "tropics"])
def test_the_error_less_what_both_numbers_of_members_add(scores, target, ensemble, region):
    weights, rows = weights_of(region, target), table(scores)
    ours, theirs = (f["tas"].mean("time") for f in (ensemble, target))
    square = area_mean((ours.mean("member") - theirs.mean("member")) ** 2, weights)
    less = area_mean(ours.var("member", ddof=1) / 5 + theirs.var("member", ddof=1) / 4, weights)
    assert rows["tas", "rmse_spatial_debiased_both", region]["value"] == pytest.approx(
        float(np.maximum(square - less, 0.0)) ** 0.5, rel=1e-9, abs=1e-12
    )


def test_scores_of_whole_maps(scores, target, ensemble):
    rows, weights = table(scores), weights_of("global", target)
    row = rows["tas", "energy_score_fair", "global"]
    assert row["value"] == pytest.approx(float(energy_score(ensemble["tas"], target["tas"], weights).mean()))
    assert row["floor"] == pytest.approx(float(energy_distance_within(target["tas"], weights).mean()))
    (ours, sizes), (theirs, _) = (boxes(f["tas"], weights, degrees=20.0) for f in (ensemble, target))
    row = rows["tas", "variogram_score_fair", "global"]
    assert row["value"] == pytest.approx(float(variogram_score(ours, theirs, sizes, dim=("box",)).mean()))
    assert row["floor"] == pytest.approx(float(variogram_variance(theirs, sizes, dim=("box",)).mean()))
    assert ("tas", "energy_score_fair", "tropics") not in rows


def test_a_prediction_of_one_has_no_such_rows(target, ensemble):
    one = ensemble.isel(member=[2])
    for prediction in (one, one.isel(member=0, drop=True)):
        scores = scorer(target, **SETTINGS).score("mine", prediction, None)
        assert not {row["metric"] for row in scores.rows} & set(ENSEMBLES)
        assert not [name for name in scores.statistics if "rank" in name]
        assert scores.reasons == scorer(target, scoring__metrics=[]).score("mine", prediction, None).reasons


def test_other_rows_are_those_of_the_mean(target, ensemble, scores):
    alone = scorer(target, **SETTINGS).score("mine", ensemble.mean("member"), None)
    found = table(scores)
    for key, row in table(alone).items():
        for number in ("value", "floor", "low", "high"):
            expected = row[number]
            assert found[key][number] == (expected if expected is None else pytest.approx(expected, rel=1e-9))


def test_against_one_member_there_is_a_crps_without_floor(target, ensemble):
    rows = table(scorer(target.isel(member=[0]), **SETTINGS).score("mine", ensemble, None))
    row = rows["tas", "crps_fair", "global"]
    assert row["value"] > 0.0
    assert (row["floor"], row["low"], row["high"]) == (None, None, None)
    assert rows["tas", "energy_score_fair", "global"]["floor"] is None
    assert rows["tas", "spread_error", "global"]["value"] > 0.0
    assert rows["tas", "rmse_spatial_debiased_both", "global"]["value"] is None


def test_the_targets_own_distribution_scores_the_floor():
    """Thirty members of the same distribution: every score within its noise of the floor, spread over error near 1."""
    target, ensemble = fields(0, members=20), fields(1, members=30)
    rows = table(scorer(target, **SETTINGS).score("perfect", ensemble, None))
    for metric in ("crps_fair", "spread", "energy_score_fair", "variogram_score_fair"):
        row = rows["tas", metric, "global"]
        assert row["value"] == pytest.approx(row["floor"], rel=0.03), metric
    assert rows["tas", "spread_error", "global"]["value"] == pytest.approx(1.0, abs=0.03)
    interval = rows["tas", "crps_fair", "global"]
    assert interval["low"] < interval["floor"] < interval["high"]
    narrow = ensemble.mean("member") + 0.4 * (ensemble - ensemble.mean("member"))
    rows = table(scorer(target, **SETTINGS).score("narrow", narrow, None))
    for metric in ("crps_fair", "energy_score_fair", "variogram_score_fair"):
        assert rows["tas", metric, "global"]["value"] > 1.02 * rows["tas", metric, "global"]["floor"], metric
    assert rows["tas", "crps_fair", "global"]["low"] > rows["tas", "crps_fair", "global"]["floor"]
    assert rows["tas", "spread_error", "global"]["value"] == pytest.approx(0.4, abs=0.02)


def test_rank_histograms_are_kept_by_region(scores, target, ensemble):
    histogram = scores.statistics["tas_rank_histogram"]
    assert histogram.dims == ("region", "rank")
    assert histogram.attrs["regions"] == ["global", "tropics"]
    np.testing.assert_allclose(histogram.sum("rank"), 1.0)
    weights = weights_of("tropics", target)
    below = sum((ensemble["tas"].sel(member=m, drop=True) < target["tas"]) for m in ensemble["member"].values)
    shares = [float(area_mean((below == rank).astype(float), weights).mean()) for rank in range(6)]
    np.testing.assert_allclose(histogram[1], shares, atol=1e-12)


def test_masked_cells_do_not_count(target, ensemble):
    gap = ensemble.copy(deep=True)
    gap["tas"][2, 3, 1, 1] = np.nan
    first, second = (
        table(scorer(target, nan="mask", **SETTINGS).score("mine", e, None))
        for e in (gap, gap.fillna(50.0).where(gap["tas"].isnull().any(("member", "time")) == 0))
    )
    for metric in ENSEMBLES:
        assert first["tas", metric, "global"]["value"] == pytest.approx(second["tas", metric, "global"]["value"])
        assert np.isfinite(first["tas", metric, "global"]["value"])


def test_only_what_the_card_names_is_scored(target, ensemble):
    scores = scorer(target, scoring__regions=[], scoring__metrics=["spread"]).score("mine", ensemble, None)
    assert {row["metric"] for row in scores.rows} & set(ENSEMBLES) == {"spread"}


def test_members_may_come_in_any_order_and_precision(target, ensemble, scores):
    shuffled = ensemble.isel(member=[4, 1, 0, 3, 2]).transpose("longitude", "member", "time", "latitude")
    again = table(scorer(target, **SETTINGS).score("mine", shuffled, None))
    single = table(scorer(target, **SETTINGS).score("mine", ensemble.astype("float32"), None))
    for key, row in table(scores).items():
        if row["metric"] in ENSEMBLES:
            assert again[key]["value"] == pytest.approx(row["value"], rel=1e-9)
            assert single[key]["value"] == pytest.approx(row["value"], rel=1e-4, abs=1e-4)


def test_statistics_can_be_kept_together(scores, tmp_path):
    from climbench.recording import write_store

    write_store(xr.Dataset(scores.statistics), tmp_path / "statistics.zarr")
    kept = xr.open_zarr(tmp_path / "statistics.zarr", consolidated=False)
    np.testing.assert_allclose(kept["pr_rank_histogram"], scores.statistics["pr_rank_histogram"])
    assert list(kept["pr_rank_histogram"].attrs["regions"]) == ["global", "tropics"]


def test_the_contracts_debiased_error_takes_the_targets_noise_off_alone(scores, target, ensemble):
    weights = weights_of("global", target)
    ours, theirs = ensemble["tas"].mean(("member", "time")), target["tas"].mean(("member", "time"))
    square = float(area_mean((ours - theirs) ** 2, weights)) - float(
        noise_floor.floor_square_spatial(target["tas"], weights)
    )
    row = table(scores)["tas", "rmse_spatial_debiased", "global"]
    assert row["value"] == pytest.approx(max(square, 0.0) ** 0.5, rel=1e-9, abs=1e-12)
