"""How long the budgets of a year of 6-hourly states take, against reading the same arrays raw with zarr."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import zarr

from climbench.budget import budget
from climbench.budget.series import sources_in

STEPS, LAYERS, ROWS, COLUMNS, CHUNK = 1460, 8, 32, 64, 20  # 526 MB of float32 that hardly compresses
SHARE = np.linspace(0.0, 1.0, LAYERS + 1)
COLUMN = {
    "air_temperature": ("K", 250.0, 5.0),
    "specific_total_water": ("kg kg-1", 5e-3, 1e-3),
    "eastward_wind": ("m s-1", 0.0, 10.0),
    "northward_wind": ("m s-1", 0.0, 10.0),
}
FLUXES = ("DSWRFtoa", "USWRFtoa", "ULWRFtoa", "DSWRFsfc", "USWRFsfc", "DLWRFsfc", "ULWRFsfc", "LHTFLsfc", "SHTFLsfc")
FLAT = {
    "PRESsfc": ("Pa", 1e5, 500.0),
    "PRATEsfc": ("kg m-2 s-1", 3e-5, 1e-6),
    "tendency_of_total_water_path_due_to_advection": ("kg m-2 s-1", 0.0, 1e-6),
    **dict.fromkeys(FLUXES, ("W m-2", 200.0, 10.0)),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("budget") / "year.zarr"
    rng = np.random.default_rng(0)
    coords = {
        "time": np.datetime64("2001-01-01", "us") + np.arange(STEPS) * np.timedelta64(6, "h"),
        "latitude": -90.0 + 180.0 / ROWS * (np.arange(ROWS) + 0.5),
        "longitude": np.arange(COLUMNS) * 360.0 / COLUMNS,
    }
    fixed = {
        "ak": ("interface", 6e4 * SHARE * (1.0 - SHARE), {"units": "Pa"}),
        "bk": ("interface", SHARE**2, {"units": "1"}),
        "HGTsfc": (("latitude", "longitude"), np.zeros((ROWS, COLUMNS)), {"units": "m"}),
    }
    xr.Dataset(fixed, coords).to_zarr(path, consolidated=False)
    for name, (units, mean, spread) in {**COLUMN, **FLAT}.items():
        inner = (LAYERS, ROWS, COLUMNS) if name in COLUMN else (ROWS, COLUMNS)
        dims = ("time", *(("layer",) if name in COLUMN else ()), "latitude", "longitude")
        values = mean + spread * rng.standard_normal((STEPS, *inner), dtype="float32")
        one = xr.Dataset({name: (dims, np.maximum(values, 0.0) if mean else values, {"units": units})})
        one.to_zarr(path, mode="a", consolidated=False, encoding={name: {"chunks": (CHUNK, *inner)}})
    return path


def read(store):
    group = zarr.open_group(store, mode="r")
    for name in (*COLUMN, *FLAT):
        for begin in range(0, STEPS, CHUNK):
            assert group[name][begin : begin + CHUNK].size


def take(store):
    found = budget([store])
    assert {"energy_credit_residual", "energy_ace_residual", "water_residual"} <= {b.name for b in found.budgets}


def test_time(ratio, store):
    assert set(sources_in(xr.open_zarr(store, consolidated=False)).values()) == {*COLUMN, *FLAT, "HGTsfc"}
    ratio("budgets of a year", lambda: take(store), against="reading it raw with zarr", peer=lambda: read(store))
