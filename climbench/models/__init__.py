"""Emulators, one family a file; `climbench.models.base` is the contract, the cards in ``models/`` name them.

This catalogue turns what a user names (a card's name, a card file, ``FILE.py:CLASS``, a plug-in) into an emulator.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from climbench.cards import ModelCard, TaskCard, find_model, find_task, list_cards, read_card
from climbench.errors import CardError, ModelError, did_you_mean
from climbench.registry import load_object

Preset = Literal["demo", "standard", "published"]
ENTRY_POINTS = "climbench.models"


def find_any_model(model: str | ModelCard, task: TaskCard, include: Sequence[Path] = ()) -> ModelCard:
    """Return the card of a model named on the command line.

    Parameters
    ----------
    model : str or ModelCard
        A name, a card file, or ``FILE.py:CLASS``.
    task : TaskCard
        The task, whose protocol the model must serve.
    include : sequence of Path
        Further folders with cards.

    Returns
    -------
    ModelCard

    Raises
    ------
    CardError
        If there is none, or it serves another protocol.
    """
    if isinstance(model, ModelCard):
        return model
    if ".py:" in model:
        file, _, name = model.rpartition(":")
        slug = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", "-", name).lower().strip("-")
        place = f"{Path(file).resolve()}:{name}"
        return ModelCard(name=slug, title=f"{name} of {Path(file).name}", protocol=task.protocol, class_path=place)
    if model.endswith((".yaml", ".yml")):
        card = read_card(Path(model))
        if not isinstance(card, ModelCard) or card.protocol != task.protocol:
            raise CardError(f"{model} is no model card for the protocol '{task.protocol}' of '{task.name}'.")
        return card
    plugins = entry_points()
    if model in plugins:
        return ModelCard(name=model, title=model, protocol=task.protocol, class_path=plugins[model])
    try:
        return find_model(model, task.protocol, include)
    except CardError:
        known = [c.name for c in list_cards("model", include) if getattr(c, "protocol", "") == task.protocol]
        raise CardError(
            f"There is no model '{model}' for the protocol '{task.protocol}'. {did_you_mean(model, [*known, *plugins])}"
        ) from None


def entry_points() -> dict[str, str]:
    """Return the models that installed packages offer, by name, as places to import them from."""
    from importlib import metadata

    return {point.name: point.value for point in metadata.entry_points(group=ENTRY_POINTS)}


def load_emulator(card: ModelCard, preset: Preset = "standard") -> Any:
    """Return an emulator made from its card.

    Parameters
    ----------
    card : ModelCard
        The card.
    preset : {"demo", "standard", "published"}
        Which of its presets to use.

    Returns
    -------
    Emulator or Reference

    Raises
    ------
    ModelError
        If the class cannot be imported or made with the card's arguments.
    """
    beside = card.path.parent if card.path is not None else None
    made = load_object(card.class_path, beside=beside)
    arguments = {**card.init_args, **card.presets.get(preset, {})}
    try:
        return made(**arguments)
    except TypeError as error:
        raise ModelError(f"'{card.name}' cannot be made with the arguments {arguments}: {error}.") from error


def load_model(name: str, task: str | TaskCard, *, preset: Preset = "standard") -> Any:
    """Return an emulator, not yet fitted.

    Parameters
    ----------
    name : str
        A model's name, a card file, or ``FILE.py:CLASS``.
    task : str or TaskCard
        The task it shall serve.
    preset : {"demo", "standard", "published"}
        Which of its presets to use.

    Returns
    -------
    Emulator
    """
    card = find_task(task) if isinstance(task, str) else task
    return load_emulator(find_any_model(name, card), preset)
