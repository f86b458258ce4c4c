"""Stores whose every value tells where it belongs, for tests of streaming."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from zarr.storage import LocalStore

from climbench.data.streaming import Part

LATITUDE, LONGITUDE = np.array([-60.0, 0.0, 60.0]), np.arange(0.0, 360.0, 90.0)
LEVELS = [300, 500, 850]
CELLS = LATITUDE.size * LONGITUDE.size
PARTS = {"inputs": Part(["t", "z"], (-1, 0)), "targets": Part(["t"], (1,)), "forcings": Part(["co2", "so2"], (0, 1))}


def fields(times=200, members=None, seed=0):
    """Return canonical data: t and so2 over time, z on levels, a series and a static field, all values distinct."""
    rng = np.random.default_rng(seed)
    of_member = {} if members is None else {"member": members}
    sizes = {**of_member, "time": times, "level": len(LEVELS), "latitude": LATITUDE.size, "longitude": LONGITUDE.size}

    def drawn(*dims):
        there = tuple(d for d in dims if d in sizes)
        return there, rng.standard_normal([sizes[d] for d in there]).astype("float32")

    return xr.Dataset(
        {
            "t": drawn("member", "time", "latitude", "longitude"),
            "z": drawn("member", "time", "level", "latitude", "longitude"),
            "so2": drawn("time", "latitude", "longitude"),
            "co2": drawn("time"),
            "orography": drawn("latitude", "longitude"),
        },
        coords={
            "time": pd.date_range("2001-01-01", periods=times, freq="6h"),
            "level": LEVELS,
            "latitude": LATITUDE,
            "longitude": LONGITUDE,
            **({} if members is None else {"member": np.arange(1, members + 1)}),
        },
    )


def write(path, data, chunks=None):
    """Write a zarr 3 store, with 10 times a chunk unless told otherwise, and return it opened lazily."""
    chunks = {"time": 10, "member": 1, "level": 2, **(chunks or {})}
    encoding = {
        str(name): {"chunks": tuple(min(chunks.get(d, n), n) for d, n in variable.sizes.items())}
        for name, variable in data.data_vars.items()
    }
    data.to_zarr(path, zarr_format=3, consolidated=False, encoding=encoding)
    return open_lazily(path)


def open_lazily(path):
    return xr.open_zarr(path, chunks=None, consolidated=False)


class CountingStore(LocalStore):
    """A store that remembers which chunks were asked for."""

    def __init__(self, root):
        super().__init__(root, read_only=True)
        self.asked = []

    async def get(self, key, prototype, byte_range=None):
        if "/c/" in key:
            self.asked.append(key)
        return await super().get(key, prototype, byte_range)


def chunks_there(path, names):
    """Return the keys of all chunks of some arrays."""
    return {str(file.relative_to(path)) for name in names for file in (path / name / "c").rglob("*") if file.is_file()}


def given(batches):
    """Return scenario, member and time of every sample, in order."""
    return [
        sample
        for batch in batches
        for sample in zip(*(batch[name].tolist() for name in ("scenario", "member", "time")), strict=True)
    ]


def seconds(data):
    """Return the times of a data set as streams give them."""
    return data["time"].values.astype("datetime64[s]").astype("int64").tolist()
