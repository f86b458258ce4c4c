"""A tiny truth in the layout of a moist atmosphere on hybrid layers: ERA5's names, units and signs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tests.physics.corrections.atmospheres import HYBRID, LATITUDE, LONGITUDE
from tests.tasks.forecast.made_stores import written

LEVEL = [150.0, 450.0, 850.0]
TALL = {
    "temperature": (250.0, 10.0, "K"),
    "specific_humidity": (4e-3, 5e-4, "kg kg**-1"),
    "u_component_of_wind": (5.0, 9.0, "m s**-1"),
    "v_component_of_wind": (0.0, 9.0, "m s**-1"),
}
FLAT = {
    "surface_pressure": (98000.0, 900.0, "Pa"),
    "mean_total_precipitation_rate": (3e-5, 5e-6, "kg m**-2 s**-1"),
    "mean_evaporation_rate": (-4e-5, 5e-6, "kg m**-2 s**-1"),
    "mean_top_net_short_wave_radiation_flux": (240.0, 40.0, "W m**-2"),
    "mean_top_net_long_wave_radiation_flux": (-235.0, 20.0, "W m**-2"),
    "mean_surface_net_short_wave_radiation_flux": (160.0, 30.0, "W m**-2"),
    "mean_surface_net_long_wave_radiation_flux": (-60.0, 10.0, "W m**-2"),
    "mean_surface_latent_heat_flux": (-80.0, 9.0, "W m**-2"),
    "mean_surface_sensible_heat_flux": (-20.0, 5.0, "W m**-2"),
}
TARGETS = [*TALL, *FLAT]


def moist_truth(periods: int = 60, seed: int = 4) -> xr.Dataset:
    """Return states six hours apart, each of which goes half of the way to the next draw."""
    draw, space = np.random.default_rng(seed), {"latitude": LATITUDE, "longitude": LONGITUDE}
    axes = {"time": pd.date_range("2020-01-01", periods=periods, freq="6h"), "level": LEVEL, **space}
    made = {}
    for name, (mean, spread, units) in {**TALL, **FLAT}.items():
        dims = tuple(d for d in axes if d != "level" or name in TALL)
        noise = draw.standard_normal([len(axes[d]) for d in dims])
        for n in range(1, periods):
            noise[n] = 0.9 * noise[n - 1] + 0.4 * noise[n]
        made[name] = (dims, (mean + spread * noise).astype("float32"), {"units": units})
    ground = np.abs(500.0 * draw.standard_normal((LATITUDE.size, LONGITUDE.size))).astype("float32")
    made["geopotential_at_surface"] = (tuple(space), ground, {"units": "m**2 s**-2"})
    made["ak"] = ("interface", HYBRID.interface_offset, {"units": "Pa"})
    made["bk"] = ("interface", HYBRID.interface_slope, {"units": "1"})
    return xr.Dataset(made, axes)


def written_truth(folder: Path, **options) -> tuple[str, dict]:
    """Write the truth; return its place, and the settings of a forecast task on it."""
    truth = moist_truth(**options)
    days = [str(day)[:10] for day in truth["time"].values]
    settings = {
        "targets": TARGETS,
        "metrics": ["rmse"],
        "train": [days[0], days[39]],
        "validation": None,
        "test.period": [days[48], days[-1]],
        "leads": {"first": 6, "last": 18, "step": 6},
        "climatology": None,
        "regions": ["global"],
        "static": [],
    }
    return written(folder / "truth.zarr", truth), settings
