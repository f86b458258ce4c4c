"""Slices of a data set by name: variables, years, levels, boxes and grids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data.selection import Selection, named_grid
from climbench.errors import DataError


def data():
    coordinates = {
        "time": pd.date_range("2000-12-30", periods=8, freq="12h"),
        "level": [500, 850],
        "latitude": np.linspace(-87.5, 87.5, 36),
        "longitude": np.arange(0.0, 360.0, 5.0),
    }
    shape = tuple(len(c) for c in coordinates.values())
    values = np.broadcast_to(np.cos(np.deg2rad(coordinates["latitude"]))[:, None], shape).astype("f4")
    full = xr.Dataset({"temperature": (tuple(coordinates), values)}, coordinates)
    return full.assign({"2m_temperature": full["temperature"].isel(level=0, drop=True)}).chunk({"time": 2})


def test_variables_years_and_levels():
    part = Selection(variables=("temperature",), period=("2001", "2001"), levels=(850,)).apply(data())
    assert list(part) == ["temperature"]
    assert part["level"].values.tolist() == [850]
    assert part["time"].values[0] == np.datetime64("2001-01-01T00")
    assert part.sizes["time"] == 4


def test_boxes_across_greenwich():
    part = Selection(latitude=(35.0, 75.0), longitude=(-12.5, 42.5)).apply(data())
    assert part["latitude"].values.tolist() == [37.5, 42.5, 47.5, 52.5, 57.5, 62.5, 67.5, 72.5]
    assert part["longitude"].values.tolist() == [*range(0, 45, 5), 350.0, 355.0]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(variables=("temperatur",)), "Did you mean 'temperature'"),
        (Selection(period=("1990", "1991")), "No sample lies in the period"),
        (Selection(levels=(600,)), "There is no level '600'"),
        (Selection(latitude=(89.0, 90.0)), r"No latitude of the data lies in 89:90; it has -87.5..87.5"),
        (Selection(grid="64 x 32"), "names no grid"),
    ],
)
def test_what_is_not_there(selection, message):
    with pytest.raises(DataError, match=message):
        selection.apply(data())


def test_grids_by_name():
    cells, poles = named_grid("64x32"), named_grid("240x121")
    assert cells["latitude"].values[[0, -1]].tolist() == [-87.1875, 87.1875]
    assert cells["longitude"].values[-1] == 354.375
    assert poles["latitude"].values[[0, 60, -1]].tolist() == [-90.0, 0.0, 90.0]


def test_regridding_is_lazy_and_keeps_the_area_mean():
    part = Selection(grid="24x12").apply(data())
    assert part["temperature"].chunks is not None
    assert part["temperature"].shape == (8, 2, 12, 24)
    rows = np.diff(np.sin(np.deg2rad(np.linspace(-90, 90, 13))))
    coarse = float((part["temperature"][0, 0].mean("longitude").values * rows).sum() / rows.sum())
    assert coarse == pytest.approx(np.pi / 4, abs=2e-3)  # the mean of cos(latitude) over the sphere
