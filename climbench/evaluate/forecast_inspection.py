"""Says everything that is wrong with a forecast store, without scoring it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from climbench.errors import ClimbenchError
from climbench.evaluate.forecasts import ForecastTask
from climbench.evaluate.projections import Inspection
from climbench.tasks.forecast.matching import faults
from climbench.tasks.forecast.scorable import check_card
from climbench.tasks.forecast.scoring import Forecasts, climatology_positions
from climbench.tasks.forecast.task import training
from climbench.tasks.forecast.training_climatology import OWN, refuse_overlap


def inspect_forecast(task: ForecastTask, forecast: str | Path) -> Inspection:
    """Return everything that is wrong with a forecast store, from metadata and one map of each target.

    Parameters
    ----------
    task : ForecastTask
        From `find_forecast_task`.
    forecast : str or Path
        A file or store by path or URL.

    Returns
    -------
    Inspection
        Its notes begin with the coverage; it holds no prediction.
    """
    found = Inspection()
    places = task.places(forecast)
    _try(lambda: check_card(task.card), found)
    _try(lambda: _climatology_may_be_used(task, found), found)
    _try(lambda: found.problems.extend(faults(task.card, places.open("forecast"), places.open("truth"))), found)
    if not found.problems:
        _try(lambda: _inspect_matched(Forecasts.open(task.card, task.dataset, places), found), found)
    return found


def _try(check: Callable[[], object], found: Inspection) -> None:
    try:
        check()
    except ClimbenchError as error:
        found.problems.append(str(error))


def _climatology_may_be_used(task: ForecastTask, found: Inspection) -> None:
    """Note what is not known of a climatology; raise `ClimbenchError` where it cannot be used or made."""
    if task.card.climatology == OWN:
        training(task.card, task.open_truth())
    elif task.card.climatology is not None:
        found.notes += refuse_overlap(task.card, task.places("").open("climatology"), task.card.climatology)


def _inspect_matched(opened: Forecasts, found: Inspection) -> None:
    """Add what is scored, what cannot be, and values that are missing."""
    card, matched = opened.card, opened.matched
    found.notes[:0] = [matched.coverage, *(f"modified: {text}" for text in matched.departures)]
    if card.climatology not in (None, OWN):
        climatology_positions(opened.places.open("climatology"), matched, opened.places.open("truth"))
    wanted, why = opened.scorable()
    found.notes += why
    if card.metrics is None or not opened.physics():  # where physics alone is asked for, nothing of a target is
        found.problems += [f"{name}: nothing of it can be scored" for name, metrics in wanted.items() if not metrics]
    for target in matched.targets:
        bad = opened.missing_in_first(target)
        if bad and card.nan == "error":
            found.problems.append(
                f"{target.name}: {bad} missing or infinite values in the first map. Mend it, or add --set nan=mask."
            )
