"""Small series of states on a grid, and the states that forecasts start from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

LATITUDE = np.arange(-67.5, 90.0, 45.0)
LONGITUDE = np.arange(0.0, 360.0, 45.0)


def series_of(values, start="2001-01-01", step="24h", name="psl", latitude=LATITUDE, longitude=LONGITUDE):
    """Return values of shape (time, latitude, longitude) as a data set."""
    times = pd.date_range(start, periods=len(values), freq=step)
    coords = {"time": times, "latitude": latitude, "longitude": longitude}
    return xr.Dataset({name: (tuple(coords), np.asarray(values, "float32"), {"units": "Pa"})}, coords)


def states(data, positions, history=1):
    """Return the states at positions along time, and those before them, as a task gives them."""
    step = np.diff(data["time"].values)[0]
    lags = np.arange(1 - history, 1)
    index = xr.DataArray(np.asarray(positions)[:, None] + lags, dims=("init_time", "history"))
    picked = data.isel(time=index).drop_vars("time")
    inits = data["time"].values[np.asarray(positions)]
    return picked.assign_coords(init_time=inits, history=(lags * step).astype("timedelta64[ns]"))


def leads(*steps, step="24h"):
    """Return lead times of so many steps."""
    return np.array([pd.Timedelta(step).to_timedelta64() * n for n in steps]).astype("timedelta64[ns]")
