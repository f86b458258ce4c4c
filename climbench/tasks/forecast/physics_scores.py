"""Scores a forecast by its physics: which scores its variables allow, and what is missing for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from climbench.cards import Fluid, ForecastCard
from climbench.grids import covers_globe
from climbench.tasks.forecast.matching import Match, dates_of
from climbench.tasks.forecast.physics_maps import quantities_behind
from climbench.tasks.forecast.physics_metrics import PHYSICS_SCORES
from climbench.tasks.forecast.physics_needs import Look, lacking_of, maps_behind
from climbench.tasks.forecast.physics_rows import PhysicsScores, keep
from climbench.tasks.forecast.physics_score import PHYSICS, PhysicsScore
from climbench.tasks.forecast.physics_series import AXES, Means, PhysicsStore, global_means, lead_step
from climbench.tasks.forecast.physics_statistics import Series, statistics_of, wanted_states
from climbench.tasks.forecast.physics_tropics import FIELDS, tropical_field, tropical_squares
from climbench.tasks.forecast.stores import Places

if TYPE_CHECKING:
    from distributed import Client

STANDARD = "standard"  # the profile that has scores of physics without being asked: other tools have none
NOT_NEEDED = "data that lacks what {} needs: that is scored, and says more"


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
    keep(found, name, score, ours, theirs, wanted, matched, masked)
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
    keep(found, name, score, squares, {}, matched.truth_positions >= 0, matched, masked)
    if name not in found.impossible:
        found.notes.append(f"{PHYSICS}: {name} is that of '{ours.opened.sources[quantity]}'")
