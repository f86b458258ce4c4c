"""Rows of the score table from the statistics of a score of physics, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from climbench.tasks.forecast.matching import Match
from climbench.tasks.forecast.physics_score import PHYSICS, TRUTH, PhysicsScore

MISSING_VALUES = "values: {}, and a mean over the globe needs all"
NOTHING = "something to hold it against: what it is divided by is 0 at all lead times"


@dataclass
class PhysicsScores:
    """Scores of a forecast's physics.

    Attributes
    ----------
    rows : list of dict
        Rows of the score table, without the model's name; ``floor`` is what the truth scores.
    statistics : dict of str to DataArray of shape (init_time, lead_time)
        Under ``physics.STATISTIC``; the truth's own under ``physics.truth_STATISTIC``.
    impossible : dict of str to tuple of str
        By score, what is missing.
    notes : list of str
        What was assumed.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    statistics: dict[str, xr.DataArray] = field(default_factory=dict)
    impossible: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def keep(
    found: PhysicsScores,
    name: str,
    score: PhysicsScore,
    ours: Mapping[str, np.ndarray],
    theirs: Mapping[str, np.ndarray],
    wanted: np.ndarray,
    matched: Match,
    masked: bool,
) -> None:
    """Append the rows and statistics of one score, with what the truth scores beside it over the same states.

    Parameters
    ----------
    found : PhysicsScores
        Is added to.
    name : str
        Of the score.
    score : PhysicsScore
        The score.
    ours, theirs : mapping of str to ndarray of shape (init, lead)
        Statistics of the forecast, and of the truth by itself; none where it has no score of its own.
    wanted : ndarray of bool of shape (init, lead)
        Which states it is made from where no value is missing.
    matched : Match
        What is scored.
    masked : bool
        Whether states with missing values are left out and counted; without, they are a reason to refuse it.
    """
    ours = {key: ours[key] for key in score.metric.statistics}
    there = np.logical_and.reduce([np.isfinite(part) for part in ours.values()])
    wanted = wanted & ((matched.leads > 0.0) | there.any(axis=0))  # amounts begin after lead time 0
    lost = f"{(wanted & ~there).sum()} of {wanted.sum()} states have missing values"
    if not there.any() or ((wanted & ~there).any() and not masked):
        found.impossible[name] = (MISSING_VALUES.format(lost),)
        return
    values = score.metric.of(ours, 1)
    if not np.isfinite(values).any():
        found.impossible[name] = (NOTHING,)
        return
    if (wanted & ~there).any():
        found.notes.append(f"{PHYSICS}: {name} leaves out what is missing: {lost}")
    theirs = {key: np.where(there, theirs[key], np.nan) for key in ours if theirs}
    floors = score.metric.of(theirs, 1) if theirs else np.full(values.shape, np.nan)
    kept = {**ours, **{f"{TRUTH}{key}": part for key, part in theirs.items()}}
    axes = {"init_time": matched.inits, "lead_time": matched.leads}
    found.statistics |= {f"{PHYSICS}.{key}": xr.DataArray(part, axes, tuple(axes)) for key, part in kept.items()}
    for lead, value, floor in zip(matched.leads, values, floors, strict=True):
        found.rows.append(_row(name, float(lead), value, floor, score.metric.units))


def _row(metric: str, lead: float, value: float, floor: float, units: str) -> dict[str, Any]:
    numbers = {key: float(n) if np.isfinite(n) else None for key, n in (("value", value), ("floor", floor))}
    return {
        "variable": PHYSICS,
        "metric": metric,
        "region": "global",
        "lead_time": lead,
        **numbers,
        "low": None,
        "high": None,
        "units": units,
    }
