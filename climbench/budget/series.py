"""One pass over the data, block by block of times: the mean over the area of every budget that it allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from climbench.budget.areas import Areas
from climbench.budget.sea import SEA_HEAT, SEA_VARIABLES, Sea, sea_means
from climbench.budget.times import Times
from climbench.budget.units import refuse_insane
from climbench.physics.areas import area_mean
from climbench.physics.diagnosis import CLOSURES, FIELDS, WATER_COLUMN_RESIDUAL, Diagnosis, closures, diagnose
from climbench.physics.opening import OFFSET, SLOPE, open_quantities, step_of
from climbench.physics.quantities import QUANTITIES, source_of

BLOCK = 2**25  # bytes read at once
SPACE = ("latitude", "longitude")


@dataclass
class Series:
    """Means over the area, by budget.

    Attributes
    ----------
    means : dict of str to ndarray of shape (time,)
        Not-a-number where values were missing.
    missing : dict of str to tuple of str
        By name, what each of the others lacks, in words.
    sources : dict of str to str
        By role, the variable it was taken from.
    holes : Counter
        By variable, how many values are missing.
    sizes : Counter
        By variable, how many there are.
    squares : list of ndarray of shape (step,)
        Mean squares over cells of what is unexplained of the water of columns, where that is known.
    sea : Sea
        Where water is.
    notes : list of str
        What was assumed.
    """

    means: dict[str, np.ndarray] = field(default_factory=dict)
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    holes: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    squares: list[np.ndarray] = field(default_factory=list)
    sea: Sea = field(default_factory=Sea)
    notes: list[str] = field(default_factory=list)


def sources_in(data: xr.Dataset) -> dict[str, str]:
    """Return by role the variable of a data set that each quantity is taken from."""
    names, step = list(map(str, data.data_vars)), step_of(data)
    found = {role: source_of(role, names, step=step) for role in QUANTITIES}
    return {role: source.variable for role, source in found.items() if source is not None}


def read_series(data: xr.Dataset, areas: Areas, times: Times, windows: Mapping[str, float], *, means: bool) -> Series:
    """Return the mean over the area, at each time, of every budget that a data set allows.

    Parameters
    ----------
    data : Dataset
        Canonical; lazy. Each block of times is read once.
    areas : Areas
        Weights of its cells.
    times : Times
        Of the data set.
    windows : mapping of str to float
        Hours that amounts are accumulated over, by variable.
    means : bool
        Whether states are means over their times, not moments.

    Returns
    -------
    Series

    Raises
    ------
    DataError
        If units cannot be converted, or values cannot be in the unit they are said to be in.
    """
    found, step = Series(sources=sources_in(data)), step_of(data)
    data = data[[v for v in (*dict.fromkeys(found.sources.values()), OFFSET, SLOPE) if v in data]]
    data = data.assign({v: data[v].load() for v in map(str, data.data_vars) if "time" not in data[v].dims})
    parts: list[dict[str, np.ndarray]] = []
    before: xr.Dataset | None = None
    for begin, block in _blocks(data):
        if not begin:
            refuse_insane(block, found.sources.values())
        _count(block, found)
        fields = _diagnosed(block, windows, step, found)
        values = {str(v): area_mean(_upright(fields[v]), areas.weights) for v in fields.data_vars}
        values |= sea_means(block, areas.weights, found.missing, found.sea)
        parts.append({name: np.broadcast_to(v, block.sizes.get("time", 1)) for name, v in values.items()})
        before = _squares(fields, before, times, begin, areas, found, means)
    found.means = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    found.notes = list(dict.fromkeys(found.notes))
    return found


def _blocks(data: xr.Dataset) -> Iterator[tuple[int, xr.Dataset]]:
    """Yield blocks of times in memory, each with the place of its first time; the next is read meanwhile."""
    if "time" not in data.dims:
        yield 0, data.load()
        return
    each = sum(v.nbytes for v in data.data_vars.values() if "time" in v.dims) // data.sizes["time"]
    stored = max([v.encoding.get("preferred_chunks", {}).get("time", 1) for v in data.data_vars.values()])
    size = max(1, BLOCK // max(each, 1) // stored) * stored
    blocks = [data.isel(time=slice(begin, begin + size)) for begin in range(0, data.sizes["time"], size)]
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(blocks[0].load)
        for i in range(len(blocks)):
            block = coming.result()
            if i + 1 < len(blocks):
                coming = reader.submit(blocks[i + 1].load)
            yield i * size, block
            blocks[i] = data  # lets go of what was read


def _count(block: xr.Dataset, found: Series) -> None:
    """Count values and those that are missing; a sum, which is far quicker, tells whether any is."""
    for name, values in block.data_vars.items():
        found.sizes[str(name)] += values.size
        if not np.isfinite(values.values.sum()):
            found.holes[str(name)] += int(values.isnull().sum())


def _diagnosed(block: xr.Dataset, windows: Mapping[str, float], step: float | None, found: Series) -> xr.Dataset:
    """Return the maps of one block, but for the sea's."""
    opened = open_quantities(block.drop_vars(SEA_VARIABLES, errors="ignore"), window=windows, step=step)
    diagnosis = diagnose(opened.quantities, opened.column, wanted=set(FIELDS) - {SEA_HEAT})
    found.missing.update(diagnosis.missing)
    found.notes += opened.notes
    return diagnosis.fields


