"""Each tool's quirks, exactly, against NumPy that follows what the tool does step by step."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.tasks.forecast import scoring
from climbench.tasks.forecast.metrics import METRICS
from climbench.tasks.forecast.profiles import PROFILES
from tests.tasks.forecast import made_stores as made

NAME = "2m_temperature"
LEAD = 24
INITS, MEMBERS = 40, 5  # ChaosBench's batches are then of 32 and of 8
ONE_BATCH = 32
PERIOD = {"test": {"period": ["2020-02-20", "2020-03-10"], "hours": [0, 12]}}
SOUTH = {"latitude": slice(1, 4)}  # rows at -60, -30 and 0 degrees


def fields(members=0, inits=INITS):
    """Forecast [member,] of shape (init, latitude, longitude) at one lead time, truth and climatology beside it."""
    forecast, truth, climatology = stores(members, inits)
    j = list(made.HOURS).index(LEAD)
    ours = forecast[NAME].isel(prediction_timedelta=j).values.astype("float64")
    theirs = np.stack([made.at_valid(truth, forecast, NAME, i, j) for i in range(inits)])
    usual = np.stack([made.climatology_at(climatology, forecast, NAME, i, j) for i in range(inits)])
    return (np.moveaxis(ours, 1, 0) if members else ours), theirs, usual


def stores(members=0, inits=INITS):
    forecast = made.made_forecast(inits=inits, members=members, variables=(NAME,))
    return forecast, made.made_truth(periods=50, variables=(NAME,)), made.made_climatology(variables=(NAME,))


def chaosbench_weights():
    """Cosine of latitude over its mean over rows, as a column; zero on the poles to rounding."""
    cosine = np.cos(np.deg2rad(made.LATITUDE))
    return (made.LATITUDE.size * cosine / cosine.sum())[:, None]


def batches(values):
    return [values[:32], values[32:]]


def over_batches(values):
    """Mean over batches of the mean over each: an initial time of the short one counts four times as much."""
    return np.mean([batch.mean() for batch in batches(values)])


@pytest.fixture
def under(tmp_path, scores_of):
    """A function that scores the forecast, or an ensemble, under a profile, and gives values by metric."""

    def scored(profile, metrics, members=0, region=None, inits=INITS):
        for name, data in zip(("forecast", "truth", "climatology"), stores(members, inits), strict=True):
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


def test_chaosbench_errors_are_weighted_means_over_a_batch(under):
    forecast, truth, _ = fields(inits=ONE_BATCH)
    found = under("chaosbench", ["bias", "mae"], inits=ONE_BATCH)
    weighted = chaosbench_weights() * forecast, chaosbench_weights() * truth  # it multiplies fields beforehand
    assert found["bias"] == pytest.approx((weighted[0] - weighted[1]).mean(), rel=1e-5)
    assert found["mae"] == pytest.approx(abs(weighted[0] - weighted[1]).mean(), rel=1e-6)


def chaosbench_crps(inits):
    """What the tool gives each initial time and cell: fields are multiplied by weights beforehand."""
    members, truth, _ = fields(MEMBERS, inits)
    members, truth = chaosbench_weights() * members, chaosbench_weights() * truth
    pairs = abs(members[:, None] - members[None, :]).mean(axis=(0, 1))  # each with itself as well
    return abs(members - truth).mean(axis=0) - 0.5 * pairs


def test_chaosbench_crps_is_not_fair(under):
    found = under("chaosbench", ["crps_fair", "crps"], MEMBERS, inits=ONE_BATCH)
    assert found["crps_fair"] == found["crps"] == pytest.approx(chaosbench_crps(ONE_BATCH).mean(), rel=1e-6)
    assert under("standard", ["crps_fair"], MEMBERS, inits=ONE_BATCH)["crps_fair"] < 0.95 * found["crps_fair"]


def deviations(inits):
    members, _, _ = fields(MEMBERS, inits)
    return (chaosbench_weights() * members).std(axis=0, ddof=1)


def test_chaosbench_spread_is_a_mean_of_standard_deviations(under):
    deviation = deviations(ONE_BATCH)
    found = under("chaosbench", ["spread"], MEMBERS, inits=ONE_BATCH)["spread"]
    assert found == pytest.approx(deviation.mean(), rel=1e-6)
    variance = (chaosbench_weights() * fields(MEMBERS, ONE_BATCH)[0].var(axis=0, ddof=1)).mean()
    assert found < 0.97 * np.sqrt(variance)


def test_chaosbench_divides_spread_by_the_error_of_each_batch(under):
    members, truth, _ = fields(MEMBERS)
    error = members.mean(axis=0) - truth
    roots = [np.sqrt((chaosbench_weights() * e**2).mean()) for e in batches(error)]
    ratios = [d.mean() / root for d, root in zip(batches(deviations(INITS)), roots, strict=True)]
    found = under("chaosbench", ["spread_skill", "ensemble_mean_rmse"], MEMBERS)
    assert found["spread_skill"] == pytest.approx(np.mean(ratios), rel=1e-6)
    assert found["ensemble_mean_rmse"] == pytest.approx(np.mean(roots), rel=1e-6)


def test_chaosbench_averages_bias_and_mae_over_batches(under):
    forecast, truth, _ = fields()
    errors = chaosbench_weights() * (forecast - truth)
    found = under("chaosbench", ["bias", "mae"])
    assert found["bias"] == pytest.approx(over_batches(errors), rel=1e-5)
    assert found["mae"] == pytest.approx(over_batches(abs(errors)), rel=1e-6)
    assert found["mae"] != pytest.approx(abs(errors).mean(), rel=1e-4)


def test_chaosbench_averages_crps_over_batches(under):
    found = under("chaosbench", ["crps_fair", "crps"], MEMBERS)
    assert found["crps_fair"] == found["crps"] == pytest.approx(over_batches(chaosbench_crps(INITS)), rel=1e-6)


def test_chaosbench_averages_spread_over_batches(under):
    wanted = over_batches(deviations(INITS))
    assert under("chaosbench", ["spread"], MEMBERS)["spread"] == pytest.approx(wanted, rel=1e-6)


def test_chaosbench_cannot_tell_a_damped_forecast_from_a_perfect_one(tmp_path, scores_of):
    rng = np.random.default_rng(4)
    grid = {"latitude": np.linspace(-87.1875, 87.1875, 32), "longitude": np.arange(64) * 5.625}
    times = made.made_truth(periods=8, variables=(NAME,))["time"].values
    truth = 280.0 + 5.0 * rng.standard_normal((8, 32, 64))
    damped = (280.0 + 0.5 * (truth[1:6] - 280.0))[:, None]  # 12 h ahead
    made.written(tmp_path / "truth.zarr", xr.Dataset({NAME: (("time", *grid), truth)}, {"time": times, **grid}))
    axes = {"time": times[:5], "prediction_timedelta": [np.timedelta64(12, "h").astype("timedelta64[ns]")], **grid}
    made.written(tmp_path / "forecast.zarr", xr.Dataset({NAME: (tuple(axes), damped)}, axes))
    options = {"targets": [NAME], "metrics": ["ms_ssim"], "use_climatology": None}
    found = {p: scores_of(tmp_path, profile=p, **options)[0][NAME, "ms_ssim", "global", 12] for p in PROFILES}
    assert found["chaosbench"] == pytest.approx(1.0, abs=1e-9)
    assert found["standard"] == found["wb2"] == found["wbx"] < 0.95


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


def test_weatherbench_2_puts_the_dry_threshold_itself_in_no_category(tmp_path, scores_of):
    rain, dry, light, heavy = "total_precipitation_24hr", 0.25e-3, 1.0e-3, 5.0e-3  # float32 has no 0.25e-3
    truth, forecast, climatology = (
        0.0 * make(variables=(rain,)).astype("float64")
        for make in (made.made_truth, made.made_forecast, made.made_climatology)
    )
    climatology[f"{rain}_seeps_threshold"] = climatology[rain] + heavy
    climatology[f"{rain}_seeps_dry_fraction"] = climatology[rain] + 0.4
    made.written(tmp_path / "truth.zarr", truth + light)
    made.written(tmp_path / "climatology.zarr", climatology)
    found = {}
    for case, amount in (("dry", 0.0), ("on the threshold", dry)):
        made.written(tmp_path / "forecast.zarr", forecast + amount)
        for profile in ("standard", "wb2", "wbx"):
            table, _ = scores_of(tmp_path, profile=profile, targets=[rain], metrics=["seeps"])
            found[profile, case] = table[rain, "seeps", "global", LEAD]
    dry_for_light = 0.5 / (1.0 - 0.4)
    assert found.pop(("wb2", "on the threshold")) == 0.0
    assert list(found.values()) == pytest.approx([dry_for_light] * 5, rel=1e-9)


@pytest.mark.parametrize("members", [0, MEMBERS])
def test_weatherbench_x_scores_as_the_suite_does(tmp_path, scores_of, members):
    for name, data in zip(("forecast", "truth", "climatology"), stores(members), strict=True):
        made.written(tmp_path / f"{name}.zarr", data)
    of_events = ["brier_above_280", "rps_above_275_285", "fss_above_280_window_3"]
    options = {"targets": [NAME], "metrics": [*METRICS, *of_events], "regions": ["global", "tropics"], **PERIOD}
    ours, theirs = (scores_of(tmp_path, profile=p, **options)[0] for p in ("standard", "wbx"))
    assert {metric for _, metric, _, _ in ours} >= {"rmse", "acc", "ms_ssim", "fss_above_280_window_3"}
    assert ("crps_fair" in {metric for _, metric, _, _ in ours}) == bool(members)
    assert theirs == ours


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
