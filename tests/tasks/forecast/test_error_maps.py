"""Maps of errors, against plain sums by NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.data.stores import open_store
from climbench.tasks.forecast.error_maps import error_maps
from tests.tasks.forecast import made_stores as made

WIND = ("10m_u_component_of_wind", "10m_v_component_of_wind")
HOURS = [24.0, 48.0]


def errors_of(folder, name, hour):
    """Errors of the mean over members, of shape (init, latitude, longitude); NaN where there is no truth."""
    forecast = open_store(folder / "forecast.zarr")[name].sel(prediction_timedelta=np.timedelta64(int(hour), "h"))
    forecast = forecast.mean("number", dtype="float64") if "number" in forecast.dims else forecast.astype("float64")
    valid = (forecast["time"] + np.timedelta64(int(hour), "h")).values
    truth = open_store(folder / "truth.zarr")[name].reindex(time=valid).astype("float64")
    return forecast.values - truth.values


@pytest.fixture
def opened(folder, scores_of):
    """A function that opens a forecast written with some chunks."""

    def opens(chunks=None, members=3, variables=made.NAMES, **changes):
        forecast = made.made_forecast(inits=12, members=members, variables=variables)
        made.written(folder / "forecast.zarr", forecast, chunks)
        made.written(folder / "truth.zarr", made.made_truth(periods=13, variables=variables))
        test = {"period": ["2020-02-20", "2020-02-25"], "hours": [0, 12]}
        return scores_of.opened(folder, test=test, **changes)

    return opens


@pytest.mark.parametrize("chunks", [{"time": 1}, {"time": 5, "prediction_timedelta": 3}, {"time": 12}])
def test_maps_are_those_of_plain_sums_whatever_the_chunks(opened, folder, chunks):
    """The truth ends before the last forecasts do: they count where there is one."""
    forecasts = opened(chunks)
    maps = error_maps(forecasts, forecasts.matched.targets[0], HOURS)
    for hour in HOURS:
        errors = errors_of(folder, made.NAMES[0], hour)
        assert np.isnan(errors).any()
        np.testing.assert_allclose(maps["bias"].sel(lead_time=hour), np.nanmean(errors, axis=0), rtol=1e-10, atol=1e-9)
        expected = np.sqrt(np.nanmean(errors**2, axis=0))
        np.testing.assert_allclose(maps["rmse"].sel(lead_time=hour), expected, rtol=1e-10)
    assert maps.attrs["inits"] == 12


def test_what_is_read_is_capped_and_evenly_spaced(opened, folder):
    """Maps of 7 x 8 values of 4 bytes; 12 initial times, 3 members and a chunk of 4 lead times make 32 256 bytes."""
    forecasts = opened({"time": 1})
    target = forecasts.matched.targets[0]
    assert error_maps(forecasts, target, HOURS, most_bytes=32256, block_bytes=1).attrs["inits"] == 12
    half = error_maps(forecasts, target, HOURS, most_bytes=16128, block_bytes=1)
    assert half.attrs["inits"] == 6
    expected = np.nanmean(errors_of(folder, made.NAMES[0], 24.0)[[0, 2, 4, 7, 9, 11]], axis=0)
    np.testing.assert_allclose(half["bias"].sel(lead_time=24.0), expected, rtol=1e-10, atol=1e-9)
    assert error_maps(forecasts, target, HOURS, most_bytes=1, block_bytes=1).attrs["inits"] == 1


def test_a_speed_is_made_for_each_member_before_their_mean(opened, folder):
    forecasts = opened(variables=WIND, targets=["10m_wind_speed"], metrics=["rmse"], use_climatology=None)
    maps = error_maps(forecasts, forecasts.matched.targets[0], [24.0])
    stores = [open_store(folder / f"{name}.zarr") for name in ("forecast", "truth")]
    ours, theirs = (np.hypot(*(store[name].astype("float64") for name in WIND)) for store in stores)
    ours = ours.sel(prediction_timedelta=np.timedelta64(24, "h")).mean("number")
    valid = (ours["time"] + np.timedelta64(24, "h")).values
    expected = np.nanmean(ours.values - theirs.reindex(time=valid).values, axis=0)
    np.testing.assert_allclose(maps["bias"].isel(lead_time=0), expected, rtol=1e-6, atol=1e-6)


def test_a_wind_vector_has_the_root_of_its_mean_squared_length_and_no_mean_error(opened, folder):
    forecasts = opened(variables=WIND, targets=["10m_wind_vector"], metrics=["wind_vector_rmse"], use_climatology=None)
    maps = error_maps(forecasts, forecasts.matched.targets[0], [24.0])
    squares = sum(errors_of(folder, name, 24.0) ** 2 for name in WIND)
    np.testing.assert_allclose(maps["rmse"].isel(lead_time=0), np.sqrt(np.nanmean(squares, axis=0)), rtol=1e-10)
    assert "bias" not in maps


def test_cells_with_missing_values_count_where_they_are_there(opened, folder):
    forecasts = opened(nan="mask")
    holed = made.made_forecast(inits=12, members=3)
    holed[made.NAMES[0]][0, :, :, 2, 3] = np.nan
    holed[made.NAMES[0]][:, :, :, 4, 4] = np.nan
    made.written(folder / "forecast.zarr", holed)
    maps = error_maps(forecasts, forecasts.matched.targets[0], [24.0])
    errors = errors_of(folder, made.NAMES[0], 24.0)
    assert float(maps["rmse"][0, 2, 3]) == pytest.approx(np.sqrt(np.nanmean(errors[1:, 2, 3] ** 2)), rel=1e-10)
    assert np.isnan(maps["rmse"][0, 4, 4])
