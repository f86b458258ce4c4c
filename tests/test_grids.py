"""Grids and regridding against areas of the sphere."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from climbench.grids import describe_grid, grid_offset, latitude_edges, latitude_weights
from climbench.regrid import regrid_conservative


def grid(lat, lon):
    return xr.Dataset(coords={"latitude": np.asarray(lat, float), "longitude": np.asarray(lon, float)})


def regular(n):
    half = 90.0 / n
    return grid(np.linspace(-90 + half, 90 - half, n), np.arange(2 * n) * 180.0 / n)


def areas(g):
    return latitude_weights(g["latitude"]).values[:, None] * np.ones(g.sizes["longitude"]) / g.sizes["longitude"]


def test_edges_reach_the_poles():
    np.testing.assert_allclose(latitude_edges(np.array([-90.0, 0.0, 90.0])), [-90, -45, 45, 90])
    np.testing.assert_allclose(latitude_edges(np.array([-60.0, 0.0, 60.0])), [-90, -30, 30, 90])
    np.testing.assert_allclose(latitude_edges(np.array([30.0, 40.0])), [25, 35, 45])  # a region is no globe


def test_cell_areas_are_exact():
    weights = latitude_weights(xr.DataArray([-60.0, 0.0, 60.0], dims="latitude", name="latitude"))
    np.testing.assert_allclose(weights, [0.5, 1.0, 0.5])  # sin(90) - sin(30), sin(30) - sin(-30)


def test_cosine_weights_vanish_on_the_poles():
    latitude = xr.DataArray(np.linspace(-90, 90, 96), dims="latitude")
    weights = latitude_weights(latitude, "cos_latitude")
    assert 0.0 <= float(weights[0]) < 1e-15
    np.testing.assert_allclose(weights[1:-1], np.cos(np.deg2rad(latitude.values[1:-1])))


def test_offsets_are_counted_in_cells():
    one = regular(18)
    assert grid_offset(one, one) == 0.0
    assert grid_offset(one.assign_coords(longitude=one["longitude"] + 5.0), one) == pytest.approx(0.5)
    assert grid_offset(one.assign_coords(latitude=one["latitude"] + 2.0), one) == pytest.approx(0.2)
    assert grid_offset(regular(9), one) == float("inf")


def test_offsets_go_round_the_globe():
    one = regular(18)
    turned = one.assign_coords(longitude=np.append(360.0 - 1e-4, one["longitude"].values[1:]))
    assert grid_offset(turned, one) < 1e-4


def test_grids_in_words():
    assert describe_grid(regular(2)) == "2 x 4 (latitude -45..45, longitude 0..270)"


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 20), st.integers(3, 20), st.floats(0.0, 40.0), st.integers(0, 2**32 - 1))
def test_regridding_keeps_the_integral_and_a_constant(source_rows, target_rows, shift, seed):
    source, target = regular(source_rows), regular(target_rows)
    step = 180.0 / target_rows
    target = target.assign_coords(longitude=target["longitude"] + shift % step)
    values = np.random.default_rng(seed).normal(size=(2, source_rows, 2 * source_rows))
    values[1] = 3.0
    maps = xr.DataArray(values, coords={**source.coords}, dims=("time", "latitude", "longitude"))
    moved = regrid_conservative(maps, target)
    np.testing.assert_allclose(
        (moved.values * areas(target)).sum((1, 2)), (values * areas(source)).sum((1, 2)), atol=1e-12
    )
    np.testing.assert_allclose(moved.values[1], 3.0)


def test_regridding_onto_the_same_grid_changes_nothing():
    source = regular(6)
    maps = xr.DataArray(np.arange(72.0).reshape(6, 12), coords={**source.coords}, dims=("latitude", "longitude"))
    np.testing.assert_allclose(regrid_conservative(maps, source), maps)


def test_regridding_two_halves_gives_their_mean():
    source, target = grid([-45.0, 45.0], [0.0, 90.0, 180.0, 270.0]), grid([-45.0, 45.0], [45.0, 225.0])
    values = np.array([[1.0, 3.0, 5.0, 7.0]] * 2)
    maps = xr.DataArray(values, coords={**source.coords}, dims=("latitude", "longitude"))
    np.testing.assert_allclose(regrid_conservative(maps, target), [[2.0, 6.0], [2.0, 6.0]])
