"""Files in ClimateBench's layout with annual noise as large as some signals, and ClimateBench's formulas in NumPy."""

from __future__ import annotations

import numpy as np
import xarray as xr

import climbench
from climbench.tasks.projection_scores import ProjectionScorer

LATITUDE = np.linspace(-90.0, 90.0, 12)  # the poles are grid points
LONGITUDE = np.arange(16) * 22.5
YEARS = {"historical": np.arange(1850, 2015), "ssp245": np.arange(2015, 2101), "ssp585": np.arange(2015, 2101)}
DTR = "diurnal_temperature_range"
UNIT = {"tas": 1.0, DTR: 1.0, "pr": 1.0 / 86400.0, "pr90": 1.0 / 86400.0}  # files hold kg m-2 s-1
SPACE = ("latitude", "longitude")
TEST = slice(2080, 2100)


def climate(experiment, seed=0):
    """Return members (member, time, lat, lon) in kelvin and mm/day; annual noise is as large as the change in rain."""
    rng = np.random.default_rng([seed, *experiment.encode()])
    years = YEARS[experiment]
    warming = 0.02 * (years - years[0])[:, None, None]
    shape = 1.0 + np.sin(np.deg2rad(LATITUDE))[:, None] ** 2 * np.ones(LONGITUDE.size)
    signal = {"tas": shape, DTR: 0.01 * (shape - shape.mean()), "pr": 0.05 * shape, "pr90": 0.1 * shape}
    noise = {"tas": 0.5, DTR: 0.3, "pr": 0.5, "pr90": 1.5}
    size = (3, years.size, LATITUDE.size, LONGITUDE.size)
    return {name: warming * signal[name] + noise[name] * rng.standard_normal(size) for name in signal}


def outputs(experiment, fields, latitude=LATITUDE, longitude=LONGITUDE):
    """Return a file's content: dimensions lat and lon, a stray scalar coordinate, no units."""
    coords = {"member": [1, 2, 3], "time": YEARS[experiment], "lat": latitude, "lon": longitude, "quantile": 0.9}
    dims = ("member", "time", "lat", "lon")
    return xr.Dataset({name: (dims, UNIT[name] * values) for name, values in fields.items()}, coords=coords)


def inputs(experiment):
    years = YEARS[experiment]
    south = np.where(LATITUDE < 0.0, 1e-12, 3e-12)[:, None] * np.ones(LONGITUDE.size)
    maps = {name: (("time", *SPACE), np.tile(south, (years.size, 1, 1))) for name in ("SO2", "BC")}
    totals = {name: ("time", np.linspace(0.1, 9.0, years.size)) for name in ("CO2", "CH4")}
    return xr.Dataset({**totals, **maps}, coords={"time": years, "latitude": LATITUDE, "longitude": LONGITUDE})


def write(folder, spoil=None):
    """Write a folder in ClimateBench's layout; `spoil` changes fields in place, by experiment."""
    folder.mkdir(parents=True)
    for experiment in YEARS:
        fields = climate(experiment)
        if spoil is not None:
            spoil(experiment, fields)
        outputs(experiment, fields).to_netcdf(folder / f"outputs_{experiment}.nc")
        inputs(experiment).to_netcdf(folder / f"inputs_{experiment}.nc")
    return folder


def opened(folder):
    return climbench.load_task("climatebench", folder, set={"train": ["historical", "ssp585"]})


def scored(task, target, prediction):
    """Return the suite's value of each metric for the globe, by variable."""
    rows = ProjectionScorer(task, target).score("mine", prediction, None).rows
    return {(row["variable"], row["metric"]): row for row in rows if row["region"] == "global"}


def emulator(target):
    """Return a prediction with errors of its own in space and time."""
    rng = np.random.default_rng(9)
    mean = target.mean("member")
    bumpy = xr.DataArray(rng.standard_normal((12, 16)), dims=SPACE)
    yearly = xr.DataArray(rng.standard_normal(21), dims="time")
    return mean + 0.2 * bumpy + 0.05 * yearly


def weighted(field):
    """Return the cos(latitude)-weighted mean over the last two axes, the poles included."""
    weights = np.cos(np.deg2rad(LATITUDE))[:, None] * np.ones(field.shape[-1])
    return (field * weights).sum(axis=(-2, -1)) / weights.sum()


def by_formula(members, prediction):
    """Return (spatial, global, total, norm) from arrays of shape (3, 21, lat, lon) and (21, lat, lon)."""
    mean = members.mean(axis=0)
    norm = abs(weighted(mean.mean(axis=0)))
    spatial = np.sqrt(weighted((mean.mean(axis=0) - prediction.mean(axis=0)) ** 2)) / norm
    globe = np.sqrt(((weighted(mean) - weighted(prediction)) ** 2).mean()) / norm
    return spatial, globe, spatial + 5.0 * globe, norm
