"""Climatologies by hour and day of the year: WeatherBench's recipe, and fields for the times a forecast is for.

For each hour of day that a series has, its years are stacked by day of the year, a year without a day 366 gives its
day 365 there too, and statistics are taken over the triangular window of 61 days around each day and over all years
(`climbench.data.day_windows`). Nothing is detrended. Years may be incomplete: a day that is missing, or NaN, has no
weight. What a climatology was made from stands in its attribute ``climatology_period``: the first and the last time.

Reference: Rasp et al. (2023), WeatherBench 2, arXiv:2308.15560; the "explicit" method, in which standard deviations
(divided by the sum of weights, not by one less) and quantiles are those of the pool of window and years. A dry
fraction counts all 61 days alike; the threshold between light and heavy is the weighted 2/3 quantile of what is
not dry (Rodwell et al., 2010, doi:10.1002/qj.656).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import xarray as xr

from climbench.calendars import label
from climbench.data.climatology_bands import Wanted, bands
from climbench.data.day_windows import DAYS, WINDOW, CalendarDays, dates, full_hours, window_weights
from climbench.data.field_room import FieldRoom
from climbench.errors import DataError, did_you_mean

STATISTICS = ("mean", "std", "quantile", "seeps")
SEEPS_DRY: Mapping[str, float] = MappingProxyType(  # metres; less counts as dry
    {"total_precipitation_24hr": 0.25e-3, "total_precipitation_6hr": 0.1e-3}
)
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
MEMORY = 256 * 2**20
PERIOD = "climatology_period"
YEARS = re.compile(r"(?<!\d)(\d{4})-(\d{4})(?!\d)")
MAP = ("latitude", "longitude")

Period = tuple[np.datetime64, np.datetime64]


def climatology(
    series: xr.Dataset,
    *,
    variables: Collection[str] | None = None,
    statistics: Sequence[str] = ("mean",),
    quantiles: Sequence[float] = QUANTILES,
    window: int = WINDOW,
    memory: int = MEMORY,
    scratch: Path | None = None,
) -> xr.Dataset:
    """Return the climatology of a series.

    The series is read a stretch of time at a time, once for each level and band of latitudes; bands are as wide as
    `memory` allows. Quantiles and SEEPS keep all values of a band and so need more bands than mean and spread.

    Parameters
    ----------
    series : Dataset
        Canonical, lazy or not; its variables of shape (time, [level,] latitude, longitude) are taken. Times lie on
        full hours; they may begin and end within a year and have gaps.
    variables : collection of str, optional
        Which variables; all without.
    statistics : sequence of {"mean", "std", "quantile", "seeps"}
        ``seeps`` is for variables in `SEEPS_DRY` only, in metres.
    quantiles : sequence of float
        For ``quantile``.
    window : int
        Days in the window, an odd number.
    memory : int
        Bytes kept while reading, apart from the result. A band is never narrower than a row.
    scratch : Path, optional
        An existing folder: results are kept in files there, not in memory, and given as dask arrays of them.

    Returns
    -------
    Dataset
        float32, of dimensions (hour, dayofyear, [quantile,] [level,] latitude, longitude). A mean has the name of its
        variable, others a suffix: ``_std``, ``_quantile``, ``_seeps_threshold``, ``_seeps_dry_fraction``. NaN in cells
        where no value lies in a window.

    Raises
    ------
    DataError
        If there is no such variable or statistic, or times are no dates of the Gregorian calendar.
    """
    for statistic in statistics:
        if statistic not in STATISTICS:
            raise DataError(
                f"There is no statistic '{statistic}' of a climatology. {did_you_mean(statistic, STATISTICS)}"
            )
    names = _variables(series, variables)
    days = CalendarDays.of(series["time"])
    window_weights(window)  # refuses a window that cannot be
    made: dict[str, xr.DataArray] = {}
    for name in names:
        wanted = Wanted(statistics, tuple(quantiles), _dry(series[name], statistics), window)
        made |= _of_variable(series[name], days, wanted, memory, scratch)
    if not made:
        raise DataError(f"None of {', '.join(names)} is precipitation that SEEPS is for ({', '.join(SEEPS_DRY)}).")
    times = dates(series["time"])
    attrs = {PERIOD: f"{times.min()}/{times.max()}", "climatology_window": f"{window} days, triangular"}
    return xr.Dataset(made, attrs=attrs)


def _variables(series: xr.Dataset, wanted: Collection[str] | None) -> list[str]:
    there = [str(v) for v in series.data_vars if {"time", *MAP} <= set(series[v].dims)]
    if not there:
        raise DataError("The series has no variable of dimensions (time, latitude, longitude).")
    for name in wanted or ():
        if name not in there:
            raise DataError(f"The series has no variable '{name}' in time and space. {did_you_mean(name, there)}")
    for name in wanted or there:
        strange = [str(d) for d in series[name].dims if d not in ("time", "level", *MAP)]
        if strange:
            raise DataError(
                f"'{name}' has the dimension '{strange[0]}' too; a climatology is of one. Select one of it."
            )
    return list(wanted or there)


def _dry(variable: xr.DataArray, statistics: Sequence[str]) -> float | None:
    """Return below what a variable is dry, or None where SEEPS is not for it."""
    dry = SEEPS_DRY.get(str(variable.name))
    if "seeps" not in statistics or dry is None:
        return None
    units = variable.attrs.get("units", "m")
    if units != "m":
        raise DataError(f"'{variable.name}' is in '{units}'; SEEPS' thresholds are in metres. Convert it.")
    return dry


def _of_variable(
    variable: xr.DataArray, days: CalendarDays, wanted: Wanted, memory: int, scratch: Path | None
) -> dict[str, xr.DataArray]:
    variable = variable.transpose("time", ..., *MAP)
    rooms = {suffix: _room(variable, days, wanted, suffix, scratch) for suffix in wanted.suffixes()}
    for band, results in bands(variable, days, wanted, memory) if rooms else ():
        for suffix in rooms.keys() & results.keys():
            rooms[suffix].put(band, results[suffix])
        results.clear()
    return {room.name: room.array() for room in rooms.values()}


def _room(variable: xr.DataArray, days: CalendarDays, wanted: Wanted, suffix: str, scratch: Path | None) -> FieldRoom:
    """Return where one statistic is put."""
    coords: dict[str, np.ndarray] = {"hour": days.hours, "dayofyear": np.arange(1, DAYS + 1)}
    if suffix == "_quantile":
        coords["quantile"] = np.array(wanted.quantiles)
    coords |= {str(d): variable[d].values for d in variable.dims if d != "time"}
    attrs = {key: variable.attrs[key] for key in ("units", "long_name") if key in variable.attrs}
    if suffix == "_seeps_dry_fraction":
        attrs["units"] = "1"
    return FieldRoom(f"{variable.name}{suffix}", coords, attrs, scratch)


def period_of(climatology: xr.Dataset, name: str = "") -> Period | None:
    """Return the period that a climatology says it was made from.

    Parameters
    ----------
    climatology : Dataset
        As `climatology` makes it, or anyone's.
    name : str
        The name of its store, which may tell the years where the store itself does not.

    Returns
    -------
    tuple of two datetime64 in seconds, or None
        The first and the last time, both included; None where it is not known.
    """
    first, sign, last = str(climatology.attrs.get(PERIOD, "")).partition("/")
    try:
        period = (np.datetime64(first, "s"), np.datetime64(last, "s"))
    except ValueError:
        return period_in_name(name)
    known = bool(sign) and not (np.isnat(period[0]) or np.isnat(period[1]))
    return period if known else period_in_name(name)


def period_in_name(name: str) -> Period | None:
    """Return the years that the name of a store tells, as in WeatherBench's ``1990-2019_6h_64x32.zarr``, or None."""
    for match in YEARS.finditer(name.rstrip("/").rpartition("/")[2]):
        first, last = int(match[1]), int(match[2])
        if 1800 <= first <= last < 2200:
            return np.datetime64(f"{first}-01-01T00:00:00", "s"), np.datetime64(f"{last}-12-31T23:59:59", "s")
    return None


