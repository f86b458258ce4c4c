from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.forecast_report.map_rows import error_map_rows, panel_size, shared_limits
from climbench.plots import is_globe


@pytest.fixture
def region():
    axes = {"lead_time": [24.0], "latitude": np.arange(30.0, 71.0, 10.0), "longitude": [0.0, 10.0, 340.0, 350.0]}
    values = np.arange(20.0).reshape(1, 5, 4)
    return xr.Dataset({n: (tuple(axes), v) for n, v in (("rmse", values), ("bias", values - 10.0))}, coords=axes)


@pytest.fixture
def globe():
    axes = {"lead_time": [24.0, 72.0], "latitude": np.linspace(-87.2, 87.2, 32), "longitude": np.arange(64) * 5.625}
    return xr.Dataset({"rmse": (tuple(axes), np.ones((2, 32, 64)))}, coords=axes)


def drawn(maps, **options):
    options = {"units": "Pa", "variable": "psl", "lines": None, "limits": shared_limits([maps]), **options}
    return error_map_rows(maps, title="t", **options)


def test_a_region_does_not_look_like_a_globe(region):
    assert not is_globe(region["rmse"].isel(lead_time=0))
    image = drawn(region).axes[0].images[0]
    left, right, south, north = image.get_extent()
    assert (left, right) == (-25.0, 15.0)  # across Greenwich in one piece
    assert (south, north) == (25.0, 75.0)
    np.testing.assert_array_equal(image.get_array()[0], [-8.0, -7.0, -10.0, -9.0])


def test_a_globe_is_twice_as_wide_as_high_and_a_region_as_it_is(globe, region):
    wide, high = panel_size(globe)
    assert wide / high == pytest.approx(2.0, rel=0.05)
    wide, high = panel_size(region)  # 40 degrees by 40, narrowed by the cosine of 50 degrees
    assert wide / high == pytest.approx(30.0 * np.cos(np.deg2rad(50.0)) / 40.0, rel=1e-6)


def test_the_mean_error_is_symmetric_about_zero_and_the_other_begins_at_zero(region):
    figure = drawn(region)
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles == ["mean error, 1 d", "RMSE, 1 d"]
    (low, high), (least, _) = (axes.images[0].get_clim() for axes in figure.axes[:2])
    assert low == -high
    assert least == 0.0


def test_maps_of_several_models_share_their_limits(region):
    assert shared_limits([region, 3.0 * region])["rmse"] == pytest.approx(3 * 19.0, rel=0.02)


def test_coastlines_are_drawn_where_there_are_some(region):
    line = np.array([[-20.0, 40.0], [10.0, 60.0]])
    (drawn_line,) = drawn(region, lines=[line]).axes[0].collections[0].get_segments()
    np.testing.assert_array_equal(drawn_line, line)
    assert drawn(region).axes[0].collections[0].get_segments() == []


def test_a_wind_vector_has_no_mean_error(globe):
    figure = drawn(globe)
    assert [axes.get_title() for axes in figure.axes if axes.images] == ["RMSE, 1 d", "RMSE, 3 d"]
