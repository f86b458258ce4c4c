"""Conservative regridding of WeatherBench 2's 240x121 to 64x32, against a copy of the maps and against xarray-regrid.

The issue asks for at most 3 times the copy without missing values and 10 times with them, and for no more time than
xarray-regrid, which is given the setting that suits the maps. With the optional package `sparse` it is slower still.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray_regrid  # noqa: F401  (adds the accessor `regrid`)

from climbench.regrid import regrid_conservative
from tests.example_grids import grid, random_maps, regular

FINE = grid(np.linspace(-90.0, 90.0, 121), np.arange(240) * 1.5)
COARSE = regular(32)


@pytest.fixture(scope="module", params=["no value missing", "30 % missing"])
def maps(request):
    """200 maps in float32; what is missing is scattered, which is harder than a mask of land."""
    whole = random_maps(FINE, n=200, dtype="float32")
    if request.param == "no value missing":
        return whole
    return whole.where(np.random.default_rng(1).random(whole.shape) > 0.3)


def missing(maps):
    return bool(maps.isnull().any())


def described(maps):
    return f"regridding 200 maps 240x121 to 64x32, {'30 %' if missing(maps) else 'no value'} missing"


def test_against_a_copy(ratio, maps):
    ratio(
        described(maps),
        lambda: regrid_conservative(maps, COARSE),
        against="a copy of the maps",
        peer=maps.values.copy,
        rounds=31,
    )


def test_against_xarray_regrid(ratio, maps):
    skipna = missing(maps)
    ratio(
        described(maps),
        lambda: regrid_conservative(maps, COARSE),
        against="xarray-regrid",
        peer=lambda: maps.regrid.conservative(COARSE, latitude_coord="latitude", skipna=skipna),
    )
