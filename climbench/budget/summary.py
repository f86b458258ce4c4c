"""The budgets of files: what series of means over the area come to over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from climbench.budget.areas import Areas, read_areas
from climbench.budget.closing import closing
from climbench.budget.opening import open_joined
from climbench.budget.result import Budget, Budgets, Drifting
from climbench.budget.sea import SEA_HEAT, WET
from climbench.budget.series import Series, read_series, sources_in, variables_of
from climbench.budget.times import Times, read_times
from climbench.budget.windows import windows_of
from climbench.constants import SECONDS_PER_DAY
from climbench.physics.diagnosis import ENERGIES, FIELDS
from climbench.physics.drift import drift

STORES = ("dry_air", "dry_air_pressure", "water", *ENERGIES, SEA_HEAT)
RATE = "kg m-2 s-1"
MEANS = "time: mean"  # in CF's cell_methods
STATES = ("water_path", "humidity", "temperature")


def budget(paths: Sequence[str | Path], *, window: float | None = None) -> Budgets:
    """Return the budgets and balances that files allow.

    Parameters
    ----------
    paths : sequence of str or Path
        netCDF files, zarr stores (by URL, too) and folders of them, of one run: one variable a file or many, times
        in one file or split over several.
    window : float, optional
        Hours over which amounts are accumulated, where neither names nor times tell.

    Returns
    -------
    Budgets
        Means over the area and over time, by year, drift and closure; water fluxes in mm/day.

    Raises
    ------
    DataError
        If files cannot be read, do not fit together, or hold nothing that a budget could be made of; if the hours of
        accumulated amounts are not known, or values are not in the unit that they are said to be in.
    """
    joined = open_joined(paths)
    data = joined.data
    areas, times = read_areas(data), read_times(data)
    sources = sources_in(data)
    windows = windows_of(data, list(dict.fromkeys(sources.values())), window)
    means = times.long_means or any(_is_mean(data[sources[role]]) for role in STATES if role in sources)
    series = read_series(data, areas, times, windows, means=means)
    missing = {name: list(words) for name, words in series.missing.items()}
    _refuse_holes(series, missing)
    found = [_summary(name, series, times) for name in series.means if name in FIELDS]
    closed = closing(series, times, areas, missing, means=means)
    notes = [*joined.notes, *series.notes, *_remarks(series, times, areas, means=means, closed=bool(closed))]
    return Budgets([*found, *closed], missing, areas.words, areas.region, times.words, notes, joined.files)


def _is_mean(values: xr.DataArray) -> bool:
    return MEANS in str(values.attrs.get("cell_methods", ""))


def _refuse_holes(series: Series, missing: dict[str, list[str]]) -> None:
    """Take away what values are missing for: a mean over the rest would be silently partial."""
    for name in [n for n in series.means if n in FIELDS]:
        partial = series.sea.lacking() if name == SEA_HEAT else []
        if np.isfinite(series.means[name]).all() and not partial:
            continue
        holes = [v for v in variables_of(name, series.sources) if series.holes[v]]
        rest = [
            f"{series.holes[v]} of {series.sizes[v]} values of '{v}', which are missing (NaN): a mean over the rest "
            "would be of a part only"
            for v in holes
        ] or ["values that are finite: the arithmetic overflows, or there is no area to average over"]
        missing[name] = partial or rest
        del series.means[name]


def _summary(name: str, series: Series, times: Times) -> Budget:
    """Return one budget from its series."""
    entry, store = FIELDS[name], name in STORES
    values, units = in_shown_units(series.means[name], entry.units)
    return Budget(
        name,
        entry.words,
        "store" if store else "flux",
        times.mean(values),
        units,
        *times.by_year(values),
        drift=_drift(values, times, per_day=store),
        sources=variables_of(name, series.sources),
    )


def in_shown_units(values: np.ndarray, units: str) -> tuple[np.ndarray, str]:
    """Return values as they are shown: water that flows in mm/day, of which each is 1 kg m-2."""
    return (values * SECONDS_PER_DAY, "mm/day") if units == RATE else (values, units)


def _drift(values: np.ndarray, times: Times, *, per_day: bool) -> Drifting | None:
    """Return the drift through whole years where there are two or more, through all times otherwise."""
    if times.moments.size < 2:
        return None
    whole = times.whole()
    if whole.size > 1:
        years, means, _ = times.by_year(values)
        there = np.isin(years, whole)
        middles = np.array([times.moments[times.years == y].mean() for y in years])
        slope, through = drift(np.array(means)[there], middles[there]), "whole years"
    else:
        slope, through = drift(values, times.moments), "times"
    return Drifting(slope.per_century, slope.per_day if per_day else None, slope.rms_step, through)


def _remarks(series: Series, times: Times, areas: Areas, *, means: bool, closed: bool) -> list[str]:
    """Return what a reader has to know beside the numbers."""
    notes = []
    if areas.region is not None:
        notes.append(f"no globe ({areas.region}): means are of this region; global means and closures are refused")
    if times.moments.size < 2:
        notes.append("fewer than two times: no drift and no closure")
    elif not times.known:
        notes.append("how long each time lasts is not known: all count the same, and no year is known to be whole")
    partial = sorted(set(map(int, times.years)) - set(map(int, times.whole())))
    if times.known and partial:
        notes.append(f"not whole: the years {', '.join(map(str, partial))}")
    if means and closed:
        notes.append("states are means over their times: changes are held against the fluxes of both times, by days")
    if SEA_HEAT in series.means:
        notes.append(f"{SEA_HEAT} is a mean over the sea: {series.means[WET].mean():.1%} of the cells hold water")
    return notes
