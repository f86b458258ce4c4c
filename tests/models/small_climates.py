"""Tiny training scenarios whose climate follows from their forcings by a known line, for tests of emulators."""

from __future__ import annotations

import numpy as np
import xarray as xr

LATITUDE = np.arange(-78.75, 90.0, 22.5)
LONGITUDE = np.arange(0.0, 360.0, 22.5)
GRID = {"latitude": LATITUDE, "longitude": LONGITUDE}
SLOPES = {"ssp126": 20.0, "ssp245": 45.0, "ssp370": 60.0, "ssp585": 80.0}


def inputs(name, years=None):
    """CO2 rises on a straight line; aerosols fall in the north."""
    past = name == "historical"
    time = np.arange(*((1985, 2015) if past else (2015, 2051)) if years is None else years)
    carbon = 1500.0 + (30.0 if past else SLOPES[name]) * (time - 2014)
    north = np.broadcast_to((LATITUDE > 0.0)[:, None], (LATITUDE.size, LONGITUDE.size))
    sulfur = 1e-11 * np.exp(-0.02 * (time - 1985))[:, None, None] * north
    maps = ("time", "latitude", "longitude")
    return xr.Dataset(
        {
            "CO2": ("time", carbon),
            "CH4": ("time", np.full(time.size, 0.37)),
            "SO2": (maps, sulfur),
            "BC": (maps, 0.1 * sulfur),
        },
        coords={"time": time, **GRID},
    )


def climate(forcing):
    """Half a kelvin per 1000 GtCO2, twice that at the pole; a tenth as much rain; both with a wave along longitude."""
    carbon = forcing["CO2"].values[:, None, None]
    shape = (1.0 + np.abs(LATITUDE) / 90.0)[:, None] * (1.0 + 0.3 * np.cos(np.deg2rad(LONGITUDE)))[None]
    tas = 5e-4 * carbon * shape
    maps = ("time", "latitude", "longitude")
    return xr.Dataset({"tas": (maps, tas), "pr": (maps, 0.1 * tas)}, coords=forcing.coords)


def scenario(name, years=None):
    forcing = inputs(name, years)
    return forcing.merge(climate(forcing))


def training(*names):
    return {name: scenario(name) for name in names or ("historical", "ssp126", "ssp585")}


def one_fold():
    """Train on historical and two scenarios, judge by ssp370."""
    return [(training(), training("ssp370"))]
