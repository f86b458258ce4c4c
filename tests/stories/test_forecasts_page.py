"""docs/forecasts.md: its example runs as it stands, and its tables say what the code does."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from climbench.tasks.forecast.catalogue import find_metric
from climbench.tasks.forecast.metrics import METRICS
from climbench.tasks.forecast.profiles import PROFILES
from tests.stories.command import call, climbench

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "forecasts.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_runs(tmp_path):
    (code,) = blocks("python")
    made = call(sys.executable, "-c", code, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    (command,) = (block for block in blocks("bash") if "mine.zarr" in block)
    program, *arguments = shlex.split(command)
    assert program == "climbench"
    done = climbench(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    errors = next(line for line in done.stdout.splitlines() if line.split()[:1] == ["rmse"]).split()[2:]
    assert [float(error) for error in errors] == pytest.approx([1.0] * len(errors), abs=0.01)  # noise of size 1 K


def test_every_metric_stands_there_with_its_definition():
    table = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert dict(table[: len(METRICS)]) == {name: metric.definition for name, metric in METRICS.items()}


def test_every_quirk_stands_there():
    rows = re.findall(r"^\| `(\w+)` \([^)]*\) \| `?(\w+)`? \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(name, metric, text) for name, p in PROFILES.items() for metric, text in p.quirks.items()]


def test_the_events_it_names_are_metrics():
    names = re.findall(r"`(\w+_above_[\w.]+)`", PAGE)
    assert len(names) == 6
    for name in names:
        assert find_metric(name).definition
