"""How a network is trained: epochs, batches, optimiser and the learning rate's course."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from climbench.errors import ModelError, did_you_mean

Optimiser = Literal["adam", "adamw", "rmsprop"]
Schedule = Literal["constant", "exponential", "cosine", "warmup-cosine"]
Accelerator = Literal["auto", "cpu", "gpu"]


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    Parameters
    ----------
    epochs : int
        Passes through the training data: as many, or at most as many where their number is chosen on folds.
    batch_size : int
        Windows in a batch.
    learning_rate : float
        The optimiser's.
    optimiser : {"adam", "adamw", "rmsprop"}
        RMSprop has Keras' settings (rho 0.9, epsilon 1e-7).
    betas : tuple of float
        Of Adam.
    weight_decay : float
        Of the optimiser; position and variable embeddings are left out.
    schedule : {"constant", "exponential", "cosine", "warmup-cosine"}
        Of the learning rate: times `decay` after each epoch; a cosine to zero over all `epochs`; or, by optimiser
        steps, a linear rise over `warmup_steps` and a cosine to zero at `decay_steps`.
    decay : float
        For ``"exponential"``.
    warmup_steps, decay_steps : int
        For ``"warmup-cosine"``.
    gradient_clip : float or None
        The largest norm of the gradient.
    patience : int or None
        Training is stopped after so many epochs without a better validation loss, where there is validation data, and
        the best weights are kept; with None it is not.
    shuffle : bool
        Whether windows are shuffled each epoch.
    threads : int or None
        Threads on the CPU, at most one for each core this process may use; None takes all of them. With more than one,
        small networks gain little, and lose much where other processes want the cores too.
    accelerator : {"auto", "cpu", "gpu"}
        ``"auto"`` takes a CUDA device where there is one.

    Raises
    ------
    ModelError
        If a setting is not one of those allowed.
    """

    epochs: int = 40
    batch_size: int = 16
    learning_rate: float = 1e-3
    optimiser: Optimiser = "adamw"
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    schedule: Schedule = "constant"
    decay: float = 0.98
    warmup_steps: int = 60
    decay_steps: int = 600
    gradient_clip: float | None = None
    patience: int | None = 10
    shuffle: bool = True
    threads: int | None = 1
    accelerator: Accelerator = "auto"

    def __post_init__(self) -> None:
        allowed = {"optimiser": Optimiser, "schedule": Schedule, "accelerator": Accelerator}
        for name, kinds in allowed.items():
            value = getattr(self, name)
            if value not in get_args(kinds):
                raise ModelError(f"{name}={value!r} is not known. {did_you_mean(str(value), get_args(kinds))}")
        for name in ("epochs", "batch_size", "learning_rate", "threads"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ModelError(f"{name} must be positive; it is {value}.")


def learning_rate_factor(settings: TrainingSettings, n: int) -> float:
    """Return what the learning rate is multiplied by in epoch n, or in optimiser step n with a warm-up, from 0."""
    if settings.schedule == "exponential":
        return float(settings.decay**n)
    start, end = (settings.warmup_steps, settings.decay_steps) if settings.schedule == "warmup-cosine" else (0, 0)
    if n < start:
        return (n + 1) / (start + 1)
    done = (n - start) / max(1, (end or settings.epochs) - start)
    return float(0.5 * (1.0 + math.cos(math.pi * min(done, 1.0))))
