"""Small files in ClimateSet's layout, for tests of how tasks read them."""

from __future__ import annotations

import cftime
import numpy as np
import xarray as xr

LATITUDE = np.linspace(-75.0, 75.0, 6)
LONGITUDE = np.arange(0.0, 360.0, 45.0)
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SHAPE = (12, LATITUDE.size, LONGITUDE.size)
UNITS = {"tas": "K", "pr": "kg m-2 s-1"}
EARTH = 4.0 * np.pi * 6.371e6**2  # m2


def put(root, tail, data):
    path = root.joinpath(*tail.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    data.to_netcdf(path)


def months(name, year, values, units):
    dates = [cftime.datetime(year, month, 15, calendar="noleap") for month in range(1, 13)]
    data = xr.Dataset({name: (("time", "lat", "lon"), np.broadcast_to(values, SHAPE).copy(), {"units": units})})
    return data.assign_coords(time=dates, lat=LATITUDE, lon=LONGITUDE)


def put_output(root, model, member, scenario, variable, year, values):
    """Write one year of a variable; values are a number, or one for each month of shape (12, 1, 1)."""
    tail = f"outputs/CMIP6/{model}/{member}/{scenario}/{variable}/250_km/mon/{year}"
    name = f"CMIP6_{model}_{member}_{scenario}_{variable}_250_km_mon_gn_{year}.nc"
    put(root, f"{tail}/{name}", months(variable, year, values, UNITS[variable]))


def put_input(root, scenario, gas, year, flux, fires=""):
    """Write one year of an emission: a flux in kg m-2 s-1, the same everywhere unless it has a shape."""
    mark = f"_{fires}" if fires else ""
    tail = f"inputs/input4mips/{scenario}/{gas}_sum/map_250_km/mon/{year}"
    name = f"input4mips_{scenario}_{gas}{mark}_sum_250_km_mon_gn_{year}.nc"
    put(root, f"{tail}/{name}", months(gas, year, flux, "kg m-2 s-1"))


def put_emissions(root, scenario, year, fires, factor):
    """Write one year of what fires are among: a factor times 0.3 Gt of methane, 1e-12 and 1e-13 kg m-2 s-1."""
    put_input(root, scenario, "CH4", year, flux_of(0.3 * factor), fires)
    put_input(root, scenario, "SO2", year, 1e-12 * factor, fires)
    put_input(root, scenario, "BC", year, 1e-13 * factor, fires)


def flux_of(gigatonnes):
    """Return the flux in kg m-2 s-1, the same everywhere, that adds up to some Gt in a year of 365 days."""
    return gigatonnes * 1e12 / (EARTH * 365 * 86400.0)


RISE = {"ssp126": 0.5, "ssp245": 1.0, "ssp585": 2.0}
YEARS = {"historical": (1899, 1900, 2013, 2014), **dict.fromkeys(RISE, (2015, 2016, 2017, 2018))}


def write(root, models=("A-ESM", "B-ESM"), *, members=("r1i1p1f1", "r2i1p1f1")):
    """Write scenarios that warm by a rate each, in models of different base climate, with their emissions."""
    rng = np.random.default_rng(0)
    for scenario, years in YEARS.items():
        for year in years:
            warmth = 0.0 if year < 1950 else RISE.get(scenario, 0.0) * (year - 2014)
            for place, model in enumerate(models):
                for member in members:
                    noise = 0.1 * rng.standard_normal(SHAPE[1:])
                    put_output(root, model, member, scenario, "tas", year, 280.0 + 5.0 * place + warmth + noise)
                    rain = 1e-5 * (1.0 + 0.02 * warmth + 0.01 * noise)
                    put_output(root, model, member, scenario, "pr", year, rain)
            put_input(root, scenario, "CO2", year, flux_of(10.0 * (1.0 + RISE.get(scenario, 0.0))))
            put_emissions(root, scenario, year, "no-fires", 1.0)
            put_emissions(root, scenario, year, "anthro-fires", 1.5)
    return root
