"""Aurora as a forecaster: what a double of its network is shown and says, and the package itself where it is."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
import torch
import xarray as xr

from climbench.errors import MissingExtraError, ModelError
from climbench.models.adapters.aurora import Aurora
from tests.models.adapters.moving_columns import FAKE_AURORA, LATITUDE, LONGITUDE, moving
from tests.models.forecast_states import leads, states

NAMES = ("2m_temperature", "mean_sea_level_pressure", "geopotential", "temperature")


@pytest.fixture
def package(monkeypatch):
    monkeypatch.setitem(sys.modules, "aurora", FAKE_AURORA)


@pytest.fixture
def data():
    made = moving(NAMES)
    made["land_sea_mask"] = (("latitude", "longitude"), np.zeros((5, 8), "float32"), {"units": "1"})
    return made


def fitted(data, weights="random", **settings):
    made = Aurora(weights, **settings)
    made.fit({"train": data}, seed=3)
    return made


@pytest.mark.parametrize("batch_size", [1, 2])
def test_weather_that_moves_by_columns_is_forecast_to_the_value(package, data, batch_size):
    made = fitted(data, batch_size=batch_size)
    assert (made.history, made.parameters) == (2, 3)
    said = made.predict(states(data, (1, 3, 4), 2), leads=leads(1, 3, step="6h"), seed=0)
    assert set(said) == set(NAMES)
    for number, position in enumerate((1, 3, 4)):
        for place, step in enumerate((1, 3)):
            expected = data[list(NAMES)].isel(time=position + step).drop_vars("time")
            found = said.isel(init_time=number, lead_time=place).drop_vars(["init_time", "lead_time"])
            north = {"latitude": slice(1, None)}
            xr.testing.assert_allclose(found.isel(north), expected.isel(north), rtol=1e-6)
            np.testing.assert_array_equal(found["temperature"][:, 0], found["temperature"][:, 1])  # the cropped pole


def test_maps_of_a_file_in_another_order(package, data, tmp_path):
    whole = data.drop_vars("land_sea_mask")
    with pytest.raises(ModelError, match=r"nowhere: lsm \(land_sea_mask\)"):
        fitted(whole)
    land = np.broadcast_to(LATITUDE[:, None], (5, 8)) + LONGITUDE / 1000.0
    coords = {"lat": LATITUDE[::-1], "lon": LONGITUDE}
    xr.Dataset({"lsm": (("lat", "lon"), land[::-1])}, coords).to_netcdf(tmp_path / "static.nc")
    made = fitted(whole, static=str(tmp_path / "static.nc"))
    from climbench.models.adapters.aurora_statics import static_maps

    maps = static_maps(("lsm",), whole, str(tmp_path / "static.nc"))
    np.testing.assert_allclose(maps["lsm"], land, rtol=1e-6)
    batch = made._batch(states(whole, (1,), 2), maps)
    np.testing.assert_allclose(batch.static_vars["lsm"][0], land[-1], rtol=1e-6)  # Aurora's first row is the north


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.drop_vars("mean_sea_level_pressure"), "does not have: mean_sea_level_pressure"),
        (lambda d: d.isel(latitude=slice(2, None)), r"patches of 4 x 4, and the task has 3 x 8 points.*--grid"),
        (lambda d: d.assign_coords(level=[500, 860]), "does not know the levels 860 hPa"),
        (lambda d: d.isel(time=slice(None, None, 2)), "the task has one every 12 h"),
        (lambda d: d.assign(specific_humidity=d["temperature"]), "Aurora does not forecast specific_humidity"),
    ],
)
def test_tasks_that_do_not_fit(package, data, change, message):
    with pytest.raises(ModelError, match=message):
        fitted(change(data))


class Foul:
    pass


def test_weights(package, data, tmp_path):
    good, foul = tmp_path / "good.ckpt", tmp_path / "foul.ckpt"
    torch.save({"weight": torch.tensor([1.0, 2.0, 5.0])}, good)
    torch.save({"weight": Foul()}, foul)
    assert fitted(data, str(good)).model.weight.tolist() == [1.0, 2.0, 5.0]
    with pytest.raises(ModelError, match=r"foul.ckpt is no checkpoint for this Aurora: UnpicklingError"):
        fitted(data, str(foul))
    with pytest.raises(ModelError, match="There is no checkpoint"):
        fitted(data, str(tmp_path / "gone.ckpt"))
    with pytest.raises(ModelError, match="Aurora has no weights"):
        fitted(data, None)
    with pytest.raises(ModelError, match="Did you mean 'AuroraPretrained'"):
        Aurora("random", kind="AuroraPretraned")


def test_it_comes_back_from_its_folder(package, data, tmp_path):
    made = fitted(data)
    made.save(tmp_path)
    again = Aurora.load(tmp_path)
    given, ahead = states(data, (2,), again.history), leads(2, step="6h")
    xr.testing.assert_identical(made.predict(given, leads=ahead, seed=0), again.predict(given, leads=ahead, seed=0))


def test_without_the_package(monkeypatch, data):
    monkeypatch.setitem(sys.modules, "aurora", None)
    with pytest.raises(MissingExtraError, match=r"climbench\[aurora\]"):
        fitted(data)


@pytest.mark.filterwarnings("default")  # those of its dependencies are theirs
@pytest.mark.skipif(find_spec("aurora") is None, reason="microsoft-aurora is not installed")
def test_the_package_itself_with_random_weights():
    real = import_module("aurora")
    names = ("2m_temperature", "10m_u_component_of_wind", "10m_v_component_of_wind", "mean_sea_level_pressure")
    names += ("geopotential", "u_component_of_wind", "v_component_of_wind", "temperature", "specific_humidity")
    data = moving(names, latitude=np.linspace(-90, 90, 17)).isel(longitude=np.arange(32) % 8)
    data = data.assign_coords(longitude=np.arange(0, 360, 11.25))
    data["specific_humidity"] = (data["specific_humidity"] * 1e-5).assign_attrs(units="kg kg-1")
    for name in ("land_sea_mask", "geopotential_at_surface", "soil_type"):
        data[name] = (("latitude", "longitude"), np.zeros((17, 32), "float32"))
    small = {"embed_dim": 32, "num_heads": 2, "use_lora": False, "encoder_depths": (1, 1), "decoder_depths": (1, 1)}
    small |= {"encoder_num_heads": (2, 4), "decoder_num_heads": (4, 2), "window_size": (2, 2, 2)}
    made = fitted(data, options=small)
    given = states(data, (1, 2), 2)
    said = made.predict(given, leads=leads(1, 2, step="6h"), seed=0)
    assert isinstance(made.model, real.Aurora)
    assert said["temperature"].shape == (2, 2, 2, 17, 32)
    one = made.predict(given.isel(init_time=[1]), leads=leads(1, step="6h"), seed=0)
    rows = said.isel(init_time=[1], lead_time=[0])
    for name in names:
        assert np.isfinite(said[name]).all()
        np.testing.assert_allclose(one[name], rows[name], rtol=1e-4, atol=1e-5)
    maps = {v: np.zeros((17, 32), "float32") for v in ("lsm", "z", "slt")}
    with torch.inference_mode():
        batch = next(real.rollout(made.model, made._batch(given.isel(init_time=[1]), maps), 1))
    np.testing.assert_allclose(
        one["temperature"][0, 0, 1, 1:].values, batch.atmos_vars["t"][0, 0, 1].numpy()[::-1], rtol=1e-5
    )