def valid_positions(climatology: xr.Dataset, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the fields for some times are in a climatology.

    Parameters
    ----------
    climatology : Dataset of shape ([hour,] dayofyear, ...)
        Canonical.
    times : ndarray of datetime64 of any shape
        Of the proleptic Gregorian calendar.

    Returns
    -------
    hours, days : ndarray of int, of the shape of `times`
        Positions along ``hour`` (0 where it has none) and ``dayofyear``.

    Raises
    ------
    DataError
        If an hour or a day is not in the climatology.
    """
    index = pd.DatetimeIndex(times.ravel().astype("datetime64[s]"))
    days = _found(climatology, "dayofyear", np.asarray(index.day_of_year), index)
    hours = np.zeros(index.size, np.intp)
    if "hour" in climatology.dims:
        hours = _found(climatology, "hour", full_hours(index), index)
    return hours.reshape(times.shape), days.reshape(times.shape)


def _found(climatology: xr.Dataset, dim: str, wanted: np.ndarray, index: pd.DatetimeIndex) -> np.ndarray:
    known = pd.Index(climatology[dim].values)
    positions = np.asarray(known.get_indexer(wanted))
    lost = np.flatnonzero(positions < 0)
    if lost.size:
        there = ", ".join(map(str, known)) if known.size < 30 else f"{known.min()} to {known.max()}"
        raise DataError(
            f"The climatology has no field for {label(index[lost[0]].to_datetime64())}: its {dim} is {there}, and "
            f"{wanted[lost[0]]} is wanted. Name a climatology that has it."
        )
    return positions


def at_valid_times(climatology: xr.Dataset, times: xr.DataArray | np.ndarray) -> xr.Dataset:
    """Return the fields of a climatology for the times that forecasts are for.

    Parameters
    ----------
    climatology : Dataset of shape ([hour,] dayofyear, ...)
        Canonical.
    times : DataArray of any shape, or ndarray of shape (time,)
        Valid times, datetime64.

    Returns
    -------
    Dataset
        With the dimensions and coordinates of `times` in place of ``hour`` and ``dayofyear``.

    Raises
    ------
    DataError
        If an hour or a day is not in the climatology.
    """
    times = times if isinstance(times, xr.DataArray) else xr.DataArray(times, {"time": times}, ("time",))
    hours, days = valid_positions(climatology, times.values)
    where = {"dayofyear": times.copy(data=days)}
    if "hour" in climatology.dims:
        where["hour"] = times.copy(data=hours)
    return climatology.isel(where).drop_vars(["hour", "dayofyear"], errors="ignore")
