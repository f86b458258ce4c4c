"""What is kept of each fit of a members experiment: one small file a model, size and draw, written when it is done."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from climbench.experiments.subset_scores import Statistics

PARTS = ("square", "products", "globes", "true_squares")
ABOUT = "about"


@dataclass(frozen=True)
class Kept:
    """One fit: the statistics of its predictions, and what it cost.

    Attributes
    ----------
    statistics : mapping of str to Statistics
        By variable.
    about : mapping
        Seconds, seed, members and, where the emulator chose settings, what it chose.
    """

    statistics: Mapping[str, Statistics]
    about: Mapping[str, Any] = field(default_factory=dict)


def save(kept: Kept, path: Path) -> None:
    """Write one fit under a temporary name and rename it when whole; no pickle."""
    arrays = {f"{v}/{p}": np.asarray(getattr(s, p)) for v, s in kept.statistics.items() for p in PARTS}
    arrays[ABOUT] = np.frombuffer(json.dumps(dict(kept.about)).encode(), "uint8")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    temporary.replace(path)


def load(path: Path, variables: Sequence[str]) -> Kept | None:
    """Return one fit, or None where it is not there, not whole, or of other variables."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(bytes(arrays[ABOUT]).decode())
            parts = {v: {p: arrays[f"{v}/{p}"] for p in PARTS} for v in variables}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    made = {v: Statistics(float(p["square"]), p["products"], p["globes"], p["true_squares"]) for v, p in parts.items()}
    return Kept(made, about)
