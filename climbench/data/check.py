"""Reads a place through and says what is there and what is wrong: variables, times, gaps, missing and odd values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from climbench.calendars import time_axis
from climbench.cards import DatasetCard
from climbench.data import READERS
from climbench.data.canonical import CHANGES
from climbench.data.layouts import recognise
from climbench.data.readers.base import Reader
from climbench.data.sanity import complaint
from climbench.data.stores import filled_chunks
from climbench.errors import ClimbenchError, did_you_mean
from climbench.grids import describe_grid
from climbench.variables import kind_of

Progress = Callable[[str, int, int], None]


def _silent(what: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass
class Report:
    """What a check found.

    Attributes
    ----------
    lines : list of str
        One for each part: its times, grid and variables.
    notes : list of str
        What the door changed, and what may be meant.
    problems : list of str
        Everything that is wrong.
    """

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Extremes:
    """What a variable's values span.

    Attributes
    ----------
    low, high : float
        Of the finite values; NaN where there is none.
    missing, infinite, size : int
        Numbers of values.
    """

    low: float
    high: float
    missing: int
    infinite: int
    size: int


def check(
    place: str | Path, *, layout: str | None = None, card: DatasetCard | None = None, progress: Progress = _silent
) -> Report:
    """Read a place through.

    Parameters
    ----------
    place : str or Path
        A file, folder or store: a local path or any fsspec URL.
    layout : str, optional
        Its layout; recognised without.
    card : DatasetCard, optional
        Declares units, ranges and what files leave open.
    progress : callable
        Called with what is being read, parts done and parts in all.

    Returns
    -------
    Report

    Raises
    ------
    DataError
        If there is nothing at the place, or its layout is not known.
    """
    name = layout or recognise(place)
    reader: Reader = READERS.load(name)(place, card, chunks={})
    parts = reader.parts()
    report = Report([f"{place}: {name} layout, {len(parts)} part{'s' if len(parts) != 1 else ''}"])
    for done, part in enumerate(parts):
        progress("checking", done, len(parts))
        _check_part(reader, part, report, whole=card is not None)
    report.notes = list(dict.fromkeys(report.notes))
    return report


def _check_part(reader: Reader, part: str, report: Report, *, whole: bool) -> None:
    """Check one part; what a layout's own card names may be lacking, what a card that was asked for names may not."""
    where = reader.describe(part)
    try:
        data = reader.open(part, look=False)  # everything is read below, and judged at once
        found = extremes(data)
    except ClimbenchError as error:
        report.problems.append(str(error) if where in str(error) else f"{where}: {error}")
        return
    report.lines.append(f"{where}: {describe(data)}")
    report.notes += data.attrs[CHANGES]
    for name in reader.expected(part):
        if name not in data:
            lacking = f"{where} has no variable '{name}'. {did_you_mean(name, map(str, data.data_vars))}"
            (report.problems if whole else report.notes).append(lacking)
    for name, span in found.items():
        _judge(name, span, data[name], where, reader.card, report)
    if filled := filled_chunks(data):
        report.notes.append(f"{where}: {filled} chunks are left out of the store and equal its fill value")


def extremes(data: xr.Dataset) -> dict[str, Extremes]:
    """Return what the values of each numeric variable span, reading each chunk once.

    Parameters
    ----------
    data : Dataset
        Lazily opened.

    Returns
    -------
    dict of str to Extremes
    """
    from dask.array import asarray
    from dask.base import compute
    from dask.delayed import delayed

    names = [str(v) for v in data.data_vars if np.issubdtype(data[v].dtype, np.number) and data[v].size]
    blocks = {n: asarray(data[n].chunk({}).data).to_delayed().ravel() for n in names}
    summaries = compute({n: [delayed(_summary)(b) for b in parts] for n, parts in blocks.items()})[0]
    return {name: _joined(parts) for name, parts in summaries.items()}


def _summary(values: np.ndarray) -> Extremes:
    finite = np.isfinite(values)
    missing = int(np.isnan(values).sum()) if values.dtype.kind == "f" else 0
    good = values if finite.all() else values[finite]
    low, high = (float(good.min()), float(good.max())) if good.size else (np.nan, np.nan)
    return Extremes(low, high, missing, int(values.size - finite.sum()) - missing, int(values.size))


def _joined(parts: list[Extremes]) -> Extremes:
    counts = (sum(getattr(p, key) for p in parts) for key in ("missing", "infinite", "size"))
    return Extremes(
        float(np.fmin.reduce([p.low for p in parts])), float(np.fmax.reduce([p.high for p in parts])), *counts
    )


def _judge(
    name: str, span: Extremes, array: xr.DataArray, where: str, card: DatasetCard | None, report: Report
) -> None:
    entry = None if card is None else {**card.variables, **card.inputs}.get(name)
    if span.missing == span.size:
        report.problems.append(f"{where}: {name} is NaN throughout")
        return
    if span.infinite:
        report.problems.append(f"{where}: {name} has {span.infinite} infinite values")
    if span.missing and not (entry is not None and entry.missing):
        report.notes.append(f"{where}: {name} lacks {span.missing} of {span.size} values")
    steady = kind_of(name) in ("forcing", "fraction") or "time" not in array.dims
    if span.low == span.high == 0.0 and not steady:
        report.problems.append(f"{where}: {name} is zero throughout")
    said = complaint(span.low, span.high, name, str(array.attrs.get("units", "")), where, entry)
    if said:
        report.problems.append(said)


def describe(data: xr.Dataset) -> str:
    """Return a canonical data set in one line: times, members, levels, grid, and variables with their units."""
    words = []
    for dim in ("time", "init_time"):
        if dim in data.dims:
            words.append(str(time_axis(data[dim])))
    for dim, what in (("lead_time", "leads"), ("member", "members"), ("level", "levels")):
        if dim in data.dims:
            words.append(f"{data.sizes[dim]} {what if data.sizes[dim] > 1 else what[:-1]}")
    if {"latitude", "longitude"} <= set(data.dims):
        words.append(describe_grid(data))
    variables = ", ".join(f"{v} [{_units(data[v])}]" for v in map(str, data.data_vars))
    return f"{'; '.join(words) or 'no coordinates'}; {variables}"


def _units(array: Any) -> str:
    return str(array.attrs.get("units", "no unit"))
