"""Starting values for ClimaX from a file in the layout of its published checkpoints: tensors only."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from climbench.errors import ModelError

PREFIX = "net."
LEAD_TIME = "lead_time_embed.bias"
FROM_SCRATCH = ("token_embeds.", "head.")


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a checkpoint by their names in the network.

    Parameters
    ----------
    path : Path
        A file of ``torch.save``: a mapping with the tensors themselves or under ``"state_dict"``, names beginning with
        ``net.`` or not. Names of the oldest files, with ``channel`` in place of ``var``, are understood.

    Returns
    -------
    dict of str to Tensor

    Raises
    ------
    ModelError
        If there is no such file, it is none of torch's, or it holds anything but plain content. Nothing in it is run.
    """
    if not path.is_file():
        raise ModelError(f"There is no checkpoint {path}.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} holds more than tensors and plain content, which is not loaded, as it could run code. If you "
            "trust it, save its 'state_dict' alone with torch.save and give that."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise ModelError(f"{path} is no checkpoint that torch can read: {error}") from error
    tensors = content.get("state_dict", content) if isinstance(content, Mapping) else {}
    found = {_name(str(key)): value for key, value in tensors.items() if isinstance(value, torch.Tensor)}
    if not found:
        raise ModelError(f"{path} holds no tensors by name.")
    return found


def _name(key: str) -> str:
    return key.removeprefix(PREFIX).replace("channel_", "var_")


def fitting_tensors(
    tensors: Mapping[str, torch.Tensor], network: nn.Module, patches: tuple[int, int]
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Return the tensors that fit a network, and the names of those that do not.

    The position embedding is interpolated to the network's patches, from those of a globe with twice as many columns as
    rows; the lead-time embedding, at a lead time of zero, is added to it.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        From `read_checkpoint`.
    network : Module
        A `ClimaXNetwork`.
    patches : tuple of int
        Its rows and columns of patches.

    Returns
    -------
    dict of str to Tensor, list of str
    """
    given = dict(tensors)
    if "pos_embed" in given:
        given["pos_embed"] = _positions(given["pos_embed"], patches)
        if LEAD_TIME in given and given[LEAD_TIME].shape == given["pos_embed"].shape[-1:]:
            given["pos_embed"] = given["pos_embed"] + given.pop(LEAD_TIME)
    own = {name: tensor.shape for name, tensor in network.state_dict().items()}
    fitting = {
        name: tensor
        for name, tensor in given.items()
        if not name.startswith(FROM_SCRATCH) and own.get(name) == tensor.shape
    }
    return fitting, sorted(set(given) - set(fitting))


def _positions(embedding: torch.Tensor, patches: tuple[int, int]) -> torch.Tensor:
    """Return a position embedding (1, place, width) interpolated to other patches."""
    rows = math.isqrt(embedding.shape[1] // 2)
    if 2 * rows * rows != embedding.shape[1] or (rows, 2 * rows) == patches:
        return embedding
    maps = embedding.transpose(1, 2).reshape(1, -1, rows, 2 * rows)
    moved = nn.functional.interpolate(maps, size=patches, mode="bilinear", align_corners=False)
    return moved.flatten(2).transpose(1, 2)
