"""docs/forecasts.md and README: their example runs as it stands, and their tables say what the code does."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from climbench.tasks.forecast.catalogue import find_metric
from climbench.tasks.forecast.metrics import METRICS
from climbench.tasks.forecast.physics_metrics import PHYSICS_METRICS
from climbench.tasks.forecast.profiles import PROFILES
from tests.stories.command import CLIMBENCH, call, climbench

PROJECT = Path(__file__).resolve().parents[2]
PAGE, README = ((PROJECT / name).read_text(encoding="utf-8") for name in ("docs/forecasts.md", "README.md"))
SECTION = README.partition("## Score a weather forecast\n")[2].partition("\n## ")[0]


def blocks(language, text=PAGE):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def arguments_of(command):
    program, *arguments = shlex.split(command)
    assert program == "climbench"
    return arguments


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """A folder with the stores that the page's lines of Python make."""
    folder = tmp_path_factory.mktemp("example")
    (code,) = blocks("python")
    made = call(sys.executable, "-c", code, cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder


def test_the_example_runs(example):
    (command,) = (block for block in blocks("bash") if "mine.zarr" in block)
    done = climbench(*arguments_of(command), cwd=example)
    assert (done.returncode, done.stderr) == (0, "")
    errors = next(line for line in done.stdout.splitlines() if line.split()[:1] == ["rmse"]).split()[2:]
    assert [float(error) for error in errors] == pytest.approx([1.0] * len(errors), abs=0.01)  # noise of size 1 K


def test_the_readme_shows_what_the_example_prints(example):
    (command,), (output,) = blocks("bash", SECTION), blocks("text", SECTION)
    done = call(CLIMBENCH, *arguments_of(command), cwd=example, env={**os.environ, "COLUMNS": "80"})
    assert (done.returncode, done.stdout) == (0, output)


def test_every_metric_stands_there_with_its_definition():
    table = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert dict(table[: len(METRICS)]) == {name: metric.definition for name, metric in METRICS.items()}


def test_every_score_of_physics_stands_there_with_its_unit_and_definition():
    section = PAGE.partition("\n## Physics\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|$", section, re.MULTILINE)
    assert rows == [(name, metric.units, metric.definition) for name, metric in PHYSICS_METRICS.items()]


def test_every_quirk_stands_there():
    rows = re.findall(r"^\| `(\w+)` \([^)]*\) \| `?(\w+)`? \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(name, metric, text) for name, p in PROFILES.items() for metric, text in p.quirks.items()]


def test_the_events_it_names_are_metrics():
    names = re.findall(r"`(\w+_above_\d[\w.]*)`", PAGE)
    assert len(names) == 6
    for name in names:
        assert find_metric(name).definition
