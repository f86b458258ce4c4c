"""Pictures: cells land where Robinson's own table puts them, and what is missing is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from climbench import plots

# Robinson (1974), as every textbook prints it: the length of the parallel and its distance from the equator, both over
# their largest values, every 15 degrees of latitude.
ROBINSON = {0: (1.0, 0.0), 15: (0.99, 0.186), 30: (0.96, 0.372), 45: (0.8962, 0.5571), 60: (0.7986, 0.7346)}
ROBINSON |= {75: (0.6732, 0.8936), 90: (0.5322, 1.0)}
LATITUDE, LONGITUDE = np.arange(-89.5, 90.0), np.arange(0.5, 360.0)
LAT, LON = np.meshgrid(LATITUDE, LONGITUDE, indexing="ij")


def on_grid(values, latitude=LATITUDE, longitude=LONGITUDE):
    return xr.DataArray(values, dims=("latitude", "longitude"), coords={"latitude": latitude, "longitude": longitude})


def place(latitude, longitude):
    """Return row and column of a picture element, from Robinson's table."""
    length, height = ROBINSON[abs(latitude)]
    middle = 0.5 * (np.array([plots.HEIGHT, plots.WIDTH]) - 1.0)
    row, column = middle * (1.0 + np.array([np.sign(latitude) * height, length * longitude / 180.0]))
    return round(row), round(column)


@pytest.mark.parametrize("latitude", [-75, -45, -15, 0, 30, 60, 75])
@pytest.mark.parametrize("longitude", [-150, -60, 0, 30, 120, 170])
def test_cells_land_where_robinsons_table_puts_them(latitude, longitude):
    at = place(latitude, longitude)
    assert plots.robinson_image(on_grid(LAT))[at] == pytest.approx(latitude, abs=1.0)
    east = plots.robinson_image(on_grid((LON + 180.0) % 360.0 - 180.0))[at]
    assert east == pytest.approx(longitude, abs=1.5)


def test_outside_the_globe_there_is_nothing():
    picture = plots.robinson_image(on_grid(np.ones(LAT.shape)))
    assert picture.shape == (plots.HEIGHT, plots.WIDTH)
    assert np.isnan([picture[0, 0], picture[0, -1], picture[-1, 0], picture[-1, -1]]).all()
    lengths, heights = np.transpose(list(ROBINSON.values()))
    assert np.isfinite(picture).mean() == pytest.approx(np.trapezoid(lengths, heights), abs=0.01)


