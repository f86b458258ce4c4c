"""Which windows of consecutive times a data set offers: none spans a gap in time or the border of a period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from climbench.calendars import days_since, label, time_axis
from climbench.data.splits import Split
from climbench.errors import DataError

# Months and years differ in length: the days between two times that are one step apart, by the median step.
UNEVEN = ((27.5, 31.5), (359.0, 367.0))
TOLERANCE = 0.01


def window_starts(time: xr.DataArray, split: Split, offsets: Sequence[int], *, required: bool = True) -> np.ndarray:
    """Return where on the time axis the windows of a split stand.

    A window is a position and all positions at the given offsets from it. It belongs to the split if its whole stretch,
    from the least to the greatest offset and with 0 between them, lies in one evenly spaced run of one period.

    Parameters
    ----------
    time : DataArray of shape (time,)
        Integer years, datetime64 or cftime dates, ascending.
    split : Split
        The periods. Its stride thins the windows, not the times in them: with a stride of 4 every fourth position of a
        period carries a window, whose offsets still count the steps of the time axis.
    offsets : sequence of int
        Steps from the window's position, such as ``(-1, 0, 1)``.
    required : bool
        Whether to raise where there is none.

    Returns
    -------
    ndarray of int64
        Positions of offset 0 along ``time``, ascending.

    Raises
    ------
    DataError
        If the times are not ascending, no step prevails, or no window fits into any period.
    """
    first, last = min(0, *offsets), max(0, *offsets)
    breaks = _breaks(time)
    found, longest = [], 0
    for period in split.periods or ((None, None),):
        used = replace(split, periods=(period,), scenarios=(), stride=1).positions(time)
        if not used.size:
            continue
        inside = breaks[(breaks > used[0]) & (breaks <= used[-1])]
        for start, stop in zip((used[0], *inside), (*inside, used[-1] + 1), strict=True):
            positions = np.arange(start - first, stop - last, dtype=np.int64)
            found.append(positions[(positions - used[0]) % split.stride == 0])
            longest = max(longest, stop - start)
    starts = np.concatenate(found) if found else np.empty(0, np.int64)
    if required and not starts.size:
        raise DataError(_nothing(time, split, last - first + 1, longest))
    return starts


def _nothing(time: xr.DataArray, split: Split, needed: int, longest: int) -> str:
    ends = f"{label(time.values[0])}..{label(time.values[-1])}" if time.size else "nothing"
    return (
        f"No window of {needed} consecutive times lies in the split '{split.describe()}': the data span {ends}, the "
        f"longest evenly spaced run in a period {longest} times. Widen the periods, or ask for fewer steps."
    )


def _breaks(time: xr.DataArray) -> np.ndarray:
    """Return the positions that do not follow one step after the position before."""
    axis = time_axis(time)
    if axis.disorder or axis.duplicates:
        wrong = f"{axis.disorder} is out of order" if axis.disorder else f"{axis.duplicates[0]} occurs more than once"
        raise DataError(f"The time axis is not strictly ascending: {wrong}. Put it in order (data.sortby('time')).")
    steps = np.diff(days_since(time))
    if not steps.size:
        return np.empty(0, np.int64)
    middle = float(np.median(steps))
    low, high = next(
        ((low, high) for low, high in UNEVEN if low <= middle <= high),
        (middle * (1 - TOLERANCE), middle * (1 + TOLERANCE)),
    )
    broken = (steps < low) | (steps > high)
    if broken.mean() > 0.5:
        raise DataError(
            f"The times {axis.first}..{axis.last} have no prevailing step (the median is {middle:g} days): windows of "
            "consecutive steps cannot be told. Give data with even steps."
        )
    return np.flatnonzero(broken) + 1
