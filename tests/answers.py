"""Predictions for the synthetic files, as another framework might write them, for tests that spoil them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from tests.synthetic import outputs

YEARS = np.arange(2080, 2101)
SETTINGS = {"targets": ["tas", "pr"]}


def answer(*, seed: int = 9) -> xr.Dataset:
    """Return good predictions of shape (time, lat, lon) with units: the forced response and a little noise."""
    data = outputs("ssp245", members=1, seed=seed).isel(member=0, drop=True)[["tas", "pr"]]
    data = data.drop_vars("quantile").sel(time=YEARS)
    pr = (data["pr"] * 86400.0).assign_attrs(units="mm/day")
    return data.assign(tas=data["tas"].assign_attrs(units="K"), pr=pr)


def changed(**values: xr.DataArray) -> xr.Dataset:
    """Return good predictions with other values in some variables, attributes kept."""
    data = answer()
    return data.assign({name: array.assign_attrs(data[name].attrs) for name, array in values.items()})


def of_members(count: int) -> xr.Dataset:
    """Return members that scatter about the good predictions and have them as their mean."""
    offsets = xr.DataArray(np.linspace(-1.0, 1.0, count), coords={"member": np.arange(count)}, dims="member")
    data = answer()
    return changed(tas=data["tas"] + offsets, pr=data["pr"] + 0.01 * offsets)
