"""From means over the globe by initial and lead time to the statistics that scores of physics are made from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from climbench.constants import SECONDS_PER_DAY
from climbench.physics.diagnosis import CLOSURES, FIELDS, Diagnosis, closures
from climbench.tasks.forecast.physics_score import ERROR, SQUARE, TRUTH, PhysicsScore

SECONDS_PER_HOUR = SECONDS_PER_DAY / 24.0
DIMS = ("member", "init", "lead")


@dataclass(frozen=True)
class Series:
    """Means over the globe of one store.

    Attributes
    ----------
    means : dict of str to ndarray of shape (member, init, lead)
        By map.
    start : dict of str to ndarray of shape (member, init)
        At the initial time, of maps where that is known.
    leads : ndarray of float
        Lead times in hours, ascending.
    windows : dict of str to tuple of float
        By map, hours over which what it is made from is accumulated, or averaged; where there are none, it is taken to
        be of the time since the lead time before.
    """

    means: dict[str, np.ndarray]
    start: dict[str, np.ndarray]
    leads: np.ndarray
    windows: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def steps(self) -> np.ndarray:
        """Hours since the lead time before, or since the initial time."""
        return np.diff(self.leads, prepend=0.0)

    def change(self, name: str) -> np.ndarray:
        """Return how far a map's mean is from that at the initial time, of shape (member, init, lead)."""
        return self.means[name] - self.start[name][..., None]

    def fits(self, closure: str) -> np.ndarray:
        """Return for which lead times the fluxes of a closure are those of the step before them."""
        hours = [h for flow in CLOSURES[closure][1:] for h in self.windows.get(flow, ())]
        return np.logical_and.reduce([np.isclose(self.steps, h) for h in hours] or [np.ones(self.leads.size, bool)])

    def residual(self, closure: str) -> np.ndarray:
        """Return what fluxes leave unexplained of changes, of shape (member, init, lead).

        NaN at lead time 0, at the first where the initial state is not known, and where fluxes are of another step.
        """
        store, *flows = CLOSURES[closure]
        whole = self.means[store]
        begins = self.leads[0] > 0.0
        first = np.broadcast_to(self.start.get(store, np.asarray(np.nan))[..., None], (*whole.shape[:2], 1))
        blank = np.full_like(first, np.nan)
        parts = {store: (first, whole), **{flow: (blank, self.means[flow]) for flow in flows}}
        fields = {
            name: xr.DataArray(np.concatenate(pair, axis=-1) if begins else pair[1], dims=DIMS)
            for name, pair in parts.items()
        }
        fields[store] = fields[store].assign_attrs(long_name=FIELDS[store].words)
        hours = np.concatenate([[np.nan], self.steps]) if begins else self.steps
        seconds = xr.DataArray(hours * SECONDS_PER_HOUR, dims="lead")
        found = closures(Diagnosis(xr.Dataset(fields)), seconds, dim="lead").fields[closure].values
        if not begins:
            found = np.concatenate([np.full((*whole.shape[:2], 1), np.nan), found], axis=-1)
        return np.where(self.fits(closure), found, np.nan)


def statistics_of(score: PhysicsScore, ours: Series, truth: Series | None) -> dict[str, np.ndarray]:
    """Return the statistics of one score.

    Parameters
    ----------
    score : PhysicsScore
        The score.
    ours : Series
        Of the store that is scored.
    truth : Series or None
        Of the truth, which biases and ratios are against.

    Returns
    -------
    dict of str to ndarray of shape (init, lead)
        Means over members: of squares, where the score is a root, so that members do not make up for each other.
    """
    if score.kind == "drift":
        change = ours.change(score.of)
        if score.maps:  # per unit of what there is at the initial time
            change = change / ours.start[score.maps[0]][..., None]
        return {f"{score.of}_drift{SQUARE}": (change**2).mean(axis=0)}
    if score.kind == "closure":
        residual = ours.residual(score.of)
        return {score.of: residual.mean(axis=0), f"{score.of}{SQUARE}": (residual**2).mean(axis=0)}
    names = (score.of, *score.maps)
    means = {name: ours.means[name].mean(axis=0) for name in names}
    if truth is None or score.kind == "mean":
        return means
    theirs = {name: truth.means[name].mean(axis=0) for name in names}
    if score.kind == "bias":
        return {f"{name}{ERROR}": means[name] - theirs[name] for name in names}
    return {**means, **{f"{TRUTH}{name}": values for name, values in theirs.items()}}


def wanted_states(score: PhysicsScore, ours: Series, there: np.ndarray, started: np.ndarray) -> np.ndarray:
    """Return which states a score is made from where no value is missing.

    Parameters
    ----------
    score : PhysicsScore
        The score.
    ours : Series
        Of the store that is scored.
    there : ndarray of bool of shape (init, lead)
        Where the truth has the valid time.
    started : ndarray of bool of shape (init,)
        Where the state at the initial time is known.

    Returns
    -------
    ndarray of bool of shape (init, lead)
        Neither what the truth does not have, nor a change since what is not known or whose fluxes are of other steps.
    """
    whole = Series(
        {name: np.where(there, 1.0, np.nan)[None] for name in ours.means},
        {name: np.where(started, 1.0, np.nan)[None] for name in ours.start},
        ours.leads,
        ours.windows,
    )
    found = statistics_of(score, whole, whole)
    return np.logical_and.reduce([np.isfinite(found[name]) for name in score.metric.statistics])
