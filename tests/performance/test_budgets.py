"""How long the budgets of a year of 6-hourly states take, against reading the same arrays raw with zarr.

Eight hybrid layers on 32 x 64 cells as ACE has them: temperature, water and winds in layers, surface pressure, and the
fluxes at the top and at the surface, 526 MB of noise that hardly compresses, in chunks of 20 times. The peer reads the
same arrays of the same store, chunk by chunk. Both ways to budgets are held against it: that of the command, with all
that the store allows, and that of lazy arrays, with one energy.
"""

from __future__ import annotations

import dask
import numpy as np
import pytest
import xarray as xr
import zarr

from climbench.budget import budget
from climbench.budget.series import sources_in
from climbench.cluster import cluster
from climbench.data.stores import open_store
from climbench.physics import area_mean, exact_cell_areas
from climbench.physics.diagnosis import closures, diagnose
from climbench.physics.opening import open_quantities
from tests.physics.constructed_atmosphere import LAYERS, A, B

STEPS, ROWS, COLUMNS, SECONDS, CHUNK, LIMIT = 1460, 32, 64, 21600.0, 20, 2.0
DIMS = ("time", "latitude", "longitude")
DEEP = {  # mean and spread
    "air_temperature": (260.0, 10.0, "K"),
    "specific_total_water": (3e-3, 3e-4, "kg/kg"),
    "eastward_wind": (5.0, 10.0, "m/s"),
    "northward_wind": (0.0, 10.0, "m/s"),
}
FLAT = {
    "PRESsfc": (98500.0, 500.0, "Pa"),
    "PRATEsfc": (3e-5, 3e-6, "kg/m**2/s"),
    "tendency_of_total_water_path_due_to_advection": (0.0, 1e-6, "kg/m**2/s"),
    "LHTFLsfc": (80.0, 10.0, "W/m**2"),
    "SHTFLsfc": (20.0, 10.0, "W/m**2"),
    "DSWRFtoa": (340.0, 10.0, "W/m**2"),
    "USWRFtoa": (100.0, 10.0, "W/m**2"),
    "ULWRFtoa": (240.0, 10.0, "W/m**2"),
    "DSWRFsfc": (190.0, 10.0, "W/m**2"),
    "USWRFsfc": (25.0, 2.0, "W/m**2"),
    "DLWRFsfc": (340.0, 10.0, "W/m**2"),
    "ULWRFsfc": (400.0, 10.0, "W/m**2"),
}
FLUXES = ("toa_net", "surface_net", "evaporation", "precipitation", "moisture_convergence")
WANTED = ("dry_air", "water", "energy_credit", *FLUXES)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("budgets") / "year.zarr"
    rng = np.random.default_rng(0)
    coords = {
        "time": np.datetime64("2001-01-01", "ns") + np.arange(STEPS) * np.timedelta64(6, "h"),
        "latitude": -90.0 + 180.0 / ROWS * (np.arange(ROWS) + 0.5),
        "longitude": np.arange(COLUMNS) * 360.0 / COLUMNS,
    }
    fixed = {"ak": ("interface", A, {"units": "Pa"}), "bk": ("interface", B), "HGTsfc": (DIMS[1:], np.zeros((32, 64)))}
    fixed["HGTsfc"] = (*fixed["HGTsfc"], {"units": "m"})
    xr.Dataset(fixed, coords).to_zarr(path, consolidated=False)
    for name, (mean, spread, units) in (DEEP | FLAT).items():
        dims = ("time", "layer", *DIMS[1:]) if name in DEEP else DIMS
        shape = tuple({"time": STEPS, "layer": LAYERS, "latitude": ROWS, "longitude": COLUMNS}[d] for d in dims)
        values = np.float32(mean) + np.float32(spread) * rng.standard_normal(shape, dtype="float32")
        xr.Dataset({name: (dims, values, {"units": units})}, coords).to_zarr(
            path, mode="a", consolidated=False, encoding={name: {"chunks": (CHUNK, *shape[1:])}}
        )
    return path


def read(store):
    group = zarr.open_group(store, mode="r")
    for name in DEEP | FLAT:
        for begin in range(0, STEPS, CHUNK):
            assert group[name][begin : begin + CHUNK].size


def by_command(store):
    """Every budget there is, its years, drift and closure."""
    found = budget([store])
    assert {"energy_credit_residual", "energy_ace_residual", "water_residual"} <= {b.name for b in found.budgets}


def lazily(store):
    """Global means of states, of fluxes and of what is left unexplained, all in one pass."""
    with cluster("threads"):
        opened = open_quantities(open_store(store, chunks={}))
        found = diagnose(opened.quantities, opened.column, wanted=WANTED)
        areas = exact_cell_areas(found.fields["latitude"].values, found.fields["longitude"].values)
        fields = {**found.fields, **closures(found, SECONDS).fields}
        lazy = [
            xr.apply_ufunc(
                area_mean,
                field,
                kwargs={"areas": areas},
                input_core_dims=[DIMS[1:]],
                dask="parallelized",
                output_dtypes=["f8"],
            )
            for field in fields.values()
        ]
        means = dict(zip(fields, dask.compute(*lazy), strict=True))
    assert set(means) == {*WANTED, "water_residual", "energy_credit_residual"}
    assert means["toa_net"].mean() == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("way", [by_command, lazily])
def test_time(ratio, store, way):
    assert set(sources_in(xr.open_zarr(store, consolidated=False)).values()) == {*DEEP, *FLAT, "HGTsfc"}
    name = f"budgets of a year ({way.__name__.replace('_', ' ')})"
    ratio(name, lambda: way(store), against="reading it raw with zarr", peer=lambda: read(store), at_most=LIMIT)
