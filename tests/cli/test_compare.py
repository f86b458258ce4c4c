"""``climbench compare``: its lines, its one JSON object, and exit code 2 for what does not compare."""

from __future__ import annotations

import pytest

import climbench
from climbench.cli.compare import comparison_lines, forecast_lines
from tests.tasks.forecast import made_stores

SETTINGS = {"targets": ["tas"], "train": ["ssp126", "ssp585"], "validation": []}


@pytest.fixture
def two_runs(synthetic, tmp_path, without_report):
    for name, model in (("first", "lps"), ("second", "no-change")):
        climbench.run("climatebench", models=[model], data=synthetic, set=SETTINGS, out=tmp_path / name)
    return tmp_path / "first", tmp_path / "second"


def test_json_is_one_object(climbench, two_runs):
    done = climbench("compare", *two_runs, "--json")
    assert done.code == 0
    rows = done.json["rows"]
    assert [(r["model"], r["against"], r["metric"]) for r in rows] == [
        ("lps", "no-change", "rmse_spatial"),
        ("lps", "no-change", "rmse_global"),
    ]
    assert {r["verdict"] for r in rows} == {"better"}
    assert (rows[0]["run"], rows[0]["against_run"]) == tuple(map(str, two_runs))


def test_the_table_names_both_and_says_who_is_better(climbench, two_runs):
    lines = climbench("compare", *two_runs).out.splitlines()
    assert lines[0] == f"lps ({two_runs[0]}) against no-change ({two_runs[1]})"
    assert lines[1].split()[:2] == ["tas", "rmse_spatial"]
    assert " better " in lines[1]


def test_runs_under_other_settings_end_with_2(climbench, two_runs, synthetic, tmp_path, without_report):
    import climbench as package

    settings = {**SETTINGS, "test.years": [2090, 2100]}
    package.run("climatebench", models=["lps"], data=synthetic, set=settings, out=tmp_path / "third")
    done = climbench("compare", two_runs[0], tmp_path / "third")
    assert (done.code, done.out, "Traceback" in done.err) == (2, "", False)
    assert "test.years is [2080, 2100] and [2090, 2100]" in done.err


def test_a_folder_that_is_no_run_ends_with_2(climbench, two_runs, tmp_path):
    (tmp_path / "stray").mkdir()
    (tmp_path / "stray" / "file").touch()
    done = climbench("compare", two_runs[0], tmp_path / "stray")
    assert done.code == 2
    assert "is no run of climbench" in done.err


def test_lines_tell_ties_and_why_there_is_no_verdict():
    row = {"model": "a", "run": "x", "against": "b", "against_run": "y", "variable": "pr", "units": "mm/day"}
    numbers = {"value": 0.1, "against_value": 0.11, "difference": -0.002}
    lines = comparison_lines(
        [
            {**row, **numbers, "metric": "rmse_spatial", "low": -0.01, "high": 0.006, "verdict": "tie", "reason": ""},
            {**row, **numbers, "metric": "rmse_global", "low": None, "high": None, "verdict": None, "reason": "alone"},
        ]
    )
    assert lines[0] == "a (x) against b (y)"
    assert "0.1 against 0.11 mm/day" in lines[1]
    assert "tie" in lines[1]
    assert "(-0.01 to +0.006)" in lines[1]
    assert lines[2].endswith("no verdict: alone")


@pytest.fixture
def two_forecasts(tmp_path):
    """Runs of two forecasts that are equally bad, over 30 and over 24 initial times."""
    settings = {"targets": ["2m_temperature"], "metrics": ["rmse"], "regions": ["global"], "climatology": None}
    settings |= {"test.period": ["2020-02-20", "2020-03-10"], "leads": {"first": 12, "last": 48, "step": 36}}
    truth = made_stores.written(tmp_path / "truth.zarr", made_stores.made_truth(periods=50))
    for seed, name, inits in ((2, "one", 30), (3, "two", 24)):
        forecast = made_stores.written(tmp_path / f"{name}.zarr", made_stores.made_forecast(seed, inits))
        climbench.score("weatherbench", forecast, data=truth, set=settings, out=tmp_path / "runs" / name)
    return tmp_path / "runs" / "one", tmp_path / "runs" / "two"


def test_forecasts_are_compared_lead_by_lead(climbench, two_forecasts):
    done = climbench("compare", *two_forecasts)
    lines = done.out.splitlines()
    assert lines[0] == f"one ({two_forecasts[0]}) against two ({two_forecasts[1]})"
    assert [line.split()[:5] for line in lines[1:3]] == [
        ["2m_temperature", "rmse", "global", "12", "h"],
        ["2m_temperature", "rmse", "global", "48", "h"],
    ]
    assert "24 inits worth" in lines[1]
    assert lines[3].endswith("the 24 of both are compared.")


def test_forecasts_may_be_tested_otherwise(climbench, two_forecasts):
    plain = climbench("compare", *two_forecasts, "--json").json["rows"]
    done = climbench("compare", *two_forecasts, "--json", "--test", "bootstrap", "--false-discovery").json
    assert [row["difference"] for row in done["rows"]] == [row["difference"] for row in plain]
    assert all(row["p_adjusted"] >= row["p"] for row in done["rows"])
    assert all(row["low"] != other["low"] for row, other in zip(done["rows"], plain, strict=True))
    assert len(done["notes"]) == 1


def test_tests_of_forecasts_are_not_for_projections(climbench, two_runs):
    done = climbench("compare", *two_runs, "--false-discovery")
    assert (done.code, done.out) == (2, "")
    assert "are for runs of forecasts" in done.err


def test_lines_of_forecasts_tell_why_there_is_no_verdict():
    row = {"model": "a", "run": "x", "against": "b", "against_run": "y", "variable": "z", "metric": "rmse"}
    row |= {"region": "global", "lead_time": 24.0, "units": "m", "verdict": None, "reason": "6 inits are too few"}
    known = forecast_lines([{**row, "value": 1.0, "against_value": 2.0}])
    assert known[1].split("  ")[-1].endswith("no verdict: 6 inits are too few")
    assert "1 against 2 m" in known[1]
    unknown = forecast_lines([{**row, "value": None, "against_value": 2.0}])
    assert unknown[1].endswith("no verdict: 6 inits are too few")
