"""A network learns from a store on a server: small forms of what the acceptance test of issue 6 shows at length."""

from __future__ import annotations

import pytest
import xarray as xr

pytest.importorskip("pytorch_lightning", reason="training needs the extra 'models'")

import torch

from climbench import harness
from climbench.cards import find_task, with_settings
from climbench.errors import ModelError
from climbench.models.forecasting.sfno import SFNO
from climbench.tasks.forecast.stores import open_weather
from climbench.tasks.forecast.task import training
from tests.data.era5_store import CHUNK, chunk_reads, days, era5_like, served, write_era5

SETTINGS = {
    "train": ["2017-01-01", "2017-12-31"],
    "validation": ["2018-01-01", "2018-01-31"],
    "test.period": ["2018-02-01", "2018-02-04"],
    "test.hours": [0],
    "targets": ["2m_temperature"],
    "leads": {"first": 24, "last": 48, "step": 24},
}
SMALL = {"width": 4, "layers": 1, "epochs": 2, "clock": False, "learning_rate": 0.01, "shuffle": False}
MEMORY = 365 * 16 * 32 * 4 // 2  # half of the training data
CARD = """
name: small
title: A small operator
protocol: forecast
class_path: climbench.models.forecasting.sfno.SFNO
init_args: {width: 4, layers: 1, epochs: 2, memory: 400000}
"""


@pytest.fixture(scope="module")
def era5(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    write_era5(folder, era5_like(days("2017-01-01", "2018-02-06"))[["2m_temperature"]])
    with served(folder) as held:
        yield held


def periods(era5):
    """Return training and validation data as the task gives them, lazily from the server."""
    truth = open_weather(f"{era5.url}/era5.zarr", "truth", "weatherbench2-era5")
    return training(with_settings(find_task("weatherbench"), SETTINGS), truth)


def test_a_run_with_the_climatology_of_the_training_years(era5, tmp_path, monkeypatch):
    monkeypatch.setattr("climbench.forecast_report.write_forecast_report", lambda *_: None)
    (tmp_path / "small.yaml").write_text(CARD)
    models = [str(tmp_path / "small.yaml"), "climatology"]
    place = f"{era5.url}/era5.zarr"
    settings = {**SETTINGS, "climatology": "train"}
    found = harness.run("weatherbench", models, data=place, set=settings, out=tmp_path / "run")
    correlations = found.scores[found.scores["metric"] == "acc"]
    assert set(correlations["model"]) >= {"small"}
    assert found.data.kind == "simulated"


def test_streamed_and_held_data_make_the_same_network(era5):
    """All is asked for once for statistics, then once, or once an epoch where it is streamed.

    What is streamed is asked for once more where it is looked at what steps change: at most 17 stretches of two chunks.
    """
    networks = []
    for memory, reads in ((2**30, 2), (MEMORY, 1 + SMALL["epochs"])):
        forecaster = SFNO(**SMALL, memory=memory)
        data = periods(era5)
        era5.requests.clear()
        forecaster.fit(*data, seed=0)
        found = chunk_reads(era5, "2m_temperature")
        asked = [found[number] for number in range(365 // CHUNK)]
        again = sum(asked) - reads * len(asked)
        assert min(asked) >= reads
        assert again == 0 if memory != MEMORY else 0 < again <= 34
        networks.append(forecaster.stepper.state_dict())
    for name, weights in networks[0].items():
        torch.testing.assert_close(networks[1][name], weights, rtol=1e-5, atol=1e-6)


def test_a_region_is_refused_before_anything_is_read(era5):
    train, validation = periods(era5)
    region = {name: data.isel(latitude=slice(3, 9)) for name, data in train.items()}
    era5.requests.clear()
    with pytest.raises(ModelError, match=r"made for the whole globe .* found 6 x 32"):
        SFNO(**SMALL).fit(region, validation, seed=0)
    assert chunk_reads(era5, "2m_temperature") == {}


def test_a_forecaster_of_other_states_is_refused(era5, tmp_path):
    """What was fitted to temperature cannot forecast pressure, nor be what another class is."""
    train, validation = periods(era5)
    forecaster = SFNO(**{**SMALL, "epochs": 1})
    forecaster.fit(train, validation, seed=0)
    forecaster.save(tmp_path)
    state = train["train"].isel(time=[3]).load().rename(time="init_time").expand_dims(history=[0]).astype("f4")
    given = state.assign_coords(history=xr.DataArray([0], dims="history").astype("timedelta64[ns]"))
    day = (train["train"]["time"].values[1:2] - train["train"]["time"].values[0]).astype("timedelta64[ns]")
    assert SFNO.load(tmp_path).predict(given, leads=day, seed=0)["2m_temperature"].shape == (1, 1, 16, 32)
    other = given.rename({"2m_temperature": "mean_sea_level_pressure"})
    with pytest.raises(ModelError, match="no '2m_temperature', which the network was trained on"):
        SFNO.load(tmp_path).predict(other, leads=day, seed=0)
