"""Scores a forecast by its physics: which scores its variables allow, and what is missing for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from climbench.cards import Fluid, ForecastCard
from climbench.grids import covers_globe
from climbench.tasks.forecast.matching import Match, dates_of
from climbench.tasks.forecast.physics_maps import quantities_behind
from climbench.tasks.forecast.physics_metrics import PHYSICS, PHYSICS_SCORES, TRUTH, PhysicsScore
from climbench.tasks.forecast.physics_needs import Look, lacking_of, maps_behind
from climbench.tasks.forecast.physics_series import AXES, Means, PhysicsStore, global_means, lead_step
from climbench.tasks.forecast.physics_statistics import Series, statistics_of, wanted_states
from climbench.tasks.forecast.physics_tropics import FIELDS, tropical_field, tropical_squares
from climbench.tasks.forecast.stores import Places

if TYPE_CHECKING:
    from distributed import Client

STANDARD = "standard"  # the profile that has scores of physics without being asked: other tools have none
MISSING_VALUES = "values: {}, and a mean over the globe needs all"
NOTHING = "something to hold it against: what it is divided by is 0 at all lead times"
NOT_NEEDED = "data that lacks what {} needs: that is scored, and says more"


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


def physics_wanted(card: ForecastCard, profile: str, fluid: Fluid) -> tuple[str, ...]:
    """Return the scores of physics that a task has under a profile: those named, or all of its fluid."""
    named = [name for name in (*(card.metrics or ()), *card.more_metrics) if name in PHYSICS_SCORES]
    if card.metrics is not None or profile != STANDARD:
        return tuple(dict.fromkeys(named))
    usual = [name for name, score in PHYSICS_SCORES.items() if score.fluid == fluid]
    return tuple(dict.fromkeys([*usual, *named]))


def score_physics(
    wanted: Sequence[str],
    places: Places,
    matched: Match,
    fluid: Fluid,
    *,
    masked: bool = False,
    client: Client | None = None,
    threads: int | None = None,
) -> PhysicsScores:
    """Return scores of physics.

    Parameters
    ----------
    wanted : sequence of str
        Names of `PHYSICS_SCORES`.
    places : Places
        The stores.
    matched : Match
        What is scored.
    fluid : {"air", "shallow-water"}
        What the states are of.
    masked : bool
        Whether states with missing values are left out and counted; without, a score that meets one is refused.
    client, threads
        As for `climbench.tasks.forecast.engine.accumulate`.

    Returns
    -------
    PhysicsScores
    """
    found = PhysicsScores()
    scores = {name: PHYSICS_SCORES[name] for name in wanted}
    maps = maps_behind(scores.values())
    varying = FIELDS if any(score.kind == "variance" for score in scores.values()) else ()
    quantities, step = tuple(sorted({*quantities_behind(maps), *varying})), lead_step(matched.leads)
    stores = {role: PhysicsStore(places, role, maps, quantities, step) for role in AXES}
    looks = {role: Look.at(store) for role, store in stores.items()}
    ours, theirs = looks["forecast"], looks["truth"]
    globe = covers_globe(*(places.open("truth")[axis].values for axis in ("latitude", "longitude")))
    for name, score in list(scores.items()):
        lacking = lacking_of(score, ours, theirs, matched, fluid, globe=globe)
        if lacking:
            found.impossible[name] = lacking
            del scores[name]
    told = {score.of for score in scores.values()}
    for name, score in list(scores.items()):
        if score.unless and score.unless in told:
            found.impossible[name] = (NOT_NEEDED.format(score.unless),)
            del scores[name]
    if not scores:
        return found
    found.notes = [f"{PHYSICS}: {note}" for note in ours.opened.notes]
    forecast, truth = _series(looks, maps_behind(scores.values()), matched, client, threads)
    started = (_starts(theirs, matched) >= 0) | (matched.leads[0] == 0.0)
    for name, score in scores.items():
        if score.kind == "variance":
            _append_variance(found, name, score, looks, matched, masked, client, threads)
        else:
            _append(found, name, score, forecast, truth, matched, started, masked)
    found.rows.sort(key=lambda row: wanted.index(row["metric"]))
    return found


def _series(
    looks: Mapping[str, Look], maps: Sequence[str], matched: Match, client: Client | None, threads: int | None
) -> tuple[Series, Series]:
    """Return the means over the globe of forecast and truth."""
    ours, theirs = looks["forecast"], looks["truth"]
    positions = {"init_time": matched.init_positions, "lead_time": matched.lead_positions}
    store = ours.store.only(maps, list(ours.faults))
    means = global_means(store, positions, client=client, threads=threads)
    there = matched.truth_positions >= 0
    known, start = _truth_means(theirs, [m for m in maps if m not in theirs.missing], matched, client, threads)
    truth = Series(known, start, matched.leads, theirs.windows(known))
    start = {name: values for name, values in start.items() if theirs.like(ours, name)}
    if matched.leads[0] == 0.0:
        start = {name: values[:, :, 0] for name, values in means.items()}
    means = {name: np.where(there, values, np.nan) for name, values in means.items()}
    return Series(means, start, matched.leads, ours.windows(means)), truth


def _truth_means(
    look: Look, maps: Sequence[str], matched: Match, client: Client | None, threads: int | None
) -> tuple[Means, Means]:
    """Return the truth's means at valid times and at initial times; NaN where it has none."""
    starts = _starts(look, matched)
    wanted = np.unique(np.concatenate([matched.truth_positions.ravel(), starts]))
    wanted = wanted[wanted >= 0]
    store = look.store.only(maps, list(look.faults))
    found = global_means(store, {"time": wanted}, client=client, threads=threads)

    def at(values: np.ndarray, positions: np.ndarray) -> np.ndarray:
        places = np.searchsorted(wanted, np.maximum(positions, wanted[0]))
        return np.where(positions >= 0, values[:, places], np.nan)

    return (
        {name: at(values, matched.truth_positions) for name, values in found.items()},
        {name: at(values, starts) for name, values in found.items()},
    )


