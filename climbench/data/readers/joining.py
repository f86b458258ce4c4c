"""Joins what archives split: the files of one variable along time, and the variables of one grid side by side.

Nothing is read but coordinates. Files that share times, and variables that do not fit together, are named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from climbench.calendars import calendar_of, label
from climbench.cards import DatasetCard
from climbench.errors import DataError

DEGREES = 1e-4  # coordinates that differ by less are written with other round-off
REFORMED = {"standard", "gregorian"}  # the calendar whose dates are of two types, before and after its reform


def join_in_time(pieces: Mapping[str, xr.Dataset], where: str, card: DatasetCard | None = None) -> xr.Dataset:
    """Return the files of one variable as one data set, in the order of their times.

    Parameters
    ----------
    pieces : mapping of str to Dataset
        Each file's name and content; lazy pieces of dask arrays stay lazy.
    where : str
        What to call the whole in messages.
    card : DatasetCard, optional
        Declares which of repeated times to keep; the door then leaves the others out.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If files share times, or differ in calendar, unit or grid, or there is no time to join along.
    """
    if len(pieces) == 1:
        return next(iter(pieces.values()))
    for name, piece in pieces.items():
        if "time" not in piece.coords or not piece.sizes["time"]:
            others = ", ".join(other for other in pieces if other != name)
            raise DataError(f"{where}: {name} has no times to join it by to {others}. Remove what is not wanted.")
    _refuse_other_units(pieces, where)
    pieces = _with_one_calendar(pieces, where)
    pieces = dict(sorted(pieces.items(), key=lambda item: (item[1]["time"].values.min(), item[0])))
    _refuse_shared_times(pieces, where, card)
    start = next(iter(pieces))
    fitted = [pieces[start], *(_on_grid_of(pieces[start], pieces[n], (start, n), where) for n in list(pieces)[1:])]
    joined = xr.concat(
        fitted,
        dim="time",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="drop_conflicts",
    )
    ordered = all(_ascends(piece["time"].values) for piece in fitted)
    return joined.sortby("time") if ordered and not _ascends(joined["time"].values) else joined


def side_by_side(variables: Mapping[str, xr.Dataset], where: str, notes: list[str]) -> xr.Dataset:
    """Return variables that share their coordinates as one data set.

    Parameters
    ----------
    variables : mapping of str to Dataset
        Each variable's name and the data set that holds it.
    where : str
        What to call the whole in messages.
    notes : list of str
        Takes a line where some variables cover more time than others.

    Returns
    -------
    Dataset
        Over the times that all variables cover.

    Raises
    ------
    DataError
        If variables lie on different grids, levels or times.
    """
    start = next(iter(variables))
    cut = _common_times(variables, where, notes)
    fitted = [cut[start], *(_on_grid_of(cut[start], cut[n], (start, n), where) for n in list(cut)[1:])]
    return xr.merge(fitted, compat="override", join="override", combine_attrs="drop_conflicts")


def _ascends(times: np.ndarray) -> bool:
    return bool(np.all(times[1:] >= times[:-1]))


def _refuse_other_units(pieces: Mapping[str, xr.Dataset], where: str) -> None:
    stated: dict[tuple[str, Any], str] = {}
    for name, piece in pieces.items():
        for variable in map(str, piece.data_vars):
            stated.setdefault((variable, piece[variable].attrs.get("units")), name)
    for variable in {variable for variable, _ in stated}:
        found = {units: name for (v, units), name in stated.items() if v == variable}
        if len(found) > 1:
            words = ", ".join(f"{units or 'none'} in {name}" for units, name in found.items())
            raise DataError(f"{where}: the unit of {variable} changes from file to file: {words}. Mend the files.")


def _with_one_calendar(pieces: Mapping[str, xr.Dataset], where: str) -> dict[str, xr.Dataset]:
    """Return pieces whose dates are of one type; those of the standard calendar are of two, before 1582 and after."""
    calendars = {name: calendar_of(piece["time"]) for name, piece in pieces.items()}
    if len(set(calendars.values())) == 1:
        return dict(pieces)
    stated = {str(piece["time"].encoding.get("calendar", calendars[name])) for name, piece in pieces.items()}
    if not stated <= REFORMED:
        words = ", ".join(f"{calendar} in {name}" for name, calendar in calendars.items())
        raise DataError(f"{where}: the calendar changes from file to file: {words}. Join files of one calendar only.")
    return {name: _with_cftime(piece) for name, piece in pieces.items()}


def _with_cftime(piece: xr.Dataset) -> xr.Dataset:
    """Return a piece with its dates as cftime objects of the standard calendar; they are those of after its reform."""
    times = piece["time"].values
    if times.dtype == object:
        return piece
    import cftime

    microseconds = times.astype("datetime64[us]").astype("int64")
    dates = cftime.num2date(microseconds, "microseconds since 1970-01-01", "standard")
    return piece.assign_coords(time=("time", dates, piece["time"].attrs))


def _refuse_shared_times(pieces: Mapping[str, xr.Dataset], where: str, card: DatasetCard | None) -> None:
    if card is not None and card.duplicate_times != "error":
        return
    times = {name: np.unique(piece["time"].values) for name, piece in pieces.items()}
    values, counts = np.unique(np.concatenate(list(times.values())), return_counts=True)
    twice = values[counts > 1]
    if twice.size:
        names = [name for name, own in times.items() if twice[0] in own]
        raise DataError(
            f"{where}: {' and '.join(names)} overlap: {twice.size} times are in more than one file, first "
            f"{label(twice[0])}. Remove a file, or declare on the card which to keep (duplicate_times: first, or last)."
        )


def _on_grid_of(first: xr.Dataset, other: xr.Dataset, names: Sequence[str], where: str) -> xr.Dataset:
    """Return a data set with the coordinates of another that it agrees with but for round-off."""
    shared = [str(c) for c in other.coords if c in first.coords and c != "time" and "time" not in other[c].dims]
    for name in shared:
        if not _same(first[name].values, other[name].values):
            raise DataError(
                f"{where}: {names[0]} and {names[1]} differ in '{name}' ({_extent(first[name])} against "
                f"{_extent(other[name])}). Open them one at a time."
            )
    return other.assign_coords({name: first[name] for name in shared})


def _same(first: np.ndarray, other: np.ndarray) -> bool:
    if first.shape != other.shape:
        return False
    numbers = first.dtype.kind in "iuf" and other.dtype.kind in "iuf"
    if not numbers:
        return bool(np.array_equal(first, other))
    return bool(np.allclose(first, other, rtol=1e-6, atol=DEGREES, equal_nan=True))


def _extent(coordinate: xr.DataArray) -> str:
    values = coordinate.values
    if values.dtype.kind not in "iuf" or not values.size:
        return f"{values.size} values"
    return f"{values.size} values {np.nanmin(values):g}..{np.nanmax(values):g}"


def _common_times(variables: Mapping[str, xr.Dataset], where: str, notes: list[str]) -> dict[str, xr.Dataset]:
    """Return variables over the times that all cover; times within that span have to agree."""
    axes = {name: data["time"].values for name, data in variables.items() if "time" in data.coords}
    if not axes or _equal(list(axes.values())):
        return dict(variables)
    spans = {name: f"{name} {label(t[0])}..{label(t[-1])} ({t.size})" for name, t in axes.items() if t.size}
    problem = DataError(
        f"{where}: the variables differ in their times: {', '.join(spans.values())}. Open them one at a time."
    )
    if not all(t.size and _ascends(t) for t in axes.values()) or len({t.dtype.kind for t in axes.values()}) > 1:
        raise problem
    begin, end = max(t[0] for t in axes.values()), min(t[-1] for t in axes.values())
    inside = {name: np.flatnonzero((t >= begin) & (t <= end)) for name, t in axes.items()}
    if not all(i.size for i in inside.values()) or not _equal([axes[name][i] for name, i in inside.items()]):
        raise problem
    notes.append(f"{where}: cut to the times that all variables cover, {label(begin)}..{label(end)}")
    slices = {name: slice(int(i[0]), int(i[-1]) + 1) for name, i in inside.items()}
    return {name: data.isel(time=slices[name]) if name in slices else data for name, data in variables.items()}


def _equal(axes: Sequence[np.ndarray]) -> bool:
    return all(np.array_equal(axes[0], other) for other in axes[1:])
