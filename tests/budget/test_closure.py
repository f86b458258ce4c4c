"""What fluxes leave unexplained: known leaks are found, over the globe and column by column."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.budget import budget, series
from tests.budget import made


@pytest.mark.parametrize("block", [2**25, 1])  # all times at once, and one by one
def test_a_leak_of_water_is_found_over_the_globe_and_in_columns(tmp_path, monkeypatch, block):
    monkeypatch.setattr(series, "BLOCK", block)
    data = made.moist(made.hours(9), leak=1e-6, uneven=3e-6)
    found = made.by_name(budget([made.write(data, tmp_path / "water.nc")]))
    residual = found["water_residual"]
    assert residual.value == pytest.approx(0.0864, rel=1e-8)  # mm/day
    assert residual.rms == pytest.approx(0.0864, rel=1e-8)
    assert residual.local_rms is None
    columns = found["water_column_residual"]
    assert columns.value == pytest.approx(0.0864, rel=1e-8)
    assert columns.local_rms == pytest.approx(86400 * np.sqrt(0.5 * (4e-6**2 + 2e-6**2)), rel=1e-8)
    assert residual.units == "mm/day"
    assert found["evaporation"].units == "mm/day"
    assert found["evaporation"].value == pytest.approx(86400 * 3.4e-5, rel=1e-12)


def test_a_globe_closes_without_winds_and_its_columns_are_then_unknown(tmp_path):
    data = made.moist(made.hours(5), convergence=False)
    found = budget([made.write(data, tmp_path / "water.nc")])
    assert abs(made.by_name(found)["water_residual"].value) < 1e-8
    assert "water_column_residual" not in made.by_name(found)
    assert any("convergence of moisture" in words for words in found.missing["water_column_residual"])


def test_water_that_winds_would_make_is_a_residual_of_the_globe(tmp_path):
    """Convergence of 1e-6 kg m-2 s-1 over the globe closes columns, and makes 0.0864 mm of water a day."""
    data = made.moist(made.hours(9), leak=1e-6)
    name = "tendency_of_total_water_path_due_to_advection"
    data[name] = data[name] + 1e-6
    data[name].attrs["units"] = "kg m-2 s-1"
    found = made.by_name(budget([made.write(data, tmp_path / "water.nc")]))
    assert found["water_residual"].value == pytest.approx(0.0864, rel=1e-8)
    assert found["moisture_convergence"].value == pytest.approx(0.0864, rel=1e-8)
    assert abs(found["water_column_residual"].value) < 1e-8
    assert found["water_column_residual"].local_rms < 1e-8


def test_columns_with_a_hole_in_their_convergence_say_so(tmp_path):
    data = made.moist(made.hours(5), leak=1e-6)
    data["tendency_of_total_water_path_due_to_advection"][2, 1, 1] = np.nan
    found = budget([made.write(data, tmp_path / "water.nc")])
    assert made.by_name(found)["water_residual"].value == pytest.approx(0.0864, rel=1e-8)
    assert "1 of 60 values of 'tendency_of_total" in found.missing["water_column_residual"][0]


def test_months_are_held_against_the_fluxes_of_both(tmp_path):
    times = made.months(2001, 2, "noleap")
    days = np.tile([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], 2)
    flow = 1e-6 * np.cos(np.arange(24.0))
    ends = np.concatenate([[0.0], np.cumsum(flow * days * 86400.0)])
    water = 25.0 + 0.5 * (ends[1:] + ends[:-1])  # the mean of each month, through which water flows evenly
    values = {"prw": (water, "kg m-2"), "evspsbl": (2e-5 + flow, "kg m-2 s-1"), "pr": (0.0 * flow + 2e-5, "kg m-2 s-1")}
    data = made.dataset(times, {name: made.field(times, v, units) for name, (v, units) in values.items()})
    found = budget([made.write(data, tmp_path / "months.nc")])
    residual = made.by_name(found)["water_residual"]
    assert residual.rms < 1e-9
    assert any("means over their times" in note for note in found.notes)


def test_steps_across_gaps_do_not_count(tmp_path):
    data = made.moist(made.hours(12)).isel(time=[0, 1, 2, 3, 8, 9, 10])
    residual = made.by_name(budget([made.write(data, tmp_path / "water.nc")]))["water_residual"]
    assert residual.rms < 1e-8
    assert residual.days_per_year == [5 / 4]


def test_energy_that_the_fluxes_do_not_bring(tmp_path):
    times = made.hours(5)
    data = made.layered(times, 1e5).assign(made.top(times, 7.0).data_vars)
    heat = (1e5 - 200.0) / 9.80665 * 1004.64  # J m-2 K-1 of the dry column by CREDIT's definition
    warm = 250.0 + 12.0 * 21600.0 * np.arange(5) / heat
    values = np.broadcast_to(warm[:, None, None, None], (5, 2, *made.SHAPE))
    data["temperature"] = made.field(times, values, "K", ("time", "layer", "lat", "lon"))
    data["orog"] = (("lat", "lon"), np.zeros(made.SHAPE), {"units": "m"})
    for name in ("rsds", "rsus", "rlds", "rlus", "hfls", "hfss"):
        data[name] = made.field(times, np.zeros(5), "W m-2")
    found = made.by_name(budget([made.write(data, tmp_path / "energy.nc")]))
    residual = found["energy_credit_without_motion_residual"]
    assert residual.value == pytest.approx(5.0, rel=1e-6)  # 12 W m-2 gained, 7 of them brought
    assert residual.units == "W m-2"
    assert found["energy_ace_residual"].value != residual.value  # another definition


def test_a_part_of_the_globe_has_means_of_its_own_and_columns_but_no_global_closure(tmp_path):
    data = made.moist(made.hours(5), leak=1e-6).isel(lat=slice(0, 2))
    found = budget([made.write(data, tmp_path / "part.nc")])
    residual = made.by_name(found)["water_column_residual"]
    assert "75.0% of the globe" in found.region
    assert any("global means and closures are refused" in note for note in found.notes)
    assert residual.local_rms == pytest.approx(0.0864, rel=1e-8)
    assert "a whole globe" in found.missing["water_residual"][0]
    data = data.drop_vars("tendency_of_total_water_path_due_to_advection")
    found = budget([made.write(data, tmp_path / "less.nc")])
    assert "a whole globe" in found.missing["water_residual"][0]
    assert made.by_name(found)["precipitation"].value == pytest.approx(2.16)


def test_one_time_has_balances_and_neither_drift_nor_closure(tmp_path):
    data = made.moist(made.hours(2)).isel(time=[0])
    found = budget([made.write(data, tmp_path / "one.nc")])
    assert made.by_name(found)["water"].value == pytest.approx(25.0)
    assert made.by_name(found)["water"].drift is None
    assert "two times or more" in found.missing["water_residual"]
    assert any("fewer than two times" in note for note in found.notes)
    found = budget([made.write(data.isel(time=0, drop=True), tmp_path / "none.nc")])
    assert made.by_name(found)["water"].per_year == []


@pytest.mark.parametrize("block", [2**25, 1])  # all times at once, and one by one
def test_amounts_are_those_of_the_step(tmp_path, monkeypatch, block):
    monkeypatch.setattr(series, "BLOCK", block)
    times = made.hours(4, step=24)
    amounts = {6: np.full(4, 2e-3), 24: np.full(4, 2.16e-3)}
    data = made.dataset(times, {f"total_precipitation_{h}hr": made.field(times, v, "m") for h, v in amounts.items()})
    found = budget([made.write(data, tmp_path / "both.nc")])
    assert made.by_name(found)["precipitation"].value == pytest.approx(2.16)
    assert not any("counts" in note for note in found.notes)
    found = budget([made.write(data.drop_vars("total_precipitation_24hr"), tmp_path / "one.nc")])
    assert made.by_name(found)["precipitation"].value == pytest.approx(8.0)
    assert any("'total_precipitation_6hr' counts 6 h and times are 24 h apart" in note for note in found.notes)
