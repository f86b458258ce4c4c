"""Emulators, one family a file; `climbench.models.base` is the contract, the cards in ``models/`` name them.

This catalogue turns what a user names (a card's name, a card file, ``FILE.py:CLASS``, a plug-in) into an emulator.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

from climbench.cards import ModelCard, TaskCard, find_model, find_task, list_cards, read_card, validate
from climbench.errors import CardError, ClimbenchError, ModelError, did_you_mean
from climbench.registry import load_object, model_plugins

Preset = Literal["demo", "standard", "published"]


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
        if not name.isidentifier():
            raise CardError(f"'{model}' names no class. A model in a file is named as FILE.py:CLASS.")
        return _made_card(slug, f"{name} of {Path(file).name}", task, f"{Path(file).resolve()}:{name}")
    if model.endswith((".yaml", ".yml")):
        card = read_card(Path(model))
        if not isinstance(card, ModelCard) or card.protocol != task.protocol:
            raise CardError(f"{model} is no model card for the protocol '{task.protocol}' of '{task.name}'.")
        return card
    plugins = model_plugins()
    known = [c.name for c in list_cards("model", include) if getattr(c, "protocol", "") == task.protocol]
    if model in plugins and model in known:
        raise CardError(
            f"'{model}' is a card and also a model that an installed package offers ({plugins[model]}). "
            "Rename one, or name the card's file."
        )
    if model in plugins:
        return _made_card(model, model, task, plugins[model])
    if model not in known:
        raise CardError(
            f"There is no model '{model}' for the protocol '{task.protocol}'. {did_you_mean(model, [*known, *plugins])}"
        )
    return find_model(model, task.protocol, include)


def _made_card(name: str, title: str, task: TaskCard, class_path: str) -> ModelCard:
    """Return a card for a model that has none."""
    content = {"name": name, "title": title, "protocol": task.protocol, "class_path": class_path}
    return cast(ModelCard, validate("model", content, f"The model {title}"))


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
    except ClimbenchError:
        raise
    except Exception as error:  # the class may be anyone's: what it raises is not ours to foresee
        reason = f"{type(error).__name__}: {error}"
        raise ModelError(f"'{card.name}' cannot be made with the arguments {arguments}: {reason}.") from error


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
