"""The state of a training on disk: weights, averaged weights, optimiser and place in the data, without pickle."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from climbench.errors import ModelError
from climbench.models.training.saved_network import read_networks, write_networks

KIND = "training state"
Tensors = dict[str, torch.Tensor]


@dataclass
class TrainingState:
    """Where a training stands.

    Attributes
    ----------
    identity : dict
        What is trained, on what, JSON-able; a state serves no other training.
    stage, epoch, batches : int
        Stages and epochs of this stage that are done, and batches of this epoch.
    updates : int
        Optimiser steps of this stage.
    curve : list of list of float
        Validation losses by stage.
    best : list of int or None
        Stage and epoch, counted from 1, of the weights that are kept.
    tensors : dict of str to dict of str to Tensor
        ``weights``, ``averaged``, ``best`` and ``optimiser``; of the last, names are ``{parameter}.{quantity}``.
    """

    identity: dict[str, Any] = field(default_factory=dict)
    stage: int = 0
    epoch: int = 0
    batches: int = 0
    updates: int = 0
    curve: list[list[float]] = field(default_factory=list)
    best: list[int] | None = None
    tensors: dict[str, Tensors] = field(default_factory=dict)

    def save(self, directory: Path) -> None:
        """Write the state; an older one stays until the new one is whole."""
        directory.parent.mkdir(parents=True, exist_ok=True)
        new, old = (directory.with_name(f".{directory.name}.{kind}") for kind in ("new", "old"))
        for stale in (new, old if directory.is_dir() else new):
            shutil.rmtree(stale, ignore_errors=True)
        plain = {key: value for key, value in vars(self).items() if key != "tensors"}
        write_networks(new, {"emulator": KIND, **plain}, self.tensors)
        if directory.is_dir():
            directory.rename(old)
        new.rename(directory)
        shutil.rmtree(old, ignore_errors=True)

    @classmethod
    def load(cls, directory: Path, identity: Mapping[str, Any]) -> TrainingState | None:
        """Return the state in a folder, or None where there is none.

        Raises
        ------
        ModelError
            If it is damaged, or of another training; it names what differs.
        """
        old = directory.with_name(f".{directory.name}.old")
        place = directory if directory.is_dir() else old
        if not place.is_dir():
            return None
        content, tensors = read_networks(place, KIND)
        if other := different(content["identity"], identity):
            raise ModelError(
                f"The training state in {place} is of another training: {other}. Delete the folder to begin anew, or "
                "go on with what it was made with."
            )
        plain = {key: content[key] for key in vars(cls()) if key != "tensors"}
        return cls(**plain, tensors=tensors)


def different(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Return in words in what two trainings differ; empty where they are the same."""
    names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
    told = [f"{name} {there.get(name, 'none')} there and {here.get(name, 'none')} here" for name in names]
    return "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if len(told) > 3 else "")


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> Tensors:
    """Return the state of an optimiser as named tensors."""
    state = optimiser.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value).detach().clone()
        for number, values in state.items()
        for name, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Put the state back that `optimiser_tensors` gave; learning rates stay as they are."""
    state: dict[int, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
