"""What issue 2 asks to be shown: the published numbers on real data, and intervals that hold on simulated data."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import climbench
from climbench.cards import find_dataset, find_task, with_settings
from climbench.grids import latitude_weights
from climbench.metrics.base import area_mean
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.projection_scores import ProjectionScorer
from climbench.worlds.mini_esm import MiniESM

WORLD = MiniESM()
PERIOD = (2080, 2100)
DRAWS = 500
VARIABLES = ("tas", "pr")
CLIMBENCH = [str(Path(sys.executable).with_name("climbench"))]


def climbench_command(*arguments, cwd):
    done = subprocess.run([*CLIMBENCH, *arguments], cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pattern_scaling_on_cesm2(cesm2, tmp_path):
    settings = ("targets=[tas,pr]", "train=[ssp585]", "test.scenario=ssp126", "test.years=[2080,2099]")
    options = [part for setting in settings for part in ("--set", setting)]
    arguments = ("run", "--task", "climatebench", "--model", "lps", "--data", str(cesm2), *options, "--json")
    result = json.loads(climbench_command(*arguments, cwd=tmp_path))
    assert result["modified"] is True
    assert result["data"]["kind"] == "real"
    found = {(r["variable"], r["metric"]): r for r in result["scores"] if r["region"] == "global"}
    expected = {"tas": (0.35888, 0.13196, 1.01870), "pr": (1.92277, 0.52996, 4.57259)}
    for variable, values in expected.items():
        for metric, value in zip(("nrmse_spatial", "nrmse_global", "nrmse_total"), values, strict=True):
            assert found[variable, metric]["value"] == pytest.approx(value, abs=5.1e-6)
    assert found["tas", "rmse_spatial"]["floor"] == pytest.approx(0.09476, abs=5.1e-6)
    assert found["pr", "rmse_spatial"]["floor"] == pytest.approx(0.08927, abs=5.1e-6)
    assert found["pr", "rmse_spatial"]["units"] == "mm/day"


def scorer_of(members: xr.Dataset) -> ProjectionScorer:
    """Return a scorer against given members of the world, in scoring units."""
    settings = {"targets": list(VARIABLES), "scoring.regions": [], "scoring.metrics": []}
    card = with_settings(find_task("climatebench"), settings)
    task = ProjectionTask(card, None, find_dataset("mini-esm"))
    return ProjectionScorer(task, members)


def scored(data: xr.Dataset) -> xr.Dataset:
    data = data[list(VARIABLES)].rename(lat="latitude", lon="longitude").astype("float64")
    return data.assign(pr=data["pr"] * 86400.0)


def known_error() -> xr.Dataset:
    """An error with a pattern, about as large as three members' noise, the same in all years."""
    latitude, longitude = (np.deg2rad(WORLD.forced_response("ssp245", (2100, 2100))[d].values) for d in ("lat", "lon"))
    shape = np.cos(latitude)[:, None] * np.cos(2 * longitude)[None, :] + 0.5 * np.sin(latitude)[:, None]
    pattern = xr.DataArray(shape, dims=("latitude", "longitude"))
    return xr.Dataset({"tas": 0.12 * pattern, "pr": 0.08 * pattern})


def draws(count: int, members: int, lps: xr.Dataset):
    """Give draws of members, none used twice, and the details of each emulator's scores against them."""
    truth = scored(WORLD.forced_response("ssp245", PERIOD))
    emulators = {"perfect": truth, "with a known error": truth + known_error(), "lps": lps}
    for draw in range(count):
        numbers = range(1 + draw * members, 1 + (draw + 1) * members)
        target = scored(WORLD.members("ssp245", numbers, seed=2, years=PERIOD))
        scorer = scorer_of(target)
        yield {
            (name, d["variable"]): d
            for name, prediction in emulators.items()
            for d in scorer.score(name, prediction, None).details
            if d["part"] == "spatial"
        }


