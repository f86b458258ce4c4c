"""Small forecast, truth and climatology stores, and their scores by plain NumPy, apart from the package's code."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
import zarr

LATITUDE = np.linspace(-90.0, 90.0, 7)
LONGITUDE = np.arange(0.0, 360.0, 45.0)
HOURS = np.array([12, 24, 36, 48])
NAMES = ("2m_temperature", "mean_sea_level_pressure")


def made_truth(seed=1, periods=20, variables=NAMES, start="2020-02-20"):
    rng = np.random.default_rng(seed)
    times = pd.date_range(start, periods=periods, freq="12h")
    return _filled(rng, {"time": times}, variables)


def made_forecast(seed=2, inits=9, members=0, variables=NAMES, start="2020-02-20"):
    rng = np.random.default_rng(seed)
    coords = {
        "time": pd.date_range(start, periods=inits, freq="12h"),
        "prediction_timedelta": HOURS.astype("timedelta64[h]").astype("timedelta64[ns]"),
    }
    if members:
        coords["number"] = np.arange(members)
    return _filled(rng, coords, variables)


def made_climatology(seed=3, variables=NAMES):
    rng = np.random.default_rng(seed)
    made = _filled(rng, {"hour": [0, 12], "dayofyear": np.arange(1, 367)}, variables)
    return made.assign_attrs(climatology_period="1990-01-01T00:00:00/2017-12-31T18:00:00")


def _filled(rng, coords, variables):
    coords = {**coords, "latitude": LATITUDE, "longitude": LONGITUDE}
    shape = tuple(len(c) for c in coords.values())
    size = {"2m_temperature": (280.0, 5.0), "mean_sea_level_pressure": (1.0e5, 900.0)}
    arrays = {}
    for name in variables:
        mean, spread = size.get(name, (10.0, 3.0))
        arrays[name] = (tuple(coords), rng.normal(mean, spread, shape).astype("float32"))
    return xr.Dataset(arrays, coords=coords)


def written(path, data, chunks=None, zarr_format=3):
    """Write a store; returns its path as text."""
    stored = data if chunks is None else data.chunk(chunks)
    with zarr.config.set({"array.write_empty_chunks": True}):  # a map of missing values is no missing map
        stored.drop_encoding().to_zarr(path, mode="w", zarr_format=zarr_format, consolidated=zarr_format == 2)
    return str(path)


def cell_weights(latitude=LATITUDE):
    """Areas of rows from pole to pole, of mean 1."""
    edges = np.concatenate([[-90.0], (latitude[1:] + latitude[:-1]) / 2, [90.0]])
    rows = np.diff(np.sin(np.deg2rad(edges)))
    return rows / rows.mean()


def area_mean(field, rows):
    """Mean of a (latitude, longitude) map, weighted by row."""
    total = 0.0
    for j, weight in enumerate(rows):
        total += weight * float(np.mean(field[j].astype("float64")))
    return total / float(np.sum(rows))


def at_valid(truth, forecast, name, i, j):
    """The truth's map for the i-th initial and j-th lead time."""
    valid = forecast["time"].values[i] + forecast["prediction_timedelta"].values[j]
    return truth[name].sel(time=valid).values.astype("float64")


def climatology_at(climatology, forecast, name, i, j):
    valid = pd.Timestamp(forecast["time"].values[i] + forecast["prediction_timedelta"].values[j])
    return climatology[name].sel(hour=valid.hour, dayofyear=valid.day_of_year).values.astype("float64")
