"""``climbench reproduce``: its lines, its one JSON object, and what it says where the data is not there."""

from __future__ import annotations

from climbench.cli.reproduce import reproduction_lines

ROW = {
    "model": "Pattern scaling",
    "emulator": "lps",
    "source": "a paper",
    "variable": "tas",
    "metric": "nrmse_spatial",
    "members": None,
    "published": 0.0786,
    "found": 0.0787,
    "tolerance": 0.001,
    "status": "met",
    "reason": "",
    "definition": "as the task's",
    "differs": "",
    "run_dir": None,
}


def test_without_data_the_rows_are_shown_and_what_to_pull(climbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = climbench("reproduce", "climatebench")
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[0].startswith("The data of 'climatebench' is not on this machine: climbench data pull climatebench")
    assert any("nrmse_total" in line and "0.283596" in line and line.endswith("no data") for line in lines)
    assert lines[-1].endswith(" no data")
    assert list(tmp_path.iterdir()) == []


def test_json_is_one_object(climbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = climbench("reproduce", "em-mpi", "--json").json
    assert found["task"] == "em-mpi"
    assert "--data names a folder" in found["data"]
    row = next(
        r for r in found["rows"] if r["members"] == 50 and r["metric"] == "rmse_spatial" and r["variable"] == "pr"
    )
    assert (row["published"], row["found"], row["status"]) == (0.0785026398, None, "no data")


def test_unknown_tasks_and_tasks_without_numbers_end_with_2(climbench):
    for task, message in (("climatebenhc", "Did you mean 'climatebench'"), ("extrapolation", "no published numbers")):
        done = climbench("reproduce", task)
        assert (done.code, "Traceback" in done.err) == (2, False)
        assert message in done.err


def test_lines_stand_under_their_model_with_a_count_at_the_end():
    rows = [ROW, {**ROW, "metric": "nrmse_global", "status": "not met", "found": None}, {**ROW, "model": "Another"}]
    lines = [line for line, _ in reproduction_lines(rows)]
    assert lines[0] == "Pattern scaling, held against lps (a paper)"
    assert lines[1] == "  definition: as the task's"
    assert lines[2].split() == [
        *("tas", "nrmse_spatial", "published", "0.0786", "found", "0.0787", "within", "0.001", "met")
    ]
    assert lines[3].endswith("not met")
    assert lines[4].startswith("Another")
    assert lines[-1] == "2 met, 1 not met"
