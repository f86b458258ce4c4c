"""Means over the area, over time and by year, and drift: against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.budget import budget, series
from climbench.constants import GRAVITY
from climbench.physics import blocks
from tests.budget import made

MONTHS = {
    "standard": [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31],
    "noleap": [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31],
    "360_day": [30] * 12,
}


@pytest.mark.parametrize("calendar", MONTHS)
@pytest.mark.parametrize("year", [101, 2000])
def test_months_are_weighed_by_their_days_in_the_calendar_of_the_file(tmp_path, calendar, year):
    days = list(MONTHS[calendar])
    days[1] -= calendar == "standard" and year == 101
    data = made.top(made.months(year, 2, calendar), np.tile(np.arange(1.0, 13.0), 2))
    found = budget([made.write(data, tmp_path / "top.nc")])
    toa = made.by_name(found)["toa_net"]
    first = sum(n * d for n, d in enumerate(days, 1)) / sum(days)
    assert toa.years == [year, year + 1]
    assert toa.days_per_year[0] == sum(days)
    assert toa.per_year[0] == pytest.approx(first, rel=1e-12)
    assert toa.value == pytest.approx(np.average(toa.per_year, weights=toa.days_per_year), rel=1e-12)
    assert toa.units == "W m-2"
    assert not any("not whole" in note for note in found.notes)


def test_the_bounds_of_times_weigh_them_and_tell_the_month_that_a_time_ends(tmp_path):
    starts = xr.date_range("2001-01-01", periods=13, freq="MS", unit="us")
    data = made.top(starts[1:], [12.0, *[0.0] * 11])  # each time stands at the end of its month
    data["time"].attrs["bounds"] = "time_bnds"
    data["time"].encoding["units"] = "days since 2001-01-01"
    data["time_bnds"] = (("time", "bnds"), np.stack([starts[:-1], starts[1:]], axis=1))
    found = budget([made.write(data, tmp_path / "top.nc")])
    toa = made.by_name(found)["toa_net"]
    assert toa.years == [2001]
    assert toa.value == pytest.approx(12.0 * 31 / 365, rel=1e-12)
    assert any("stood at the end" in note for note in found.notes)


def test_a_year_that_is_not_whole_says_how_many_days_there_are(tmp_path):
    data = made.top(made.months(2001, 2, "noleap"), 1.0).isel(time=slice(3, None))
    found = budget([made.write(data, tmp_path / "top.nc")])
    assert made.by_name(found)["toa_net"].days_per_year == [275.0, 365.0]
    assert any("not whole: the years 2001" in note for note in found.notes)


def test_cells_are_weighed_exactly_or_by_the_areas_of_the_files(tmp_path):
    data = made.top(made.months(2001, 1, "noleap"))
    data["rsdt"][:, 0] += 8.0  # in a quarter of the globe
    assert made.by_name(budget([made.write(data, tmp_path / "top.nc")]))["toa_net"].value == pytest.approx(2.0)
    areas = xr.DataArray(np.array([[1.0], [1.0], [6.0]]) * np.ones(made.SHAPE), dims=("lat", "lon"))
    areas = areas.assign_coords(lat=data.lat, lon=data.lon).assign_attrs(units="m2")
    made.write(areas.to_dataset(name="areacella"), tmp_path / "areacella.nc")
    found = budget([tmp_path])
    assert made.by_name(found)["toa_net"].value == pytest.approx(1.0)
    assert "areacella" in found.weights


def test_rows_from_north_to_south_and_levels_from_the_bottom_up_change_nothing(tmp_path):
    times = made.hours(3)
    profile = np.array([1e-3, 4e-3, 1e-2])[None, :, None, None] * np.ones((3, 3, *made.SHAPE))
    dims = ("time", "level", "lat", "lon")
    data = made.dataset(times, {"q": made.field(times, profile, "kg kg-1", dims)}, level=[200.0, 500.0, 1000.0])
    data["level"].attrs["units"] = "hPa"
    turned = data.isel(level=slice(None, None, -1), lat=slice(None, None, -1))
    # The trapezoidal rule by hand, layers of 300 and 500 hPa.
    water = (0.5 * (1e-3 + 4e-3) * 3e4 + 0.5 * (4e-3 + 1e-2) * 5e4) / GRAVITY
    for name, one in (("down", data), ("up", turned)):
        found = budget([made.write(one, tmp_path / f"{name}.nc")])
        assert made.by_name(found)["water"].value == pytest.approx(water, rel=1e-12)
        assert any("levels were put in ascending order" in note for note in found.notes) == (name == "up")


@pytest.mark.parametrize("slab", [blocks.SLAB, 48])
def test_dry_air_that_goes_away_has_a_drift_a_day_and_a_century(tmp_path, monkeypatch, slab):
    """A block that is gone through a few times at once has the layers of each time's own surface pressure."""
    monkeypatch.setattr(blocks, "SLAB", slab)
    times = made.hours(9)
    days = np.arange(9) / 4.0
    data = made.layered(times, 1e5 + 2.0 * days)
    found = made.by_name(budget([made.write(data, tmp_path / "air.nc")]))
    air = found["dry_air"]
    assert air.value == pytest.approx((1e5 + 2.0 - 200.0) / GRAVITY, rel=1e-12)
    assert air.drift.per_day == pytest.approx(2.0 / GRAVITY, rel=1e-9)
    assert air.drift.per_century == pytest.approx(2.0 * 36525 / GRAVITY, rel=1e-9)
    assert air.drift.rms_step == pytest.approx(0.5 / GRAVITY, rel=1e-9)  # in six hours
    assert air.drift.through == "times"
    assert found["dry_air_pressure"].drift.per_day == pytest.approx(2.0, rel=1e-9)