def _starts(look: Look, matched: Match) -> np.ndarray:
    """Return where the initial times are in the truth; -1 where they are not."""
    times = pd.Index(dates_of(look.store.places.open("truth")["time"], "truth"))
    return np.asarray(times.get_indexer(pd.Index(matched.inits.astype("datetime64[s]"))))


def _append(
    found: PhysicsScores,
    name: str,
    score: PhysicsScore,
    forecast: Series,
    truth: Series,
    matched: Match,
    started: np.ndarray,
    masked: bool,
) -> None:
    """Append one score of means over the globe."""
    own = score.kind not in ("bias", "ratio") and all(m in truth.means for m in maps_behind([score]))
    ours, theirs = statistics_of(score, forecast, truth), statistics_of(score, truth, None) if own else {}
    wanted = wanted_states(score, forecast, matched.truth_positions >= 0, started)
    _keep(found, name, score, ours, theirs, wanted, matched, masked)
    if score.kind == "closure" and (unfit := matched.leads[~forecast.fits(score.of) & (matched.leads > 0.0)]).size:
        at = ", ".join(f"{lead:g}" for lead in unfit)
        found.notes.append(f"{PHYSICS}: {name} has no value at {at} h: its fluxes are of other hours")


def _append_variance(
    found: PhysicsScores,
    name: str,
    score: PhysicsScore,
    looks: Mapping[str, Look],
    matched: Match,
    masked: bool,
    client: Client | None,
    threads: int | None,
) -> None:
    """Append the score of the variance in the tropics."""
    ours, theirs = looks["forecast"], looks["truth"]
    quantity, lacking = tropical_field(ours, theirs, matched)
    if lacking:
        found.impossible[name] = lacking
        return
    squares = tropical_squares(ours, theirs, quantity, matched, client=client, threads=threads)
    _keep(found, name, score, squares, {}, matched.truth_positions >= 0, matched, masked)
    if name not in found.impossible:
        found.notes.append(f"{PHYSICS}: {name} is that of '{ours.opened.sources[quantity]}'")


def _keep(
    found: PhysicsScores,
    name: str,
    score: PhysicsScore,
    ours: Mapping[str, np.ndarray],
    theirs: Mapping[str, np.ndarray],
    wanted: np.ndarray,
    matched: Match,
    masked: bool,
) -> None:
    """Append the rows and statistics of one score, with what the truth scores beside it over the same states."""
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
