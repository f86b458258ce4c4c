"""``climbench members``: its options, its table, its one JSON object, and its report."""

from __future__ import annotations

import pandas as pd
import pytest

from climbench.cli.members import crossover_lines, member_lines
from tests.synthetic import write

SET = ("--set", "targets=[tas]", "--set", "train=[ssp126,ssp585]", "--set", "validation=[]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("members") / "data", ["ssp126", "ssp245", "ssp585"], members=4)


@pytest.fixture
def run(climbench, folder, tmp_path):
    """A function that runs the experiment on four members."""

    def call(*arguments, models=("lps", "no-change")):
        named = [part for model in models for part in ("--model", model)]
        fixed = ("members", "--task", "climatebench", *named, "--data", folder, *SET, "--out", tmp_path / "run")
        return climbench(*fixed, *arguments)

    return call


def test_json_is_one_object_with_all_tables(run, tmp_path, folder):
    done = run("--n", "1,4", "--draws", "2", "--json")
    assert done.code == 0
    found = done.json
    assert (found["task"], found["n"], found["draws"]) == ("climatebench", [1, 4], {"lps": 2, "no-change": 2})
    assert found["run_dir"] == str(tmp_path / "run")
    assert {r["model"] for r in found["scores"]} == {"lps", "no-change"}
    assert {(r["metric"], r["target"], r["n"]) for r in found["scores"]} == {
        (m, t, n) for m in ("rmse_spatial", "rmse_global") for t in ("all", "same") for n in (1, 4)
    }
    assert {r["verdict"] for r in found["verdicts"]} == {"worse"}
    assert {r["n"] for r in found["crossovers"]} == {None}
    assert found["scores"][0]["true_value"] is None
    assert done.err == f"Data: {folder}, in the layout of climatebench.\n"


def test_the_table_has_a_row_for_each_n_and_the_crossover_below(run, tmp_path):
    lines = run("--n", "1,2,4", "--draws", "3").out.splitlines()
    assert lines[1] == "climatebench on climatebench (modified settings): RMSE spatial against the members averaged"
    start = lines.index("tas (K), against the mean over all members")
    assert lines[start + 1].split() == ["n", "floor", "lps", "no-change"]
    assert [line.split()[0] for line in lines[start + 2 : start + 5]] == ["1", "2", "4"]
    assert all(line.endswith(" -") for line in lines[start + 2 : start + 5])
    assert "- tas: no-change is below lps at no n (95 % over 3 draws: none to none)" in lines
    assert lines[-1].startswith(f"Record: {tmp_path / 'run'}")


def test_report_and_figure_are_written(run, tmp_path):
    run("--n", "1,4", "--draws", "2")
    page = (tmp_path / "run" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "against the mean over all members" in page
    assert "http" not in page.replace("http-equiv", "")
    for name in ("members-rmse-spatial.png", "members-rmse-global.png"):
        assert (tmp_path / "run" / "figures" / name).read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--n", "1,two"), "--n takes whole numbers, such as 1,2,10; found 'two'"),
        (("--n", "9"), "n = 9 was asked for, but there are 4 members in every scenario"),
        (("--draws", "many"), "--draws takes whole numbers"),
        (("--draws", "cnn=3"), "Draws were named for 'cnn', which is not run"),
        (("--leave-out", "r7"), "ssp245 has no member r7 to leave out; it has 1, 2, 3, 4"),
        (("--scheduler", "node1"), "'node1' is no address of a scheduler"),
    ],
)
def test_wrong_options_end_with_2_and_one_message(run, tmp_path, arguments, message):
    done = run(*arguments, models=("no-change",))
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert message in done.err
    assert not (tmp_path / "run").exists()


def test_draws_may_be_named_by_model(run):
    found = run("--n", "2", "--draws", "3", "--draws", "no-change=1", "--json").json
    assert found["draws"] == {"lps": 3, "no-change": 1}


def test_lines_mark_verdicts_and_leave_gaps_where_a_model_has_none():
    scores = pd.DataFrame(
        {
            "model": ["lps", "net", "lps"],
            "n": [1, 1, 5],
            "value": [0.5, 0.25, 0.4],
            "sd": [0.01, float("nan"), 0.02],
            "floor": [0.1, 0.1, 0.1],
        }
    )
    verdicts = pd.DataFrame({"model": ["net"], "n": [1], "metric": ["rmse_spatial"], "verdict": ["better"]})
    lines = member_lines(scores, verdicts)
    assert lines[1].split() == ["1", "0.1000", "0.5000", "±0.0100", "0.2500", "+"]
    assert lines[2].split() == ["5", "0.1000", "0.4000", "±0.0200"]
    assert len({len(line) for line in lines}) == 1


def test_crossings_are_told_as_they_were_found():
    row = {"model": "net", "against": "lps", "metric": "rmse_spatial", "target": "all", "draws": 3}
    table = pd.DataFrame(
        [
            {**row, "variable": "pr", "n": 5, "low": 3, "high": None, "stays": False},
            {**row, "variable": "tas", "n": None, "low": None, "high": None, "stays": False},
            {**row, "variable": "tas", "n": 1, "low": 1, "high": 1, "stays": True, "target": "same"},
        ]
    ).astype({"n": "Int64", "low": "Int64", "high": "Int64"})
    assert crossover_lines(table) == [
        "pr: net is below lps from n = 5, though not at every larger n (95 % over 3 draws: 3 to none)",
        "tas: net is below lps at no n (95 % over 3 draws: none to none)",
    ]
