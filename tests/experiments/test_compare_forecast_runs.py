"""Runs of forecasts compared from what they kept: whose is better, and runs that do not compare."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import climbench
from climbench.errors import RunError
from climbench.experiments.compare_forecast_runs import compare_forecast_runs, is_forecast_run
from climbench.experiments.compare_forecasts import COLUMNS
from climbench.metrics.paired import paired_t_test
from tests.tasks.forecast import made_stores

NAMES = ("2m_temperature",)
LEADS = (12.0, 48.0)
SETTINGS = {
    "targets": list(NAMES),
    "metrics": ["rmse", "bias"],
    "test.period": ["2020-02-20", "2020-03-15"],
    "leads": {"first": 12, "last": 48, "step": 36},
    "regions": ["global", "tropics"],
    "climatology": None,
}


def scored(folder, name, forecast, truth="truth.zarr", **changes):
    settings = {**SETTINGS, **{key.replace("__", "."): value for key, value in changes.items()}}
    return climbench.score("weatherbench", forecast, data=folder / truth, set=settings, out=folder / name).run_dir


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of two forecasts, one with a third of the other's errors, over 50 and over 40 initial times."""
    folder = tmp_path_factory.mktemp("runs")
    truth = made_stores.made_truth(periods=60, variables=NAMES)
    bad = made_stores.made_forecast(inits=50, variables=NAMES)
    valid = bad["time"].values[:, None] + bad["prediction_timedelta"].values
    known = truth[NAMES[0]].values[np.searchsorted(truth["time"].values, valid)]
    good = bad.assign({NAMES[0]: (bad[NAMES[0]].dims, known + (bad[NAMES[0]].values - known) / 3.0)})
    made_stores.written(folder / "truth.zarr", truth)
    made_stores.written(folder / "other.zarr", made_stores.made_truth(periods=70, variables=NAMES))
    made_stores.written(folder / "bad.zarr", bad)
    made_stores.written(folder / "good.zarr", good.isel(time=slice(10, None)))
    scored(folder, "first", folder / "good.zarr")
    scored(folder, "second", folder / "bad.zarr")
    return folder


def test_the_better_forecast_is_named_over_common_inits(runs):
    found = compare_forecast_runs(runs / "first", runs / "second")
    assert tuple(found.rows[0]) == ("model", "run", "against", "against_run", *COLUMNS)
    assert {(r["model"], r["against"], r["inits"]) for r in found.rows} == {("good", "bad", 40)}
    errors = [r for r in found.rows if r["metric"] == "rmse"]
    assert [(r["region"], r["lead_time"]) for r in errors] == [(g, h) for g in ("global", "tropics") for h in LEADS]
    assert {r["verdict"] for r in errors} == {"better"}
    assert all(r["value"] == pytest.approx(r["against_value"] / 3.0, rel=1e-5) for r in errors)
    assert {r["units"] for r in errors} == {"K"}
    assert found.notes == [
        f"good ({runs / 'first'}) has 40 inits and bad ({runs / 'second'}) 50: the 40 of both are compared."
    ]


def test_the_test_is_that_of_the_fields(runs):
    row = compare_forecast_runs(runs / "first", runs / "second").rows[0]
    truth, parts = xr.open_zarr(runs / "truth.zarr", consolidated=False)[NAMES[0]].load(), []
    rows = made_stores.cell_weights()
    for name, start in (("good", 0), ("bad", 10)):
        forecast = xr.open_zarr(runs / f"{name}.zarr", consolidated=False)[NAMES[0]].load()
        first = forecast.isel(time=slice(start, None), prediction_timedelta=0)
        valid = truth.sel(time=first["time"].values + np.timedelta64(12, "h"))
        square = (first.values.astype("float64") - valid.values.astype("float64")) ** 2
        parts.append({"s": (square * rows[:, None]).mean(axis=(1, 2))})
    test = paired_t_test(*parts, lambda m: np.sqrt(m["s"]))
    assert (row["variable"], row["metric"], row["region"], row["lead_time"]) == (NAMES[0], "rmse", "global", 12.0)
    for name in ("difference", "low", "high", "p"):
        assert row[name] == pytest.approx(float(getattr(test, name)), rel=1e-6)


def test_a_run_may_have_scored_more(runs):
    more = scored(runs, "more", runs / "bad.zarr", metrics=["mae", "rmse"], regions=["tropics"])
    found = compare_forecast_runs(runs / "first", more)
    assert {(r["metric"], r["region"]) for r in found.rows} == {("rmse", "tropics")}


def test_a_run_with_itself_is_a_tie(runs):
    rows = compare_forecast_runs(runs / "first", runs / "first").rows
    assert {(r["verdict"], r["difference"]) for r in rows} == {("tie", 0.0)}


def test_other_rules_are_an_error(runs):
    other = scored(runs, "cosines", runs / "bad.zarr", weights="cos_latitude")
    with pytest.raises(RunError, match="under different settings: weights is None and cos_latitude"):
        compare_forecast_runs(runs / "first", other)


def test_another_truth_is_an_error(runs):
    other = scored(runs, "elsewhere", runs / "bad.zarr", truth="other.zarr")
    with pytest.raises(RunError, match="scored against different data"):
        compare_forecast_runs(runs / "first", other)


def test_a_model_that_is_not_there_is_an_error(runs):
    with pytest.raises(RunError, match=r"has no model 'god'\. Did you mean 'good'"):
        compare_forecast_runs(runs / "first", runs / "second", model="god")


def test_the_package_compares_forecasts_as_it_does_projections(runs):
    assert (
        climbench.compare(runs / "first", runs / "second")
        == compare_forecast_runs(runs / "first", runs / "second").rows
    )


def test_no_run_at_all_is_an_error(tmp_path):
    with pytest.raises(RunError, match="no finished run"):
        is_forecast_run(tmp_path)
