"""Times: how long each lasts, which years are whole, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.calendars import days_since, label, time_axis
from climbench.constants import SECONDS_PER_DAY

DAYS = "days"  # the coordinate that holds the length of each time, where a file's bounds tell it
LONG = 27.0  # days: a mean over as many or more is one of a month or a year
YEAR = 365.25  # days of a year that is but a number
SLACK = 0.5  # days that a whole year may lack


@dataclass(frozen=True)
class Times:
    """A time axis, as means over it need it.

    Attributes
    ----------
    moments : ndarray of shape (time,)
        In days since any date.
    days : ndarray of shape (time,)
        How long each time lasts; equal where the files do not tell.
    years : ndarray of shape (time,)
        Calendar years; empty where there is no time axis.
    year_lengths : ndarray of shape (time,)
        Days of those years.
    step : str
        In words, as `climbench.calendars.time_axis` has it.
    words : str
        The axis in words.
    known : bool
        Whether the lengths are known.
    """

    moments: np.ndarray
    days: np.ndarray
    years: np.ndarray
    year_lengths: np.ndarray
    step: str
    words: str
    known: bool

    @property
    def long_means(self) -> bool:
        """Whether each time is a month or more, so that values can only be means over it."""
        return self.step in ("monthly", "annual") or bool(self.known and (self.days >= LONG).all())

    def seconds(self, means: bool) -> np.ndarray:
        """Return the length of the step that ends at each time: from middle to middle of means; the first is NaN."""
        gaps = 0.5 * (self.days[1:] + self.days[:-1]) if means and self.known else np.diff(self.moments)
        return SECONDS_PER_DAY * np.concatenate([[np.nan], gaps])

    def unbroken(self) -> np.ndarray:
        """Return for each time whether none is left out between it and the one before; false for the first."""
        steps = np.diff(self.moments)
        longest = 31.5 if self.step == "monthly" else 367.0 if self.step == "annual" else 1.01 * np.median(steps)
        return np.concatenate([[False], steps <= longest])

    def mean(self, series: np.ndarray) -> float:
        """Return the mean of a series over time, each time weighed by its days."""
        return float(np.average(series, weights=self.days))

    def by_year(self, series: np.ndarray) -> tuple[list[int], list[float], list[float]]:
        """Return the years, the mean of each, and the days there are of it."""
        years = [int(year) for year in np.unique(self.years)]
        inside = [self.years == year for year in years]
        means = [float(np.average(series[i], weights=self.days[i])) for i in inside]
        return years, means, [float(self.days[i].sum()) if self.known else float("nan") for i in inside]

    def whole(self) -> np.ndarray:
        """Return the years that are whole."""
        years = np.unique(self.years)
        there = np.array([self.days[self.years == y].sum() for y in years])
        needed = np.array([self.year_lengths[self.years == y][0] for y in years])
        return years[np.abs(there - needed) <= SLACK] if self.known else years[:0]


def read_times(data: xr.Dataset) -> Times:
    """Return the times of a data set.

    Parameters
    ----------
    data : Dataset
        Canonical; the coordinate ``days`` holds lengths where bounds tell them.

    Returns
    -------
    Times
        Of one time without years where the data has no time axis.
    """
    if "time" not in data.dims:
        none = np.zeros(0)
        return Times(np.zeros(1), np.ones(1), none, none, "single", "no time axis", False)
    time = data["time"].reset_coords(drop=True)
    axis = time_axis(time)
    numbers = axis.calendar == "years"
    years = time.values.astype("int64") if numbers else time.dt.year.values.astype("int64")
    lengths = np.full(years.size, YEAR) if numbers else time.dt.days_in_year.values.astype("float64")
    days = _lengths(data, time, axis.step)
    known = days is not None
    return Times(
        days_since(time), np.ones(years.size) if days is None else days, years, lengths, axis.step, str(axis), known
    )


def _lengths(data: xr.Dataset, time: xr.DataArray, step: str) -> np.ndarray | None:
    """Return the days that each time lasts, or None where nothing tells."""
    if DAYS in data.coords and np.isfinite(data[DAYS].values).all():
        return data[DAYS].values.astype("float64")
    if step == "monthly":
        return time.dt.days_in_month.values.astype("float64")
    if step == "annual":
        return np.full(time.size, YEAR) if time.dtype.kind in "iuf" else time.dt.days_in_year.values.astype("float64")
    if step in ("single", "irregular"):
        return None
    return np.full(time.size, float(np.median(np.diff(days_since(time)))))


def with_lengths(data: xr.Dataset, where: str, notes: list[str]) -> tuple[xr.Dataset, np.ndarray | None]:
    """Return a data set whose times lie within their bounds, and the days that those span.

    Parameters
    ----------
    data : Dataset
        As stored, with its bounds.
    where : str
        What to call it in messages.
    notes : list of str
        Takes a line on times that stood at the end of their month.

    Returns
    -------
    Dataset
    ndarray of shape (time,) or None
        None where there are no bounds, or none that make sense.
    """
    bounds = str(data["time"].attrs.get("bounds", "")) if "time" in data.coords else ""
    if bounds not in data.variables or data[bounds].dims[:1] != ("time",) or data[bounds].shape[1:] != (2,):
        return data, None
    begin, end = (xr.DataArray(data[bounds].values[:, i], dims="time") for i in (0, 1))
    if begin.dtype.kind in "iuf" or begin.isnull().any() or end.isnull().any():
        return data, None
    first, last = days_since(begin), days_since(end)
    days = last - first
    if not (days > 0.0).all():
        return data, None
    if (days >= LONG).all() and (days_since(data["time"]) >= last).any():
        middle = begin.values + (end.values - begin.values) / 2
        notes.append(f"{where}: times stood at the end of what they are means over, first {label(data.time.values[0])}")
        data = data.assign_coords(time=("time", middle, data["time"].attrs))
    return data, days
