"""A small simulated store laid out as WeatherBench's ERA5: travelling waves, in its names and order."""

from __future__ import annotations

import warnings
from contextlib import contextmanager

import numpy as np
import pandas as pd
import xarray as xr

from climbench.records import WORLD_ATTRIBUTE
from tests.data.object_store import ObjectStore, start

LEVELS = [500, 700, 850]
ROWS, COLUMNS = 16, 32
SIZES = {
    "geopotential": (54000.0, 1500.0),
    "u_component_of_wind": (5.0, 10.0),
    "v_component_of_wind": (0.0, 8.0),
    "2m_temperature": (285.0, 10.0),
}
CHUNK = 20  # times


def era5_like(times, seed=0):
    """Return states of a wave that turns by 0.6 radian a day, and a little noise; longitude before latitude."""
    rng = np.random.default_rng(seed)
    width = 180.0 / ROWS
    latitude, longitude = 90.0 - width * (np.arange(ROWS) + 0.5), width * np.arange(COLUMNS)
    turn = 0.6 * np.arange(times.size)[:, None, None]
    wave = np.cos(2 * np.deg2rad(longitude)[:, None] - turn) * np.cos(np.deg2rad(latitude)) ** 2
    variables = {}
    for name, (mean, size) in SIZES.items():
        field = mean + size * (wave + 0.05 * rng.standard_normal(wave.shape))
        if name == "2m_temperature":
            variables[name] = (("time", "longitude", "latitude"), field.astype("f4"))
        else:
            by_level = np.stack([field * (1.0 + 0.1 * n) for n in range(len(LEVELS))], axis=1)
            variables[name] = (("time", "level", "longitude", "latitude"), by_level.astype("f4"))
    coordinates = {"time": times, "level": LEVELS, "longitude": longitude, "latitude": latitude}
    return xr.Dataset(variables, coordinates, {WORLD_ATTRIBUTE: "travelling waves"})


def write_era5(folder, data):
    """Write a store as WeatherBench's are: of zarr 2, with consolidated metadata."""
    with warnings.catch_warnings(action="ignore"):
        data.chunk(time=CHUNK).to_zarr(folder / "era5.zarr", zarr_format=2, consolidated=True)


def days(begin, end):
    """Return the days of a period at 00 UTC."""
    return pd.date_range(begin, end, freq="D")


@contextmanager
def served(folder):
    """Serve a folder over loopback while the context lasts."""
    held = ObjectStore(folder)
    server = start(held)
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()


def chunk_reads(held, variable):
    """Return how often each chunk of a variable was asked for, by its number in time."""
    prefix = f"era5.zarr/{variable}/"
    names = [path.removeprefix(prefix) for path in held.requests if path.startswith(prefix)]
    numbers = [int(name.partition(".")[0]) for name in names if name[0].isdigit()]
    return {number: numbers.count(number) for number in sorted(set(numbers))}


def bytes_below(folder):
    """Return the bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
