"""What scores of physics need of a forecast and its truth, and what these lack of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from climbench.cards import Fluid
from climbench.physics.diagnosis import CLOSURES
from climbench.physics.opening import Opened
from climbench.tasks.forecast.matching import HOUR, Match, dates_of
from climbench.tasks.forecast.physics_maps import quantities_behind, windows_of
from climbench.tasks.forecast.physics_score import PhysicsScore
from climbench.tasks.forecast.physics_series import PhysicsStore
from climbench.tasks.forecast.physics_statistics import Series

PART_OF_GLOBE = "the whole globe: the grid covers a part of it, whose budget is not closed"
FEW_LEADS = "two lead times or more: a change is from one to the next"
NO_START = "the state at the initial time: the forecast has no lead time 0, and the truth does not have it"


def maps_behind(scores: Iterable[PhysicsScore]) -> tuple[str, ...]:
    """Return the maps that scores are made from."""
    of_maps = [s for s in scores if s.kind != "variance"]
    names = [name for s in of_maps for name in (*(CLOSURES[s.of] if s.kind == "closure" else (s.of,)), *s.maps)]
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class Look:
    """What the first states of a store say of it.

    Attributes
    ----------
    store : PhysicsStore
        The store.
    opened : Opened
        Its quantities.
    missing : mapping of str to tuple of str
        By map that cannot be made, what is missing.
    faults : mapping of str to str
        By quantity, what is wrong with its variable.
    """

    store: PhysicsStore
    opened: Opened
    missing: Mapping[str, tuple[str, ...]]
    faults: Mapping[str, str]

    @classmethod
    def at(cls, store: PhysicsStore) -> Look:
        """Return what the first states of a store say."""
        found, diagnosis, faults = store.look()
        return cls(store, found, diagnosis.missing, faults)

    def lacks(self, name: str) -> tuple[str, ...]:
        """Return what a map lacks: a variable, or one that can be used."""
        if name not in self.missing:
            return ()
        behind = quantities_behind([name])
        return tuple(text for q, text in self.faults.items() if q in behind) or self.missing[name]

    def like(self, other: Look, name: str) -> bool:
        """Return whether a map is there, made from the same variables as that of another store."""
        same = all(self.opened.sources.get(q) == other.opened.sources.get(q) for q in quantities_behind([name]))
        return same and name not in self.missing

    def windows(self, names: Iterable[str]) -> dict[str, tuple[float, ...]]:
        """Return hours that maps are accumulated over; those of rates are the truth's steps.

        A forecaster learns rates from data of that step and gives the same, whatever lead times are kept of it.
        """
        times = dates_of(self.store.places.open("truth")["time"], "truth")
        step = float(np.median(np.diff(times)) / HOUR) if times.size > 1 else None
        return {name: windows_of(self.opened, name, step) for name in names}


def lacking_of(
    score: PhysicsScore, ours: Look, theirs: Look, matched: Match, fluid: Fluid, *, globe: bool
) -> tuple[str, ...]:
    """Return in words what a score lacks; empty where it can be had."""
    if score.fluid != fluid:
        return (f"states of another fluid: it is for {score.fluid}, and the data set's card says {fluid}",)
    maps = maps_behind([score])
    lacking = [text for name in maps for text in ours.lacks(name)]
    if score.globe and not globe:
        lacking.append(PART_OF_GLOBE)
    if score.kind in ("bias", "ratio"):
        lacking += [f"of the truth: {text}" for name in maps for text in theirs.lacks(name)]
    if score.kind == "closure" and matched.leads.size < 2:
        lacking.append(FEW_LEADS)
    unknown = score.kind == "drift" and matched.leads[0] > 0.0 and not all(theirs.like(ours, name) for name in maps)
    if unknown and not lacking:
        lacking.append(NO_START)
    if score.kind == "closure" and not lacking:
        lacking += other_steps(score, ours, matched.leads)
    return tuple(dict.fromkeys(lacking))


def other_steps(score: PhysicsScore, look: Look, leads: np.ndarray) -> list[str]:
    """Return in words that the fluxes of a closure are of other steps than those between lead times.

    Parameters
    ----------
    score : PhysicsScore
        A closure.
    look : Look
        Of the store that has the fluxes.
    leads : ndarray of float
        Lead times in hours, ascending.

    Returns
    -------
    list of str
        Empty where they are of the step before one lead time or more.
    """
    series = Series({}, {}, leads, look.windows(CLOSURES[score.of][1:]))
    if series.fits(score.of)[leads > 0.0].any():
        return []
    step = series.steps[-1]
    hours = sorted({h for window in series.windows.values() for h in window if not np.isclose(h, step)})
    return [
        f"fluxes over the {step:g} h between lead times: they are means over "
        f"{' and '.join(f'{h:g}' for h in hours)} h; score all lead times that far apart"
    ]
