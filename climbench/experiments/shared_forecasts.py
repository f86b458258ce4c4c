"""What two runs' forecasts have in common: inits, lead times and regions that both have, scored against one truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from climbench.errors import RunError

DIMS = ("init_time", "lead_time", "region")
TRUTH_ALONE = "truth_anomaly_square"  # has nothing of the forecast in it
SAME_TRUTH = 1e-6


@dataclass(frozen=True)
class ForecastStatistics:
    """What is kept of one model's forecasts.

    Attributes
    ----------
    name : str
        What to call it in messages.
    by_variable : mapping of str to Dataset
        By variable (``geopotential_500``), a data variable for every statistic, with dimensions init_time, lead_time
        and region, all with coordinates; NaN where a pair was not scored.
    units : mapping of str to str
        By variable.
    members : mapping of str to int
        By variable; one where it is not named.
    """

    name: str
    by_variable: Mapping[str, xr.Dataset]
    units: Mapping[str, str]
    members: Mapping[str, int] = field(default_factory=dict)


def hours(lead: Any) -> float:
    """Return a lead time in hours; a number is taken to be hours already."""
    return float(lead / np.timedelta64(1, "h")) if isinstance(lead, np.timedelta64) else float(lead)


def shared_variables(ours: ForecastStatistics, theirs: ForecastStatistics, notes: list[str]) -> list[str]:
    """Return the variables that both have, in the order of the first; add a note where one has others."""
    shared = [v for v in ours.by_variable if v in theirs.by_variable]
    _note("variables", ours, theirs, (ours.by_variable, theirs.by_variable, shared), notes)
    return shared


def shared_part(
    variable: str, ours: ForecastStatistics, theirs: ForecastStatistics, notes: list[str]
) -> tuple[xr.Dataset, xr.Dataset]:
    """Return both models' statistics of a variable at the inits, lead times and regions that both have.

    Parameters
    ----------
    variable : str
        That both have.
    ours, theirs : ForecastStatistics
        Of the two models.
    notes : list of str
        Is added to where one has inits, lead times or regions that the other has not.

    Returns
    -------
    tuple of Dataset
        Inits and lead times ascending.

    Raises
    ------
    RunError
        If there are none, or the two were not scored against the same truth.
    """
    first, second = ours.by_variable[variable], theirs.by_variable[variable]
    for dim, what in zip(DIMS, ("inits", "lead times", "regions"), strict=True):
        here, there = first[dim].values, second[dim].values
        shared = [v for v in here if v in set(there)] if dim == "region" else list(np.intersect1d(here, there))
        if not shared:
            raise RunError(
                f"{ours.name} and {theirs.name} have no {what} of {variable} in common: the one has {_span(here)}, the "
                f"other {_span(there)}."
            )
        _note(what, ours, theirs, (here, there, shared), notes)
        first, second = first.sel({dim: shared}), second.sel({dim: shared})
    _refuse_other_truth(variable, first, second)
    return first, second


def _note(
    what: str,
    ours: ForecastStatistics,
    theirs: ForecastStatistics,
    found: tuple[Any, Any, Sequence[Any]],
    notes: list[str],
) -> None:
    here, there, shared = map(len, found)
    if (here, there) != (shared, shared):
        notes.append(f"{ours.name} has {here} {what} and {theirs.name} {there}: the {shared} of both are compared.")


def _span(values: np.ndarray) -> str:
    """Return the first and the last of some values, in words."""
    return " to ".join(dict.fromkeys(_shown(v) for v in (values[0], values[-1]))) if len(values) else "none"


def _shown(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return str(np.datetime_as_string(value, unit="h"))
    return f"{hours(value):g} h" if isinstance(value, np.timedelta64) else str(value)


def _refuse_other_truth(variable: str, first: xr.Dataset, second: xr.Dataset) -> None:
    """Raise `RunError` where what depends on truth, climatology and weights alone is not the same."""
    if TRUTH_ALONE not in first or TRUTH_ALONE not in second:
        return
    here, there = (part[TRUTH_ALONE].transpose(*DIMS).values for part in (first, second))
    apart = np.abs(here - there) > SAME_TRUTH * np.maximum(np.abs(here), np.abs(there))
    if apart.any():
        raise RunError(
            f"The runs were not scored against the same truth, climatology, weights and cells, for {variable}: the "
            f"truth's mean square anomaly differs at {np.count_nonzero(apart)} of {apart.size} inits, lead times and "
            "regions."
        )
