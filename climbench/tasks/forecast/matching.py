"""Brings forecast and truth together: which initial times and lead times both have, and on which grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from climbench.cards import ForecastCard
from climbench.errors import ClimbenchError, PredictionError
from climbench.grids import describe_grid, grid_offset
from climbench.tasks.forecast.targets import Target, resolve

SAME_GRID = 0.01
HOUR = np.timedelta64(1, "h")
SECOND = np.timedelta64(1, "s")


@dataclass
class Match:
    """What is scored of a forecast.

    Attributes
    ----------
    targets : list of Target
        The fields.
    inits : ndarray of datetime64
        Initial times.
    leads : ndarray of float
        Lead times in hours.
    init_positions, lead_positions : ndarray of int
        Where they are in the forecast store.
    truth_positions : ndarray of shape (init, lead)
        Where each valid time is in the truth; -1 where it is not.
    coverage : str
        One line that says how much of the task is scored.
    departures : list of str
        In what the scored sample is not the task's.
    """

    targets: list[Target]
    inits: np.ndarray
    leads: np.ndarray
    init_positions: np.ndarray
    lead_positions: np.ndarray
    truth_positions: np.ndarray
    coverage: str
    departures: list[str] = field(default_factory=list)

    @property
    def valid_times(self) -> np.ndarray:
        """Valid times of shape (init, lead)."""
        return valid_times(self.inits, self.leads)


def valid_times(inits: np.ndarray, leads: np.ndarray) -> np.ndarray:
    """Return the times that forecasts from `inits` (datetime64) over `leads` (hours) are for, of shape (init, lead)."""
    return inits.astype("datetime64[s]")[:, None] + np.round(leads * 3600.0).astype("int64")[None, :] * SECOND


def match(card: ForecastCard, forecast: xr.Dataset, truth: xr.Dataset) -> Match:
    """Return what a forecast and a truth have in common of what a task scores.

    Initial and lead times of the task are scored where there are any; where there are none of them, all that both
    stores have. Lead time 0, the analysis, is scored where a forecast has it, and not asked for.

    Parameters
    ----------
    card : ForecastCard
        The task.
    forecast : Dataset of shape (init_time, lead_time, ...)
        Canonical.
    truth : Dataset of shape (time, ...)
        Canonical.

    Returns
    -------
    Match

    Raises
    ------
    PredictionError
        Naming everything that keeps them apart: targets that are missing, grids that differ, and that no valid time of
        the forecast is in the truth.
    """
    problems = faults(card, forecast, truth)
    if problems:
        raise PredictionError("\n".join(problems))
    targets = resolve(card.targets, forecast, truth, card.name)
    departures = _grid(card, forecast, truth)
    inits, hours, known = _axes(forecast, truth)
    asked, asked_hours = task_inits(card), np.asarray(card.leads.hours())
    i, lost_inits = _chosen(inits, asked)
    j, lost_hours = _chosen(np.round(hours, 6), np.round(asked_hours, 6), always=0.0)
    positions = known.get_indexer(pd.Index(valid_times(inits[i], hours[j]).ravel())).reshape(i.size, j.size)
    rows, columns = (positions >= 0).any(axis=1), (positions >= 0).any(axis=0)
    i, j, positions = i[rows], j[columns], positions[np.ix_(rows, columns)]
    scored, scored_hours = inits[i], hours[j]
    departures += _departures(scored, asked, scored_hours, asked_hours)
    coverage = _coverage(scored, asked, scored_hours, asked_hours, positions, lost_inits, lost_hours)
    return Match(targets, scored, scored_hours, i, j, positions, coverage, departures)


def faults(card: ForecastCard, forecast: xr.Dataset, truth: xr.Dataset) -> list[str]:
    """Return everything that keeps a forecast from being matched with a truth; parameters are those of `match`."""
    found = []
    for check in (
        lambda: resolve(card.targets, forecast, truth, card.name),
        lambda: _grid(card, forecast, truth),
        lambda: _some_time(card, forecast, truth),
    ):
        try:
            check()
        except ClimbenchError as error:
            found.append(str(error))
    return found


def _axes(forecast: xr.Dataset, truth: xr.Dataset) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    """Return initial times, lead times (hours) and times of the truth."""
    known = pd.Index(dates_of(truth["time"], "truth"))
    if not known.is_unique:
        raise PredictionError("The truth has repeated times; drop those that repeat.")
    return dates_of(forecast["init_time"], "forecast"), forecast["lead_time"].values / HOUR, known


def _some_time(card: ForecastCard, forecast: xr.Dataset, truth: xr.Dataset) -> None:
    """Raise `PredictionError` where no valid time that would be scored is in the truth."""
    inits, hours, known = _axes(forecast, truth)
    i, _ = _chosen(inits, task_inits(card))
    j, _ = _chosen(np.round(hours, 6), np.round(np.asarray(card.leads.hours()), 6), always=0.0)
    if not known.isin(valid_times(inits[i], hours[j]).ravel()).any():
        raise PredictionError(_nothing(inits, hours, known))


def task_inits(card: ForecastCard) -> np.ndarray:
    """Return all initial times that a task asks for, as datetime64 in seconds."""
    first, last = (np.datetime64(day, "D") for day in card.test.period)
    days = np.arange(first, last + 1).astype("datetime64[s]")
    return np.sort((days[:, None] + np.asarray(card.test.hours) * HOUR).ravel().astype("datetime64[s]"))


def dates_of(axis: xr.DataArray, what: str) -> np.ndarray:
    """Return times as datetime64 in seconds, whatever the calendar; raise `PredictionError` where they are no dates."""
    values, index = axis.values, axis.to_index()
    if isinstance(index, xr.CFTimeIndex):  # another calendar
        try:
            values = index.to_datetimeindex(time_unit="us").values
        except (ValueError, TypeError):
            raise PredictionError(f"The times of the {what} are on a calendar that has no dates of its own.") from None
    if values.dtype.kind != "M":
        raise PredictionError(f"The times of the {what} are no dates (type {values.dtype}).")
    return values.astype("datetime64[s]")


def _chosen(found: np.ndarray, asked: np.ndarray, always: float | None = None) -> tuple[np.ndarray, int]:
    """Return positions of what is asked for, or of everything where nothing is; and how many others there are."""
    inside = np.isin(found, asked)
    if not inside.any():
        return np.arange(found.size), 0
    if always is not None:
        inside |= found == always
    return np.flatnonzero(inside), int((~inside).sum())


def _grid(card: ForecastCard, forecast: xr.Dataset, truth: xr.Dataset) -> list[str]:
    offset = grid_offset(forecast, truth)
    if offset > SAME_GRID:
        swapped = forecast.sizes["latitude"] == truth.sizes["longitude"] != truth.sizes["latitude"]
        hint = (
            "Are latitude and longitude swapped?"
            if swapped
            else "Regrid one of them: climbench data convert STORE --grid COLUMNSxROWS."
        )
        raise PredictionError(
            f"The forecast lies on another grid than the truth: {describe_grid(forecast)} against "
            f"{describe_grid(truth)}. {hint}"
        )
    name = f"{truth.sizes['longitude']}x{truth.sizes['latitude']}"
    return [] if name in card.grids else [f"the grid is {name}, the task's are {', '.join(card.grids)}"]


def _departures(scored: np.ndarray, asked: np.ndarray, hours: np.ndarray, asked_hours: np.ndarray) -> list[str]:
    found = []
    if not np.array_equal(np.sort(scored), asked):
        found.append("the initial times are not the task's")
    if not np.array_equal(np.round(hours[hours > 0.0], 6), np.round(asked_hours[asked_hours > 0.0], 6)):
        found.append("the lead times are not the task's")
    return found


def _nothing(inits: np.ndarray, hours: np.ndarray, known: pd.Index) -> str:
    first, last = inits.min(), inits.max() + np.timedelta64(round(hours.max() * 3600), "s")
    step = f", every {np.diff(known.values).min() / HOUR:g} h" if known.size > 1 else ""
    return (
        f"No valid time of the forecast is in the truth: the forecast is for {first} to {last}, the truth has "
        f"{known.values.min()} to {known.values.max()}{step}. Name a truth of the same period with --data."
    )


def _coverage(
    scored: np.ndarray,
    asked: np.ndarray,
    hours: np.ndarray,
    asked_hours: np.ndarray,
    positions: np.ndarray,
    lost_inits: int,
    lost_hours: int,
) -> str:
    ours = int(np.isin(scored, asked).sum())
    own = int(np.isin(np.round(hours, 6), np.round(asked_hours, 6)).sum())
    text = (
        f"coverage: {scored.size} initial times ({scored.min()} to {scored.max()}), {ours} of the task's {asked.size}; "
        f"{hours.size} lead times ({hours.min():g} to {hours.max():g} h), {own} of the task's {asked_hours.size}"
    )
    gaps = int((positions < 0).sum())
    lost = [f"{lost_inits} further initial times"] * bool(lost_inits) + [f"{lost_hours} lead times"] * bool(lost_hours)
    text += f"; {gaps} of {positions.size} pairs have no truth" if gaps else ""
    return text + (f"; {' and '.join(lost)} of the store are not the task's and left out" if lost else "")


def names(targets: Sequence[Target]) -> str:
    """Return the targets in words."""
    return ", ".join(target.name for target in targets)
