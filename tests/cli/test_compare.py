"""``climbench compare``: its lines, its one JSON object, and exit code 2 for what does not compare."""

from __future__ import annotations

import pytest

import climbench
from climbench.cli.compare import comparison_lines

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
