"""What roll-outs make or lose: hand-worked series, a forecaster whose leak is known, and starts that blow up."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
import yaml

import climbench
from climbench.cli.rollout import budget_lines
from climbench.evaluate.forecasts import find_forecast_task
from climbench.experiments.long_rollout import long_rollout
from climbench.experiments.long_rollout_budgets import BUDGETS, FEW_STEPS, made_since_start, rollout_budgets
from climbench.tasks.forecast.physics_statistics import Series
from tests.physics.corrections.atmospheres import AREAS
from tests.tasks.forecast.moist_store import moist_truth, written_truth

STEPS, SECONDS = 6, 21600.0
GROUND = ("net_short_wave_radiation_flux", "net_long_wave_radiation_flux", "latent_heat_flux", "sensible_heat_flux")


def series(**means):
    """Return a series of one member and start at 6 and 12 h; the first value of each is that at the start."""
    laid = {name: np.array(values, float)[None, None, 1:] for name, values in means.items()}
    start = {name: np.array(values[:1], float)[None] for name, values in means.items()}
    return Series(laid, start, np.array([6.0, 12.0]))


def test_water_that_rain_does_not_explain_adds_up():
    found = series(water=[30.0, 31.0, 31.5], evaporation=[9.0, 4e-5, 5e-5], precipitation=[9.0, 1e-5, 5e-5])
    made, rates = made_since_start(found, BUDGETS["water"].score)  # 1 - 6 h of 3e-5 = 0.352; then 0.5 - 0
    np.testing.assert_allclose(made, [[0.352, 0.852]])
    np.testing.assert_allclose(rates, [[0.352 / SECONDS, 0.5 / SECONDS]])


def test_a_layers_energy_is_by_its_mass_at_the_start():
    found = series(layer_energy=[100.0, 130.0, 90.0], layer_depth=[20.0, 19.0, 18.0])
    made, rates = made_since_start(found, BUDGETS["layer_energy"].score)
    np.testing.assert_allclose(made, [[1.5, -0.5]])
    np.testing.assert_allclose(rates, [[1.5 / SECONDS, -2.0 / SECONDS]])


@pytest.fixture(scope="module")
def rolled(tmp_path_factory):
    """Persistence with correctors, rolled out from three starts."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("budgets")
    place, settings = written_truth(folder)
    content = {
        "name": "steady",
        "title": "steady",
        "protocol": "forecast",
        "correct": ["dry_air", "moisture", "energy"],
    }
    content["class_path"] = "climbench.models.persistence.Persistence"
    (folder / "steady.yaml").write_text(yaml.safe_dump(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("climbench.forecast_report.page.figures", lambda *_: ())
        climbench.run("weatherbench", [str(folder / "steady.yaml")], data=place, set=settings, out=folder / "run")
    asked = {"steps": STEPS, "starts": 3, "data": place, "include": [folder]}
    return folder, place, long_rollout(folder / "run", "steady", out=folder / "long", **asked)


def test_what_persistence_makes_is_what_its_fluxes_carry(rolled):
    """Its states do not change: what they make is minus the sum of its fluxes."""
    result = rolled[2]
    start = moist_truth().sel(time=np.array(result.record["initial_times"], "datetime64[ns]"))
    mean = {
        str(v): np.average(start[v], axis=(-2, -1), weights=AREAS).mean()
        for v in start
        if "level" not in start[v].dims and v not in ("ak", "bk")
    }
    water = mean["mean_evaporation_rate"] + mean["mean_total_precipitation_rate"]
    energy = sum(mean[f"mean_surface_{name}"] for name in GROUND) - sum(mean[f"mean_top_{name}"] for name in GROUND[:2])
    table = result.budgets.set_index(["run", "name", "step"])["value"].sort_index()
    steps = np.arange(STEPS + 1)
    np.testing.assert_allclose(table["uncorrected", "water"].loc[steps], steps * SECONDS * water, rtol=1e-5)
    np.testing.assert_allclose(table["uncorrected", "energy"].loc[steps], steps * SECONDS * energy / 1e6, rtol=1e-5)
    np.testing.assert_allclose(table["uncorrected", "dry_air"], 0.0, atol=1e-9)
    rows = {(row["run"], row["name"]): row for row in result.to_json()["budgets"]}
    assert rows["uncorrected", "water"]["drift_a_day"] == pytest.approx(86400.0 * water, rel=1e-5)
    assert rows["uncorrected", "energy"]["drift_a_century"] == pytest.approx(0.0864 * 36525 * energy, rel=1e-5)
    assert rows["corrected", "dry_air"]["closure_rms"] < 1e-3  # kg m-2 a day; float32 has surface pressure to 4e-3 Pa
    assert rows["corrected", "water"]["closure_rms"] < 1e-3
    assert rows["corrected", "energy"]["closure_rms"] < 0.05


def test_they_are_drawn_told_and_kept(rolled):
    folder, _, result = rolled
    json.dumps(result.to_json(), allow_nan=False)
    assert (folder / "long" / "figures" / "budgets.png").stat().st_size > 10_000
    assert "mass of dry air" not in result.record["budgets_missing"]
    lines = budget_lines(result.record["budgets"], result.record["budgets_missing"])
    assert [line for line in lines if line[0] != " "] == ["dry_air (kg m-2)", "water (mm)", "energy (MJ m-2)"]
    assert len(lines) == 10


@pytest.mark.parametrize(
    ("blown", "starts", "steps"), [([3, 0, 0], [1, 2], STEPS), ([4, 3, 6], [0, 1, 2], 2), ([2, 4, 4], [], 0)]
)
def test_starts_that_blow_up_do_not_count_but_where_all_do(rolled, blown, starts, steps):
    folder, place, result = rolled
    on = find_forecast_task(folder / "run" / "task.yaml", place, None, [folder])
    found = rollout_budgets(result.run_dir, on, {"uncorrected": np.array(blown)}, 6.0)
    if not steps:
        assert found.missing["water of uncorrected"] == (FEW_STEPS,)
        assert found.summary.empty
        return
    row = found.summary.set_index("name").loc["water"]
    assert (row["starts"], row["days"]) == (len(starts), steps / 4)
    states = xr.open_zarr(result.run_dir / "uncorrected" / "states.zarr", consolidated=False).isel(time=starts)
    loss = (states["mean_evaporation_rate"] + states["mean_total_precipitation_rate"])[:, 0]
    expected = steps * SECONDS * np.average(loss, axis=(-2, -1), weights=AREAS).mean()
    assert row["made_at_the_end"] == pytest.approx(expected, rel=1e-5)


def test_fluxes_of_other_hours_than_a_step_close_nothing(rolled):
    folder, place, result = rolled
    on = find_forecast_task(folder / "run" / "task.yaml", place, None, [folder])
    found = rollout_budgets(result.run_dir, on, {"uncorrected": np.zeros(3, int)}, 12.0)
    words = "fluxes over the 12 h between lead times: they are means over 6 h; score all lead times that far apart"
    assert found.missing == {"water": (words,), "energy": (words,)}
    assert set(found.summary["name"]) == {"dry_air"}
