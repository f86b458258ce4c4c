"""Small files in Em-MPI's layout, for tests of its reader and of tasks on it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from tests.data.readers.cmip_files import LATITUDE, LONGITUDE, monthly

ALL = "r1-r50i1p1f1"
YEARS = {"historical": range(2010, 2015), "ssp245": range(2015, 2018)}
CELSIUS = np.array([-40.0, 25.0, 5.0])  # by latitude
RAIN = np.array([1.0, 5.0, 2.0])


def folder(root, stage, member, experiment, variable, frequency, period):
    path = root / stage / "CMIP6" / "MPI-ESM1-2-LR" / member / experiment / variable / "250_km" / frequency / period
    path.mkdir(parents=True, exist_ok=True)
    return path


def annual(variable, experiment, values, units, *, members=3, years=None):
    """Return (member, time, latitude, longitude): the values by latitude, plus the member's number times 0.1."""
    years = YEARS[experiment] if years is None else years
    field = np.array(values)[None, None, :, None] + 0.1 * np.arange(members)[:, None, None, None]
    field = np.broadcast_to(field, (members, len(years), 3, 4)).copy()
    ends = np.array([f"{year}-12-31" for year in years], "datetime64[ns]")
    coords = {"time": ends, "latitude": LATITUDE, "longitude": LONGITUDE}
    data = xr.Dataset({variable: (("member", "time", "latitude", "longitude"), field, {"units": units})}, coords)
    return data.assign_coords(member=[f"r{n}i1f1p1" for n in range(1, members + 1)])


def control(variable, start=1850, years=3):
    """Return months of the control run as its model wrote them."""
    return monthly(variable, start, years, calendar="proleptic_gregorian")


def write(root, *, past=YEARS["historical"], with_control=True):
    """Write temperature and precipitation of two scenarios, labels lagging behind, and the control."""
    for experiment, years in {**YEARS, "historical": past}.items():
        for variable, values, units in (("tas", CELSIUS, "K"), ("pr", RAIN, "kg m-2 s-1")):
            place = folder(root, "interim", ALL, experiment, variable, "mon", f"{years[0]}-{years[-1]}")
            annual(variable, experiment, values, units, years=years).to_netcdf(place / "ensemble.nc")
    for variable in ("tas", "pr") if with_control else ():
        for year in (1850, 1851, 1852):
            place = folder(root, "raw", "r1i1p1f1", "piControl", variable, "mon", str(year))
            control(variable, year, 1).to_netcdf(place / f"CMIP6_MPI-ESM1-2-LR_{year}.nc")
    return root
