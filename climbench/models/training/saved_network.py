"""Fitted networks on disk: tensors as plain arrays in NumPy's archives, everything else as JSON; no pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from climbench.errors import ModelError

SETTINGS = "settings.json"
State = Mapping[str, torch.Tensor]


def write_networks(directory: Path, settings: Mapping[str, Any], states: Mapping[str, State]) -> None:
    """Write the states of networks and what is needed to build them again.

    Parameters
    ----------
    directory : Path
        Made if it is not there.
    settings : mapping
        JSON-able.
    states : mapping of str to mapping of str to Tensor
        For each network its tensors by name.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, state in states.items():
        arrays = {key: tensor.detach().cpu().numpy() for key, tensor in state.items()}
        with (directory / f"{name}.npz").open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
    content = {**settings, "networks": list(states)}
    (directory / SETTINGS).write_text(json.dumps(content, indent=1), encoding="utf-8")


def read_networks(directory: Path, kind: str) -> tuple[dict[str, Any], dict[str, dict[str, torch.Tensor]]]:
    """Return the settings and states that `write_networks` wrote.

    Parameters
    ----------
    directory : Path
        The folder.
    kind : str
        What the settings must say under ``"emulator"``.

    Returns
    -------
    dict, dict of str to dict of str to Tensor

    Raises
    ------
    ModelError
        If there is none, it is damaged, or it is that of another emulator.
    """
    try:
        settings = json.loads((directory / SETTINGS).read_text(encoding="utf-8"))
        if settings["emulator"] != kind:
            raise ModelError(f"{directory} holds a '{settings['emulator']}', and a '{kind}' was asked for.")
        states = {str(name): _read_arrays(directory / f"{name}.npz") for name in settings["networks"]}
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(f"{directory} holds no whole fitted '{kind}': {type(error).__name__}: {error}.") from error
    return settings, states


def _read_arrays(path: Path) -> dict[str, torch.Tensor]:
    with np.load(path, allow_pickle=False) as archive:
        return {key: torch.from_numpy(archive[key]) for key in archive.files}


def load_state(network: torch.nn.Module, state: State, where: str) -> None:
    """Put tensors into a network; raise `ModelError` where names or shapes differ from its own."""
    own = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    given = {key: tuple(tensor.shape) for key, tensor in state.items()}
    if own != given:
        differing = sorted(key for key in {*own, *given} if own.get(key) != given.get(key))
        raise ModelError(
            f"The tensors of {where} are not those of the network: {len(differing)} differ, first '{differing[0]}' "
            f"({given.get(differing[0], 'absent')} against {own.get(differing[0], 'none')})."
        )
    network.load_state_dict(dict(state))
