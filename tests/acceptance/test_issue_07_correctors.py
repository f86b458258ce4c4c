"""What issue 7 asks of correctors, by the commands: what an emulator makes or loses with and without them.

A small network on a simulated atmosphere whose truth keeps all three. What a corrector closes is closed to round-off of
what is written: float32 has each number to 2^-24 of itself, so that the sums of two states' columns are known to
twice that share of a column where all cells round alike, the worst there can be. Every figure that is asserted is
printed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

pytest.importorskip("torch_harmonics", reason="the world and its forecasters need the extra 'models'")

from climbench.cards import find_model
from tests.stories.command import CLIMBENCH, call

pytestmark = pytest.mark.timeout(1800)  # the fixtures count, and make data where the cache has none

STEP, LAST = 21600.0, 48
STEPS = 20
SINGLE = 2.0**-24
DRY_AIR = 2 * SINGLE * 1.1e4  # kg m-2, of a column of 10.3 t m-2 at most over this ground
WATER = 2 * SINGLE * 60.0 / STEP * 86400.0  # mm a day, of no more than 60 mm in a column
ENERGY = 2 * 2 * SINGLE * 3e9 / STEP  # W m-2, of less than 3 GJ m-2; temperature and surface pressure both round
BOUNDS = {"dry_air_drift": DRY_AIR, "water_residual_rms": WATER, "energy_credit_residual_rms": ENERGY}
SMALL = {"width": 8, "layers": 2, "degrees": 0.7, "batch_size": 8, "learning_rate": 0.01, "epochs": 2}


def command(*arguments, cwd, patience):
    done = call(CLIMBENCH, *arguments, cwd=cwd, patience=patience)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Scores of the run by (model, variable, metric, lead), the roll-out's answer, and their folder."""
    folder = tmp_path_factory.mktemp("correctors")
    shipped = find_model("sfno-conserving", protocol="forecast")
    content = shipped.model_dump(mode="json", exclude={"path"}, exclude_none=True)
    content |= {"name": "small", "presets": {"demo": SMALL}}
    (folder / "small.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    command("data", "make", "moist-atmosphere-demo", cwd=folder, patience=600)
    on = ("--data", "moist-atmosphere-demo")
    asked = ("run", "--task", "moist-atmosphere", *on, "--model", "small.yaml", "--preset", "demo", "--out", "run")
    said = json.loads(command(*asked, "--set", f"leads.last={LAST}", "--json", cwd=folder, patience=900))
    rows = [row for row in said["scores"] if row["region"] == "global"]
    table = {(r["model"], r["variable"], r["metric"], r["lead_time"]): r["value"] for r in rows}
    asked = ("rollout", "run", *on, "--model", "small.yaml", "--steps", str(STEPS), "--starts", "4", "--out", "long")
    return table, json.loads(command(*asked, "--json", cwd=folder, patience=600)), folder


@pytest.mark.parametrize("metric", BOUNDS)
def test_each_lead_is_closed_to_round_off_and_100_times_better_than_without(made, metric):
    table, bound = made[0], BOUNDS[metric]
    for lead in range(6, LAST + 1, 6):
        corrected, raw = (table[name, "physics", metric, lead] for name in ("small", "small-uncorrected"))
        print(f"\n{metric}, {lead} h: {corrected:.2e} corrected, {raw:.2e} uncorrected, round-off {bound:.1e}")
        assert corrected < bound
        assert raw > bound
        assert corrected < raw / 100.0


def test_skill_with_and_without_is_printed(made):
    names = {key[1] for key in made[0] if key[2] == "rmse"}
    pairs = {v: [made[0][name, v, "rmse", LAST] for name in ("small", "small-uncorrected")] for v in sorted(names)}
    for variable, (corrected, raw) in pairs.items():
        print(f"\nrmse at {LAST} h, {variable}: {corrected:.4g} corrected, {raw:.4g} uncorrected")
    assert pairs["temperature_475"][0] != pairs["temperature_475"][1]
    assert pairs["u_component_of_wind_475"][0] > 0.0


@pytest.mark.parametrize(
    ("name", "bound"), [("dry_air", DRY_AIR), ("water", WATER / 4.0 * STEPS), ("energy", ENERGY * STEP * STEPS / 1e6)]
)
def test_a_roll_out_keeps_what_its_start_has(made, name, bound):
    """Dry air is held to the start at each step; what a step misses of water and energy adds up at most."""
    _, answer, folder = made
    assert list(answer["blown"]) == ["corrected", "uncorrected"]
    series = pd.read_parquet(folder / "long" / "budgets.parquet")
    worst = {
        run: float(rows[["low", "high"]].abs().to_numpy().max())
        for run, rows in series[series["name"] == name].groupby("run")
    }
    print(f"\n{name} made since the start, at the most: {worst}; round-off {bound:.1e}")
    for row in answer["budgets"]:
        if row["name"] == name:
            print(row)
    assert worst["corrected"] < bound
    assert worst["corrected"] < worst["uncorrected"] / 100.0


def test_the_figure_is_drawn(made):
    folder = made[2] / "long"
    assert (folder / "figures" / "budgets.png").stat().st_size > 20_000
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'alt="budgets"' in page
    assert "Simulated data." in page
    assert Path(folder / "uncorrected" / "states.zarr").is_dir()
