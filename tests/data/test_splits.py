"""Splits: what they select on each kind of time axis, when two are the same, and when they overlap."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data.splits import Split
from climbench.errors import DataError


def axis(values):
    return xr.DataArray(values, dims="time", coords={"time": values}, name="time")


def dates(start, count, freq, calendar="standard"):
    return axis(xr.date_range(start, periods=count, freq=freq, calendar=calendar, use_cftime=calendar != "standard"))


def chosen(split, time):
    return time.values[split.positions(time)]


def test_integer_years_are_chosen_with_both_ends():
    years = axis(np.arange(1850, 2101))
    found = chosen(Split("x", ((1860, 1862), (2099, None))), years)
    np.testing.assert_array_equal(found, [1860, 1861, 1862, 2099, 2100])


def test_an_end_cut_short_reaches_to_the_last_hour_of_its_year_or_month():
    hours = dates("1999-12-31", 8, "6h")
    assert chosen(Split("x", ((None, 1999),)), hours)[-1] == np.datetime64("1999-12-31T18")
    assert chosen(Split("x", ((None, "1999-12"),)), hours)[-1] == np.datetime64("1999-12-31T18")
    assert chosen(Split("x", ((None, "1999-12-31T06"),)), hours)[-1] == np.datetime64("1999-12-31T06")
    assert chosen(Split("x", ((2000, None),)), hours)[0] == np.datetime64("2000-01-01T00")


@pytest.mark.parametrize(("calendar", "days"), [("noleap", 28), ("360_day", 30), ("standard", 29), ("all_leap", 29)])
def test_february_is_as_long_as_its_calendar_says(calendar, days):
    time = dates("2000-01-01", 120, "D", calendar)
    found = Split("x", (("2000-02", "2000-02"),)).positions(time)
    assert found.size == days


def test_a_control_run_of_year_101():
    months = dates("0101-01-16", 36, "MS", "noleap")
    found = chosen(Split("x", ((102, 102),)), months)
    assert [(date.year, date.month) for date in found] == [(102, month) for month in range(1, 13)]


def test_the_stride_counts_from_the_start_of_each_period():
    years = axis(np.arange(2000, 2020))
    found = chosen(Split("x", ((2001, 2005), (2010, 2013)), stride=3), years)
    np.testing.assert_array_equal(found, [2001, 2004, 2010, 2013])


def test_select_keeps_scenarios_and_times():
    data = xr.Dataset(
        {"tas": (("scenario", "time"), np.arange(12.0).reshape(3, 4))},
        coords={"scenario": ["a", "b", "c"], "time": [2000, 2001, 2002, 2003]},
    )
    found = Split("x", ((2001, 2002),), scenarios=("c", "a")).select(data)
    np.testing.assert_array_equal(found["tas"], [[1.0, 2.0], [9.0, 10.0]])


def test_select_stays_lazy():
    data = xr.Dataset({"tas": ("time", np.zeros(4))}, coords={"time": np.arange(4)}).chunk(time=2)
    assert Split("x", ((1, 2),)).select(data)["tas"].chunks == ((1, 1),)


@pytest.mark.parametrize("bound", [1979, "1979", np.int64(1979)], ids=["integer", "text", "NumPy"])
def test_equal_splits_have_equal_fingerprints_however_bounds_are_written(bound):
    assert Split("x", ((bound, 2000),)).fingerprint == Split("x", [["1979", "2000"]]).fingerprint


def test_dates_may_come_as_yaml_pandas_or_numpy_give_them():
    wanted = Split("x", (("1979-01-02", None),))
    assert Split("x", ((datetime.date(1979, 1, 2), None),)) == wanted
    assert Split("x", ((np.datetime64("1979-01-02"), None),)) == wanted
    exact = Split("x", ((pd.Timestamp("1979-01-02T06"), None),))
    assert exact.periods == (("1979-01-02T06:00:00", None),)


def test_fingerprints_tell_splits_apart():
    base = {"data": "x", "periods": ((1979, 2000),), "scenarios": ("a",), "stride": 1}
    others = [{"data": "y"}, {"periods": ((1979, 2001),)}, {"scenarios": ("b",)}, {"stride": 2}]
    prints = {Split(**{**base, **other}).fingerprint for other in [{}, *others]}
    assert len(prints) == 5


def test_the_order_of_periods_and_scenarios_does_not_matter():
    one = Split("x", ((2000, 2001), (1990, 1991)), ("b", "a"))
    assert one == Split("x", ((1990, 1991), (2000, 2001)), ("a", "b"))


def test_a_split_survives_json():
    split = Split("era5", ((None, "1995-06"), (2001, 2002)), ("ssp126",), 2)
    assert Split.from_json(json.loads(json.dumps(split.to_json()))) == split


@pytest.mark.parametrize("content", [{}, {"data": "x", "periods": [[1]], "scenarios": [], "stride": 1}])
def test_what_describes_no_split_is_refused(content):
    with pytest.raises(DataError, match="does not describe a split"):
        Split.from_json(content)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([(1979, 2000)], [(2001, 2002)], False),
        ([(1979, 2000)], [("2000-12-31T18", 2002)], True),
        ([(1979, "2000-06")], [("2000-07", 2002)], False),
        ([(None, 1995), (2011, 2019)], [(1998, 2010)], False),
        ([(None, 1995), (2011, None)], [(2030, 2031)], True),
        ([], [(2030, 2031)], True),
    ],
)
def test_overlap_in_time(one, other, expected):
    a, b = Split("x", one), Split("x", other)
    assert (a.overlap(b), b.overlap(a)) == (expected, expected)


def test_splits_of_other_scenarios_or_data_do_not_overlap():
    train = Split("x", ((2015, 2100),), ("ssp126", "ssp585"))
    assert not train.overlap(Split("x", ((2015, 2100),), ("ssp245",)))
    assert train.overlap(Split("x", ((2080, 2100),), ("ssp245", "ssp585")))
    assert train.overlap(Split("x", ((2080, 2100),)))
    assert not train.overlap(Split("y", ((2015, 2100),), ("ssp126",)))


def test_interleaved_samples_overlap():
    assert Split("x", ((2000, 2010),), stride=2).overlap(Split("x", ((2001, 2009),), stride=2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"periods": ((2000, 1999),)}, "2000..1999 ends before it begins"),
        ({"periods": ((2000, 2005), (2005, 2006))}, "2000..2005 and 2005..2006 overlap"),
        ({"periods": (("last year", 1999),)}, "'last year' is no bound of a period"),
        ({"periods": ((1.5, 1999),)}, "'1.5' is no bound of a period"),
        ({"periods": ((2000,),)}, "a start and an end"),
        ({"stride": 0}, "stride is 0"),
    ],
)
def test_what_is_no_split(arguments, message):
    with pytest.raises(DataError, match=message):
        Split("x", **arguments)


def test_a_period_without_samples_is_refused_with_what_there_is():
    data = xr.Dataset({"tas": ("time", np.zeros(3))}, coords={"time": [2000, 2001, 2002]})
    with pytest.raises(DataError, match=r"in the period 2005\.\.2009 of the split 'x .*the data span 2000\.\.2002"):
        Split("x", ((2000, 2001), (2005, 2009))).select(data)


def test_a_scenario_that_is_not_there_is_refused_with_the_closest():
    with pytest.raises(DataError, match=r"no scenario 'ssp256'\. Did you mean 'ssp245'"):
        Split("x", scenarios=("ssp256",)).select_datasets({"ssp245": xr.Dataset(), "historical": xr.Dataset()})


def test_axes_that_cannot_be_read():
    with pytest.raises(DataError, match=r"whole years, and the split has the bound '2000-06'"):
        Split("x", (("2000-06", None),)).positions(axis(np.arange(2000, 2003)))
    with pytest.raises(DataError, match="neither whole years nor dates"):
        Split("x").positions(axis(np.array([0.5, 1.5])))
    with pytest.raises(DataError, match="not ascending"):
        Split("x").positions(axis(np.array([2001, 2000])))
