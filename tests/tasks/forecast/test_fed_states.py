"""What forecasters are fed: the variables of the targets, all on the levels of all targets, and nothing made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.cards import find_task
from climbench.tasks.forecast.task import state_of

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
