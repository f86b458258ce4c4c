"""Time axes: calendars, steps, gaps, repeats and disorder."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.calendars import calendar_of, days_since, label, time_axis, years_of


def axis(values) -> xr.DataArray:
    return xr.DataArray(values, dims="time", name="time")


def dates(start, periods, freq, calendar="standard") -> xr.DataArray:
    index = xr.date_range(start, periods=periods, freq=freq, calendar=calendar, use_cftime=calendar != "standard")
    return axis(index.values)


@pytest.mark.parametrize(
    ("time", "step", "calendar"),
    [
        (axis([2015, 2016, 2017]), "annual", "years"),
        (dates("2001-01-01", 40, "D"), "daily", "proleptic_gregorian"),
        (dates("2001-01-01", 40, "6h"), "6-hourly", "proleptic_gregorian"),
        (dates("2001-01-01", 30, "MS"), "monthly", "proleptic_gregorian"),
        (dates("2001-01-01", 30, "YS"), "annual", "proleptic_gregorian"),
        (dates("2001-01-01", 24, "MS", "noleap"), "monthly", "noleap"),
        (dates("2001-01-01", 24, "MS", "360_day"), "monthly", "360_day"),
        (dates("0101-01-01", 400, "D", "proleptic_gregorian"), "daily", "proleptic_gregorian"),
        (dates("2001-01-01", 1, "D"), "single", "proleptic_gregorian"),
        (axis(np.array(["2001-01-01", "2001-01-02", "2001-03-01", "2002-01-01"], "M8[ns]")), "irregular", None),
    ],
)
def test_steps_and_calendars(time, step, calendar):
    found = time_axis(time)
    assert found.step == step
    assert calendar in (None, found.calendar)
    assert (found.gaps, found.duplicates, found.disorder) == ((), (), "")


def test_gaps_are_named_by_the_time_before_them():
    time = dates("2001-01-01", 40, "D")
    found = time_axis(time[np.r_[0:10, 12:30, 33:40]])
    assert found.gaps == ("2001-01-10", "2001-01-30")
    assert "2 gaps, first after 2001-01-10" in str(found)


def test_a_missing_year_and_a_missing_month_are_gaps():
    assert time_axis(axis([2015, 2016, 2018, 2019])).gaps == ("2016",)
    assert time_axis(dates("2001-01-01", 24, "MS", "360_day")[np.r_[0:5, 6:24]]).gaps == ("2001-05-01",)


def test_leap_years_are_no_gaps():
    assert time_axis(dates("1999-06-01", 800, "D")).gaps == ()
    assert time_axis(dates("1895-01-01", 400, "MS")).gaps == ()


def test_repeats_and_disorder():
    time = dates("2001-01-01", 5, "D")
    assert time_axis(time[[0, 1, 1, 2, 3]]).duplicates == ("2001-01-02",)
    assert time_axis(time[[0, 2, 1, 3, 4]]).disorder == "2001-01-02"


def test_days_follow_the_calendar():
    for calendar, length in (("noleap", 365), ("360_day", 360), ("standard", 366)):
        time = dates("2000-01-01", 2, "YS", calendar)
        assert np.diff(days_since(time)).tolist() == [length]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.datetime64("2001-02-03T00:00"), "2001-02-03"),
        (np.datetime64("2001-02-03T06:00"), "2001-02-03T06:00"),
        (2015, "2015"),
        (dates("0101-02-30", 1, "D", "360_day").values[0], "0101-02-30"),
    ],
)
def test_labels(value, expected):
    assert label(value).lstrip("0") == expected.lstrip("0")


def test_one_date_a_year_is_a_year():
    np.testing.assert_array_equal(years_of(dates("2001-07-01", 3, "YS-JUL"), annual=False), [2001, 2002, 2003])
    assert years_of(dates("2001-01-01", 24, "MS"), annual=True) is None
    assert years_of(axis([2001.0, 2002.0]), annual=False).dtype == "int64"
    assert years_of(axis([2001.5, 2002.5]), annual=True) is None


def test_a_single_date_is_a_year_only_where_that_is_known():
    time = dates("2001-07-01", 1, "D")
    assert years_of(time, annual=False) is None
    assert years_of(time, annual=True).tolist() == [2001]


def test_calendars_by_name():
    assert calendar_of(axis([2001])) == "years"
    assert calendar_of(dates("2001-01-01", 2, "D", "noleap")) == "noleap"
