"""The variance in the tropics through the engine, against the metric of its own file and plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.metrics.variance_ratio import time_sums, variance_ratio
from climbench.regions import region_weights
from climbench.tasks.forecast.physics_score import PHYSICS
from tests.tasks.forecast import made_stores as made
from tests.tasks.forecast import moist_stores as moist

RAIN, INITS = "mean_total_precipitation_rate", 9
ROW = np.flatnonzero(np.abs(made.LATITUDE) <= 20.0)
OPTIONS = {"targets": ["surface_pressure"], "use_climatology": None, "metrics": ["tropical_variance"]}


def showers(data, seed):
    """Rain that is another in each cell and state."""
    drawn = np.random.default_rng(seed).gamma(2.0, 2e-5, data[RAIN].shape)
    return data.assign({RAIN: (data[RAIN].dims, drawn, data[RAIN].attrs)})


@pytest.fixture
def written(tmp_path):
    """A function that writes a forecast beside its truth; returns the folder."""

    def written(forecast, truth, chunks=None):
        made.written(tmp_path / "truth.zarr", truth)
        made.written(tmp_path / "forecast.zarr", forecast, chunks)
        return tmp_path

    return written


def ratios(found):
    return [row["value"] for row in found.rows if row["variable"] == PHYSICS and row["metric"] == "tropical_variance"]


def by_hand(forecast, truth, starts=range(INITS)):
    """By plain NumPy: the only rows within 20 degrees are those of ROW, of one size."""
    found = []
    for j, lead in enumerate(moist.LEADS):
        ours = forecast[RAIN].values[list(starts), j][..., ROW, :]
        theirs = truth[RAIN].values[np.asarray(starts) + lead // 12][..., ROW, :]
        found.append(ours.var(axis=0).mean() / theirs.var(axis=0).mean())
    return found


@pytest.mark.parametrize("chunks", [None, {"time": 2, "prediction_timedelta": 1, "latitude": -1}])
def test_the_variance_over_starts_beside_the_truths(written, scores_of, chunks):
    forecast, truth = showers(moist.moist_forecast(0.0, 0.0), 1), showers(moist.moist_truth(), 2)
    _, found = scores_of(written(forecast, truth, chunks), **OPTIONS)
    assert ratios(found) == pytest.approx(by_hand(forecast, truth), rel=1e-10)
    assert f"physics: tropical_variance is that of '{RAIN}'" in found.notes
    first = truth[RAIN].isel(time=slice(1, 1 + INITS)).assign_coords(time=forecast["time"])
    sums = [time_sums(part) for part in (forecast[RAIN].isel(prediction_timedelta=0), first)]
    rows = xr.DataArray(np.ones(made.LATITUDE.size), {"latitude": made.LATITUDE}, "latitude")
    expected = variance_ratio(*sums, region_weights(rows, truth, "tropics"))
    assert ratios(found)[0] == pytest.approx(float(expected), rel=1e-10)


def test_members_vary_each_by_itself(written, scores_of):
    """The mean of two members that differ in sign alone does not vary; each of them does."""
    forecast, truth = showers(moist.moist_forecast(0.0, 0.0), 1), showers(moist.moist_truth(), 2)
    other = forecast.assign({RAIN: (1e-3 - forecast[RAIN]).assign_attrs(forecast[RAIN].attrs)})
    both = xr.concat([forecast.expand_dims(number=[0]), other.expand_dims(number=[1])], "number")
    _, found = scores_of(written(both, truth), **OPTIONS)
    assert ratios(found) == pytest.approx(by_hand(forecast, truth), rel=1e-8)


def test_missing_values_are_refused_or_left_out_of_both(written, scores_of):
    forecast, truth = showers(moist.moist_forecast(0.0, 0.0), 1), showers(moist.moist_truth(), 2)
    forecast[RAIN][0, :, ROW[0], 3] = np.nan
    folder = written(forecast, truth)
    options = {**OPTIONS, "metrics": ["rmse", "tropical_variance"]}
    _, found = scores_of(folder, **options)
    assert found.impossible["tropical_variance"] == (
        "values: 4 of 36 states have missing values, and a mean over the globe needs all",
    )
    _, found = scores_of(folder, **options, nan="mask")
    assert ratios(found) == pytest.approx(by_hand(forecast, truth, range(1, INITS)), rel=1e-10)


def test_what_cannot_be_had_is_said(written, scores_of):
    forecast, truth = showers(moist.moist_forecast(0.0, 0.0), 1), moist.moist_truth()
    options = {**OPTIONS, "metrics": ["rmse", "tropical_variance"]}
    _, found = scores_of(written(forecast, truth), **options)
    assert found.impossible["tropical_variance"][0].startswith("something to hold it against")
    _, found = scores_of(written(forecast.drop_vars(RAIN), truth), **options)
    assert found.impossible["tropical_variance"] == (
        "one of precipitation, top_thermal_up, water_path, temperature in forecast and truth",
    )
    _, found = scores_of(written(forecast.isel(time=[0]), truth), **options)
    assert found.impossible["tropical_variance"] == ("two initial times or more: a variance is over them",)
