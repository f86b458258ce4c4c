"""How a network that steps is trained: what `TrainingSettings` has, and roll-outs, averaged weights and precision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from climbench.errors import ModelError, did_you_mean
from climbench.models.training.settings import Schedule, TrainingSettings

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class ForecastTraining(TrainingSettings):
    """How a network that steps is trained.

    The learning rate rises linearly over `warmup_steps` and falls as a cosine over the batches of a stage.

    Parameters
    ----------
    rollout_steps : int
        Steps of the second stage, whose loss is the mean over a roll-out; 1 for no such stage.
    rollout_epochs : int
        Epochs of the second stage.
    rollout_rate : float
        Its learning rate over that of the first.
    ema : float or None
        How slowly averaged weights follow those that are trained; they are what is judged and kept. Early on they
        follow faster, so that what the network began with is forgotten.
    held_out : float
        The share of training data, its end, that epochs are chosen on where no validation period is given; 0 for none.
    checkpointing : bool
        Whether activations are computed again for the gradient, step by step, which saves memory and takes a third
        more time.
    compiled : bool
        Whether the network is compiled by torch.
    precision : {"auto", "float32", "bfloat16"}
        ``"auto"`` is bfloat16 where there is a GPU that has it.
    memory : int
        Bytes. Training data that fit are held; others are streamed, and take so much for reading ahead.
    ranks : int
        Processes of this machine that train together, each on its share of every batch, on a device of its own where
        there are GPUs. Each reads all of the training data. But for round-off the network is that of one rank; where it
        draws in training, as leads or noise, each rank draws its own.
    checkpoint_seconds : float
        How often the state of training is kept, where there is a folder for it.
    """

    schedule: Schedule = "warmup-cosine"
    gradient_clip: float | None = 1.0
    rollout_steps: int = 1
    rollout_epochs: int = 2
    rollout_rate: float = 0.1
    ema: float | None = 0.999
    held_out: float = 0.1
    checkpointing: bool = False
    compiled: bool = False
    precision: Precision = "auto"
    memory: int = 2**30
    ranks: int = 1
    checkpoint_seconds: float = 300.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least, most in (("ema", 0.0, 1.0), ("held_out", 0.0, 0.9)):
            value = getattr(self, name)
            if value is not None and not least <= value < most:
                raise ModelError(f"{name} must be at least {least:g} and below {most:g}; it is {value}.")
        if self.rollout_steps < 1 or self.rollout_epochs < 0:
            raise ModelError(f"A roll-out has at least one step; rollout_steps is {self.rollout_steps}.")
        if not 1 <= self.ranks <= self.batch_size:
            raise ModelError(
                f"ranks must be at least 1 and at most batch_size, {self.batch_size}, as they share a batch; it is "
                f"{self.ranks}."
            )
        if self.precision not in ("auto", "float32", "bfloat16"):
            known = ("auto", "float32", "bfloat16")
            raise ModelError(f"precision={self.precision!r} is not known. {did_you_mean(self.precision, known)}")

    def slower(self) -> ForecastTraining:
        """Return the settings of the second stage."""
        return replace(self, learning_rate=self.learning_rate * self.rollout_rate)
