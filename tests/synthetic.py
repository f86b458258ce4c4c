"""Small files in ClimateBench's layout with known contents, for tests of everything that reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

LATITUDE = np.linspace(-75.0, 75.0, 6)
LONGITUDE = np.arange(0.0, 360.0, 45.0)
HISTORICAL = np.arange(1990, 2015)
FUTURE = np.arange(2015, 2101)
EMISSIONS = {"ssp126": 15.0, "ssp245": 35.0, "ssp370": 55.0, "ssp585": 80.0}
SENSITIVITY = 5e-4


def years_of(experiment: str) -> np.ndarray:
    return FUTURE if experiment.startswith("ssp") else HISTORICAL


def cumulative_co2(experiment: str) -> np.ndarray:
    """Return GtCO2: a ramp to 1500 in 2014, then a constant rate."""
    years = years_of(experiment)
    if experiment == "hist-aer":
        return np.zeros(years.size)
    past = 20.0 * (years - 1990) + 1020.0
    return past if years[-1] == 2014 else 1500.0 + EMISSIONS[experiment] * (years - 2014)


def pattern(name: str) -> np.ndarray:
    """Return a map with cos(latitude)-weighted mean one (tas), or a fraction of it."""
    shape = 1.0 + 0.5 * np.sin(np.deg2rad(LATITUDE))[:, None] * np.ones(LONGITUDE.size)
    scale = {"tas": 1.0, "pr": 3e-7, "pr90": 6e-7, "diurnal_temperature_range": -0.1}[name]
    return scale * shape


def forced(experiment: str, name: str) -> np.ndarray:
    """Return the noiseless response (time, lat, lon): exactly linear in cumulative CO2."""
    return (SENSITIVITY * cumulative_co2(experiment))[:, None, None] * pattern(name)


def inputs(experiment: str, latitude: np.ndarray = LATITUDE, longitude: np.ndarray = LONGITUDE) -> xr.Dataset:
    years = years_of(experiment)
    flux = np.broadcast_to(np.cos(np.deg2rad(latitude))[:, None], (years.size, latitude.size, longitude.size))
    zero = 0.0 if experiment == "hist-GHG" else 1.0
    return xr.Dataset(
        {
            "CO2": ("time", cumulative_co2(experiment)),
            "CH4": ("time", np.full(years.size, 0.37)),
            "SO2": (("time", "latitude", "longitude"), zero * 1e-11 * flux),
            "BC": (("time", "latitude", "longitude"), zero * 1e-12 * flux),
        },
        coords={"time": years, "latitude": latitude, "longitude": longitude},
    )


def outputs(experiment: str, *, members: int = 3, noise: float = 0.1, seed: int = 0) -> xr.Dataset:
    rng = np.random.default_rng([seed, *experiment.encode()])
    years = years_of(experiment)
    shape = (members, years.size, LATITUDE.size, LONGITUDE.size)
    variables = {}
    for name in ("tas", "diurnal_temperature_range", "pr", "pr90"):
        size = noise * float(np.abs(pattern(name)).mean())
        variables[name] = (
            ("member", "time", "lat", "lon"),
            forced(experiment, name) + size * rng.standard_normal(shape),
        )
    coordinates = {"member": np.arange(1, members + 1), "time": years, "lat": LATITUDE, "lon": LONGITUDE}
    return xr.Dataset(variables, coords={**coordinates, "quantile": 0.9})


def write(
    folder: Path, experiments=("ssp126", "ssp245", "ssp370", "ssp585", "historical", "hist-GHG", "hist-aer"), **kw
):
    """Write a folder in ClimateBench's layout and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for experiment in experiments:
        inputs(experiment).to_netcdf(folder / f"inputs_{experiment}.nc")
        outputs(experiment, **kw).to_netcdf(folder / f"outputs_{experiment}.nc")
    return folder
