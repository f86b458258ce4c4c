"""Small scenarios with emissions of all species, for the tests of this folder: smooth, different, and quick to fit."""

from __future__ import annotations

import numpy as np
import xarray as xr

LATITUDE = np.array([-67.5, -22.5, 22.5, 67.5])
LONGITUDE = np.array([0.0, 90.0, 180.0, 270.0])
SPACE = ("latitude", "longitude")
MAPS = ("time", *SPACE)
SOURCE = np.array([[1.0, 1.0, 2.0, 1.0], [1.0, 3.0, 1.0, 1.0], [4.0, 1.0, 9.0, 2.0], [1.0, 2.0, 1.0, 1.0]])
# per scenario: yearly growth of CO2 emissions [GtCO2/yr2], of CH4 [GtCH4/yr2], and e-folding years of the aerosols
PATHS = {"ssp126": (-0.55, -0.003, 25.0), "ssp245": (-0.1, -0.001, 60.0), "ssp585": (1.0, 0.001, 110.0)}


def inputs(name: str, years=None) -> xr.Dataset:
    """Return emissions like those of ClimateBench; ``historical`` is 1850 to 2014, the others 2015 to 2100."""
    if name == "historical":
        years = np.arange(1850, 2015) if years is None else years
        past = years - 1849.0
        co2, ch4, aerosol = 1500.0 * (past / 165.0) ** 3, 0.03 + 0.34 * (past / 165.0) ** 2, (past / 165.0) ** 2
    else:
        growth, methane, folding = PATHS[name]
        years = np.arange(2015, 2101) if years is None else years
        since = years - 2014.0
        co2 = 1500.0 + 36.0 * since + 0.5 * growth * since**2
        ch4, aerosol = np.maximum(0.37 + methane * since, 0.05), np.exp(-since / folding)
    shift = np.linspace(-0.3, 0.3, years.size)[:, None, None] * np.linspace(-1.0, 1.0, 4)
    maps = aerosol[:, None, None] * SOURCE * (1.0 + shift)
    data = {"CO2": ("time", co2), "CH4": ("time", ch4), "SO2": (MAPS, 2e-12 * maps), "BC": (MAPS, 1.6e-13 * maps**1.1)}
    return xr.Dataset(data, coords={"time": years, "latitude": LATITUDE, "longitude": LONGITUDE})


def pattern(seed: int) -> np.ndarray:
    """Return a map about one, of shape (latitude, longitude)."""
    return 1.0 + 0.3 * np.random.default_rng(seed).standard_normal((LATITUDE.size, LONGITUDE.size))


def noisy(name: str, seed: int = 0, size: float = 0.1) -> xr.Dataset:
    """Return a scenario whose tas and pr rise with CO2 emissions and fall with aerosols, with noise."""
    data = inputs(name)
    rng = np.random.default_rng([seed, *name.encode()])
    drive = 6e-4 * data["CO2"].values - 3e11 * data["SO2"].mean(SPACE).values
    shape = (drive.size, LATITUDE.size, LONGITUDE.size)
    tas = drive[:, None, None] * pattern(1) + size * rng.standard_normal(shape)
    pr = 0.1 * drive[:, None, None] * pattern(2) + size * rng.standard_normal(shape)
    return data.assign(tas=(MAPS, tas), pr=(MAPS, pr))


def area_mean(field: np.ndarray) -> np.ndarray:
    """Return the cos(latitude)-weighted mean over the last two axes, in plain NumPy."""
    weights = np.cos(np.deg2rad(LATITUDE))
    return (field.mean(axis=-1) * weights).sum(axis=-1) / weights.sum()
