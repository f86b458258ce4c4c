"""Time axes: integer years, standard dates and the calendars of climate models; their step, order and gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

SHOWN = 3


@dataclass(frozen=True)
class TimeAxis:
    """A time axis in words and numbers.

    Attributes
    ----------
    calendar : str
        ``"years"`` for integer years, otherwise the CF name of the calendar.
    step : str
        ``"annual"``, ``"monthly"``, ``"daily"``, or the step in hours such as ``"6-hourly"``; ``"single"`` for one
        time, ``"irregular"`` where no step prevails.
    first, last : str
        The ends.
    size : int
        Number of times.
    duplicates : tuple of str
        Times that occur more than once.
    disorder : str
        The first time that is earlier than the one before it; empty where there is none.
    gaps : tuple of str
        The time before each gap.
    """

    calendar: str
    step: str
    first: str
    last: str
    size: int
    duplicates: tuple[str, ...] = ()
    disorder: str = ""
    gaps: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the axis in a few words."""
        years = self.calendar == "years"
        text = f"{self.size} years" if years else f"{self.size} times, {self.step}, {self.calendar} calendar"
        text += f" {self.first}..{self.last}" if self.size else ""
        if self.gaps:
            text += f", {len(self.gaps)} gaps, first after {self.gaps[0]}"
        return text


def calendar_of(time: xr.DataArray) -> str:
    """Return the CF name of a time axis' calendar, or ``"years"`` for plain numbers.

    Parameters
    ----------
    time : DataArray of shape (time,)
        Integer years, datetime64 or cftime dates.

    Returns
    -------
    str
    """
    if time.dtype == object and time.size:
        return str(time.values.flat[0].calendar)
    return "proleptic_gregorian" if np.issubdtype(time.dtype, np.datetime64) else "years"


def days_since(time: xr.DataArray) -> np.ndarray:
    """Return a time axis in days since an arbitrary moment, in its own calendar; integer years count 365.25 days.

    Parameters
    ----------
    time : DataArray of shape (time,)
        Integer years, datetime64 or cftime dates.

    Returns
    -------
    ndarray of shape (time,)
        float64.
    """
    values = time.values
    if values.dtype == object:
        import cftime

        return np.asarray(cftime.date2num(values, "days since 0001-01-01", calendar_of(time)), "float64")
    if np.issubdtype(values.dtype, np.datetime64):
        return (values - np.datetime64("2000-01-01")) / np.timedelta64(1, "D")
    return values.astype("float64") * 365.25


def label(value: object) -> str:
    """Return one time as it is shown: a year, a date, or a date with its hour."""
    if isinstance(value, np.datetime64):
        text = str(value.astype("datetime64[m]"))
    elif hasattr(value, "strftime") and hasattr(value, "calendar"):
        text = value.strftime("%Y-%m-%dT%H:%M").strip()
    else:
        return str(value)
    return text.removesuffix("T00:00")


def time_axis(time: xr.DataArray) -> TimeAxis:
    """Return what there is to know about a time axis.

    Parameters
    ----------
    time : DataArray of shape (time,)
        Integer years, datetime64 or cftime dates.

    Returns
    -------
    TimeAxis
    """
    days, values = days_since(time), time.values
    calendar = calendar_of(time)
    if not values.size:
        return TimeAxis(calendar, "single", "", "", 0)
    step = np.diff(days)
    order = np.argsort(days, kind="stable")
    twice = order[1:][np.diff(days[order]) == 0.0]
    back = np.flatnonzero(step < 0.0)
    name, longest = _step(step[step > 0.0])
    gaps = np.flatnonzero(step > longest)
    return TimeAxis(
        calendar,
        name,
        label(values[0]),
        label(values[-1]),
        values.size,
        tuple(label(values[i]) for i in np.unique(twice)),
        label(values[back[0] + 1]) if back.size else "",
        tuple(label(values[i]) for i in gaps),
    )


def _step(step: np.ndarray) -> tuple[str, float]:
    """Return the prevailing step's name and the longest difference in days that is no gap."""
    if not step.size:
        return "single", np.inf
    middle = float(np.median(step))
    if 359.0 <= middle <= 367.0:
        return "annual", 367.0
    if 27.5 <= middle <= 31.5:
        return "monthly", 31.5
    if np.mean(np.abs(step - middle) < 0.01 * middle) < 0.5:
        return "irregular", np.inf
    hours = middle * 24.0
    name = "daily" if abs(hours - 24.0) < 0.01 else f"{hours:g}-hourly" if hours < 1000 else "irregular"
    return name, 1.01 * middle


def years_of(time: xr.DataArray, *, annual: bool) -> np.ndarray | None:
    """Return integer years where a time axis has one time a year, otherwise None.

    Parameters
    ----------
    time : DataArray of shape (time,)
        Numbers, datetime64 or cftime dates.
    annual : bool
        Whether the data is known to be annual; otherwise dates must lie about a year apart to be taken for years.

    Returns
    -------
    ndarray of shape (time,) or None
        int64.
    """
    if time.dtype != object and not np.issubdtype(time.dtype, np.datetime64):
        values = time.values.astype("float64")
        return values.astype("int64") if np.array_equal(values, np.round(values)) else None
    years: np.ndarray = time.dt.year.values.astype("int64")
    if np.unique(years).size != years.size:
        return None
    if annual:
        return years
    return years if time_axis(time).step == "annual" else None