@pytest.fixture(scope="module")
def lps(tmp_path_factory, world_cache):
    """What pattern scaling predicts, fitted on the world as it stands in for ClimateBench."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLIMBENCH_CACHE", str(world_cache))
        result = climbench.run(
            "climatebench", models=["lps"], data="mini-esm", out=tmp_path_factory.mktemp("lps") / "run"
        )
        return result.predictions["lps"].sel(time=slice(*PERIOD))[list(VARIABLES)].astype("float64").load()


@pytest.fixture(scope="module")
def three(lps):
    start = time.perf_counter()
    found = list(draws(DRAWS, 3, lps))
    print(f"\n{DRAWS} draws of 3 members: {time.perf_counter() - start:.0f} s")
    return found


@pytest.fixture(scope="module")
def twenty(lps):
    return list(draws(200, 20, lps))


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_perfect_emulator_scores_the_floor(three, variable):
    squares = np.array([d["perfect", variable]["mean_square"] for d in three])
    floors = np.array([d["perfect", variable]["floor_square"] for d in three])
    unclipped = np.array([d["perfect", variable]["debiased_mean_square"] for d in three])
    ratio = squares.mean() / floors.mean()
    error = unclipped.mean() / (unclipped.std(ddof=1) / np.sqrt(len(unclipped)))
    print(f"\n{variable}: mean square over squared floor {ratio:.4f}; debiased mean {error:+.2f} standard errors")
    assert ratio == pytest.approx(1.0, abs=0.05)
    assert abs(error) < 2.0


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("emulator", ["perfect", "with a known error"])
@pytest.mark.parametrize("members", ["three", "twenty"])
def test_intervals_hold_the_truth(request, members, emulator, variable):
    pattern = known_error()[variable]
    latitude = scored(WORLD.forced_response("ssp245", (2100, 2100)))["latitude"]
    weights = latitude_weights(latitude, "cos_latitude")
    true = 0.0 if emulator == "perfect" else float(area_mean(pattern.assign_coords(latitude=latitude) ** 2, weights))
    details = [d[emulator, variable] for d in request.getfixturevalue(members)]
    made = [d for d in details if d["low"] is not None]
    share = float(np.mean([d["low"] <= true <= d["high"] for d in made]))
    print(f"\n{members}, {emulator}, {variable}: {len(made)} of {len(details)} made, {share:.3f} hold {true:.5f}")
    assert len(made) == len(details)
    assert 0.90 <= share <= 0.98


def test_pattern_scaling_is_near_the_floor_on_temperature_and_above_it_on_precipitation(three):
    ratios = {
        v: np.array([np.sqrt(d["lps", v]["mean_square"] / d["lps", v]["floor_square"]) for d in three])
        for v in VARIABLES
    }
    above = {v: float(np.mean([d["lps", v]["low"] > 0.0 for d in three])) for v in VARIABLES}
    for v in VARIABLES:
        tenth, middle, ninetieth = np.percentile(ratios[v], [10, 50, 90])
        print(f"\nlps, {v}: {middle:.2f} floors ({tenth:.2f} to {ninetieth:.2f}); significant in {above[v]:.2f}")
    assert np.median(ratios["tas"]) < 1.5
    assert np.percentile(ratios["pr"], 10) > 1.5
    assert above["pr"] > 0.95


def test_the_embedded_world_shows_it(tmp_path):
    result = json.loads(climbench_command("run", "--task", "climatebench", "--model", "lps", "--json", cwd=tmp_path))
    assert result["data"]["kind"] == "simulated"
    rows = {r["variable"]: r for r in result["scores"] if (r["metric"], r["region"]) == ("rmse_spatial", "global")}
    print("\nlps over floor:", {v: round(r["value"] / r["floor"], 2) for v, r in rows.items()})
    assert rows["tas"]["value"] < 1.5 * rows["tas"]["floor"]
    assert rows["pr"]["value"] > 1.5 * rows["pr"]["floor"]
    assert rows["pr"]["low"] > rows["pr"]["floor"]


def test_demo_on_a_fresh_clone(tmp_path):
    root = Path(__file__).resolve().parents[2]
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(root), str(clone)], check=True, timeout=120)
    start = time.perf_counter()
    done = subprocess.run(["make", "demo"], cwd=clone, capture_output=True, text=True, timeout=900)
    print(f"\nmake demo on a fresh clone: {time.perf_counter() - start:.0f} s")
    assert done.returncode == 0, done.stderr
    assert "SIMULATED DATA" in done.stdout
    assert "lps" in done.stdout
