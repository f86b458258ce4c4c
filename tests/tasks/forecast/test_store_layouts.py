"""What a store looks like on disk changes no score: chunks, order, names, zarr version, workers."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.cluster import cluster
from tests.tasks.forecast import made_stores as made

METRICS = ["rmse", "bias", "mae", "acc"]
ENSEMBLE = ["crps_fair", "spread", "rmse", "bias"]


def same(one, other, rel=1e-12):
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert value == pytest.approx(other[key], rel=rel, abs=1e-12), key


def cut(data, size):
    """Chunks of some length along times and members (-1: whole), and of a few rows and columns."""
    few = {"latitude": 4, "longitude": 3, "dayofyear": 61}
    return {d: few.get(d, n if size < 0 else min(size, n)) for d, n in data.sizes.items()}


@pytest.mark.parametrize("size", [1, 7, -1])
def test_chunks_do_not_matter(folder, scores_of, size):
    for name in ("truth", "forecast", "climatology"):
        data = xr.open_zarr(folder / f"{name}.zarr", chunks=None, consolidated=False)
        made.written(folder / f"{name}-cut.zarr", data, cut(data, size))
    whole, _ = scores_of(folder, metrics=METRICS)
    parts, _ = scores_of(
        folder, "forecast-cut.zarr", truth="truth-cut.zarr", use_climatology="climatology-cut.zarr", metrics=METRICS
    )
    same(whole, parts)


@pytest.mark.parametrize("size", [1, 7, -1])
def test_chunks_of_an_ensemble_do_not_matter(folder, scores_of, size):
    data = made.made_forecast(members=9)
    made.written(folder / "ensemble.zarr", data)
    made.written(folder / "cut.zarr", data, cut(data, size))
    whole, _ = scores_of(folder, "ensemble.zarr", metrics=ENSEMBLE)
    parts, _ = scores_of(folder, "cut.zarr", metrics=ENSEMBLE)
    same(whole, parts)


def test_a_flipped_renamed_transposed_copy_of_another_zarr_version_scores_the_same(folder, scores_of):
    forecast, truth = made.made_forecast(members=3), made.made_truth()
    made.written(folder / "ensemble.zarr", forecast)
    turned = forecast.isel(latitude=slice(None, None, -1)).rename(
        latitude="lat", longitude="lon", number="realization", prediction_timedelta="step"
    )
    turned = turned.assign_coords(lon=(turned["lon"] + 180.0) % 360.0 - 180.0).sortby("lon")
    turned = turned.transpose("lon", "lat", "realization", "step", "time")
    made.written(folder / "turned.zarr", turned, zarr_format=2)
    observed = truth.isel(latitude=slice(None, None, -1)).rename(latitude="lat", longitude="lon")
    made.written(folder / "observed.zarr", observed.transpose("lon", "lat", "time"), zarr_format=2)
    one, _ = scores_of(folder, "ensemble.zarr", metrics=ENSEMBLE)
    other, _ = scores_of(folder, "turned.zarr", truth="observed.zarr", metrics=ENSEMBLE)
    same(one, other)


def test_netcdf_scores_as_zarr_does(folder, scores_of):
    made.made_forecast().to_netcdf(folder / "forecast.nc")
    one, _ = scores_of(folder, metrics=METRICS)
    other, _ = scores_of(folder, "forecast.nc", metrics=METRICS)
    same(one, other)


def test_levels_may_be_an_axis_or_suffixes(tmp_path, scores_of):
    rng = np.random.default_rng(0)
    truth = made.made_truth(variables=("2m_temperature",))
    forecast = made.made_forecast(variables=("2m_temperature",))

    def on_levels(data):
        copies = [data["2m_temperature"] + float(rng.normal()) for _ in (500, 850)]
        levels = xr.DataArray([500, 850], dims="level", name="level")
        return xr.concat(copies, levels).rename("temperature").to_dataset()

    truth, forecast = on_levels(truth), on_levels(forecast)
    suffixed = xr.Dataset({f"temperature_{n}": forecast["temperature"].sel(level=n, drop=True) for n in (500, 850)})
    made.written(tmp_path / "truth.zarr", truth)
    made.written(tmp_path / "axis.zarr", forecast)
    made.written(tmp_path / "suffixed.zarr", suffixed)
    options = {"metrics": ["rmse", "bias"], "use_climatology": None}
    one, _ = scores_of(tmp_path, "axis.zarr", targets=["temperature_850", "temperature_500"], **options)
    other, _ = scores_of(tmp_path, "suffixed.zarr", targets=["temperature_500", "temperature_850"], **options)
    every, _ = scores_of(tmp_path, "axis.zarr", targets=["temperature"], **options)
    same(one, other)
    same(one, every)


def test_a_variable_without_a_level_axis_is_scored_as_it_stands(tmp_path, scores_of):
    truth = made.made_truth(variables=("geopotential",))
    forecast = made.made_forecast(variables=("geopotential",))
    made.written(tmp_path / "truth.zarr", truth)
    made.written(tmp_path / "forecast.zarr", forecast)
    table, _ = scores_of(tmp_path, targets=["geopotential"], metrics=["rmse"], use_climatology=None)
    assert {variable for variable, *_ in table} == {"geopotential"}


def test_threads_and_worker_processes_give_the_same(folder, scores_of):
    data = made.made_forecast(members=4)
    made.written(folder / "ensemble.zarr", data, {"time": 1, "prediction_timedelta": 2})
    one, _ = scores_of(folder, "ensemble.zarr", metrics=ENSEMBLE, threads=1)
    two, _ = scores_of(folder, "ensemble.zarr", metrics=ENSEMBLE, threads=2)
    same(one, two)
    with cluster(workers=2) as client:
        three, _ = scores_of(folder, "ensemble.zarr", metrics=ENSEMBLE, client=client)
    same(one, three)
