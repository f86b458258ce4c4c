"""Fields averaged over boxes, against boxes counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.grids import latitude_weights
from climbench.metrics.base import area_mean
from climbench.metrics.fields import boxes
from tests.example_grids import grid


def field(values, on):
    return xr.DataArray(values, coords={d: on[d] for d in ("latitude", "longitude")}, dims=("latitude", "longitude"))


def test_by_hand():
    """Rows -60 and 60 of weight 1, row 0 of weight 2 belongs to the northern box; two columns a box."""
    on = grid([-60.0, 0.0, 60.0], [0.0, 90.0, 180.0, 270.0])
    values = field([[1, 3, 5, 7], [1, 1, 2, 2], [4, 4, 8, 8]], on)
    means, sizes = boxes(values, xr.DataArray([1.0, 2.0, 1.0], dims="latitude"), degrees=90.0)
    np.testing.assert_allclose(means, [1, 3, 5, 7, 2, 2, 4, 4])
    np.testing.assert_allclose(sizes, [1, 1, 1, 1, 3, 3, 3, 3])
    halves, _ = boxes(values, xr.DataArray([1.0, 2.0, 1.0], dims="latitude"), degrees=180.0)
    np.testing.assert_allclose(halves, [(1 + 3 + 2 * 2 + 8) / 8, (5 + 7 + 2 * 4 + 16) / 8])


def test_the_poles_belong_to_the_outermost_boxes():
    on = grid(np.linspace(-90, 90, 13), np.arange(24) * 15.0)
    _, sizes = boxes(field(np.ones((13, 24)), on), xr.DataArray(np.ones(13), dims="latitude"), degrees=30.0)
    assert sizes.size == 6 * 12
    np.testing.assert_allclose(sizes.values.reshape(6, 12)[:, 0], [4, 4, 4, 4, 4, 6])


@pytest.mark.parametrize("degrees", [7.0, 15.0, 45.0, 360.0])
def test_the_mean_over_boxes_is_the_area_mean(degrees):
    on = grid(np.linspace(-88, 88, 32), np.arange(64) * 5.625)
    values = field(np.random.default_rng(0).standard_normal((32, 64)), on)
    weights = latitude_weights(on["latitude"])
    means, sizes = boxes(values, weights, degrees=degrees)
    assert float((means * sizes).sum() / sizes.sum()) == pytest.approx(float(area_mean(values, weights)), abs=1e-12)


def test_cells_without_weight_do_not_count_and_boxes_without_any_are_left_out():
    on = grid([-60.0, 60.0], [0.0, 90.0, 180.0, 270.0])
    values = field([[1, 100, 5, 7], [100, 100, 2, 2]], on)
    weights = field([[1, 0, 1, 1], [0, 0, 1, 1]], on)
    means, sizes = boxes(values, weights, degrees=180.0)
    np.testing.assert_allclose(means, [1.0, 4.0])
    np.testing.assert_allclose(sizes, [1.0, 4.0])


def test_other_dimensions_and_chunks_are_kept():
    on = grid(np.linspace(-80, 80, 9), np.arange(12) * 30.0)
    rng = np.random.default_rng(1)
    values = xr.DataArray(
        rng.standard_normal((3, 9, 5, 12)),
        coords={"latitude": on["latitude"], "longitude": on["longitude"]},
        dims=("member", "latitude", "time", "longitude"),
    )
    weights = latitude_weights(on["latitude"], "cos_latitude")
    whole, _ = boxes(values, weights, degrees=40.0)
    assert whole.dims == ("member", "time", "box")
    one, _ = boxes(values.isel(member=1, time=2), weights, degrees=40.0)
    xr.testing.assert_allclose(whole.isel(member=1, time=2), one)
    lazy, _ = boxes(values.chunk(latitude=2, time=2), weights, degrees=40.0)
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole)
