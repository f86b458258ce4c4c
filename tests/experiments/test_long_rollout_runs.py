"""Long roll-outs of a run's own forecaster: what is written and shown, and runs that cannot be rolled out."""

from __future__ import annotations

import json
import shutil

import pytest
import xarray as xr

import climbench
from climbench.cli.rollout import budget_lines, rollout_lines
from climbench.errors import RunError
from climbench.experiments.experiment_record import plain_rows
from climbench.experiments.long_rollout import long_rollout
from tests.tasks.forecast import made_stores

NAMES = ("2m_temperature",)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    truth = made_stores.made_truth(periods=80, variables=NAMES)
    made_stores.written(folder / "truth.zarr", truth)
    days = [str(day)[:10] for day in truth["time"].values]
    settings = {
        "targets": list(NAMES),
        "metrics": ["rmse"],
        "train": [days[0], days[39]],
        "validation": None,
        "test.period": [days[44], days[-1]],
        "leads": {"first": 12, "last": 24, "step": 12},
        "climatology": None,
        "regions": ["global"],
    }
    climbench.run("weatherbench", ["persistence"], data=folder / "truth.zarr", set=settings, out=folder / "run")
    return folder


def test_persistence_is_rolled_out_and_recorded(run):
    found = long_rollout(
        run / "run", "persistence", steps=8, starts=3, data=run / "truth.zarr", out=run / "long", limiter="spectral"
    )
    row = found.summary.iloc[0]
    assert (row["blown"], row["starts"], row["run"]) == (0, 3, "unaided")
    assert abs(row["drift_a_day"]) < 1e-12
    assert list(found.summary["run"]) == ["unaided", "limited"]
    states = xr.open_zarr(found.run_dir / "unaided" / "states.zarr", consolidated=False)[NAMES[0]]
    assert states.sizes["prediction_timedelta"] == 8
    assert bool((states == states[:, :1]).all())
    assert json.loads((found.run_dir / "provenance.json").read_text())["blown"]["unaided"] == [0, 0, 0]
    page = (found.run_dir / "report.html").read_text()
    assert "3 starts" in page
    assert found.to_json()["budgets"] == []
    assert "No budget of water. Missing: water path (total_column_water" in page
    assert not (found.run_dir / "figures" / "budgets.png").exists()
    assert any("no budget of energy" in line for line in budget_lines([], found.record["budgets_missing"]))
    assert "2m_temperature (K)" in rollout_lines(plain_rows(found.summary))
    json.dumps(found.to_json(), allow_nan=False)
    again = long_rollout(
        run / "run", "persistence", steps=8, starts=3, data=run / "truth.zarr", out=run / "long", limiter="spectral"
    )
    assert again.record == found.record


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        ("persistance", {}, "Did you mean 'persistence'"),
        ("persistence", {"starts": 10_000}, "10000 starts were asked for; the test period has"),
    ],
)
def test_what_the_run_does_not_have_is_refused(run, tmp_path, model, changes, said):
    with pytest.raises(RunError, match=said):
        long_rollout(run / "run", model, data=run / "truth.zarr", out=tmp_path / "out", **changes)


def test_a_run_without_the_fitted_model_is_refused(run, tmp_path):
    shutil.copytree(run / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "fitted")
    with pytest.raises(RunError, match="did not keep 'persistence' as it was fitted"):
        long_rollout(tmp_path / "run", "persistence", data=run / "truth.zarr", out=tmp_path / "out")


def test_a_projection_is_not_rolled_out(run, tmp_path):
    shutil.copytree(run / "run", tmp_path / "run")
    card = (tmp_path / "run" / "task.yaml").read_text()
    (tmp_path / "run" / "task.yaml").write_text(card.replace("protocol: forecast", "protocol: projection"))
    with pytest.raises(RunError, match="only forecasters are rolled out"):
        long_rollout(tmp_path / "run", "persistence")
