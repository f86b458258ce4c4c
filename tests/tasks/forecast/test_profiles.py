"""Each tool's quirks, exactly, against NumPy that follows what the tool does step by step."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.tasks.forecast import scoring
from climbench.tasks.forecast.profiles import PROFILES
from tests.tasks.forecast import made_stores as made

NAME = "2m_temperature"
LEAD = 24
INITS, MEMBERS = 40, 5  # ChaosBench's batches are then of 32 and of 8
PERIOD = {"test": {"period": ["2020-02-20", "2020-03-10"], "hours": [0, 12]}}
SOUTH = {"latitude": slice(1, 4)}  # rows at -60, -30 and 0 degrees


def fields(members=0):
    """Forecast [member,] of shape (init, latitude, longitude) at one lead time, truth and climatology beside it."""
    forecast, truth, climatology = stores(members)
    j = list(made.HOURS).index(LEAD)
    ours = forecast[NAME].isel(prediction_timedelta=j).values.astype("float64")
    theirs = np.stack([made.at_valid(truth, forecast, NAME, i, j) for i in range(INITS)])
    usual = np.stack([made.climatology_at(climatology, forecast, NAME, i, j) for i in range(INITS)])
    return (np.moveaxis(ours, 1, 0) if members else ours), theirs, usual


def stores(members=0):
    forecast = made.made_forecast(inits=INITS, members=members, variables=(NAME,))
    return forecast, made.made_truth(periods=50, variables=(NAME,)), made.made_climatology(variables=(NAME,))


def chaosbench_weights():
    """Cosine of latitude over its mean over rows, as a column; zero on the poles to rounding."""
    cosine = np.cos(np.deg2rad(made.LATITUDE))
    return (made.LATITUDE.size * cosine / cosine.sum())[:, None]


def batches(values):
    return [values[:32], values[32:]]


@pytest.fixture
def under(tmp_path, scores_of):
    """A function that scores the forecast, or an ensemble, under a profile, and gives values by metric."""

    def scored(profile, metrics, members=0, region=None):
        for name, data in zip(("forecast", "truth", "climatology"), stores(members), strict=True):
            made.written(tmp_path / f"{name}.zarr", data.isel(region or {}))
        table, _ = scores_of(tmp_path, profile=profile, targets=[NAME], metrics=metrics, **PERIOD)
        return {metric: table[NAME, metric, "global", LEAD] for metric in metrics}

    return scored


def test_chaosbench_takes_the_root_of_each_batch(under):
    forecast, truth, _ = fields()
    roots = [np.sqrt((chaosbench_weights() * e**2).mean()) for e in batches(forecast - truth)]
    found = under("chaosbench", ["rmse"])["rmse"]
    assert found == pytest.approx(np.mean(roots), rel=1e-6)
    assert found != pytest.approx(np.sqrt((chaosbench_weights() * (forecast - truth) ** 2).mean()), rel=1e-4)


def test_chaosbench_multiplies_anomalies_by_weights_before_it_multiplies_them(under):
    forecast, truth, climatology = fields()
    weights, found = chaosbench_weights(), []
    for f, o, c in zip(batches(forecast), batches(truth), batches(climatology), strict=True):
        ours, theirs = weights * (f - c), weights * (o - c)
        found.append((ours * theirs).sum() / (np.sqrt((ours**2).sum() * (theirs**2).sum()) + 1e-10))
    assert under("chaosbench", ["acc"])["acc"] == pytest.approx(np.mean(found), rel=1e-6)


def test_chaosbench_errors_are_weighted_means_over_everything(under):
    forecast, truth, _ = fields()
    found = under("chaosbench", ["bias", "mae"])
    weighted = chaosbench_weights() * forecast, chaosbench_weights() * truth  # it multiplies fields beforehand
    assert found["bias"] == pytest.approx((weighted[0] - weighted[1]).mean(), rel=1e-5)
    assert found["mae"] == pytest.approx(abs(weighted[0] - weighted[1]).mean(), rel=1e-6)


def test_chaosbench_crps_is_not_fair(under):
    members, truth, _ = fields(MEMBERS)
    members, truth = chaosbench_weights() * members, chaosbench_weights() * truth
    skill = abs(members - truth).mean(axis=0)
    pairs = abs(members[:, None] - members[None, :]).mean(axis=(0, 1))  # each with itself as well
    found = under("chaosbench", ["crps_fair", "crps"], MEMBERS)
    assert found["crps_fair"] == found["crps"] == pytest.approx((skill - 0.5 * pairs).mean(), rel=1e-6)
    assert under("standard", ["crps_fair"], MEMBERS)["crps_fair"] < 0.95 * found["crps_fair"]


def test_chaosbench_spread_is_a_mean_of_standard_deviations(under):
    members, truth, _ = fields(MEMBERS)
    deviation = (chaosbench_weights() * members).std(axis=0, ddof=1)
    error = members.mean(axis=0) - truth
    parts = zip(batches(deviation), batches(error), strict=True)
    roots = [np.sqrt((chaosbench_weights() * e**2).mean()) for e in batches(error)]
    ratios = [d.mean() / np.sqrt((chaosbench_weights() * e**2).mean()) for d, e in parts]
    found = under("chaosbench", ["spread", "spread_skill", "ensemble_mean_rmse"], MEMBERS)
    assert found["spread"] == pytest.approx(deviation.mean(), rel=1e-6)
    assert found["spread_skill"] == pytest.approx(np.mean(ratios), rel=1e-6)
    assert found["ensemble_mean_rmse"] == pytest.approx(np.mean(roots), rel=1e-6)


def test_weatherbench_2_correlates_each_initial_time_and_weatherbench_x_all(under):
    forecast, truth, climatology = fields()
    rows = made.cell_weights()[:, None]
    product, ours, theirs = (
        (rows * x).mean(axis=(1, 2))
        for x in (
            (forecast - climatology) * (truth - climatology),
            (forecast - climatology) ** 2,
            (truth - climatology) ** 2,
        )
    )
    assert under("wb2", ["acc"])["acc"] == pytest.approx(np.mean(product / np.sqrt(ours * theirs)), rel=1e-6)
    pooled = product.mean() / (np.sqrt(ours.mean()) * np.sqrt(theirs.mean()))
    assert under("wbx", ["acc"])["acc"] == pytest.approx(pooled, rel=1e-6)


def test_weatherbench_2_gives_the_outer_rows_of_a_region_all_that_lies_beyond(under):
    forecast, truth, _ = fields()
    square = ((forecast - truth)[:, SOUTH["latitude"]] ** 2).mean(axis=(0, 2))

    def rmse(*edges):
        area = np.diff(np.sin(np.deg2rad(edges)))
        return np.sqrt((area * square).sum() / area.sum())

    to_the_poles, half_a_step = rmse(-90.0, -45.0, -15.0, 90.0), rmse(-75.0, -45.0, -15.0, 15.0)
    assert under("wb2", ["rmse"], region=SOUTH)["rmse"] == pytest.approx(to_the_poles, rel=1e-6)
    for profile in ("standard", "wbx"):
        assert under(profile, ["rmse"], region=SOUTH)["rmse"] == pytest.approx(half_a_step, rel=1e-6)
    assert to_the_poles != pytest.approx(half_a_step, rel=1e-4)


def test_weatherbench_2_divides_spread_by_the_error_as_it_is(under):
    members, truth, _ = fields(MEMBERS)
    rows = made.cell_weights()[:, None]
    square = (rows * (members.mean(axis=0) - truth) ** 2).mean()
    variance = (rows * members.var(axis=0, ddof=1)).mean()
    assert under("wb2", ["spread_skill"], MEMBERS)["spread_skill"] == pytest.approx(
        np.sqrt(variance / square), rel=1e-6
    )
    unbiased = np.sqrt(variance / (square - variance / MEMBERS))
    for profile in ("standard", "wbx"):
        assert under(profile, ["spread_skill"], MEMBERS)["spread_skill"] == pytest.approx(unbiased, rel=1e-6)


def test_the_energy_score_of_weatherbench_2_takes_neighbouring_members(under):
    members, truth, _ = fields(MEMBERS)
    rows = made.cell_weights()[:, None]

    def size(x):
        return np.sqrt((rows * x**2).mean(axis=(-2, -1)))

    skill = size(members - truth).mean(axis=0)
    neighbours = size(np.diff(members, axis=0)).mean(axis=0)
    found = under("wb2", ["energy_score"], MEMBERS)["energy_score"]
    assert found == pytest.approx((skill - 0.5 * neighbours).mean(), rel=1e-6)


@pytest.mark.parametrize("region", [None, SOUTH])
def test_profiles_that_weigh_alike_share_a_reading_and_keep_their_scores(tmp_path, scores_of, monkeypatch, region):
    # on the globe ChaosBench alone has other areas; on evenly spaced rows without poles, WeatherBench 2 alone
    for name, data in zip(("forecast", "truth", "climatology"), stores(MEMBERS), strict=True):
        made.written(tmp_path / f"{name}.zarr", data.isel(region or {}))
    alone = {p: scores_of(tmp_path, profile=p, targets=[NAME], **PERIOD)[1] for p in PROFILES}
    seen, accumulate = [], scoring.accumulate
    monkeypatch.setattr(scoring, "accumulate", lambda *a, **k: seen.append(1) or accumulate(*a, **k))
    together = scores_of.opened(tmp_path, targets=[NAME], **PERIOD).score_by(list(PROFILES))
    assert len(seen) == 2
    assert list(together) == list(PROFILES)
    for profile, scores in together.items():
        assert [{**r, "value": None} for r in scores.rows] == [{**r, "value": None} for r in alone[profile].rows]
        values = [[r["value"] for r in rows] for rows in (scores.rows, alone[profile].rows)]
        np.testing.assert_allclose(*values, rtol=1e-12)
        assert set(scores.statistics) == set(alone[profile].statistics)


def test_every_quirk_is_named(under):
    for profile in PROFILES.values():
        assert set(profile.metrics) <= set(profile.quirks)
        assert ("weights" in profile.quirks) == (profile.weights is not PROFILES["standard"].weights)
