"""Data of ClimateBench's full size in its layout, as zarr: 96 x 144 cells, 753 training years, three members.

The numbers are a warming pattern with year-to-year noise: of a plausible size, and as hard to compress as real output.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

HISTORICAL, FUTURE = np.arange(1850, 2015), np.arange(2015, 2101)
WARMING = {"historical": 1.0, "hist-GHG": 1.4, "hist-aer": -0.4, "ssp126": 1.8, "ssp370": 3.6, "ssp585": 4.4}
TEST = {"ssp245": 2.6}
TRAINING_YEARS = 753
SIZES = {"tas": 1.0, "diurnal_temperature_range": -0.05, "pr": 3e-7, "pr90": 8e-7}
LATITUDE, LONGITUDE = np.linspace(-90.0, 90.0, 96), np.arange(0.0, 360.0, 2.5)
MEMBERS = 3


def write(folder):
    """Write all experiments into a folder and return it."""
    rng = np.random.default_rng(0)
    written = sum(_write(folder, experiment, warming, rng) for experiment, warming in WARMING.items())
    assert written == TRAINING_YEARS
    for experiment, warming in TEST.items():
        _write(folder, experiment, warming, rng)
    return folder


def _write(folder, experiment, warming, rng):
    years = FUTURE if experiment.startswith("ssp") else HISTORICAL
    ramp = np.linspace(0.0 if years is HISTORICAL else 1.0, warming, years.size)
    carbon = xr.Dataset({"CO2": ("time", 1500.0 * ramp)}, coords={"time": years})
    carbon.to_zarr(folder / f"inputs_{experiment}.zarr", zarr_format=3, consolidated=False)
    shape = (MEMBERS, years.size, LATITUDE.size, LONGITUDE.size)
    pattern = (1.0 + 0.5 * np.sin(np.deg2rad(LATITUDE)))[:, None].astype("float32")
    response = ramp[:, None, None].astype("float32") * pattern
    fields = {n: np.float32(s) * (response + rng.standard_normal(shape, "float32")) for n, s in SIZES.items()}
    climate = xr.Dataset(
        {name: (("member", "time", "lat", "lon"), field) for name, field in fields.items()},
        coords={"member": np.arange(1, MEMBERS + 1), "time": years, "lat": LATITUDE, "lon": LONGITUDE},
    )
    climate.to_zarr(folder / f"outputs_{experiment}.zarr", zarr_format=3, consolidated=False)
    return years.size
