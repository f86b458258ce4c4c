"""What forecasters are fed: the variables of the targets, all on the levels of all targets, and nothing made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.cards import find_task
from climbench.errors import PredictionError
from climbench.models.persistence import Persistence
from climbench.tasks.forecast.stores import open_weather
from climbench.tasks.forecast.task import fed, forecast_into, state_of, states_at, vertical_of

GRID = {"latitude": [-45.0, 45.0], "longitude": [0.0, 120.0, 240.0]}


@pytest.fixture
def truth():
    axes = {"time": pd.date_range("2016-01-01", periods=4, freq="6h"), "level": [300.0, 500.0, 700.0, 850.0], **GRID}
    draw = np.random.default_rng(0)
    tall = {v: (tuple(axes), draw.normal(size=(4, 4, 2, 3)).astype("float32")) for v in ("geopotential", "temperature")}
    flat = {"2m_temperature": (("time", *GRID), draw.normal(size=(4, 2, 3)).astype("float32"))}
    return xr.Dataset({**tall, **flat}, axes)


def card(*targets):
    return find_task("weatherbench").model_copy(update={"targets": targets})


def test_variables_of_different_levels_have_all_of_them(truth):
    found = state_of(card("geopotential_500", "temperature_850", "2m_temperature"), truth)
    assert found["level"].values.tolist() == [500.0, 850.0]
    assert list(found) == ["geopotential", "temperature", "2m_temperature"]
    assert all(bool(found[v].notnull().all()) for v in found)


def test_one_target_of_all_levels_brings_all(truth):
    assert state_of(card("geopotential", "temperature_850"), truth).sizes["level"] == 4


def test_without_levels_there_are_none(truth):
    assert "level" not in state_of(card("2m_temperature"), truth).dims


def test_what_is_lazy_stays_lazy(truth, tmp_path):
    truth.to_zarr(tmp_path / "truth.zarr", zarr_format=2)
    lazy = state_of(card("geopotential_500", "temperature_850"), xr.open_zarr(tmp_path / "truth.zarr", chunks=None))
    assert not any(lazy[v].variable._in_memory for v in lazy)


class Asking:
    static = True


def with_ground(truth):
    return truth.assign(geopotential_at_surface=(tuple(GRID), np.ones((2, 3), "float32")))


def test_static_variables_are_given_to_models_that_ask_for_them(truth):
    task = card("2m_temperature").model_copy(update={"static": ("geopotential_at_surface",)})
    assert set(fed(task, with_ground(truth), Asking())) == {"2m_temperature", "geopotential_at_surface"}
    assert set(fed(task, with_ground(truth), object())) == {"2m_temperature"}
    given = states_at(fed(task, with_ground(truth), Asking()), truth["time"].values[1:3].astype("datetime64[s]"), 2)
    assert given["2m_temperature"].dims == ("init_time", "history", *GRID)
    assert given["geopotential_at_surface"].dims == tuple(GRID)


def test_a_static_variable_that_is_not_there_is_named_with_those_that_are(truth):
    task = card("2m_temperature").model_copy(update={"static": ("land_sea_mask",)})
    with pytest.raises(PredictionError, match=r"no map 'land_sea_mask'.*has: geopotential_at_surface.*--set 'static="):
        fed(task, with_ground(truth), Asking())
    varying = with_ground(truth).rename({"2m_temperature": "land_sea_mask", "geopotential": "2m_temperature"})
    with pytest.raises(PredictionError, match="no map 'land_sea_mask'"):
        fed(task, varying, Asking())


def test_layers_keep_what_says_where_they_lie_and_forecasts_have_it_too(truth, tmp_path):
    edges = {"ak": ("interface", np.linspace(0.0, 2e4, 5), {"units": "Pa"}), "bk": ("interface", np.linspace(0, 1, 5))}
    with_ground(truth).assign(edges).to_zarr(tmp_path / "truth.zarr", zarr_format=2)
    opened = open_weather(tmp_path / "truth.zarr", "truth", "weatherbench2-era5")
    assert set(vertical_of(opened)) == {"ak", "bk"}
    assert set(vertical_of(truth)) == set()

    plain = card("temperature")
    test = plain.test.model_copy(update={"period": ("2016-01-01", "2016-01-01"), "hours": (0, 6)})
    leads = plain.leads.model_copy(update={"first": 6, "last": 6, "step": 6})
    task = plain.model_copy(update={"test": test, "leads": leads})
    store = tmp_path / "forecast.zarr"
    forecast_into(store, Persistence(), task, opened, seed=0, attributes={}, told=lambda done, of: None)
    forecast = open_weather(store, "forecast", "weatherbench2-era5")
    np.testing.assert_array_equal(forecast["ak"], edges["ak"][1])
    assert forecast["ak"].attrs["units"] == "Pa"
    assert forecast["temperature"].sizes["init_time"] == 2


def test_a_truth_keeps_its_maps_and_a_forecast_does_not(truth, tmp_path):
    with_ground(truth).to_zarr(tmp_path / "truth.zarr", zarr_format=2)
    opened = open_weather(tmp_path / "truth.zarr", "truth", "weatherbench2-era5")
    assert "geopotential_at_surface" in opened
    ahead = with_ground(truth).expand_dims(prediction_timedelta=[np.timedelta64(6, "h").astype("timedelta64[ns]")])
    ahead = ahead.assign(geopotential_at_surface=ahead["geopotential_at_surface"].isel(prediction_timedelta=0))
    ahead.to_zarr(tmp_path / "forecast.zarr", zarr_format=2)
    assert "geopotential_at_surface" not in open_weather(tmp_path / "forecast.zarr", "forecast", "weatherbench2-era5")
