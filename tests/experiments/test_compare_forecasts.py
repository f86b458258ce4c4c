"""Forecasts compared: who is better at which lead, common inits, false discoveries, and runs that do not compare."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import false_discovery_control

from climbench.errors import RunError
from climbench.experiments.compare_forecasts import COLUMNS, compare_forecasts
from climbench.experiments.shared_forecasts import ForecastStatistics
from climbench.metrics.paired import paired_t_test
from climbench.tasks.forecast.metrics import METRICS
from climbench.tasks.forecast.profiles import PROFILES
from tests.metrics.autocorrelated import series

INITS, LEADS, REGIONS = 120, (24, 120), ("global", "tropics")
NOON = np.timedelta64(12, "h")


def dataset(inits=INITS, *, scale=1.0, seed=0, start=0, leads=LEADS, regions=REGIONS, shift=0.0):
    """Area means of one forecast: a shared weather of errors, and a part of its own."""
    shape = (inits + start, len(leads), len(regions))
    weather = series(shape[0], shape[1] * shape[2], seed=99).reshape(shape)
    own = series(shape[0], shape[1] * shape[2], seed=seed).reshape(shape)
    error = 0.05 * own + shift
    square = scale * np.exp(0.3 * weather + 0.1 * own)
    truth = np.exp(0.2 * weather)
    parts = {
        "error": error,
        "squared_error": square,
        "anomaly_product": truth - 0.1 * square,
        "forecast_anomaly_square": truth,
        "truth_anomaly_square": truth,
        "variance": 0.9 * square,
    }
    times = np.datetime64("2020-01-01T00", "ns") + np.arange(shape[0]) * NOON
    coordinates = {
        "init_time": times,
        "lead_time": np.array(leads, "timedelta64[h]").astype("timedelta64[ns]"),
        "region": list(regions),
    }
    dims = ("init_time", "lead_time", "region")
    whole = xr.Dataset({name: (dims, values) for name, values in parts.items()}, coordinates)
    return whole.isel(init_time=slice(start, None))


def forecast(name, members=1, variables=("geopotential_500",), **options):
    units = dict.fromkeys(variables, "m^2/s^2")
    return ForecastStatistics(
        name, {v: dataset(**options) for v in variables}, units, dict.fromkeys(variables, members)
    )


def compared(ours, theirs, *metrics, **options):
    return compare_forecasts(ours, theirs, {m: METRICS[m] for m in metrics}, **options)


def test_rows_are_the_test_of_the_statistics():
    ours, theirs = forecast("ours", seed=1), forecast("theirs", seed=2, scale=1.02)
    found = compared(ours, theirs, "rmse")
    parts = [{"s": f.by_variable["geopotential_500"]["squared_error"].values} for f in (ours, theirs)]
    test = paired_t_test(*parts, lambda m: np.sqrt(m["s"]))
    assert [(r["region"], r["lead_time"]) for r in found.rows] == [(r, float(h)) for r in REGIONS for h in LEADS]
    for row in found.rows:
        i, j = LEADS.index(row["lead_time"]), REGIONS.index(row["region"])
        assert tuple(row) == COLUMNS
        assert row["value"] == pytest.approx(np.sqrt(parts[0]["s"][:, i, j].mean()), rel=1e-12)
        assert row["against_value"] == pytest.approx(np.sqrt(parts[1]["s"][:, i, j].mean()), rel=1e-12)
        for name in ("difference", "low", "high", "p"):
            assert row[name] == pytest.approx(getattr(test, name)[i, j], rel=1e-9)
        assert (row["inits"], row["units"], row["reason"], row["p_adjusted"]) == (INITS, "m^2/s^2", "", None)
    assert found.notes == []


def test_the_better_forecast_is_named_by_every_score():
    ours, theirs = forecast("ours", seed=1, scale=0.7), forecast("theirs", seed=2, shift=0.3)
    found = compared(ours, theirs, "rmse", "acc", "bias")
    assert {r["metric"] for r in found.rows} == {"rmse", "acc", "bias"}
    assert {r["verdict"] for r in found.rows} == {"better"}
    signs = {r["metric"]: np.sign(r["difference"]) for r in found.rows}
    assert signs == {"rmse": -1.0, "acc": 1.0, "bias": -1.0}
    back = compared(theirs, ours, "rmse", "acc", "bias")
    assert {r["verdict"] for r in back.rows} == {"worse"}


def test_biases_are_compared_by_their_size():
    ours, theirs = forecast("ours", seed=1, shift=-0.5), forecast("theirs", seed=2, shift=0.1)
    row = compared(ours, theirs, "bias").rows[0]
    assert row["value"] < 0.0 < row["against_value"]
    assert row["difference"] == pytest.approx(abs(row["value"]) - abs(row["against_value"]), rel=1e-9)
    assert row["verdict"] == "worse"


def test_the_number_of_members_is_each_forecasts_own():
    ours, theirs = forecast("ours", members=10, seed=1), forecast("theirs", members=2, seed=1)
    row = compared(ours, theirs, "ensemble_mean_rmse_unbiased").rows[0]
    square = ours.by_variable["geopotential_500"]["squared_error"].values[:, 0, 0].mean()
    assert row["value"] == pytest.approx(np.sqrt(square * (1.0 - 0.9 / 10)), rel=1e-12)
    assert row["against_value"] == pytest.approx(np.sqrt(square * (1.0 - 0.9 / 2)), rel=1e-12)
    assert row["verdict"] == "worse"


def test_equal_forecasts_tie():
    rows = compared(forecast("ours", seed=1), forecast("theirs", seed=1), "rmse", "acc", "bias").rows
    assert {(r["difference"], r["p"], r["verdict"]) for r in rows} == {(0.0, 1.0, "tie")}


def test_only_common_inits_leads_and_regions_count():
    ours = forecast("ours", seed=1, leads=(24, 72, 120))
    theirs = forecast("theirs", seed=2, start=20, regions=("tropics", "arctic"), inits=INITS - 20)
    ours.by_variable["geopotential_500"]["truth_anomaly_square"][:] = 1.0
    theirs.by_variable["geopotential_500"]["truth_anomaly_square"][:] = 1.0
    found = compared(ours, theirs, "rmse")
    assert [(r["region"], r["lead_time"], r["inits"]) for r in found.rows] == [
        ("tropics", 24.0, 100),
        ("tropics", 120.0, 100),
    ]
    assert found.notes == [
        "ours has 120 inits and theirs 100: the 100 of both are compared.",
        "ours has 3 lead times and theirs 2: the 2 of both are compared.",
        "ours has 2 regions and theirs 2: the 1 of both are compared.",
    ]
    kept = ours.by_variable["geopotential_500"]["squared_error"].sel(region="tropics", lead_time="24h")[20:]
    assert found.rows[0]["value"] == pytest.approx(float(np.sqrt(kept.mean())), rel=1e-12)


def test_unsorted_inits_are_matched_by_time():
    ours, theirs = forecast("ours", seed=1), forecast("theirs", seed=2)
    turned = {v: d.isel(init_time=slice(None, None, -1)) for v, d in theirs.by_variable.items()}
    other = ForecastStatistics("theirs", turned, theirs.units)
    assert compared(ours, other, "rmse").rows == compared(ours, theirs, "rmse").rows


def test_pairs_that_one_did_not_score_count_in_neither():
    ours, theirs = forecast("ours", seed=1), forecast("theirs", seed=2)
    square = theirs.by_variable["geopotential_500"]["squared_error"]
    square[100:, 1] = np.nan
    rows = compared(ours, theirs, "rmse").rows
    assert [r["inits"] for r in rows if r["region"] == "global"] == [120, 100]
    kept = ours.by_variable["geopotential_500"]["squared_error"][:100, 1, 0]
    assert rows[1]["value"] == pytest.approx(float(np.sqrt(kept.mean())), rel=1e-12)


def test_variables_and_metrics_of_one_are_left_out():
    ours = forecast("ours", seed=1, variables=("geopotential_500", "temperature_850"))
    theirs = forecast("theirs", seed=2)
    short = ForecastStatistics(
        "theirs", {v: d.drop_vars("variance") for v, d in theirs.by_variable.items()}, theirs.units
    )
    found = compared(ours, short, "rmse", "spread")
    assert {(r["variable"], r["metric"]) for r in found.rows} == {("geopotential_500", "rmse")}
    assert found.notes == ["ours has 2 variables and theirs 1: the 1 of both are compared."]
    with pytest.raises(RunError, match="no variable and metric in common"):
        compared(ours, short, "spread")


def test_false_discoveries_are_adjusted_for_over_the_whole_table():
    names = tuple(f"temperature_{n}" for n in range(60))
    ours = ForecastStatistics("ours", {v: dataset(seed=i + 1) for i, v in enumerate(names)}, {})
    theirs = ForecastStatistics("theirs", {v: dataset(seed=i + 1001) for i, v in enumerate(names)}, {})
    single = compared(ours, theirs, "rmse").rows
    adjusted = compared(ours, theirs, "rmse", false_discovery=True).rows
    assert [r["p"] for r in single] == [r["p"] for r in adjusted]
    known = false_discovery_control([r["p"] for r in single])
    np.testing.assert_allclose([r["p_adjusted"] for r in adjusted], known, rtol=1e-9)
    assert [r["verdict"] == "tie" for r in adjusted] == (known > 0.05).tolist()
    named = [sum(r["verdict"] != "tie" for r in rows) for rows in (single, adjusted)]
    assert named[1] < 0.3 * named[0]  # what single tests name here is chance, for no forecast is better


def test_the_bootstrap_may_be_chosen():
    ours, theirs = forecast("ours", seed=1, scale=0.8), forecast("theirs", seed=2)
    fast, slow = (compared(ours, theirs, "rmse", method=m).rows[0] for m in ("t-test", "bootstrap"))
    assert slow["difference"] == pytest.approx(fast["difference"])
    assert slow["low"] == pytest.approx(fast["low"], rel=0.2)
    assert slow["low"] != fast["low"]
    assert slow["verdict"] == fast["verdict"] == "better"


def test_scores_of_batches_are_compared_batch_by_batch():
    metrics = {"rmse": PROFILES["chaosbench"].metric("rmse")}
    ours, theirs = forecast("ours", seed=1, scale=0.7, inits=732), forecast("theirs", seed=2, inits=732)
    row = compare_forecasts(ours, theirs, metrics).rows[0]
    square = ours.by_variable["geopotential_500"]["squared_error"].values[:, 0, 0]
    roots = [np.sqrt(square[i : i + 32].mean()) for i in range(0, 732, 32)]
    assert row["value"] == pytest.approx(np.mean(roots), rel=1e-12)
    assert (row["inits"], row["verdict"]) == (732, "better")
    few = compare_forecasts(forecast("ours", seed=1), forecast("theirs", seed=2), metrics).rows[0]
    assert (few["verdict"], few["p"]) == (None, None)
    assert few["reason"].startswith("4 batches of inits are too few")


def test_too_few_inits_give_values_without_a_verdict():
    row = compared(forecast("ours", seed=1, inits=6), forecast("theirs", seed=2, inits=6), "rmse").rows[0]
    assert row["difference"] == pytest.approx(row["value"] - row["against_value"])
    assert (row["verdict"], row["low"], row["high"], row["p"]) == (None, None, None, None)
    assert row["reason"] == "6 inits are too few to tell: 20 are needed"


def test_no_init_in_common_is_an_error():
    late = {v: d.assign_coords(init_time=d["init_time"] + NOON * 1000) for v, d in forecast("x").by_variable.items()}
    with pytest.raises(
        RunError, match="no inits of geopotential_500 in common: the one has 2020-01-01T00 to 2020-02-29T12"
    ):
        compared(forecast("ours"), ForecastStatistics("theirs", late, {}), "rmse")


def test_another_truth_is_an_error():
    theirs = forecast("theirs", seed=2)
    theirs.by_variable["geopotential_500"]["truth_anomaly_square"][3, 0, 0] *= 1.01
    with pytest.raises(RunError, match="differs at 1 of 480 inits, lead times and regions"):
        compared(forecast("ours", seed=1), theirs, "rmse")