def _upright(values: xr.DataArray) -> np.ndarray:
    return values.transpose(..., *SPACE).values


def _squares(
    fields: xr.Dataset,
    before: xr.Dataset | None,
    times: Times,
    begin: int,
    areas: Areas,
    found: Series,
    means: bool,
) -> xr.Dataset | None:
    """Take the mean squares over cells of the columns' residual of water, and return the maps of the last time."""
    needed = list(CLOSURES[WATER_COLUMN_RESIDUAL])
    if not set(needed) <= set(fields.data_vars) or "time" not in fields.dims:
        return None
    maps = fields[needed] if before is None else xr.concat([before, fields[needed]], "time")
    if maps.sizes["time"] > 1:
        first = begin if before is None else begin - 1
        steps = slice(first, first + maps.sizes["time"])
        made = residuals(Diagnosis(maps), times, steps, means=means, wanted=[WATER_COLUMN_RESIDUAL])
        residual = made.fields[WATER_COLUMN_RESIDUAL]
        found.squares.append(area_mean(_upright(residual) ** 2, areas.weights))
    return maps.isel(time=[-1])


def residuals(
    diagnosis: Diagnosis, times: Times, steps: slice, *, means: bool, wanted: Collection[str] | None = None
) -> Diagnosis:
    """Return what fluxes leave unexplained of changes, for states that are moments or means.

    A change between the means of two months is held against the fluxes of both, each by its days.

    Parameters
    ----------
    diagnosis : Diagnosis of shape (time, ...)
        Maps, or means over an area.
    times : Times
        Of the whole data set.
    steps : slice
        Which of those times these are.
    means : bool
        Whether states are means over their times.
    wanted : collection of str, optional
        As for `climbench.physics.diagnosis.closures`.

    Returns
    -------
    Diagnosis
        One time fewer.
    """
    fields = diagnosis.fields
    seconds = xr.DataArray(times.seconds(means)[steps], dims="time")
    fields = fields.drop_vars("time", errors="ignore")
    if means:
        days = xr.DataArray(times.days[steps], dims="time")
        flows = {name for _, *parts in CLOSURES.values() for name in parts}
        fields = fields.assign({n: _of_both(fields[n], days) for n in flows if n in fields})
    return closures(Diagnosis(fields, diagnosis.missing), seconds, wanted=wanted)


def _of_both(flow: xr.DataArray, days: xr.DataArray) -> xr.DataArray:
    """Return the mean of a flux over each time and the one before, by their days; the first is NaN."""
    before = {"time": 1}
    both: xr.DataArray = ((flow * days).shift(before) + flow * days) / (days.shift(before) + days)
    return both.assign_attrs(flow.attrs)


def variables_of(name: str, sources: Mapping[str, str]) -> list[str]:
    """Return the variables that a budget is taken from, in the way that is taken."""
    ways = [[role for role in way.needs if role in QUANTITIES] for way in FIELDS[name].ways]
    roles = next((way for way in ways if set(way) <= set(sources)), [])
    optional: Collection[str] = [r for way in FIELDS[name].ways for r in way.optional if r in sources]
    return list(dict.fromkeys(sources[role] for role in (*roles, *optional)))
