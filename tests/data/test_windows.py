"""Windows of consecutive times: counted by hand, and never across a gap or the border of a period."""

from __future__ import annotations

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from climbench.data.splits import Split
from climbench.data.windows import window_starts
from climbench.errors import DataError


def axis(values):
    return xr.DataArray(np.asarray(values), dims="time")


def years(first, last):
    return axis(np.arange(first, last + 1))


def hours(periods, step=6):
    return axis(pd.date_range("2001-01-01", periods=periods, freq=f"{step}h").values)


def test_ten_consecutive_years_fit_77_times_into_86():
    assert window_starts(years(2015, 2100), Split("x"), range(-9, 1)).tolist() == list(range(9, 86))


def test_a_forecast_window_leaves_room_for_history_and_targets():
    assert window_starts(hours(8), Split("x"), (-1, 0, 2)).tolist() == [1, 2, 3, 4, 5]


def test_zero_lies_inside_even_if_it_is_no_offset():
    assert window_starts(years(2000, 2004), Split("x"), (1, 2)).tolist() == [0, 1, 2]
    assert window_starts(years(2000, 2004), Split("x"), (-2, -1)).tolist() == [2, 3, 4]


def test_no_window_leaves_its_period():
    split = Split("x", ((2002, 2004), (2005, 2006), (2008, None)))
    assert window_starts(years(2000, 2010), split, (0, 1)).tolist() == [2, 3, 5, 8, 9]


def test_a_gap_splits_a_run():
    time = hours(10).isel(time=[0, 1, 2, 5, 6, 7, 8])
    assert window_starts(time, Split("x"), (0, 1, 2)).tolist() == [0, 3, 4]


def test_a_time_between_two_steps_splits_a_run():
    time = axis(np.sort(np.append(hours(8).values, np.datetime64("2001-01-01T09:00"))))
    assert window_starts(time, Split("x"), (0, 1)).tolist() == [0, 3, 4, 5, 6, 7]


def test_a_stride_thins_windows_and_not_their_steps():
    split = Split("x", (("2001-01-01T06", None),), stride=4)
    assert window_starts(hours(12), split, (-1, 0, 1)).tolist() == [5, 9]


def test_months_are_even_though_their_lengths_differ():
    time = axis(pd.date_range("1999-01-16", periods=36, freq="MS").values)
    assert window_starts(time, Split("x"), (0, 1)).size == 35
    assert window_starts(time.isel(time=[*range(5), *range(6, 36)]), Split("x"), (0, 1)).tolist() == [
        *range(4),
        *range(5, 34),
    ]


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "standard"])
def test_model_calendars(calendar):
    time = axis(xr.date_range("0101-01-01", periods=800, freq="D", calendar=calendar, use_cftime=True).values)
    assert isinstance(time.values[0], cftime.datetime)
    split = Split("x", ((102, None),))
    first = {"noleap": 365, "360_day": 360, "standard": 365}[calendar]
    assert window_starts(time, split, (0, 1)).tolist() == list(range(first, 799))


def test_times_out_of_order_are_refused():
    with pytest.raises(DataError, match=r"not strictly ascending: 2001 is out of order"):
        window_starts(axis([2000, 2002, 2001]), Split("x"), (0,))
    with pytest.raises(DataError, match=r"2001 occurs more than once"):
        window_starts(axis([2000, 2001, 2001]), Split("x"), (0,))


def test_times_without_a_step_are_refused():
    with pytest.raises(DataError, match="no prevailing step"):
        window_starts(axis([2000, 2001, 2003, 2010, 2031, 2090]), Split("x"), (0,))


def test_too_short_a_period_says_what_there_is():
    with pytest.raises(DataError, match=r"No window of 5 consecutive times.*x 2000\.\.2003.*longest.*4 times"):
        window_starts(years(1990, 2020), Split("x", ((2000, 2003),)), (0, 4))
    with pytest.raises(DataError, match=r"data span 1990\.\.2020.*0 times"):
        window_starts(years(1990, 2020), Split("x", ((2030, 2040),)), (0,))


@given(
    present=st.lists(st.booleans(), min_size=4, max_size=60),
    offsets=st.sets(st.integers(-3, 4), min_size=1, max_size=3),
    cut=st.integers(1, 58),
    stride=st.integers(1, 3),
)
def test_windows_are_those_found_by_looking_at_every_position(present, offsets, cut, stride):
    values = np.flatnonzero(present) + 2000
    if values.size < 2 or np.median(np.diff(values)) != 1.0 or (np.diff(values) != 1).mean() > 0.5:
        return
    border = 2000 + cut
    split = Split("x", ((None, border - 1), (border, None)), stride=stride)
    stretch = range(min(0, *offsets), max(0, *offsets) + 1)
    there, expected = set(values.tolist()), []
    for old in (True, False):
        period = [v for v in values.tolist() if (v < border) == old]
        for count, value in enumerate(period):
            needed = {value + step for step in stretch}
            if count % stride == 0 and needed <= there and all((v < border) == old for v in needed):
                expected.append(value)
    if expected:
        assert values[window_starts(axis(values), split, sorted(offsets))].tolist() == expected
    else:
        with pytest.raises(DataError, match="No window"):
            window_starts(axis(values), split, sorted(offsets))
