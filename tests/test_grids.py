"""Grids against areas of the sphere."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from climbench.errors import DataError
from climbench.grids import (
    cell_areas,
    covers_globe,
    describe_grid,
    goes_round,
    grid_offset,
    latitude_edges,
    latitude_weights,
    longitude_bounds,
)
from tests.example_grids import columns, gaussian, grid, regular, with_poles

GLOBAL = [regular(18), with_poles(19), gaussian(32), grid([-60, 0, 70], [0, 100, 220]), grid([-45, 45], [7])]


def weights_of(latitude):
    return latitude_weights(xr.DataArray(np.asarray(latitude, float), dims="latitude"))


def test_edges_reach_the_poles():
    np.testing.assert_allclose(latitude_edges(np.array([-90.0, 0.0, 90.0])), [-90, -45, 45, 90])
    np.testing.assert_allclose(latitude_edges(np.array([-60.0, 0.0, 60.0])), [-90, -30, 30, 90])
    np.testing.assert_allclose(latitude_edges(np.array([30.0, 40.0])), [25, 35, 45])  # a region is no globe
    np.testing.assert_allclose(latitude_edges(np.array([70.0, 85.0])), [62.5, 77.5, 90])  # clipped: 92.5 is no latitude


def test_cell_areas_are_exact():
    np.testing.assert_allclose(weights_of([-60.0, 0.0, 60.0]), [0.5, 1.0, 0.5])  # sin(90) - sin(30), sin(30) - sin(-30)


def test_rows_on_the_poles_have_their_share():
    weights = weights_of(np.linspace(-90, 90, 121))
    weights = weights / weights.mean()
    assert float(weights[0]) == pytest.approx(0.005183, abs=5e-7)  # WeatherBench 2's rule at 1.5 degrees
    assert float(weights[60]) == pytest.approx(1.583841, abs=5e-7)


def test_rows_of_a_gaussian_grid_weigh_as_in_gauss_quadrature():
    rows = np.rad2deg(np.arcsin(np.array([-1, 0, 1]) * np.sqrt(0.6)))  # the rule with three points, by hand
    np.testing.assert_allclose(weights_of(rows), [5 / 9, 8 / 9, 5 / 9], rtol=1e-14)


@pytest.mark.parametrize("rounded", [lambda x: np.round(x, 2), lambda x: x.astype("float32")])
def test_rounded_gaussian_latitudes_are_recognised(rounded):
    exact = np.polynomial.legendre.leggauss(96)[1]
    np.testing.assert_allclose(weights_of(rounded(gaussian(96)["latitude"].values)), exact, rtol=1e-12)


def test_part_of_a_gaussian_grid_is_a_region():
    rows = gaussian(32)["latitude"].values[18:26]
    inner = 0.5 * (rows[1:] + rows[:-1])
    np.testing.assert_allclose(latitude_edges(rows)[1:-1], inner)


@pytest.mark.parametrize("whole", GLOBAL, ids=describe_grid)
def test_the_cells_of_a_globe_cover_the_sphere(whole):
    areas = cell_areas(whole)
    assert areas.dims == ("latitude", "longitude")
    assert areas.attrs["units"] == "sr"
    assert float(areas.sum()) == pytest.approx(4 * np.pi, rel=1e-14)
    assert float(areas.min()) > 0


def test_the_cells_of_a_region_cover_no_more_than_it():
    areas = cell_areas(grid([35, 40], [0, 10, 350]))
    band = np.sin(np.deg2rad(42.5)) - np.sin(np.deg2rad(32.5))
    assert float(areas.sum()) == pytest.approx(band * np.deg2rad(30.0))


def test_columns_meet_half_way():
    np.testing.assert_allclose(longitude_bounds(columns(4)), [[-45, 45], [45, 135], [135, 225], [225, 315]])
    np.testing.assert_allclose(longitude_bounds(np.array([10.0, 30.0, 40.0])), [[0, 20], [20, 35], [35, 45]])


def test_columns_across_longitude_zero_belong_together():
    bounds = longitude_bounds(np.array([0.0, 2.0, 4.0, 356.0, 358.0]))
    np.testing.assert_allclose(bounds, [[-1, 1], [1, 3], [3, 5], [355, 357], [357, 359]])


@pytest.mark.parametrize(
    ("longitude", "round_the_globe"),
    [
        (columns(64), True),
        (columns(64)[1:], False),
        (np.delete(columns(64), 30), False),
        (np.array([0.0, 187.5]), True),
        (np.array([10.0, 20.0]), False),
        (np.array([180.0]), True),
        (np.arange(-180.0, 180.0, 0.75), True),
    ],
)
def test_a_gap_makes_a_part_of_the_circle(longitude, round_the_globe):
    assert goes_round(longitude) is round_the_globe


@pytest.mark.parametrize(
    ("latitude", "whole"),
    [
        (np.arange(-87.0, 88.0, 6.0), True),  # edges on the poles
        (np.arange(-90.0, 91.0, 6.0), True),  # rows on the poles
        (np.arange(-84.0, 85.0, 6.0), False),  # half a row is missing on each pole
        (np.arange(-90.0, 85.0, 6.0), False),
        (np.linspace(-90.0, 89.75, 720), True),  # so is one here, which is nothing
        (np.array([-60.0, 0.0, 60.0]), True),
        (np.array([0.0]), False),
    ],
)
def test_a_globe_is_covered_from_pole_to_pole(latitude, whole):
    assert covers_globe(latitude, columns(8)) is whole
    assert covers_globe(latitude, columns(8)[1:]) is False


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.floats(0.1, 3.0), st.floats(-30.0, 0.0), st.floats(0.0, 359.9))
def test_areas_of_a_region_wherever_it_lies(rows, number, step, south, west):
    latitude, longitude = south + step * np.arange(rows), np.sort((west + step * np.arange(number)) % 360)
    height = np.sin(np.deg2rad(latitude[-1] + step / 2)) - np.sin(np.deg2rad(south - step / 2))
    areas = cell_areas(grid(latitude, longitude))
    assert float(areas.sum()) == pytest.approx(height * np.deg2rad(step * number), rel=1e-9)


def test_areas_equal_those_a_climate_model_publishes(shared_data):
    path = "CMIP6/CMIP/CSIRO/ACCESS-ESM1-5/piControl/r1i1p1f1/fx/areacella"
    (file,) = (shared_data / "cmip6-access" / path).rglob("*.nc")
    with xr.open_dataset(file) as opened:
        published = opened["areacella"].load()
    native = grid(np.linspace(-90, 90, 145), columns(192))  # of which the file has some rows and columns
    rows = cell_areas(native).isel(longitude=0).sel(latitude=published["lat"].values, method="nearest")
    np.testing.assert_allclose(rows["latitude"], published["lat"], atol=0.01)
    radius = np.sqrt(published.values / rows.values[:, None])
    np.testing.assert_allclose(radius, 6.37e6, atol=1e3)
    # The file's areas were worked out from coordinates in float32, whose columns differ in width by 1e-4.
    np.testing.assert_allclose(radius, np.median(radius), rtol=1e-4)


def test_a_climate_model_on_gaussian_rows_is_recognised(shared_data):
    with xr.open_dataset(shared_data / "pcm" / "pcm_tas_annual_all-forcing.nc") as opened:
        latitude = opened["lat"].values
    np.testing.assert_allclose(weights_of(np.sort(latitude)), np.polynomial.legendre.leggauss(64)[1], rtol=1e-12)


def test_cosine_weights_vanish_on_the_poles():
    latitude = xr.DataArray(np.linspace(-90, 90, 96), dims="latitude")
    weights = latitude_weights(latitude, "cos_latitude")
    assert 0.0 <= float(weights[0]) < 1e-15
    np.testing.assert_allclose(weights[1:-1], np.cos(np.deg2rad(latitude.values[1:-1])))


@pytest.mark.parametrize(
    ("latitude", "longitude", "said"),
    [
        ([60, 0, -60], [0, 120, 240], r"latitudes must ascend.*\[ 60.,   0., -60.\].*sortby\('latitude'\)"),
        ([0, 0, 60], [0, 120, 240], "latitudes must ascend"),
        ([10], [0, 120, 240], "one latitude only, 10"),
        ([0, np.nan], [0, 120, 240], "all finite"),
        ([0, 60], [0, 240, 120], "longitudes must ascend"),
        ([0, 60], [0, 120, 240, 360], "span 360 degrees or more"),
    ],
)
def test_what_is_no_grid_is_refused(latitude, longitude, said):
    with pytest.raises(DataError, match=said):
        cell_areas(grid(latitude, longitude))


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
