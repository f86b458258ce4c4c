"""``climbench score`` and ``climbench validate`` on forecasts: what is printed, written and refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from climbench.cli.forecast_table import forecast_lines
from climbench.tasks.budget_rows import BUDGETS
from climbench.tasks.forecast.metrics import METRICS
from climbench.tasks.forecast.physics_metrics import PHYSICS_METRICS
from climbench.tasks.forecast.profiles import PROFILES
from tests.cli.test_run import ROW
from tests.data.object_store import ObjectStore, start
from tests.tasks.forecast import made_stores as made

NAME = "2m_temperature"
SET = ("--set", f"targets=[{NAME}]", "--set", "metrics=[rmse,bias,acc]", "--set", "regions=[global,tropics]")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a forecast, its truth and a climatology, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    made.written(tmp_path / "truth.zarr", made.made_truth())
    made.written(tmp_path / "forecast.zarr", made.made_forecast())
    made.written(tmp_path / "climatology.zarr", made.made_climatology())
    return tmp_path


@pytest.fixture
def call(climbench, folder):
    def called(verb, forecast="forecast.zarr", *rest, truth="truth.zarr", climatology="climatology.zarr", options=SET):
        named = ("--set", f"climatology={climatology}") if climatology else ()
        return climbench(verb, forecast, "--task", "weatherbench", "--data", truth, *named, *options, *rest)

    return called


def test_scores_as_json_carry_lead_time_and_region(call):
    result = call("score", "forecast.zarr", "--json").json
    assert all(list(row) == ROW for row in result["scores"])
    assert {row["lead_time"] for row in result["scores"]} == {12.0, 24.0, 36.0, 48.0}
    assert {row["region"] for row in result["scores"]} == {"global", "tropics"}
    assert {row["metric"]: row["units"] for row in result["scores"]} == {"rmse": "K", "bias": "K", "acc": "1"}
    assert (result["modified"], result["run_dir"]) == (True, None)
    assert result["notes"][0].startswith("coverage: 9 initial times")


def test_the_table_has_a_column_a_lead_and_says_what_is_not_shown(call):
    done = call("score")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[0] == "Data: truth.zarr, in the names and units of weatherbench2-era5."
    assert lines[1] == "weatherbench on weatherbench2-era5 (modified settings)"
    assert lines[2].split() == ["forecast", "12", "h", "1", "d", "36", "h", "2", "d"]
    assert [line.split()[0] for line in lines[3:7]] == [NAME, "rmse", "bias", "acc"]
    assert lines[7] == "- not shown: tropics; --json has all"
    assert not (set(lines) & {"Record:"})


def test_a_narrow_table_shows_the_usual_leads():
    row = {"model": "m", "variable": "z", "metric": "rmse", "region": "global", "units": "m", "value": 1.0}
    lines = forecast_lines([{**row, "lead_time": 6.0 * n} for n in range(1, 41)], width=70)
    assert lines[0].split()[1:] == ["1", "d", "3", "d", "5", "d", "7", "d", "10", "d"]
    assert lines[-1] == "- not shown: 35 lead times; --json has all"


def test_workers_give_the_same_scores(call):
    alone, workers = (call("score", "forecast.zarr", "--json", *more) for more in ((), ("--scheduler", "local")))
    assert workers.code == 0
    values = [[row["value"] for row in done.json["scores"]] for done in (alone, workers)]
    np.testing.assert_allclose(*values, rtol=1e-12)


def test_a_scheduler_that_is_none_is_explained(call):
    done = call("score", "forecast.zarr", "--scheduler", "node1:8786")
    assert (done.code, "write one such as tcp://node1:8786" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": "nothing.zarr"}, "--data names nothing.zarr, which is no file, folder or URL, nor a data set."),
        ({"climatology": "nothing.zarr"}, "The climatology cannot be opened: There is no file or folder nothing.zarr"),
        ({"options": ("--set", f"targets={NAME}")}, f"key 'targets' is a list, such as [{NAME}]"),
        ({"options": ("--set", "targets=[2m_temp]")}, f"Did you mean '{NAME}'?"),
        ({"options": (*SET, "--set", "metrics=[rmsee]")}, "Did you mean 'rmse'?"),
        ({"options": (*SET, "--set", "metrics=[]")}, "The task names no metric. Name one at least"),
        ({"options": (*SET, "--set", "regions=[tropic]")}, "Did you mean 'tropics'?"),
        ({"options": (*SET, "--lead", "24")}, "--lead is for --every-profile"),
    ],
)
def test_wrong_names_are_told_with_what_to_do(call, changes, message):
    done = call("score", **changes)
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert message in " ".join(done.err.split())


def test_a_missing_forecast_is_told_as_the_forecast(call):
    done = call("score", "nothing.zarr")
    assert (done.code, "The forecast cannot be opened: There is no file or folder nothing.zarr" in done.err) == (
        2,
        True,
    )


def test_without_a_truth_on_this_machine_one_is_asked_for(climbench, folder, monkeypatch):
    def unreachable(*_):
        from climbench.errors import DataError

        raise DataError("no network")

    monkeypatch.setattr("climbench.tasks.forecast.stores.open_weather", unreachable)
    done = climbench("score", "forecast.zarr", "--task", "weatherbench", *SET)
    assert done.code == 2
    assert "Or name a truth on this machine with --data." in done.err


def test_a_folder_that_is_there_already_is_kept(call, folder):
    assert call("score", "forecast.zarr", "--out", "run").code == 0
    again = call("score", "forecast.zarr", "--out", "run", "--json")
    assert again.json["run_dir"] == "run"
    other = call("score", "forecast.zarr", "--out", "run", climatology=None)
    assert (other.code, "run holds another run" in other.err) == (2, True)
    taken = call("score", "forecast.zarr", "--out", "truth.zarr", "--fresh")
    assert (taken.code, "truth.zarr exists and is no run of climbench" in taken.err) == (2, True)
    assert (folder / "truth.zarr" / "zarr.json").is_file()


def test_validation_prints_the_coverage_and_writes_nothing(call, folder):
    before = sorted(folder.rglob("*"))
    done = call("validate", "forecast.zarr", "--out", "run")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(
        "- coverage: 9 initial times (2020-02-20T00:00:00 to 2020-02-24T00:00:00), 9 of the task"
    )
    assert "- modified: the lead times are not the task's" in done.out
    assert done.out.endswith("forecast.zarr can be scored.\n")
    assert sorted(folder.rglob("*")) == before
    as_json = call("validate", "forecast.zarr", "--json").json
    assert (as_json["valid"], as_json["problems"], len(as_json["notes"])) == (True, [], 4)


def test_validation_names_everything_that_is_wrong(call, folder):
    late = made.made_forecast(start="2021-03-01").isel(longitude=slice(None, None, 2))
    made.written(folder / "late.zarr", late)
    seen = made.made_climatology().assign_attrs(climatology_period="1990-01-01T00:00:00/2020-12-31T18:00:00")
    made.written(folder / "seen.zarr", seen)
    options = ("--set", "targets=[2m_temp,geopotential_500]", "--set", "metrics=[rmsee]")
    done = call("validate", "late.zarr", "--json", climatology="seen.zarr", options=options)
    assert done.code == 2
    metric, climatology, targets, grid, times = done.json["problems"]
    assert "no metric 'rmsee'" in metric
    assert "it has seen the test" in climatology
    assert "2m_temp: " in targets
    assert "geopotential_500: " in targets
    assert "another grid than the truth" in grid
    assert "No valid time of the forecast is in the truth" in times
    printed = call("validate", "late.zarr", climatology="seen.zarr", options=options)
    assert (printed.code, printed.err.count("Error:"), printed.out) == (2, 5, "")


def test_validation_finds_what_scoring_would(call, folder):
    data = made.made_forecast()
    data[NAME][0, 0, 2, 3] = np.nan
    made.written(folder / "holes.zarr", data)
    done = call("validate", "holes.zarr")
    assert (done.code, f"{NAME}: 1 missing or infinite values in the first map" in done.err) == (2, True)
    assert call("validate", "holes.zarr", "--set", "nan=mask").code == 0
    made.written(folder / "daily.zarr", made.made_climatology().isel(hour=[0]))
    daily = call("validate", climatology="daily.zarr")
    assert (daily.code, "hour is 0, and 12 is wanted" in daily.err) == (2, True)
    only = (*SET, "--set", "metrics=[acc]")
    none = call("validate", climatology=None, options=only)
    assert (none.code, f"{NAME}: nothing of it can be scored" in none.err) == (2, True)
    assert call("score", climatology=None, options=only).code == 2


def test_validation_may_miss_what_the_truth_misses(climbench, folder):
    name = "sea_surface_temperature"
    truth, forecast = made.made_truth(variables=(name,)), made.made_forecast(variables=(name,))
    truth[name][:, 2, 3] = forecast[name][:, :, 2, 3] = np.nan
    made.written(folder / "sea.zarr", truth)
    made.written(folder / "sea-forecast.zarr", forecast)
    common = ("--task", "weatherbench", "--data", "sea.zarr", "--set", f"targets=[{name}]", "--set", "metrics=[rmse]")
    assert climbench("validate", "sea-forecast.zarr", *common).code == 0
    assert climbench("score", "sea-forecast.zarr", *common).code == 0


def test_validation_reads_one_block_and_makes_no_climatology(climbench, folder):
    forecast = made.made_forecast(inits=9).isel(prediction_timedelta=[1, 3])  # whole days, as the task has it
    made.written(folder / "served.zarr", forecast, {"time": 1, "prediction_timedelta": 1}, zarr_format=2)
    made.written(folder / "observed.zarr", made.made_truth(), {"time": 1}, zarr_format=2)
    store = ObjectStore(folder)
    server = start(store)
    try:
        task = ("--task", "weatherbench", "--data", f"{store.url}/observed.zarr", "--set", f"targets=[{NAME}]")
        train = ("--set", "climatology=train", "--set", "train=[2020-02-20,2020-02-22]", "--set", "validation=null")
        test = ("--set", "test.period=[2020-02-23,2020-02-24]", "--set", "metrics=[rmse,acc]")
        done = climbench("validate", f"{store.url}/served.zarr", *task, *train, *test)
    finally:
        server.shutdown()
        server.server_close()
    assert (done.code, done.err) == (0, "")
    assert "needs a climatology" not in done.out
    read = {path for path in store.requests if path.startswith(("served", "observed")) and f"{NAME}/" in path}
    chunks = {path for path in read if not path.rpartition("/")[2].startswith(".")}
    assert len(chunks) == 2  # one map of the forecast, one of the truth
    assert not list(folder.glob("climatologies"))


def test_a_climatology_of_other_years_is_used_and_one_of_the_tested_year_refused(climbench, folder):
    before = made.made_truth(start="2018-02-20", variables=(NAME,))
    made.written(folder / "before.zarr", before)
    made.written(folder / "old.zarr", made.made_forecast(inits=2, start="2018-02-20", variables=(NAME,)))
    assert climbench("data", "climatology", "before.zarr", "made.zarr", "--years", "2018:2018").code == 0
    common = ("--task", "weatherbench", "--set", f"targets=[{NAME}]", "--set", "metrics=[acc]")
    settings = (*common, "--set", "climatology=made.zarr")
    other = climbench("score", "forecast.zarr", "--data", "truth.zarr", *settings)
    assert (other.code, "WARNING" in other.out) == (0, False)
    period = ("--set", "test.period=[2018-01-01,2018-12-31]")
    own = climbench("score", "old.zarr", "--data", "before.zarr", *settings, *period)
    assert (own.code, "it has seen the test" in own.err) == (2, True)


def test_every_profile_has_its_column_and_its_quirks(call):
    done = call("score", "forecast.zarr", "--every-profile", "--lead", "24")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[2].split() == list(PROFILES)
    assert lines[3] == f"{NAME} at 1 d"
    assert [line.split()[0] for line in lines[4:7]] == ["rmse", "bias", "acc"]
    assert [len(line.split()) for line in lines[4:7]] == [6, 6, 5]  # acc has no unit
    for profile, metric in (("wb2", "acc"), ("chaosbench", "rmse"), ("chaosbench", "weights")):
        assert f"- {profile}, {metric}: {PROFILES[profile].quirks[metric]}" in lines
    assert not any(line.startswith("- chaosbench, crps_fair") for line in lines)


def test_every_profile_as_json_and_as_a_record(call, folder):
    done = call("score", "forecast.zarr", "--every-profile", "--json", "--out", "table")
    table = done.json
    assert json.loads((folder / "table" / "profiles.json").read_text()) == {**table, "run_dir": None}
    assert table["run_dir"] == "table"
    assert {row["profile"] for row in table["scores"]} == set(PROFILES)
    assert {row["lead_time"] for row in table["scores"]} == {12.0, 24.0, 36.0, 48.0}
    assert table["quirks"]["wb2"]["acc"] == PROFILES["wb2"].quirks["acc"]
    alone = call("score", "forecast.zarr", "--set", "profile=chaosbench", "--json").json["scores"]
    ours = [row for row in table["scores"] if row["profile"] == "chaosbench"]
    assert [row["value"] for row in ours] == pytest.approx([row["value"] for row in alone], rel=1e-12)
    other = call("score", "forecast.zarr", "--every-profile", "--lead", "24", "--out", "table")
    assert (other.code, "table holds another run" in other.err) == (2, True)
    wrong = call("score", "forecast.zarr", "--every-profile", "--lead", "30")
    assert (wrong.code, "No lead time of 30 h was scored. There are: 12, 24, 36, 48 h." in wrong.err) == (2, True)


def test_every_profile_is_for_forecasts(climbench, synthetic):
    done = climbench("score", "any.nc", "--task", "climatebench", "--data", synthetic, "--every-profile")
    assert (done.code, "this is for forecasts" in done.err) == (2, True)
    done = climbench("score", "any.nc", "--task", "climatebench", "--data", synthetic, "--scheduler", "local")
    assert (done.code, "leave out the scheduler" in done.err) == (2, True)


def test_metrics_are_listed_with_their_definitions(climbench):
    lines = climbench("list", "metrics").out.splitlines()
    assert [line.split()[0] for line in lines[1 : len(METRICS) + 1]] == list(METRICS)
    physics = lines.index("physics of forecasts") + 1
    assert [line.split()[0] for line in lines[physics : physics + len(PHYSICS_METRICS)]] == list(PHYSICS_METRICS)
    assert [line.split()[0] for line in lines[lines.index("budgets of projections") + 1 :]] == list(BUDGETS)
    assert all(line.endswith(metric.definition) for line, metric in zip(lines[1:], METRICS.values(), strict=False))
    found = climbench("list", "metrics", "--json").json
    assert [entry["name"] for entry in found["metrics"]] == list(METRICS)
    assert {entry["name"]: entry["units"] for entry in found["of_physics"]} == {
        name: metric.units for name, metric in PHYSICS_METRICS.items()
    }
