"""``climbench score`` and ``climbench validate`` on predictions from elsewhere."""

from __future__ import annotations

import pytest

from tests.answers import answer
from tests.cli.test_run import METRICS, ROW

SET = ("--set", "targets=[tas,pr]")


@pytest.fixture
def good(tmp_path):
    answer().to_netcdf(tmp_path / "mine.nc")
    return tmp_path / "mine.nc"


@pytest.fixture
def bad(tmp_path):
    answer().drop_vars("pr").isel(time=slice(3, None)).to_netcdf(tmp_path / "bad.nc")
    return tmp_path / "bad.nc"


@pytest.fixture
def call(climbench, synthetic):
    return lambda verb, path, *rest: climbench(verb, path, "--task", "climatebench", "--data", synthetic, *SET, *rest)


def test_scores_as_json(call, good):
    done = call("score", good, "--json")
    result = done.json
    assert done.code == 0
    assert set(result) - {"notes", "physics"} == {"task", "data", "modified", "run_dir", "scores"}
    assert {"toa_net", "water_closure"} <= set(next(iter(result["physics"]["impossible"].values())))
    assert result["run_dir"] is None
    assert all(list(row) == ROW for row in result["scores"])
    assert [r["metric"] for r in result["scores"][:14]] == [*METRICS, "skill_vs_lps"] * 2
    assert {r["region"] for r in result["scores"][:14]} == {"global"}
    assert {r["model"] for r in result["scores"]} == {"mine"}
    assert {r["value"] for r in result["scores"] if r["metric"] == "skill_vs_lps"} == {None}
    assert any("skill_vs_lps: needs training data" in note for note in result["notes"])


def test_scores_as_a_table_leave_no_record(call, good, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call("score", good)
    assert done.code == 0
    assert "tas (K)" in done.out
    assert "Record:" not in done.out
    assert [p.name for p in tmp_path.iterdir()] == ["mine.nc"]


def test_a_record_is_kept_where_it_is_asked_for(call, good, tmp_path, without_report):
    first = call("score", good, "--out", tmp_path / "record", "--json")
    assert first.json["run_dir"] == str(tmp_path / "record")
    assert (tmp_path / "record" / "scores.parquet").is_file()
    assert call("score", good, "--out", tmp_path / "record", "--json").json == first.json
    refused = call("score", good, "--out", tmp_path / "record", "--set", "test.years=[2090,2100]")
    assert (refused.code, "holds another run" in refused.err) == (2, True)


def test_bad_predictions_end_with_2_and_name_everything(call, bad):
    done = call("score", bad, "--json")
    assert (done.code, done.out) == (2, "")
    assert "bad.nc cannot be scored:" in done.err
    assert "tas lacks the years 2080, 2081, 2082" in done.err
    assert "variable 'pr' is missing" in done.err
    assert "Traceback" not in done.err


def test_validation_says_that_predictions_can_be_scored(call, good):
    done = call("validate", good)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{good} can be scored.\n"
    assert call("validate", good, "--json").json == {"valid": True, "problems": [], "notes": []}


def test_validation_names_everything_that_is_wrong(call, bad):
    done = call("validate", bad)
    assert done.code == 2
    assert done.err.count("Error:") == 2
    assert "can be scored" not in done.out
    as_json = call("validate", bad, "--json")
    assert as_json.code == 2
    assert as_json.json["valid"] is False
    assert len(as_json.json["problems"]) == 2


@pytest.mark.parametrize("verb", ["score", "validate"])
def test_a_missing_file_ends_with_2(call, tmp_path, verb):
    done = call(verb, tmp_path / "absent.nc")
    assert done.code == 2
    assert f"There is no file or store {tmp_path / 'absent.nc'}" in done.err


def test_validation_takes_the_arguments_of_score_and_writes_nothing(call, good, tmp_path):
    assert call("validate", good, "--out", tmp_path / "record", "--fresh").code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["mine.nc"]


def test_what_was_put_right_is_said(call, tmp_path):
    answer().isel(lat=slice(None, None, -1)).to_netcdf(tmp_path / "turned.nc")
    for verb in ("score", "validate"):
        assert "latitude was not ascending" in call(verb, tmp_path / "turned.nc").out
