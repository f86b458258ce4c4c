"""Scoring forecasts against merely reading them, in time and memory, and on one worker process against two.

The case, after issue 5: two variables on 121 x 240 cells from 40 initial times over 20 lead times (186 MB), with a
climatology of two hours a day (170 MB, of which a forecast of twenty days needs a part; the peer reads it whole); and
50 members on the same grid (164 MB). The values are noise, float32, zarr 2 with the default codec.
"""

from __future__ import annotations

import contextlib

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr

from climbench.cards import find_dataset, find_task, with_settings
from climbench.tasks.forecast import pieces, stores
from climbench.tasks.forecast.scoring import Forecasts
from climbench.tasks.forecast.stores import Places

NAMES = ("2m_temperature", "mean_sea_level_pressure")
ROWS, COLUMNS, LEADS, INITS, MEMBERS = 121, 240, 20, 40, 50
DATASET = "weatherbench2-era5"

SCORE = """
import sys
from tests.performance.test_forecasts import deterministic
deterministic(sys.argv[1], sys.argv[2])()
"""
SCORE_ENSEMBLE = """
import sys
from tests.performance.test_forecasts import ensemble
ensemble(sys.argv[1])()
"""


def write(path, axes, chunks, names=NAMES):
    """Write a store of noise, a chunk at a time, in little memory."""
    group = zarr.create_group(path, zarr_format=2)
    rng = np.random.default_rng(0)
    shape = (*(len(values) for values in axes.values()), ROWS, COLUMNS)
    size = (*chunks, ROWS, COLUMNS)
    for name in names:
        array = group.create_array(name, shape=shape, chunks=size, dtype="float32")
        array.attrs["_ARRAY_DIMENSIONS"] = [*axes, "latitude", "longitude"]
        for place in np.ndindex(*(-(-n // c) for n, c in zip(shape, size, strict=True))):
            where = tuple(slice(p * c, min((p + 1) * c, n)) for p, c, n in zip(place, size, shape, strict=True))
            part = tuple(cut.stop - cut.start for cut in where)
            array[where] = 280.0 + 5.0 * rng.standard_normal(part, dtype="float32")
    grid = {"latitude": np.linspace(-90.0, 90.0, ROWS), "longitude": np.arange(COLUMNS) * 360.0 / COLUMNS}
    xr.Dataset(coords={**axes, **grid}).to_zarr(path, mode="a", zarr_format=2, consolidated=False)
    return path


def make(folder, inits):
    times = pd.date_range("2020-01-01", periods=inits, freq="12h")
    leads = (np.arange(1, LEADS + 1) * np.timedelta64(12, "h")).astype("timedelta64[ns]")
    truth = pd.date_range("2020-01-01", periods=inits + LEADS, freq="12h")
    write(folder / "truth.zarr", {"time": truth}, (16,))
    write(folder / "forecast.zarr", {"time": times, "prediction_timedelta": leads}, (1, LEADS))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = make(tmp_path_factory.mktemp("weather"), INITS)
    write(made / "climatology.zarr", {"hour": [0, 12], "dayofyear": np.arange(1, 367)}, (1, 30))
    times = pd.date_range("2020-01-01", periods=7, freq="12h")
    leads = (np.arange(1, 5) * np.timedelta64(12, "h")).astype("timedelta64[ns]")
    axes = {"time": times, "prediction_timedelta": leads, "number": np.arange(MEMBERS)}
    write(made / "ensemble.zarr", axes, (1, 1, MEMBERS), NAMES[:1])
    return made


@pytest.fixture(scope="module")
def long_folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("long-weather"), 10 * INITS)


def scored(places, client=None, threads=None, **settings):
    stores.forget()
    pieces.forget()
    card = with_settings(find_task("weatherbench"), {"regions": ["global"], **settings})
    return Forecasts.open(card, find_dataset(DATASET), places).score(client=client, threads=threads)


def deterministic(folder, climatology, client=None, threads=None):
    """Return a function that scores RMSE, bias and ACC."""
    places = Places(f"{folder}/forecast.zarr", f"{folder}/truth.zarr", str(climatology), DATASET)

    def score():
        found = scored(places, client, threads, targets=list(NAMES), metrics=["rmse", "bias", "acc"])
        assert len(found.rows) == 3 * LEADS * len(NAMES)

    return score


def ensemble(folder):
    """Return a function that scores the ensemble mean's RMSE, spread and fair CRPS."""
    places = Places(f"{folder}/ensemble.zarr", f"{folder}/truth.zarr", None, DATASET)

    def score():
        metrics = ["ensemble_mean_rmse", "spread", "crps_fair"]
        assert len(scored(places, targets=[NAMES[0]], metrics=metrics).rows) == 3 * 4

    return score


def read(*paths):
    """Return a function that reads stores whole."""

    def whole():
        for path in paths:
            data = xr.open_zarr(path, chunks=None, consolidated=False)
            for name in data.data_vars:
                assert data[name].values.size

    return whole


def test_rmse_bias_and_acc(ratio, folder):
    ratio(
        "RMSE, bias and ACC of a forecast (at most 2)",
        deterministic(folder, folder / "climatology.zarr"),
        against="reading forecast and climatology",
        peer=read(folder / "forecast.zarr", folder / "climatology.zarr"),
        rounds=5,
    )


def test_an_ensemble(ratio, folder):
    ratio(
        "RMSE of the mean, spread and fair CRPS of 50 members (at most 3)",
        ensemble(folder),
        against="reading the ensemble",
        peer=read(folder / "ensemble.zarr"),
        rounds=5,
    )


def test_crps_alone(ratio, folder):
    import scores.probability

    from climbench.metrics.crps import fair_crps

    data = xr.open_zarr(folder / "ensemble.zarr", chunks=None, consolidated=False)[NAMES[0]].isel(time=[0, 1]).load()
    truth = data.isel(number=0, drop=True) + 1.0
    ratio(
        "fair CRPS of 50 members in memory",
        lambda: fair_crps(data, truth, member="number"),
        against="the package scores",
        peer=lambda: scores.probability.crps_for_ensemble(data, truth, "number", method="fair", preserve_dims="all"),
        rounds=3,
    )


@contextlib.contextmanager
def processes(count):
    """Give a client of so many worker processes of one thread each."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0") as local,
        Client(local) as client,
    ):
        client.wait_for_workers(count)
        yield client


def test_two_worker_processes(ratio, folder):
    with processes(1) as one, processes(2) as two:
        ratio(
            "scoring on two one-threaded processes (at most 0.65)",
            deterministic(folder, folder / "climatology.zarr", client=two),
            against="one one-threaded process",
            peer=deterministic(folder, folder / "climatology.zarr", client=one),
            rounds=5,
        )


def test_peak_memory(peak_memory, folder, long_folder):
    climatology = folder / "climatology.zarr"
    peak_memory("scoring 40 initial times", SCORE, folder, climatology, limit_mb=600)
    peak_memory("scoring 400 initial times", SCORE, long_folder, climatology, limit_mb=600)
    peak_memory("scoring 50 members", SCORE_ENSEMBLE, folder, limit_mb=600)
