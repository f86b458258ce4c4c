"""Which grids networks on the sphere take."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.models.layers.globe import require_globe


def grid(latitude, longitude):
    return xr.Dataset(coords={"latitude": latitude, "longitude": longitude})


def test_a_globe_without_and_with_rows_on_the_poles():
    longitude = np.arange(0.0, 360.0, 30.0)
    assert require_globe(grid(np.arange(-75.0, 90.0, 30.0), longitude)) is False
    assert require_globe(grid(np.linspace(-90.0, 90.0, 7), longitude)) is True


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        (np.arange(30.0, 70.0, 5.0), np.arange(0.0, 360.0, 30.0)),
        (np.arange(-75.0, 90.0, 30.0), np.arange(0.0, 60.0, 5.0)),
        (np.arange(-75.0, 90.0, 30.0), np.arange(5) * 72.0),
    ],
)
def test_regions_and_odd_numbers_of_columns_are_refused(latitude, longitude):
    with pytest.raises(ModelError, match="made for the whole globe and an even number of longitudes"):
        require_globe(grid(latitude, longitude))