def test_the_last_longitude_meets_the_first():
    longitude = np.arange(1.0, 360.0, 2.0)
    picture = plots.robinson_image(
        on_grid(np.where(longitude == 359.0, 1.0, 0.0) + 0.0 * LAT[:, ::2], LATITUDE, longitude)
    )
    equator = np.flatnonzero(picture[plots.HEIGHT // 2] == 1.0)
    middle = 0.5 * (plots.WIDTH - 1)
    # 358 to 360 degrees east: the two degrees left of the middle
    assert equator.min() == pytest.approx(middle - 2.0 / 180.0 * middle, abs=1.0)
    assert equator.max() == pytest.approx(middle, abs=1.0)


def test_a_first_cell_on_the_meridian_reaches_to_both_sides():
    longitude = np.arange(0.0, 360.0, 30.0)
    field = on_grid(np.where(longitude == 0.0, 1.0, 0.0) + np.zeros((180, 1)), LATITUDE, longitude)
    equator = np.flatnonzero(plots.robinson_image(field)[plots.HEIGHT // 2] == 1.0)
    middle = 0.5 * (plots.WIDTH - 1)
    assert [equator.min(), equator.max()] == pytest.approx([middle * (1 - 15 / 180), middle * (1 + 15 / 180)], abs=1.0)


def test_missing_cells_stay_missing_and_dimensions_go_by_name():
    field = on_grid(np.where(LAT < 0.0, np.nan, LAT))
    picture = plots.robinson_image(field)
    assert np.isnan(picture[place(-45, 0)])
    assert np.isfinite(picture[place(45, 0)])
    np.testing.assert_array_equal(picture, plots.robinson_image(field.transpose("longitude", "latitude")))


def row_of(target, prediction, **options):
    return plots.map_row(target, prediction, **{"title": "a title", "units": "K", "variable": "tas", **options})


def test_a_row_shows_target_prediction_and_their_difference():
    target, prediction = on_grid(LAT / 90.0), on_grid(LAT / 30.0)
    figure = row_of(target, prediction)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    for image, field in zip(images, (target, prediction, prediction - target), strict=True):
        np.testing.assert_allclose(np.ma.filled(image.get_array(), np.nan), plots.robinson_image(field))
    limits = [image.get_clim() for image in images]
    assert limits[0] == limits[1] == pytest.approx((-1.0, 1.0), abs=0.02)
    assert limits[2] == pytest.approx((-2.0, 2.0), abs=0.03)


def test_means_are_over_the_area_that_has_values():
    half = on_grid(np.where(LAT < 0.0, np.nan, np.sin(np.deg2rad(LAT))))
    figure = row_of(half, half + 1.0)
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    # the mean of sin(latitude) over a hemisphere is one half
    assert titles == ["target   (mean +0.5)", "prediction   (mean +1.5)", "prediction - target   (mean +1)"]


def test_a_field_of_zeros_can_be_drawn():
    zero = on_grid(np.zeros(LAT.shape))
    assert plots.png(row_of(zero, zero)).startswith(b"\x89PNG")


def test_names_are_not_read_as_formulas():
    zero = on_grid(np.zeros(LAT.shape))
    assert plots.png(row_of(zero, zero, title=r"a_$\nonsense$ model")).startswith(b"\x89PNG")
    assert plots.png(plots.score_chart(scores(model=r"$\nonsense$"), origin=r"$\nonsense$")).startswith(b"\x89PNG")


def test_coastlines_land_where_robinsons_table_puts_them():
    line = np.array([[30.0, 0.0], [60.0, 45.0], [-120.0, -60.0]])
    figure = row_of(on_grid(LAT), on_grid(LAT), lines=[line])
    for axes in (axes for axes in figure.axes if axes.images):
        (drawn,) = [c for c in axes.collections if isinstance(c, LineCollection)]
        left, right, bottom, top = axes.images[0].get_extent()
        assert (left, bottom) == pytest.approx((-right, -top))
        expected = [
            [ROBINSON[abs(lat)][0] * lon / 180.0 * right, np.sign(lat) * ROBINSON[abs(lat)][1] * top]
            for lon, lat in line
        ]
        np.testing.assert_allclose(drawn.get_paths()[0].vertices, expected, atol=2e-3 * right)
        assert axes.get_xlim() == (left, right)


def test_no_coastlines_are_drawn_where_there_are_none():
    figure = row_of(on_grid(LAT), on_grid(LAT))
    drawn = [c for axes in figure.axes if axes.images for c in axes.collections if isinstance(c, LineCollection)]
    assert all(not c.get_paths() for c in drawn)


@pytest.mark.parametrize(("variable", "colours"), [("tas", "RdBu_r"), ("pr", "BrBG"), ("pr90", "BrBG")])
def test_water_has_its_own_colours(variable, colours):
    assert plots.colour_map(variable) == colours


def scores(model="lps", variable="tas", **values):
    row = {"model": model, "variable": variable, "metric": "rmse_spatial", "units": "K"}
    return pd.DataFrame([{**row, "value": 1.0, "floor": 0.5, "low": 0.8, "high": 1.2, **values}])


def drawn(axes):
    """Return the widths of bars (floors), the ends of intervals and the places of points in a panel."""
    lines = [line.get_xdata() for line in axes.lines]
    return (
        [p.get_width() for p in axes.patches],
        [x for x in lines if len(x) == 2],
        [x[0] for x in lines if len(x) == 1],
    )


def test_the_chart_has_a_panel_a_variable():
    table = pd.concat([scores(), scores(variable="pr", units="mm/day", value=3.0), scores("other", value=2.0)])
    figure = plots.score_chart(table, origin="here")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["near-surface air temperature", "precipitation"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["RMSE spatial [K]", "RMSE spatial [mm/day]"]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["lps", "other"]
    floors, intervals, points = drawn(figure.axes[0])
    assert (floors, points) == ([0.5, 0.5], [1.0, 2.0])
    assert [list(ends) for ends in intervals] == [[0.8, 1.2], [0.8, 1.2]]
    assert "here" in [text.get_text() for text in figure.texts]


def test_a_model_without_a_variable_leaves_its_line_empty():
    table = pd.concat([scores(), scores("other"), scores(variable="pr")])
    assert drawn(plots.score_chart(table).axes[1])[2] == [1.0]


@pytest.mark.parametrize(
    ("missing", "counts"),
    [({"floor": np.nan}, (0, 1, 1)), ({"low": np.nan, "high": np.nan}, (1, 0, 1))],
)
def test_a_missing_floor_or_interval_is_left_out(missing, counts):
    figure = plots.score_chart(scores(**missing))
    assert tuple(map(len, drawn(figure.axes[0]))) == counts
    assert plots.png(figure).startswith(b"\x89PNG")


def test_the_floor_is_grey_behind_the_points():
    figure = plots.score_chart(scores())
    (floor,) = figure.axes[0].patches
    assert to_hex(floor.get_facecolor()) == "#dddddd"
    assert floor.get_zorder() < min(line.get_zorder() for line in figure.axes[0].lines)
