"""A small moist atmosphere that is the same everywhere, and forecasts of it whose budgets are known by construction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from climbench.constants import GRAVITY
from tests.tasks.forecast.made_stores import LATITUDE, LONGITUDE

LEVELS = np.array([300, 500, 850])  # hPa: weights of the trapezoidal rule are 100, 275 and 175 hPa
WEIGHTS = np.array([10000.0, 27500.0, 17500.0])
HUMIDITY = np.array([0.0005, 0.002, 0.01])
LEADS = np.array([12, 24, 36, 48])
STEP = 12 * 3600.0
PRECIPITATION, EVAPORATION = 3e-5, 4e-5  # kg m-2 s-1


def water(humidity):
    """Water path in kg m-2 of one column."""
    return float(humidity @ WEIGHTS) / GRAVITY


def column_loss(kilograms):
    """What is taken off humidity at 850 hPa so that the column loses this much water, in kg m-2."""
    return kilograms * GRAVITY / WEIGHTS[2]


def _maps(values):
    """Spread values of shape (...) over the grid, in float64."""
    return np.asarray(values)[..., None, None] * np.ones((LATITUDE.size, LONGITUDE.size))


def _dataset(coords, pressure, humidity, precipitation, evaporation):
    dims = tuple(coords)
    axes = {**coords, "level": LEVELS, "latitude": LATITUDE, "longitude": LONGITUDE}
    rates = {"units": "kg m-2 s-1"}
    return xr.Dataset(
        {
            "surface_pressure": ((*dims, "latitude", "longitude"), _maps(pressure), {"units": "Pa"}),
            "specific_humidity": ((*dims, "level", "latitude", "longitude"), _maps(humidity), {"units": "kg kg-1"}),
            "mean_total_precipitation_rate": ((*dims, "latitude", "longitude"), _maps(precipitation), rates),
            "mean_evaporation_rate": ((*dims, "latitude", "longitude"), _maps(-np.asarray(evaporation)), rates),
        },
        coords=axes,
    )


def moist_truth(periods=16):
    """Steady, and in balance: it rains what evaporates."""
    times = pd.date_range("2020-02-20", periods=periods, freq="12h")
    one = np.ones(periods)
    return _dataset({"time": times}, 1e5 * one, HUMIDITY * one[:, None], PRECIPITATION * one, PRECIPITATION * one)


def moist_forecast(dry_loss, residual, inits=9):
    """A forecast that loses dry air and water.

    Parameters
    ----------
    dry_loss : float
        kg m-2 of dry air that the n-th lead time has lost, times n.
    residual : float
        Change of water in kg m-2 s-1 that its fluxes leave unexplained, at every lead time.
    """
    n = np.arange(1, LEADS.size + 1)
    gained = n * STEP * (EVAPORATION - PRECIPITATION + residual)
    humidity = np.tile(HUMIDITY, (LEADS.size, 1))
    humidity[:, 2] += column_loss(gained)
    pressure = 1e5 + GRAVITY * (gained - n * dry_loss)
    fill = lambda values: np.broadcast_to(values, (inits, *np.shape(values)))  # noqa: E731
    one = np.ones(LEADS.size)
    times = pd.date_range("2020-02-20", periods=inits, freq="12h")
    leads = LEADS.astype("timedelta64[h]").astype("timedelta64[ns]")
    coords = {"time": times, "prediction_timedelta": leads}
    return _dataset(coords, fill(pressure), fill(humidity), fill(PRECIPITATION * one), fill(EVAPORATION * one))
