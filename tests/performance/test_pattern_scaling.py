"""How long pattern scaling takes on ClimateBench's full size, against reading the same arrays once."""

from __future__ import annotations

import pytest
import zarr

from tests.performance.full_size import SIZES, TEST, WARMING, write


@pytest.fixture(scope="session")
def full_size(tmp_path_factory):
    return write(tmp_path_factory.mktemp("full-size"))


def read(folder):
    """Read what the emulator is trained on and scored against, and nothing else."""
    for experiment in (*WARMING, *TEST):
        outputs, inputs = (zarr.open_group(folder / f"{p}_{experiment}.zarr", mode="r") for p in ("outputs", "inputs"))
        for array in (*(outputs[name] for name in SIZES), inputs["CO2"]):
            assert array[...].size == array.size


def emulate(folder):
    """Fit, predict and score pattern scaling, in memory."""
    from climbench.evaluate import open_task
    from climbench.models import load_model
    from climbench.tasks.projection_scores import ProjectionScorer

    task = open_task("climatebench", folder).task
    emulator = load_model("lps", "climatebench")
    emulator.fit(task.training(("CO2",), tuple(SIZES)), None, seed=0)
    target = task.target()
    prediction = emulator.predict(task.test_inputs(("CO2",), 0, target), seed=0)
    prediction = task.check_prediction(prediction, target, "lps")
    scores = ProjectionScorer(task, target).score("lps", prediction, prediction)
    assert {row["variable"] for row in scores.rows} == set(SIZES)
    return scores


def test_time(ratio, full_size):
    ratio(
        "lps at full size: fit, predict and score",
        lambda: emulate(full_size),
        against="reading its arrays from zarr once",
        peer=lambda: read(full_size),
        rounds=5,
    )


def test_memory(peak_memory, full_size):
    code = "import sys; from pathlib import Path; from tests.performance.test_pattern_scaling import emulate\n"
    peak_memory("lps at full size", code + "emulate(Path(sys.argv[1]))\n", full_size, limit_mb=1500)
