"""Forcings of the test years: their history, and the grid that their maps lie on."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.errors import DataError
from climbench.grids import latitude_weights
from climbench.metrics.base import area_mean
from tests import synthetic
from tests.tasks.on_folder import rewrite, task_on


def test_test_inputs_are_those_of_the_test_years(whole):
    task = task_on(whole)
    given = task.test_inputs(("CO2", "BC"), 0, task.target())
    np.testing.assert_array_equal(given["time"], np.arange(2080, 2101))
    np.testing.assert_array_equal(given["CO2"], synthetic.cumulative_co2("ssp245")[65:])
    assert given["BC"].dims == ("time", "latitude", "longitude")


def test_history_within_the_scenario(whole):
    task = task_on(whole)
    given = task.test_inputs(("CO2",), 9, task.target())
    np.testing.assert_array_equal(given["time"], np.arange(2071, 2101))


def test_history_before_the_scenario_comes_from_historical(whole):
    task = task_on(whole, **{"test.years": [2020, 2024]})
    given = task.test_inputs(("CO2", "SO2"), 10, task.target())
    np.testing.assert_array_equal(given["time"], np.arange(2010, 2025))
    past, future = (synthetic.inputs(e) for e in ("historical", "ssp245"))
    np.testing.assert_array_equal(given["CO2"][:5], past["CO2"].sel(time=slice(2010, 2014)))
    np.testing.assert_array_equal(given["CO2"][5:], future["CO2"].sel(time=slice(2015, 2024)))
    assert given["SO2"].shape == (15, 6, 8)


def test_years_that_historical_and_the_scenario_share_are_the_scenarios(folder):
    rewrite(folder / "inputs_historical.nc", lambda d: d.assign_coords(time=d["time"] + 3).assign(CO2=-d["CO2"]))
    task = task_on(folder, **{"test.years": [2016, 2020]})
    given = task.test_inputs(("CO2",), 3, task.target())
    np.testing.assert_array_equal(given["time"], np.arange(2013, 2021))
    np.testing.assert_array_equal(given["CO2"] < 0.0, given["time"] < 2015)


def test_of_history_there_is_as_much_as_there_is(whole):
    task = task_on(whole, **{"test.years": [2020, 2024]})
    given = task.test_inputs(("CO2",), 35, task.target())
    assert given["time"].values.tolist() == list(range(1990, 2025))


def test_a_gap_between_historical_and_the_scenario_is_named(folder):
    rewrite(folder / "inputs_historical.nc", lambda d: d.sel(time=slice(None, 2013)))
    task = task_on(folder, **{"test.years": [2020, 2024]})
    with pytest.raises(DataError, match=r"inputs of ssp245 lacks the year 2014; it has 1990\.\.2100"):
        task.test_inputs(("CO2",), 10, task.target())


def test_no_inputs_are_years_alone(whole):
    task = task_on(whole)
    given = task.test_inputs((), 2, task.target())
    assert list(given) == []
    np.testing.assert_array_equal(given["time"], np.arange(2078, 2101))


def shifted(cells):
    """Move a file's input maps by a part of a cell (45 degrees of longitude wide)."""
    return lambda d: d.assign_coords(longitude=(d["longitude"] + 45.0 * cells) % 360.0).sortby("longitude")


def test_inputs_on_the_outputs_grid_pass_unchanged(whole):
    task = task_on(whole)
    given = task.test_inputs(("SO2",), 0, task.target())
    np.testing.assert_array_equal(given["SO2"], synthetic.inputs("ssp245")["SO2"].sel(time=slice(2080, 2100)))
    assert task.notes == []


def test_inputs_less_than_a_cell_off_are_regridded_with_a_note(folder):
    wave = 1.0 + 0.5 * np.cos(np.deg2rad(synthetic.LONGITUDE))
    rewrite(folder / "inputs_ssp245.nc", lambda d: shifted(0.5)(d.assign(SO2=d["SO2"] * wave)))
    task = task_on(folder)
    target = task.target()
    given = task.test_inputs(("SO2", "CO2"), 0, target)
    assert task.notes == ["SO2 regridded conservatively by 0.5 of a cell onto the outputs' grid"]
    np.testing.assert_array_equal(given["longitude"], target["longitude"])
    source = synthetic.inputs("ssp245")["SO2"].sel(time=slice(2080, 2100)) * wave
    # Half a cell to the east: each cell takes half of itself as it was and half of its western neighbour.
    expected = 0.5 * (source + source.roll(longitude=1, roll_coords=False))
    np.testing.assert_allclose(given["SO2"], expected, rtol=1e-12)
    weights = latitude_weights(target["latitude"])
    np.testing.assert_allclose(area_mean(given["SO2"], weights), area_mean(source, weights), rtol=1e-12)
    np.testing.assert_array_equal(given["CO2"], synthetic.cumulative_co2("ssp245")[65:])


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda d: d.assign_coords(latitude=np.linspace(-30.0, 30.0, 6)), "6 x 8 (latitude -30..30"),
        (lambda d: d.isel(latitude=slice(None, None, 2)), "3 x 8 (latitude -75..45"),
    ],
)
def test_inputs_on_another_grid_are_refused(folder, edit, found):
    rewrite(folder / "inputs_ssp245.nc", edit)
    task = task_on(folder)
    with pytest.raises(DataError) as error:
        task.test_inputs(("SO2",), 0, task.target())
    assert "The input maps of ssp245 lie on another grid than the outputs" in str(error.value)
    assert found in str(error.value)
    assert "6 x 8 (latitude -75..75" in str(error.value)


def test_an_emulator_that_uses_totals_alone_does_not_mind_the_grid_of_maps(folder):
    rewrite(folder / "inputs_ssp245.nc", lambda d: d.isel(latitude=slice(None, None, 2)))
    task = task_on(folder)
    assert list(task.test_inputs(("CO2",), 0, task.target())) == ["CO2"]
