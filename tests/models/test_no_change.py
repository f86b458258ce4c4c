"""No change: zeros on the target's grid for every year asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.grids import latitude_weights
from climbench.metrics import errors
from climbench.models.no_change import NoChange

SPACE = {"latitude": [-45.0, 45.0], "longitude": [0.0, 120.0, 240.0]}
YEARS = xr.Dataset(coords={"time": np.arange(2080, 2101)})


@pytest.fixture
def train():
    rng = np.random.default_rng(0)
    coords = {"time": [2015, 2016], **SPACE}
    fields = {v: (tuple(coords), rng.standard_normal((2, 2, 3)).astype("f4"), {"units": "K"}) for v in ("tas", "pr")}
    return {"ssp126": xr.Dataset({**fields, "CO2": ("time", [1.0, 2.0])}, coords=coords)}


@pytest.fixture
def fitted(train):
    emulator = NoChange()
    emulator.fit(train, seed=0)
    return emulator


def test_it_predicts_zero_for_every_target_year_and_cell(fitted):
    prediction = fitted.predict(YEARS, seed=0)
    assert set(prediction) == {"tas", "pr"}
    for field in prediction.values():
        assert field.dims == ("time", "latitude", "longitude")
        assert field.shape == (21, 2, 3)
        assert field.dtype == "float64"
        assert not field.values.any()
    np.testing.assert_array_equal(prediction["time"], YEARS["time"])
    for dim, values in SPACE.items():
        np.testing.assert_array_equal(prediction[dim], values)


def test_it_says_that_zeros_are_meant_and_needs_no_forcing(fitted):
    assert fitted.zero_by_design is True
    assert fitted.inputs == ()
    assert fitted.parameters == 0


def test_against_a_uniform_change_every_relative_error_is_one(fitted):
    zeros = fitted.predict(YEARS, seed=0)["tas"]
    target = xr.full_like(zeros, -3.0)
    weights = latitude_weights(zeros["latitude"], "cos_latitude")
    norm = float(errors.normaliser(target, weights))
    assert float(errors.rmse_spatial(zeros, target, weights)) / norm == pytest.approx(1.0)
    assert float(errors.rmse_global(zeros, target, weights)) / norm == pytest.approx(1.0)


def test_it_comes_back_from_its_folder(fitted, tmp_path):
    fitted.save(tmp_path / "fitted")
    assert [f.name for f in (tmp_path / "fitted").iterdir()] == ["grid.json"]
    assert set(json.loads((tmp_path / "fitted" / "grid.json").read_text())["variables"]) == {"tas", "pr"}
    again = NoChange.load(tmp_path / "fitted")
    xr.testing.assert_equal(again.predict(YEARS, seed=0), fitted.predict(YEARS, seed=0))


def test_it_must_be_fitted_first(tmp_path):
    with pytest.raises(ModelError, match="was not fitted; call fit"):
        NoChange().predict(YEARS, seed=0)
    with pytest.raises(ModelError, match="was not fitted; there is nothing to save"):
        NoChange().save(tmp_path / "fitted")
    assert not (tmp_path / "fitted").exists()
