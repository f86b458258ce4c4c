"""What is drawn: JSON without what JSON has not, a table for narrow terminals, progress only where it can move."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from climbench.cli import console

METRICS = ("nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial", "rmse_global", "rmse_spatial_debiased")


def rows(model="lps", value=0.1234, low=0.05, high=0.2, floor=0.1, skill=-1.5):
    common = {"model": model, "variable": "tas", "floor": floor, "low": low, "high": high, "units": "K"}
    return [{**common, "metric": m, "value": value} for m in METRICS] + [
        {**common, "metric": "skill_vs_lps", "value": skill}
    ]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), np.float64("nan")])
def test_what_is_no_number_is_null_in_json(capsys, number):
    console.print_json({"a": [number, {"b": number}], "c": 1.5, "d": "nan", "e": (0, True)})
    assert json.loads(capsys.readouterr().out) == {"a": [None, {"b": None}], "c": 1.5, "d": "nan", "e": [0, True]}


def test_the_table_shows_each_number_under_its_heading():
    lines, left_out = console.score_lines([*rows("lps"), *rows("no-change", value=123.4, low=None, skill=None)], 120)
    assert left_out == []
    assert lines[2] == "tas (K)"
    assert lines[3].split() == ["lps", *["0.123"] * 4, "0.100", "0.050..0.200", "0.123", "-1.50"]
    assert lines[4].split() == ["no-change", *["123"] * 4, "0.100", "123"]
    assert len({len(line) for line in (*lines[:2], *lines[3:])}) == 1


def test_a_value_that_is_null_is_a_dash():
    lines, _ = console.score_lines(rows(value=None, floor=None, low=None, skill=None), 120)
    assert lines[3].split() == ["lps", "-", "-", "-", "-", "-", "-"]


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (120, []),
        (80, []),
        (72, ["NRMSE global"]),
        (65, ["NRMSE global", "debiased"]),
        (53, ["NRMSE global", "debiased", "NRMSE total"]),
    ],
)
def test_columns_that_can_be_done_without_give_way(width, left_out):
    lines, names = console.score_lines(rows(), width)
    assert names == left_out
    assert max(map(len, lines)) <= width
    assert len(lines[3].split()) == 9 - len(left_out)


@pytest.mark.parametrize("width", [1, 30])
def test_what_cannot_be_done_without_stays_at_any_width(width):
    lines, left_out = console.score_lines(rows(), width)
    assert left_out == ["NRMSE global", "debiased", "NRMSE total"]
    assert lines[3].split() == ["lps", "0.123", "0.123", "0.100", "0.050..0.200", "-1.50"]


def test_nothing_moves_where_there_is_no_terminal(capsys):
    with console.progress(announce_on=console.err()) as progress:
        progress.stage("fitting")
        progress.step("making", 1, 2)
        progress.announce("SIMULATED DATA: [so] it is")
    assert capsys.readouterr() == ("", "SIMULATED DATA: [so] it is\n")


def test_on_a_terminal_the_stage_and_a_bar_are_shown():
    shown: list[str] = []
    progress = console.ConsoleProgress(Console(file=io.StringIO()), SimpleNamespace(update=shown.append))
    progress.stage("fitting [lps]")
    progress.step("making", 1, 2)
    assert shown[0].startswith(r"fitting \[lps]")
    assert shown[1].endswith("1/2")
    assert shown[1].count("━") == 24
