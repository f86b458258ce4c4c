"""Losses against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr

from climbench.models.training.losses import area_mean_square, mean_square

# Edges at -90, -30, 30, 90: areas 1/4, 1/2, 1/4 of the sphere.
THIRDS = xr.Dataset(coords={"latitude": [-60.0, 0.0, 60.0], "longitude": [0.0, 180.0]})


@pytest.mark.parametrize(("row", "share"), [(0, 0.25), (1, 0.5), (2, 0.25)])
def test_an_error_weighs_by_the_area_it_is_on(row, share):
    prediction, target = torch.zeros(2, 1, 3, 2), torch.zeros(2, 1, 3, 2)
    prediction[:, :, row] = 3.0
    assert area_mean_square(THIRDS)(prediction, target).item() == pytest.approx(9.0 * share)
    assert mean_square(prediction, target).item() == pytest.approx(3.0)


def test_an_error_everywhere_is_itself():
    latitude = np.linspace(-90.0, 90.0, 9)
    grid = xr.Dataset(coords={"latitude": latitude, "longitude": [0.0, 180.0]})
    loss = area_mean_square(grid)(torch.full((1, 2, 9, 2), 2.0), torch.zeros(1, 2, 9, 2))
    assert loss.item() == pytest.approx(4.0)
