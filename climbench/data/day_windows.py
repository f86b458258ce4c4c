"""Days of the year, and the triangular window that WeatherBench pools them in.

Around each of 366 days of the year, the days up to half a window away count, in all years; the year is closed to a
ring. A day counts by its distance, ``1 - distance / half``, so that the outermost days of a window have no weight.
Weights are kept as the whole numbers ``half - distance``: sums of them are exact, and no statistic knows their scale.

References
----------
Rasp et al. (2023), WeatherBench 2, arXiv:2308.15560, for the window.
Akinshin (2023), Weighted quantile estimators, arXiv:2304.07265, for quantiles of weighted values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import xarray as xr

from climbench.calendars import calendar_of, label
from climbench.errors import DataError

DAYS = 366
WINDOW = 61
DATED = ("standard", "gregorian", "proleptic_gregorian")
BLOCK = 32  # sorted values whose weights are summed at once


@dataclass(frozen=True)
class CalendarDays:
    """Where each time of a series lies in the year, by the proleptic Gregorian calendar.

    Attributes
    ----------
    years, hours : ndarray of int
        The years and hours of day (UTC) that occur, ascending.
    year, hour : ndarray of shape (time,)
        Positions among them.
    day : ndarray of shape (time,)
        Day of the year, counted from 0.
    twice : ndarray of shape (time,)
        Whether a time stands for day 366 too: on day 365 of a year that has no day 366.
    """

    years: np.ndarray
    hours: np.ndarray
    year: np.ndarray
    hour: np.ndarray
    day: np.ndarray
    twice: np.ndarray

    @classmethod
    def of(cls, time: xr.DataArray) -> CalendarDays:
        """Return where the times of a series lie.

        Raises
        ------
        DataError
            If they are no dates of this calendar, repeat, or do not lie on full hours.
        """
        index = pd.DatetimeIndex(dates(time))
        if not index.is_unique:
            raise DataError(f"The series repeats {label(index[index.duplicated()][0].to_datetime64())}; drop one.")
        year, day, hour = (np.asarray(part) for part in (index.year, index.day_of_year, full_hours(index)))
        years, year_position = np.unique(year, return_inverse=True)
        hours, hour_position = np.unique(hour.astype("int64"), return_inverse=True)
        return cls(years, hours, year_position, hour_position, day - 1, (day == 365) & ~np.asarray(index.is_leap_year))


def dates(time: xr.DataArray) -> np.ndarray:
    """Return times of any shape as datetime64 in seconds; raise `DataError` where they are none of this calendar."""
    if calendar_of(time) not in DATED:
        raise DataError(
            f"The times are on the calendar '{calendar_of(time)}'. A day of the year as weather has it needs dates of "
            "the Gregorian calendar."
        )
    values = time.values
    if values.dtype == object:
        values = np.array([date.isoformat() for date in values.flat], "datetime64[s]").reshape(values.shape)
    return values.astype("datetime64[s]")


def full_hours(index: pd.DatetimeIndex) -> np.ndarray:
    """Return hours of day; raise `DataError` where a time does not lie on a full hour."""
    odd = np.flatnonzero((np.asarray(index.minute) != 0) | (np.asarray(index.second) != 0))
    if odd.size:
        raise DataError(
            f"{index[odd[0]]} does not lie on a full hour; a climatology is kept by hour of day. Select full hours."
        )
    return np.asarray(index.hour)


@cache
def window_weights(window: int = WINDOW) -> np.ndarray:
    """Return how much each day counts in the window around each day.

    Parameters
    ----------
    window : int
        Days in the window, an odd number.

    Returns
    -------
    ndarray of shape (366, 366)
        Whole numbers as float64, from 0 at half a window's distance to ``window // 2``; symmetric.

    Raises
    ------
    DataError
        If the window is even, or longer than a year.
    """
    return np.maximum(window // 2 - _distances(window), 0.0)


@cache
def window_days(window: int = WINDOW) -> np.ndarray:
    """Return which days lie in the window around each day, its outermost among them; 0 and 1, of shape (366, 366)."""
    return (_distances(window) <= window // 2).astype("float64")


def _distances(window: int) -> np.ndarray:
    if window % 2 == 0 or not 3 <= window < DAYS:
        raise DataError(f"A window of {window} days has no middle, or is not from 3 to 365 days long. Choose another.")
    apart = np.abs(np.arange(DAYS)[:, None] - np.arange(DAYS))
    return np.minimum(apart, DAYS - apart)


def _ring_sums(values: np.ndarray, window: int) -> np.ndarray:
    """Return ``values @ window_weights(window)`` by running sums: a triangle is a box passed twice."""
    half = window // 2
    for _ in range(2):
        until = np.cumsum(np.concatenate([values[:, -half:], values], axis=1), axis=1)
        values = until[:, half:] - until[:, :-half]
    return np.roll(values, 1 - half, axis=1)


def window_quantiles(values: np.ndarray, quantiles: Sequence[float], window: int = WINDOW) -> np.ndarray:
    """Return weighted quantiles over the window around each day of the year.

    The estimate is Akinshin's type 7: with Kish's effective number of values n = (sum w)^2 / sum w^2 and
    h = (n - 1) q + 1, the mean of the sorted values between the fractions (h - 1) / n and h / n of the weight. With
    equal weights it is the usual quantile, linear between values.

    Parameters
    ----------
    values : ndarray of shape (cell, year, 366)
        NaN where there is none.
    quantiles : sequence of float
        Between 0 and 1.
    window : int
        Days in the window.

    Returns
    -------
    ndarray of shape (quantile, 366, cell)
        float32; NaN where a window is empty.
    """
    result = np.full((len(quantiles), DAYS, values.shape[0]), np.nan, np.float32)
    days = np.tile(np.arange(DAYS), values.shape[1])
    for cell, years in enumerate(values):
        column = years.ravel()
        there = ~np.isnan(column)
        if there.any():
            pool = _SortedPool(column[there], days[there], window)
            result[:, :, cell] = [pool.quantile(q) for q in quantiles]
    return result


class _SortedPool:
    """All values of one cell in order, with the weight each has in the window around each day.

    Values are sorted once. Weights are summed block by block for all days together; only the blocks where a quantile
    lies are looked at value by value.
    """

    def __init__(self, values: np.ndarray, days: np.ndarray, window: int) -> None:
        weights = window_weights(window)
        order = np.argsort(values, kind="stable")
        blocks = -(-values.size // BLOCK)
        spare = blocks * BLOCK - values.size  # of no weight, to fill the last block
        self.days = np.concatenate([days[order], np.full(spare, DAYS)])
        self.values = np.concatenate([values[order].astype("float64"), np.zeros(spare)])
        self.weights = np.pad(weights, ((0, 0), (0, 1)))
        place = (np.arange(values.size) // BLOCK) * DAYS + self.days[: values.size]
        counts = np.bincount(place, minlength=blocks * DAYS).reshape(blocks, DAYS)
        sums = np.bincount(place, self.values[: values.size], blocks * DAYS).reshape(blocks, DAYS)
        self.weight = np.pad(np.cumsum(_ring_sums(counts, window), axis=0), ((1, 0), (0, 0)))
        self.moment = np.pad(np.cumsum(_ring_sums(sums, window), axis=0), ((1, 0), (0, 0)))
        self.squares = counts.sum(axis=0) @ weights**2

    def quantile(self, q: float) -> np.ndarray:
        """Return a quantile for each day, of shape (366,)."""
        total = self.weight[-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            size = total**2 / self.squares
            upper = np.clip((size - 1.0) * q + 1.0, 1.0, size)
            low, high = (upper - 1.0) / size * total, upper / size * total
            return (self._integral(high) - self._integral(low)) / (high - low)

    def _integral(self, until: np.ndarray) -> np.ndarray:
        """Return the sum of weight times value over the least values of each window, up to a sum of weights (366,)."""
        day = np.arange(DAYS)
        block = np.minimum((self.weight[1:] <= until).sum(axis=0), self.weight.shape[0] - 2)
        rows = block[:, None] * BLOCK + np.arange(BLOCK)
        weights = self.weights[day[:, None], self.days[rows]]
        before = self.weight[block, day][:, None] + np.cumsum(weights, axis=1) - weights
        taken = np.clip(until[:, None] - before, 0.0, weights)
        return np.asarray(self.moment[block, day] + (taken * self.values[rows]).sum(axis=1))
