"""Padding on the sphere against the continuation of smooth fields, and convolutions against turning the map."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from climbench.errors import ModelError
from climbench.models.layers.spherical_padding import SphericalConvolution, SphericalPadding

COLUMNS = 8
CELL_CENTRES = np.arange(-75.0, 90.0, 30.0)
WITH_POLES = np.arange(-90.0, 91.0, 30.0)


def positions(latitude, longitude):
    """The three coordinates of points on the unit sphere: smooth fields, given by one formula beyond the poles too."""
    lat, lon = np.deg2rad(latitude)[:, None], np.deg2rad(longitude)[None, :]
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat) + 0.0 * lon])


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize(("latitude", "pole_rows"), [(CELL_CENTRES, False), (WITH_POLES, True)])
def test_padding_is_the_continuation_of_a_smooth_field(width, latitude, pole_rows):
    longitude = np.arange(COLUMNS) * 360.0 / COLUMNS
    padded = SphericalPadding(width, pole_rows=pole_rows)(torch.from_numpy(positions(latitude, longitude)))
    beyond = np.arange(1, width + 1)
    tall = np.concatenate([latitude[0] - 30.0 * beyond[::-1], latitude, latitude[-1] + 30.0 * beyond])
    wide = 45.0 * np.arange(-width, COLUMNS + width)
    np.testing.assert_allclose(padded.numpy(), positions(tall, wide), atol=1e-12)


def test_no_width_pads_nothing():
    maps = torch.randn(2, 3, 4, 5)
    assert SphericalPadding(0)(maps) is maps


def test_an_odd_number_of_columns_has_no_half_turn():
    with pytest.raises(ModelError, match="even number of longitudes; the grid has 5"):
        SphericalPadding(1)(torch.zeros(1, 4, 5))


@pytest.mark.parametrize("turn", [1, 3, -2])
@pytest.mark.parametrize("pole_rows", [False, True])
def test_a_convolution_of_a_turned_map_is_the_turned_convolution(turn, pole_rows):
    torch.manual_seed(0)
    layer = SphericalConvolution(2, 3, 5, pole_rows=pole_rows)
    maps = torch.randn(1, 2, 6, COLUMNS)
    torch.testing.assert_close(layer(maps.roll(turn, -1)), layer(maps).roll(turn, -1))


def test_a_convolution_with_a_mirrored_kernel_of_the_map_turned_upside_down_is_upside_down():
    torch.manual_seed(0)
    layer = SphericalConvolution(1, 1, 3)
    maps = torch.randn(1, 1, 6, COLUMNS)
    upright = layer(maps)
    with torch.no_grad():
        layer.convolution.weight.copy_(layer.convolution.weight.flip(-2))
    torch.testing.assert_close(layer(maps.flip(-2)), upright.flip(-2))