def test_seasons_are_no_drift_where_there_are_whole_years(tmp_path):
    times = made.months(2001, 3, "noleap")
    seasons = np.tile(np.linspace(-5.0, 5.0, 12), 3)
    data = made.top(times, seasons + np.repeat([0.0, 0.1, 0.2], 12))
    toa = made.by_name(budget([made.write(data, tmp_path / "top.nc")]))["toa_net"]
    assert toa.drift.through == "whole years"
    assert toa.drift.per_century == pytest.approx(0.1 * 36525 / 365, rel=1e-9)
    assert toa.drift.per_day is None


def sea(values, thickness=10.0):
    """Return temperatures of two levels of the sea by month, whose layers are 10 m thick each."""
    depth = ("lev", [5.0, 20.0], {"standard_name": "depth", "units": "m"})
    dims = ("time", "lev", "lat", "lon")
    times = made.months(2001, 1, "noleap")
    data = made.dataset(times, {"thetao": made.field(times, values, "degC", dims)}, lev=depth)
    data["thkcello"] = (("lev", "lat", "lon"), np.full((2, *made.SHAPE), thickness), {"units": "m"})
    return data


def test_the_heat_of_the_sea_is_that_of_columns_with_water(tmp_path):
    values = np.full((12, 2, *made.SHAPE), 10.0)
    values[:, :, 1] = np.nan  # land
    values[:, 1, 2] = np.nan  # shallow
    data = sea(values)
    found = budget([made.write(data, tmp_path / "sea.nc")])
    heat = made.by_name(found)["ocean_heat"]
    assert "ocean_heat" not in found.missing
    # Two rows of a quarter each: 20 m of water and 10 m of it, at 10 K above freezing.
    assert heat.value == pytest.approx(1035.0 * 3992.0 * 10.0 * 15.0, rel=1e-12)
    assert any("66.7% of the cells" in note for note in found.notes)
    data["areacello"] = (("lat", "lon"), np.array([[1.0], [np.nan], [3.0]]) * np.ones(made.SHAPE), {"units": "m2"})
    heat = made.by_name(budget([made.write(data, tmp_path / "areas.nc")]))["ocean_heat"]
    assert heat.value == pytest.approx(1035.0 * 3992.0 * 10.0 * 12.5, rel=1e-12)
    data["thetao"][5, :, 0, 0] = np.nan
    found = budget([made.write(data, tmp_path / "other.nc")])
    assert "another time" in found.missing["ocean_heat"][0]


@pytest.mark.parametrize("block", [2**25, 1])  # all times at once, and one by one
def test_water_that_is_missing_at_some_times_and_water_of_no_thickness_have_no_heat(tmp_path, monkeypatch, block):
    monkeypatch.setattr(series, "BLOCK", block)
    values = np.full((12, 2, *made.SHAPE), 10.0)
    values[6:, 1, 0] = np.nan  # the lower level of a row, from July on: its columns still hold water
    found = budget([made.write(sea(values), tmp_path / "later.nc")])
    assert "ocean_heat" not in made.by_name(found)
    assert "24 of 288 values of 'thetao'" in found.missing["ocean_heat"][0]
    thin = sea(np.full((12, 2, *made.SHAPE), 10.0))
    thin["thkcello"][1, 2] = np.nan
    found = budget([made.write(thin, tmp_path / "thin.nc")])
    assert "ocean_heat" not in made.by_name(found)
    assert "'thkcello' is missing (NaN) for 48 of 288 values" in found.missing["ocean_heat"][0]
