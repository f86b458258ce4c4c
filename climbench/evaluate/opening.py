"""Opens tasks and data sets by name, with changed settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import xarray as xr

from climbench.cards import ProjectionCard, TaskCard, find_dataset, find_task, read_card, with_settings
from climbench.errors import CardError, DataError
from climbench.tasks import PROTOCOLS
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.sources import Progress, Source, find_source, no_progress, open_source


@dataclass(frozen=True)
class OpenTask:
    """A task with its data opened.

    Attributes
    ----------
    card : ProjectionCard
        With the changed settings.
    modified : bool
        Whether settings differ from the card's.
    source : Source
        The data.
    task : ProjectionTask
        The protocol, ready to feed and to score.
    """

    card: ProjectionCard
    modified: bool
    source: Source
    task: ProjectionTask


def task_card(task: str | Path, settings: Mapping[str, Any], include: Sequence[Path] = ()) -> tuple[TaskCard, bool]:
    """Return a task's card with changed settings, and whether they differ from the card's own.

    Parameters
    ----------
    task : str or Path
        A task's name, or a card file.
    settings : mapping of str to object
        Dotted keys and values.
    include : sequence of Path
        Further folders with cards.

    Returns
    -------
    TaskCard
    bool

    Raises
    ------
    CardError
        If there is no such task or setting.
    """
    if str(task).endswith((".yaml", ".yml")):
        card = read_card(Path(task))
        if not isinstance(card, TaskCard):
            raise CardError(f"{task} is no task card.")
    else:
        card = find_task(str(task), include)
    changed: TaskCard = with_settings(card, settings)
    if isinstance(changed, ProjectionCard) and "validation" not in settings:
        rest = [name for name in changed.validation if name != changed.test.scenario]
        if len(rest) < len(changed.validation):
            changed = with_settings(changed, {"validation": rest})
    return changed, changed.hash() != card.hash()


def open_task(
    task: str | Path,
    data: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    include: Sequence[Path] = (),
    progress: Progress = no_progress,
) -> OpenTask:
    """Return a task with its data opened (or made, where a world stands in for it).

    Parameters
    ----------
    task : str or Path
        A task's name, or a card file.
    data : str, Path or None
        A folder, or the name of a data set.
    settings : mapping of str to object, optional
        Dotted keys of the task's card and their values.
    include : sequence of Path
        Further folders with cards.
    progress : callable
        Called with what is being made, steps done and steps in all.

    Returns
    -------
    OpenTask

    Raises
    ------
    ClimbenchError
        If there is no such task, setting or data.
    """
    card, modified = task_card(task, settings or {}, include)
    if not isinstance(card, ProjectionCard):
        raise CardError(f"'{card.name}' is a task of the protocol '{card.protocol}'; this is for projections.")
    source = find_source(card, data, include, progress)
    return OpenTask(card, modified, source, PROTOCOLS.load(card.protocol)(card, source.reader, source.card))


def load_task(
    name: str | Path,
    data: str | Path | None = None,
    *,
    set: Mapping[str, Any] | None = None,
) -> ProjectionTask:
    """Return a task with its data opened: training scenarios, test inputs and target can be read from it.

    Parameters
    ----------
    name : str or Path
        A task's name, or a card file.
    data : str or Path, optional
        A folder, or the name of a data set.
    set : mapping of str to object, optional
        Dotted keys of the task's card and their values.

    Returns
    -------
    ProjectionTask
    """
    return open_task(name, data, set).task


def open_dataset(
    name: str,
    experiment: str,
    *,
    part: Literal["outputs", "inputs"] = "outputs",
    model: str | None = None,
    data: str | Path | None = None,
) -> xr.Dataset:
    """Return one experiment of a data set, lazily and in canonical form.

    Parameters
    ----------
    name : str
        A data set's name.
    experiment : str
        For example ``"ssp245"``.
    part : {"outputs", "inputs"}
        Climate or forcings.
    model : str, optional
        Which of its climate models, for a data set of several.
    data : str or Path, optional
        The folder; without it where the data set was pulled or made.

    Returns
    -------
    Dataset
        Of shape ([member,] time, latitude, longitude), in the units on the data set's card.

    Raises
    ------
    DataError
        If it is not there, or is of several climate models and none is named.
    """
    source = open_source(find_dataset(name), None if data is None else Path(data))
    reader = source.reader
    if hasattr(reader, "models"):
        if model is None:
            raise DataError(f"'{name}' holds several climate models. Name one (model=): {', '.join(reader.models)}.")
        reader = reader.model(model)
    read = reader.inputs if part == "inputs" else reader.outputs
    variables = source.card.inputs if part == "inputs" else source.card.variables
    opened: xr.Dataset = read(experiment, list(variables))
    return opened
