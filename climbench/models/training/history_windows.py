"""Which windows of years a network is shown: a year and those before it, within one scenario and its own past.

The past of a scenario is ``historical`` where the scenario goes on from it; no other experiments are joined. A year
that is to be predicted is a sample once, in the scenario that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.errors import ModelError

PAST = "historical"
PLANE = {"latitude", "longitude"}


@dataclass(frozen=True)
class Record:
    """A scenario's inputs, what it is to predict, and the windows there are.

    Attributes
    ----------
    inputs : Dataset
        Of shape (year,) or (year, latitude, longitude), years of its past first.
    targets : Dataset of shape (year, latitude, longitude)
        Its own years.
    ends : ndarray of int
        Where in the inputs the last year of each window is.
    labels : ndarray of int
        Where in the targets the year is that each window is to predict.
    """

    inputs: xr.Dataset
    targets: xr.Dataset
    ends: np.ndarray
    labels: np.ndarray


def records(
    scenarios: Mapping[str, xr.Dataset],
    inputs: Sequence[str],
    targets: Sequence[str],
    length: int,
    past: xr.Dataset | None = None,
) -> dict[str, Record]:
    """Return the windows of scenarios.

    Parameters
    ----------
    scenarios : mapping of str to Dataset
        With inputs and targets.
    inputs, targets : sequence of str
        Names of variables.
    length : int
        Years in a window; the last is the one to predict.
    past : Dataset, optional
        The inputs of ``historical``, where that is not among the scenarios.

    Returns
    -------
    dict of str to Record
        Of those scenarios that have a window. A year whose targets are NaN is history only.

    Raises
    ------
    ModelError
        If years do not ascend, or inputs are not finite.
    """
    past = scenarios.get(PAST, past)
    found = {}
    for name, data in scenarios.items():
        own = data[list(inputs)]
        record = _record(name, own if name == PAST else continued(own, past, length - 1), data[list(targets)], length)
        if record.ends.size:
            found[name] = record
    return found


def _record(name: str, inputs: xr.Dataset, targets: xr.Dataset, length: int) -> Record:
    years = inputs["time"].values
    if years.size > 1 and (np.diff(years) <= 0).any():
        raise ModelError(f"The years of {name} must ascend; found {years[0]}..{years[-1]} in another order.")
    for variable in inputs:
        if not bool(np.isfinite(inputs[variable]).all()):
            raise ModelError(f"{name}: the input {variable} has values that are not finite; a network cannot use them.")
    ends = window_ends(years, length)
    labels = targets.get_index("time").get_indexer(years[ends])
    there = labels >= 0
    for variable in targets:
        missing = ~np.isfinite(targets[variable].transpose("time", ...).values)
        there &= ~missing.reshape(len(missing), -1).any(1)[labels]
    return Record(inputs, targets, ends[there], labels[there])


def window_ends(years: np.ndarray, length: int) -> np.ndarray:
    """Return positions of the years that end so many consecutive years.

    Parameters
    ----------
    years : ndarray of int of shape (n,)
        Ascending; there may be gaps.
    length : int
        Years in a window.

    Returns
    -------
    ndarray of int
    """
    ends = np.arange(length - 1, years.size)
    return ends[years[ends] - years[ends - length + 1] == length - 1]


def continued(inputs: xr.Dataset, past: xr.Dataset | None, years: int) -> xr.Dataset:
    """Return inputs after the last years of the past that they go on from.

    Parameters
    ----------
    inputs : Dataset
        Of one scenario.
    past : Dataset or None
        The inputs of ``historical``.
    years : int
        How many years of the past are wanted.

    Returns
    -------
    Dataset
        The inputs alone where the past does not hold the year before their first.
    """
    if past is None or years < 1 or int(inputs["time"].values[0]) - 1 not in past["time"].values:
        return inputs
    first = int(inputs["time"].values[0])
    before = past[list(inputs)].sel(time=(past["time"] < first) & (past["time"] >= first - years))
    grid = {d: inputs[d] for d in sorted(PLANE) if d in inputs.coords}
    before = before.assign_coords({d: values for d, values in grid.items() if d in before.coords})
    return xr.concat([before, inputs], "time", data_vars="minimal", coords="minimal", compat="override", join="exact")


def extended_back(inputs: xr.Dataset, years: int) -> tuple[xr.Dataset, str]:
    """Return inputs with assumed years before their first, and in words what was assumed.

    Cumulative carbon dioxide is taken to have grown as it does between the first two years, from no less than zero.
    Emissions of a year (methane, aerosols) are taken to have been those of the first.

    Parameters
    ----------
    inputs : Dataset
        Of shape (time,) or (time, latitude, longitude).
    years : int
        How many are wanted.

    Returns
    -------
    Dataset, str
    """
    first = inputs.isel(time=0)
    time = np.arange(int(first["time"]) - years, int(first["time"]))
    assumed = xr.concat([first] * years, "time").assign_coords(time=time) if years else inputs.isel(time=slice(0, 0))
    if years and "CO2" in inputs and inputs.sizes["time"] > 1:
        growth = (inputs["CO2"].isel(time=1) - first["CO2"]).drop_vars("time", errors="ignore")
        back = xr.DataArray(time - int(first["time"]), coords={"time": time}, dims="time")
        assumed["CO2"] = np.maximum(first["CO2"].drop_vars("time") + growth * back, 0.0)
    joined = xr.concat([assumed, inputs], "time", data_vars="minimal", coords="minimal", compat="override")
    words = f"{years} years before {int(first['time'])} assumed: CO2 growing as in the first two years, others constant"
    return joined, words if years else ""
