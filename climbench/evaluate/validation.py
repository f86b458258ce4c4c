"""Checks predictions against a task of any protocol, without scoring them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from climbench.cards import ForecastCard
from climbench.evaluate.forecast_inspection import inspect_forecast
from climbench.evaluate.forecasts import find_forecast_task
from climbench.evaluate.opening import open_task, task_card
from climbench.evaluate.projections import Inspection, inspect
from climbench.tasks.sources import Progress, no_progress


def validate(
    task: str | Path,
    path: str | Path,
    *,
    data: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    include: Sequence[Path] = (),
    progress: Progress = no_progress,
) -> Inspection:
    """Check predictions against a task without scoring them.

    Parameters
    ----------
    task : str or Path
        A task's name, or a card file.
    path : str or Path
        A netCDF file or zarr store; a forecast by URL, too.
    data : str, Path or None
        A folder, or the name of a data set; for forecasts the truth.
    settings : mapping of str to object, optional
        Dotted keys of the task's card and their values.
    include : sequence of Path
        Further folders with cards.
    progress : callable
        Called with what is being made, steps done and steps in all.

    Returns
    -------
    Inspection

    Raises
    ------
    ClimbenchError
        If the task or its data cannot be opened.
    """
    card, _ = task_card(task, settings or {}, include)
    if isinstance(card, ForecastCard):
        return inspect_forecast(find_forecast_task(task, data, settings, include), path)
    opened = open_task(task, data, settings, include, progress)
    return inspect(Path(path), opened.task, opened.task.target())
