"""How far scores would be off had other initial times been drawn: intervals from the statistics of every initial time.

They are those of `climbench.metrics.paired`, of a score against nothing: successive initial times meet nearly the same
weather, and count for as many independent ones as an AR(2) process says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from climbench.metrics.autoregression import steps_between
from climbench.metrics.paired import LEVEL, paired_t_test
from climbench.tasks.forecast.metrics import Means, Metric
from climbench.tasks.forecast.profiles import Profile

IN_STEPS = ("effective_resolution", "wind_effective_resolution")  # move by whole degrees: no derivative, no interval


def score_interval(
    metric: Metric, statistics: Means, members: int, inits: np.ndarray, *, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of a score over other initial times.

    Parameters
    ----------
    metric : Metric
        The score.
    statistics : mapping of str to ndarray of shape (init, ..., *)
        Those it is made from; NaN where a pair was not scored.
    members : int
        Members of the forecast.
    inits : ndarray of datetime64, of shape (init,)
        Initial times, ascending, each once.
    level : float
        The interval covers 1 less that.

    Returns
    -------
    low, high : ndarray of shape (...)
        NaN where initial times are too few or too much alike to tell, or the score does not vary with them.
    """
    prepared = metric.prepared(statistics, members)
    batched = len(next(iter(prepared.values()))) != inits.size

    def score(means: Means) -> np.ndarray:
        return metric.score(means, members)

    test = paired_t_test(
        prepared,
        prepared,
        score,
        reference_score=lambda means: np.zeros_like(score(means)),
        steps=None if batched else steps_between(inits),
        level=level,
    )
    width = test.high > test.low
    return np.where(width, test.low, np.nan), np.where(width, test.high, np.nan)


def with_intervals(
    rows: Sequence[Mapping[str, Any]], statistics: xr.Dataset, profile: Profile, members: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return rows of a score table with ``low`` and ``high`` filled where an interval can be had.

    Parameters
    ----------
    rows : sequence of mapping
        Of one forecast.
    statistics : Dataset
        Those they were made from (`climbench.tasks.forecast.scoring.ForecastScores`).
    profile : Profile
        By whose conventions.
    members : mapping of str to int
        Members by target.

    Returns
    -------
    list of dict
    """
    ends: dict[tuple[str, str], tuple[xr.DataArray, xr.DataArray] | None] = {}
    found = []
    for row in rows:
        key = (str(row["variable"]), str(row["metric"]))
        if key not in ends:
            ends[key] = _ends(*key, statistics, profile, members)
        found.append({**row, **_of_row(row, ends[key])})
    return found


def _ends(
    target: str, name: str, statistics: xr.Dataset, profile: Profile, members: Mapping[str, int]
) -> tuple[xr.DataArray, xr.DataArray] | None:
    """Return both ends of shape (lead_time[, region]); None where the score moves in steps."""
    if name in IN_STEPS:
        return None
    metric = profile.metric(name)
    arrays = {s: statistics[f"{target}.{s}"] for s in metric.statistics}
    inits = statistics["init_time"].values
    low, high = score_interval(metric, {s: a.values for s, a in arrays.items()}, members.get(target, 1), inits)
    dims = ("lead_time", "region")[: low.ndim]
    axes = {dim: statistics[dim].values for dim in dims}
    return xr.DataArray(low, axes, dims), xr.DataArray(high, axes, dims)


def _of_row(row: Mapping[str, Any], ends: tuple[xr.DataArray, xr.DataArray] | None) -> dict[str, float | None]:
    if ends is None or row["value"] is None:
        return {}
    place = {str(dim): row[str(dim)] for dim in ends[0].dims}
    low, high = (float(end.sel(place)) for end in ends)
    return {"low": low, "high": high} if np.isfinite(low) else {}
