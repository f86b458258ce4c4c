"""How long the statistics of a store take, against reading the same arrays raw with zarr."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import zarr

from climbench.cluster import cluster
from climbench.data.splits import Split
from climbench.data.statistics import Statistics
from climbench.data.stores import open_store

VARIABLES = ("2m_temperature", "10m_u_component_of_wind", "mean_sea_level_pressure", "total_precipitation")
STEPS, ROWS, COLUMNS = 2300, 64, 128  # 300 MB of float32 that hardly compresses


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("statistics") / "noise.zarr"
    rng = np.random.default_rng(0)
    coords = {
        "time": np.datetime64("2000-01-01", "ns") + np.arange(STEPS) * np.timedelta64(6, "h"),
        "latitude": np.linspace(-88.6, 88.6, ROWS),
        "longitude": np.arange(COLUMNS) * 360.0 / COLUMNS,
    }
    for name in VARIABLES:
        values = 280.0 + 10.0 * rng.standard_normal((STEPS, ROWS, COLUMNS), dtype="float32")
        xr.Dataset({name: (tuple(coords), values)}, coords).to_zarr(
            path, mode="a", consolidated=False, encoding={name: {"chunks": (50, ROWS, COLUMNS)}}
        )
    return path


def read(store):
    group = zarr.open_group(store, mode="r")
    for name in VARIABLES:
        assert group[name][...].shape == (STEPS, ROWS, COLUMNS)


def take(store):
    with cluster("threads"):
        found = Statistics.compute(open_store(store), Split("noise"))
    assert (found["count"].to_array() == STEPS * ROWS * COLUMNS).all()
    assert (found["difference_count"].to_array() == (STEPS - 1) * ROWS * COLUMNS).all()


def test_time(ratio, store):
    ratio("statistics of a store", lambda: take(store), against="reading it raw with zarr", peer=lambda: read(store))
