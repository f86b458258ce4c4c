"""Small files whose budgets are known by hand."""

from __future__ import annotations

import numpy as np
import xarray as xr

LATITUDE = np.array([-60.0, 0.0, 60.0])  # rows of a quarter, a half and a quarter of the globe
LONGITUDE = np.arange(0.0, 360.0, 90.0)
SHAPE = (LATITUDE.size, LONGITUDE.size)
TOP = {"rsdt": 340.0, "rsut": 100.0, "rlut": 240.0}
INTERFACES = {"ak": [200.0, 15000.0, 0.0], "bk": [0.0, 0.3, 1.0]}


def months(first_year, years, calendar):
    """Return the middles of months in a calendar."""
    return xr.date_range(
        f"{first_year:04d}-01-01", periods=12 * years, freq="MS", calendar=calendar, use_cftime=True
    ).shift(14, "D")


def hours(count, step=6):
    return np.datetime64("2001-03-01", "us") + np.arange(count) * np.timedelta64(step, "h")


def field(times, values, units, dims=("time", "lat", "lon"), **attributes):
    """Return a field that is the same everywhere, one value a time; or values as they are."""
    values = np.asarray(values, "float64")
    if values.ndim == 1 and len(dims) == 3:
        values = np.tile(values[:, None, None], SHAPE)
    return (dims, values, {"units": units, **attributes})


def dataset(times, variables, **coords):
    return xr.Dataset(variables, {"time": times, "lat": LATITUDE, "lon": LONGITUDE, **coords})


def top(times, excess=0.0):
    """Return three fluxes at the top whose balance is `excess`, one a time."""
    excess = np.broadcast_to(np.asarray(excess, "float64"), len(times))
    values = {name: np.full(len(times), value) for name, value in TOP.items()}
    values["rsdt"] = values["rsdt"] + excess
    return dataset(times, {name: field(times, v, "W m-2") for name, v in values.items()})


def layered(times, pressure, humidity=0.0, interfaces=INTERFACES, units="Pa", reverse=False):
    """Return humidity on two hybrid layers, with surface pressure, one value a time each."""
    cells = (len(times), 2, *SHAPE)
    attrs = {} if units is None else {"units": units}
    data = dataset(
        times,
        {
            "surface_pressure": field(times, np.broadcast_to(pressure, len(times)), "Pa"),
            "specific_humidity": field(times, np.full(cells, humidity), "kg kg-1", ("time", "layer", "lat", "lon")),
            "ak": ("interface", np.array(interfaces["ak"]), attrs),
            "bk": ("interface", np.array(interfaces["bk"]), {"units": "1"}),
        },
    )
    data["specific_humidity"][:, 1] *= 2.0
    return data.isel(layer=slice(None, None, -1), interface=slice(None, None, -1)) if reverse else data


def moist(times, leak=0.0, uneven=0.0, convergence=True):
    """Return water that changes by evaporation less precipitation, convergence, and a leak, in kg m-2 s-1.

    Convergence is 2e-5 in the first row of the globe and carried there from the last; `uneven` leaks in half of the
    cells and comes back in the others.
    """
    seconds = float((times[1] - times[0]) / np.timedelta64(1, "s"))
    n = len(times)
    evaporation, precipitation = 3e-5 + 1e-6 * np.arange(n), np.full(n, 2.5e-5)
    carried = np.zeros((n, *SHAPE))
    carried[:, 0], carried[:, -1] = 2e-5, -2e-5
    flow = (evaporation - precipitation)[:, None, None] + carried + leak + uneven * np.tile([1.0, -1.0], 2)
    water = 25.0 + np.concatenate([np.zeros((1, *SHAPE)), np.cumsum(flow[1:] * seconds, axis=0)])
    variables = {
        "prw": field(times, water, "kg m-2"),
        "evspsbl": field(times, evaporation, "kg m-2 s-1"),
        "pr": field(times, precipitation, "kg m-2 s-1"),
    }
    if convergence:
        variables["tendency_of_total_water_path_due_to_advection"] = field(times, carried, "kg m-2 s-1")
    return dataset(times, variables)


def write(data, path):
    """Write a data set and return the path."""
    data.to_netcdf(path)
    return path


def by_name(found):
    return {budget.name: budget for budget in found.budgets}
