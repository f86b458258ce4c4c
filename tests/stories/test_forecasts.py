"""Anyone's forecasts with the installed command: checked, scored, recorded and compared."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.data.object_store import ObjectStore, start
from tests.stories.command import climbench
from tests.tasks.forecast import made_stores as made

NAME = "2m_temperature"
JUST = ("--set", f"targets=[{NAME}]", "--set", "regions=[global,tropics]")
TASK = ("--task", "weatherbench", "--data", "truth.zarr", *JUST)


def better(forecast, truth, factor):
    """A forecast whose errors are a fraction of another's."""
    valid = forecast["time"].values[:, None] + forecast["prediction_timedelta"].values
    known = truth[NAME].values[np.searchsorted(truth["time"].values, valid)]
    return forecast.assign({NAME: (forecast[NAME].dims, known + factor * (forecast[NAME].values - known))})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with two forecasts, their truth and a climatology."""
    path = tmp_path_factory.mktemp("forecasts")
    truth, forecast = (make(variables=(NAME,)) for make in (made_truth, made_forecast))
    made.written(path / "truth.zarr", truth)
    made.written(path / "forecast.zarr", forecast)
    made.written(path / "better.zarr", better(forecast, truth, 0.5))
    made.written(path / "1990-2019_6h_8x7.zarr", made.made_climatology(variables=(NAME,)))
    return path


def made_truth(**options):
    return made.made_truth(periods=50, **options)


def made_forecast(**options):
    return made.made_forecast(inits=40, **options)


def test_a_forecast_is_scored_and_a_program_reads_it(folder):
    settings = ("--set", "climatology=1990-2019_6h_8x7.zarr", "--set", "metrics=[rmse,bias,acc]")
    done = climbench("score", "forecast.zarr", *TASK, *settings, "--json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "Data: truth.zarr, in the names and units of weatherbench2-era5.\n")
    result = json.loads(done.stdout)
    keys = {(row["metric"], row["region"], row["lead_time"]) for row in result["scores"]}
    assert keys == {
        (m, r, h) for m in ("rmse", "bias", "acc") for r in ("global", "tropics") for h in (12.0, 24.0, 36.0, 48.0)
    }
    assert result["modified"] is True
    coverage, *notes = result["notes"]
    assert coverage.startswith(
        "coverage: 40 initial times (2020-02-20T00:00:00 to 2020-03-10T12:00:00), 40 of the task"
    )
    assert "modified: the initial times are not the task's" in notes
    table = climbench("score", "forecast.zarr", *TASK, *settings, cwd=folder).stdout
    assert "(modified settings)" in table
    assert f"- {coverage}" in table


def test_a_forecast_for_another_time_than_the_truth_is_no_score(folder):
    made.written(folder / "late.zarr", made.made_forecast(start="2021-03-01", variables=(NAME,)))
    for verb in ("validate", "score"):
        done = climbench(verb, "late.zarr", *TASK, cwd=folder)
        assert done.returncode == 2
        assert "No valid time of the forecast is in the truth: the forecast is for 2021-03-01" in done.stderr
        assert "Name a truth of the same period with --data." in done.stderr
        assert "Traceback" not in done.stderr


def test_a_forecast_is_checked_without_being_scored(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = climbench("validate", "forecast.zarr", *TASK, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "- coverage: 40 initial times" in done.stdout
    assert done.stdout.endswith("forecast.zarr can be scored.\n")
    wrong = climbench("validate", "forecast.zarr", *TASK, "--set", "metrics=[rmsee]", "--json", cwd=folder)
    result = json.loads(wrong.stdout)
    assert (wrong.returncode, result["valid"], len(result["problems"])) == (2, False, 1)
    assert "Did you mean 'rmse'?" in result["problems"][0]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_climatology_that_saw_the_test_is_refused_and_one_that_does_not_say_warns(folder):
    climatology = made.made_climatology(variables=(NAME,))
    period = "1990-01-01T00:00:00/2020-12-31T18:00:00"
    made.written(folder / "seen.zarr", climatology.assign_attrs(climatology_period=period))
    climatology.attrs.clear()
    made.written(folder / "unknown.zarr", climatology)
    refused = climbench("score", "forecast.zarr", *TASK, "--set", "climatology=seen.zarr", cwd=folder)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "it has seen the test. Take one of other years" in refused.stderr
    warned = climbench("score", "forecast.zarr", *TASK, "--set", "climatology=unknown.zarr", cwd=folder)
    assert warned.returncode == 0
    assert "- WARNING: the climatology unknown.zarr does not say from which years it was made" in warned.stdout


def test_two_records_are_compared(folder):
    for name in ("forecast", "better"):
        out = ("--out", f"runs/{name}")
        done = climbench("score", f"{name}.zarr", *TASK, "--set", "metrics=[rmse]", *out, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert f"Record: runs/{name}" in done.stdout
    done = climbench("compare", "runs/better", "runs/forecast", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {(row["model"], row["against"], row["verdict"]) for row in rows} == {("better", "forecast", "better")}
    assert all(row["value"] == pytest.approx(0.5 * row["against_value"], rel=1e-5) for row in rows)
    itself = climbench("compare", "runs/better", "runs/better", "--json", cwd=folder)
    assert {row["verdict"] for row in json.loads(itself.stdout)["rows"]} == {"tie"}


def test_stores_behind_a_server_score_as_those_beside_one(folder):
    for name in ("forecast", "truth"):
        data = made_forecast(variables=(NAME,)) if name == "forecast" else made_truth(variables=(NAME,))
        made.written(folder / f"served-{name}.zarr", data, {"time": 7}, zarr_format=2)
    store = ObjectStore(folder)
    server = start(store)
    try:
        served = ("--task", "weatherbench", "--data", f"{store.url}/served-truth.zarr", *JUST, "--json")
        settings = ("--set", "metrics=[rmse]")
        far = climbench("score", f"{store.url}/served-forecast.zarr", *served, *settings, cwd=folder)
        workers = ("--scheduler", "local")
        shared = climbench("score", f"{store.url}/served-forecast.zarr", *served, *settings, *workers, cwd=folder)
        missing = climbench("score", f"{store.url}/nothing.zarr", *served, *settings, cwd=folder)
    finally:
        server.shutdown()
        server.server_close()
    assert (far.returncode, shared.returncode) == (0, 0), far.stderr + shared.stderr
    near = climbench("score", "forecast.zarr", *TASK, *settings, "--json", cwd=folder)
    values = [[row["value"] for row in json.loads(done.stdout)["scores"]] for done in (near, far, shared)]
    np.testing.assert_allclose(values[1:], [values[0]] * 2, rtol=1e-12)
    assert (missing.returncode, "Traceback" in missing.stderr) == (2, False)
    assert "nothing.zarr" in missing.stderr


def test_regional_pressure_is_run_scored_again_and_compared(shared_data, tmp_path):
    where = ("--task", "regional-slp", "--data", shared_data / "ncep", "--json")
    done = climbench("run", *where, "--model", "persistence", "--model", "climatology", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = {(r["model"], r["metric"], r["lead_time"]): r["value"] for r in json.loads(done.stdout)["scores"]}
    assert rows["persistence", "rmse", 24.0] < rows["climatology", "rmse", 24.0] < rows["persistence", "rmse", 240.0]
    again = climbench("score", "run/predictions/persistence.zarr", *where, cwd=tmp_path)
    result = json.loads(again.stdout)
    assert result["modified"] is False
    assert {(r["model"], r["metric"], r["lead_time"]): r["value"] for r in result["scores"]} == {
        key: pytest.approx(value, rel=1e-12) for key, value in rows.items() if key[0] == "persistence"
    }
    compared = climbench(
        "compare", "run", "run", "--model", "persistence", "--against", "climatology", "--json", cwd=tmp_path
    )
    verdicts = {
        row["lead_time"]: row["verdict"] for row in json.loads(compared.stdout)["rows"] if row["metric"] == "rmse"
    }
    assert (verdicts[24.0], verdicts[240.0]) == ("better", "worse")
