"""Deterministic scores against plain NumPy written apart, and against the libraries `scores` and `xskillscore`."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import xskillscore

from tests.tasks.forecast import made_stores as made

NAME = "2m_temperature"
ANOMALIES = ["acc", "acc_mean_of_inits", "activity", "activity_ratio"]


def pairs(lead):
    forecast, truth, climatology = made.made_forecast(), made.made_truth(), made.made_climatology()
    j = list(made.HOURS).index(lead)
    for i in range(forecast.sizes["time"]):
        f = forecast[NAME].values[i, j].astype("float64")
        yield f, made.at_valid(truth, forecast, NAME, i, j), made.climatology_at(climatology, forecast, NAME, i, j)


@pytest.mark.parametrize("lead", [12, 48])
def test_errors_are_those_of_their_formulas(folder, scores_of, lead):
    table, _ = scores_of(folder, metrics=["rmse", "rmse_mean_of_roots", "mae", "bias"])
    rows = made.cell_weights()
    square = [made.area_mean((f - o) ** 2, rows) for f, o, _ in pairs(lead)]
    size = [made.area_mean(abs(f - o), rows) for f, o, _ in pairs(lead)]
    bias = [made.area_mean(f - o, rows) for f, o, _ in pairs(lead)]
    wanted = {
        "rmse": np.sqrt(np.mean(square)),
        "rmse_mean_of_roots": np.mean(np.sqrt(square)),
        "mae": np.mean(size),
        "bias": np.mean(bias),
    }
    for metric, value in wanted.items():
        assert table[NAME, metric, "global", lead] == pytest.approx(value, rel=1e-6, abs=1e-9), metric
    assert wanted["rmse"] > wanted["rmse_mean_of_roots"]  # the order matters, as Jensen has it


def test_anomaly_scores_are_those_of_their_formulas(folder, scores_of):
    table, _ = scores_of(folder, metrics=ANOMALIES)
    rows = made.cell_weights()
    products = np.array(
        [[made.area_mean(p, rows) for p in ((f - c) * (o - c), (f - c) ** 2, (o - c) ** 2)] for f, o, c in pairs(24)]
    )
    product, ours, theirs = products.mean(axis=0)
    wanted = {
        "acc": product / np.sqrt(ours * theirs),
        "acc_mean_of_inits": np.mean(products[:, 0] / np.sqrt(products[:, 1] * products[:, 2])),
        "activity": np.sqrt(ours),
        "activity_ratio": np.sqrt(ours / theirs),
    }
    for metric, value in wanted.items():
        assert table[NAME, metric, "global", 24] == pytest.approx(value, rel=1e-6), metric
    assert wanted["acc"] != pytest.approx(wanted["acc_mean_of_inits"], rel=1e-6)


def test_rmse_mae_and_bias_agree_with_xskillscore(folder, scores_of):
    table, _ = scores_of(folder, metrics=["rmse", "mae", "bias"], weights="cos_latitude")
    forecast, truth = made.made_forecast(), made.made_truth()
    valid = forecast["time"] + forecast["prediction_timedelta"]
    observed = truth[NAME].sel(time=valid.rename(time="init").assign_coords(init=forecast["time"].values))
    predicted = forecast[NAME].rename(time="init").astype("float64")
    observed = observed.drop_vars("time").astype("float64").transpose(*predicted.dims)
    weights = np.cos(np.deg2rad(predicted["latitude"])).clip(min=0.0) * xr.ones_like(predicted[:, 0])
    for metric, theirs in (("rmse", xskillscore.rmse), ("mae", xskillscore.mae), ("bias", xskillscore.me)):
        value = theirs(predicted, observed, dim=["init", "latitude", "longitude"], weights=weights)
        ours = [table[NAME, metric, "global", hour] for hour in made.HOURS]
        np.testing.assert_allclose(ours, value.values, rtol=1e-6, atol=1e-7)


def test_a_perfect_forecast_scores_perfectly(folder, scores_of):
    truth, forecast = made.made_truth(), made.made_forecast()
    valid = forecast["time"] + forecast["prediction_timedelta"]
    perfect = truth.sel(time=valid.rename(time="init").assign_coords(init=forecast["time"].values))
    perfect = perfect.drop_vars("time").rename(init="time")
    made.written(folder / "perfect.zarr", perfect.transpose("time", "prediction_timedelta", "latitude", "longitude"))
    table, _ = scores_of(folder, "perfect.zarr", metrics=["rmse", "mae", "bias", "acc", "activity_ratio"])
    for (_, metric, _, _), value in table.items():
        assert value == (pytest.approx(1.0, rel=1e-12) if metric in ("acc", "activity_ratio") else 0.0)


def test_wind_vectors_are_scored_by_the_length_of_the_difference(tmp_path, scores_of):
    names = ("10m_u_component_of_wind", "10m_v_component_of_wind")
    truth, forecast = made.made_truth(variables=names), made.made_forecast(variables=names)
    forecast = forecast * 0.0 + truth.isel(time=0, drop=True) * 0.0
    truth = truth * 0.0
    forecast[names[0]] += 3.0
    forecast[names[1]] -= 4.0
    made.written(tmp_path / "truth.zarr", truth)
    made.written(tmp_path / "forecast.zarr", forecast.transpose("time", "prediction_timedelta", ...))
    table, _ = scores_of(tmp_path, targets=["10m_wind_vector", "10m_wind_speed"], use_climatology=None)
    assert table["10m_wind_vector", "wind_vector_rmse", "global", 24] == pytest.approx(5.0, rel=1e-12)
    assert table["10m_wind_speed", "rmse", "global", 24] == pytest.approx(5.0, rel=1e-12)
    assert ("10m_wind_vector", "rmse", "global", 24) not in table


def test_regions_weigh_only_their_cells(folder, scores_of):
    table, _ = scores_of(folder, metrics=["mae"], regions=["global", "tropics", "northern-hemisphere", "global_land"])
    rows, mean = made.cell_weights(), []
    north = np.where(made.LATITUDE >= 20.0, rows, 0.0)
    for f, o, _ in pairs(36):
        mean.append(made.area_mean(abs(f - o), north))
    assert table[NAME, "mae", "northern-hemisphere", 36] == pytest.approx(np.mean(mean), rel=1e-6)
    equator = [float(np.mean(abs(f - o)[3])) for f, o, _ in pairs(36)]  # the one row within 20 degrees
    assert table[NAME, "mae", "tropics", 36] == pytest.approx(np.mean(equator), rel=1e-6)
    assert table[NAME, "mae", "global_land", 36] != pytest.approx(table[NAME, "mae", "global", 36], rel=1e-6)


def test_a_regional_grid_ends_half_a_step_beyond_its_rows(tmp_path, scores_of):
    window = {"latitude": slice(1, 4)}  # -60, -30, 0: edges at -75, -45, -15 and 15
    made.written(tmp_path / "truth.zarr", made.made_truth().isel(window))
    made.written(tmp_path / "forecast.zarr", made.made_forecast().isel(window))
    table, _ = scores_of(tmp_path, metrics=["mae"], use_climatology=None)
    rows = np.diff(np.sin(np.deg2rad([-75.0, -45.0, -15.0, 15.0])))
    wanted = np.mean([made.area_mean(abs(f - o)[1:4], rows) for f, o, _ in pairs(12)])
    assert table[NAME, "mae", "global", 12] == pytest.approx(wanted, rel=1e-6)
