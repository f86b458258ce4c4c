"""Small pieces of CMIP output with known contents: monthly fields whose value is the number of the month."""

from __future__ import annotations

import cftime
import numpy as np
import xarray as xr

LATITUDE = np.array([-45.0, 0.0, 45.0])
LONGITUDE = np.array([0.0, 90.0, 180.0, 270.0])
UNITS = {"tas": "K", "pr": "kg m-2 s-1", "rsdt": "W m-2", "tos": "degC"}
SIZE = {"tas": (250.0, 0.1), "pr": (1e-5, 1e-8), "rsdt": (300.0, 0.1), "tos": (10.0, 0.01)}


def months(start: int, years: int, calendar: str = "standard") -> np.ndarray:
    """Return the 16th of each month."""
    ends = [(year, month) for year in range(start, start + years) for month in range(1, 13)]
    if calendar == "standard":
        return np.array([f"{year:04d}-{month:02d}-16" for year, month in ends], "datetime64[us]")
    return np.array([cftime.datetime(year, month, 16, calendar=calendar) for year, month in ends])


def monthly(variable: str, start: int, years: int, calendar: str = "standard", latitude=LATITUDE) -> xr.Dataset:
    """Return a variable whose value in each cell is a line in the number of months since January of year 1."""
    number = 12 * (start - 1) + np.arange(12 * years)
    base, slope = SIZE[variable]
    values = np.broadcast_to((base + slope * (number % 240))[:, None, None], (number.size, latitude.size, 4))
    data = xr.Dataset(
        {variable: (("time", "lat", "lon"), values.astype("f4"), {"units": UNITS[variable]}), "file_qf": 0.0},
        coords={"time": months(start, years, calendar), "lat": latitude, "lon": LONGITUDE, "height": 2.0},
        attrs={"source_id": "Model-1", "variable_id": variable, "creation_date": f"{start}"},
    )
    return data.assign(lat_bnds=(("lat", "bnds"), np.stack([latitude - 1, latitude + 1], 1)))
