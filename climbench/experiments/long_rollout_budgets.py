"""What long roll-outs make or lose of mass, water and energy since their start, by the arithmetic of the physics rows.

Of starts that do not blow up; where all do, of all until the first does. States are read block by block, with the
ground and the hybrid coefficients of the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from climbench.constants import SECONDS_PER_DAY
from climbench.evaluate.forecasts import ForecastTask
from climbench.grids import covers_globe
from climbench.physics.drift import drift
from climbench.tasks.forecast.matching import dates_of
from climbench.tasks.forecast.physics_maps import quantities_behind
from climbench.tasks.forecast.physics_metrics import PHYSICS_SCORES
from climbench.tasks.forecast.physics_needs import PART_OF_GLOBE, Look, maps_behind, other_steps
from climbench.tasks.forecast.physics_score import PhysicsScore
from climbench.tasks.forecast.physics_series import AXES, PhysicsStore, global_means
from climbench.tasks.forecast.physics_statistics import SECONDS_PER_HOUR, Series
from climbench.tasks.forecast.stores import Places

FEW_STEPS = "two steps or more before the first blow-up"
COLUMNS = ["run", "name", "units", "step", "value", "low", "high"]


@dataclass(frozen=True)
class Budget:
    """What is followed through a roll-out.

    Attributes
    ----------
    score : PhysicsScore
        The score of physics that it is the course of.
    words : str
        For titles.
    units : str
        Of what is made or lost.
    factor : float
        To that unit, from that of the core.
    rate_units : str
        Of what a step makes or loses.
    rate_factor : float
        To that unit, from that of the core in a second.
    """

    score: PhysicsScore
    words: str
    units: str
    factor: float
    rate_units: str
    rate_factor: float


BUDGETS: dict[str, Budget] = {
    "dry_air": Budget(PHYSICS_SCORES["dry_air_drift"], "mass of dry air", "kg m-2", 1.0, "kg m-2/day", SECONDS_PER_DAY),
    "water": Budget(PHYSICS_SCORES["water_residual_rms"], "water", "mm", 1.0, "mm/day", SECONDS_PER_DAY),
    "energy": Budget(PHYSICS_SCORES["energy_credit_residual_rms"], "energy", "MJ m-2", 1e-6, "W m-2", 1.0),
    "layer_mass": Budget(
        PHYSICS_SCORES["layer_mass_drift"], "mass of the layer, as depth", "m2 s-2", 1.0, "m2 s-2/day", SECONDS_PER_DAY
    ),
    "layer_energy": Budget(
        PHYSICS_SCORES["layer_energy_drift"],
        "energy of the layer by mass",
        "m2 s-2",
        1.0,
        "m2 s-2/day",
        SECONDS_PER_DAY,
    ),
}


@dataclass(frozen=True)
class RolloutBudgets:
    """The budgets of a roll-out.

    Attributes
    ----------
    series : DataFrame
        By run, budget and step, from the start on: what is made (or lost, below zero) since the start, in the mean over
        starts, and the least and the most of them.
    summary : DataFrame
        One row a run and budget: the drift of that mean, and the root of the mean square over steps and starts of what
        one step makes or loses.
    missing : dict of str to tuple of str
        By budget, or budget and run, in words, what lacks for the others.
    """

    series: pd.DataFrame
    summary: pd.DataFrame
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)


def rollout_budgets(folder: Path, on: ForecastTask, blown: Mapping[str, np.ndarray], hours: float) -> RolloutBudgets:
    """Return the budgets of a roll-out's states.

    Parameters
    ----------
    folder : Path
        Where the states are, in one folder a run.
    on : ForecastTask
        Task and data.
    blown : mapping of str to ndarray of shape (start,)
        By run, the step at which a start blew up, 0 where none did.
    hours : float
        Of a step.

    Returns
    -------
    RolloutBudgets
    """
    fluid = {name: budget for name, budget in BUDGETS.items() if budget.score.fluid == on.dataset.fluid}
    series, summary = [], []
    missing: dict[str, tuple[str, ...]] = {}
    for run, gone in blown.items():
        places = on.places(folder / run / "states.zarr")
        looks = _looks(places, fluid, hours)
        lacking = {name: _lacking(budget, looks, hours) for name, budget in fluid.items()}
        missing |= {name: words for name, words in lacking.items() if words}
        there = {name: budget for name, budget in fluid.items() if not lacking[name]}
        lasting = np.flatnonzero(gone == 0)
        steps = looks["forecast"].store.open().sizes["lead_time"] if lasting.size else int(gone.min()) - 1
        if steps < 2:
            missing |= {f"{name} of {run}": (FEW_STEPS,) for name in there}
            continue
        found = _series(
            looks, there, lasting if lasting.size else np.arange(gone.size), np.arange(1, steps + 1) * hours
        )
        for name, budget in there.items():
            made, rates = made_since_start(found, budget.score)
            series.append(_by_step(run, name, budget, made))
            summary.append(_row(run, name, budget, made, rates, hours))
    whole = pd.concat(series, ignore_index=True) if series else pd.DataFrame(columns=COLUMNS)
    summary.sort(key=lambda row: list(BUDGETS).index(str(row["name"])))
    return RolloutBudgets(whole, pd.DataFrame(summary), missing)


def made_since_start(series: Series, score: PhysicsScore) -> tuple[np.ndarray, np.ndarray]:
    """Return what is made since the start, and a second in each step, of shape (start, step).

    Parameters
    ----------
    series : Series
        Means over the globe, of one member.
    score : PhysicsScore
        A drift or a closure.

    Returns
    -------
    made, rates : ndarray of shape (start, step)
        In the unit of the core, and that in a second.
    """
    seconds = series.steps * SECONDS_PER_HOUR
    if score.kind == "closure":
        rates = series.residual(score.of)[0]
        return np.cumsum(rates * seconds, axis=-1), rates
    made = series.change(score.of)[0]
    if score.maps:  # per unit of what there is at the start
        made = made / series.start[score.maps[0]][0][:, None]
    return made, np.diff(made, prepend=0.0, axis=-1) / seconds


def _looks(places: Places, budgets: Mapping[str, Budget], hours: float) -> dict[str, Look]:
    maps = maps_behind(budget.score for budget in budgets.values())
    quantities = tuple(sorted(quantities_behind(maps)))
    return {role: Look.at(PhysicsStore(places, role, maps, quantities, hours)) for role in AXES}


def _lacking(budget: Budget, looks: Mapping[str, Look], hours: float) -> tuple[str, ...]:
    data = looks["forecast"].store.open()
    lacking = [words for name in maps_behind([budget.score]) for words in looks["forecast"].lacks(name)]
    if not covers_globe(data["latitude"].values, data["longitude"].values):
        lacking.append(PART_OF_GLOBE)
    if budget.score.kind == "closure" and not lacking:
        lacking += other_steps(budget.score, looks["forecast"], np.array([hours]))
    return tuple(dict.fromkeys(lacking))


def _series(looks: Mapping[str, Look], budgets: Mapping[str, Budget], starts: np.ndarray, leads: np.ndarray) -> Series:
    """Return the means over the globe of some starts and of the truth that they start from."""
    ours, theirs = looks["forecast"], looks["truth"]
    maps = maps_behind(budget.score for budget in budgets.values())
    at = {"init_time": starts, "lead_time": np.arange(leads.size)}
    means = global_means(ours.store.only(maps, list(ours.faults)), at)
    inits = dates_of(ours.store.open()["init_time"], "roll-out")[starts]
    times = pd.Index(dates_of(theirs.store.open()["time"], "truth"))
    when = {"time": times.get_indexer(pd.Index(inits))}
    return Series(means, global_means(theirs.store.only(maps, list(theirs.faults)), when), leads, ours.windows(means))


def _by_step(run: str, name: str, budget: Budget, made: np.ndarray) -> pd.DataFrame:
    whole = budget.factor * np.concatenate([np.zeros((len(made), 1)), made], axis=-1)
    columns = {"step": np.arange(whole.shape[1]), "value": whole.mean(0), "low": whole.min(0), "high": whole.max(0)}
    return pd.DataFrame({"run": run, "name": name, "units": budget.units, **columns})


def _row(run: str, name: str, budget: Budget, made: np.ndarray, rates: np.ndarray, hours: float) -> dict[str, object]:
    days = np.arange(1, made.shape[1] + 1) * hours / 24.0
    found = drift(budget.factor * made.mean(0), days)
    return {
        "name": name,
        "run": run,
        "units": budget.units,
        "starts": len(made),
        "days": float(days[-1]),
        "drift_a_day": found.per_day,
        "drift_a_century": found.per_century,
        "made_at_the_end": float(budget.factor * made[:, -1].mean()),
        "closure_rms": float(budget.rate_factor * np.sqrt((rates**2).mean())),
        "closure_units": budget.rate_units,
    }
