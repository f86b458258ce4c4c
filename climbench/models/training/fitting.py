"""Trains a network with Lightning, and stops where it is asked to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from climbench.errors import ModelError
from climbench.models.training.clipping import ClippedModule
from climbench.models.training.losses import Loss
from climbench.models.training.settings import TrainingSettings, learning_rate_factor
from climbench.models.training.trainer import device_kind, reproducible, run_trainer

Sample = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    Attributes
    ----------
    curve : tuple of float
        Validation loss after each epoch; empty without validation data.
    epochs : int
        Epochs whose weights the network has.
    """

    curve: tuple[float, ...]
    epochs: int


class Fitting(ClippedModule):
    """One training, as Lightning wants it.

    Parameters
    ----------
    network : Module
        From windows to targets.
    loss, validation_loss : callable
        Of prediction and target.
    settings : TrainingSettings
        How it is trained.
    stop_early : bool
        Whether the best weights by validation loss are kept, and training stops when none better comes.
    progress : callable
        Called with the epochs done.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        validation_loss: Loss,
        settings: TrainingSettings,
        *,
        stop_early: bool,
        progress: Callable[[int], None],
    ) -> None:
        super().__init__()
        self.network, self.settings, self.stop_early = network, settings, stop_early
        self._loss, self._validation_loss, self._progress = loss, validation_loss, progress
        self.curve: list[float] = []
        self.best: tuple[int, dict[str, torch.Tensor]] | None = None
        self._sum = self._count = 0.0

    def training_step(self, batch: Sample, _: int) -> torch.Tensor:
        """Return the loss of a batch."""
        windows, targets = batch
        return self._loss(self.network(windows), targets)

    def on_train_batch_end(self, outputs: Any, *_: Any) -> None:
        """Raise `ModelError` where training has run away."""
        if not bool(torch.isfinite(outputs["loss"])):
            raise ModelError(
                f"Training diverged in epoch {self.current_epoch + 1}: the loss is not finite. Lower learning_rate "
                f"(it is {self.settings.learning_rate:g}) or set gradient_clip."
            )

    def on_train_epoch_end(self) -> None:
        """Tell how far training is."""
        self._progress(self.current_epoch + 1)

    def validation_step(self, batch: Sample, _: int) -> None:
        """Add a batch to the validation loss; each window weighs the same."""
        windows, targets = batch
        self._sum += float(self._validation_loss(self.network(windows), targets)) * len(windows)
        self._count += len(windows)

    def on_validation_epoch_end(self) -> None:
        """Keep the loss, and the weights if they are the best so far; stop where there is no more to be had."""
        self.curve.append(self._sum / self._count)
        self._sum = self._count = 0.0
        if not self.stop_early or self.settings.patience is None:
            return
        if self.best is None or self.curve[-1] < self.curve[self.best[0] - 1]:
            self.best = len(self.curve), {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.trainer.should_stop = len(self.curve) - self.best[0] >= self.settings.patience

    def configure_optimizers(self) -> Any:
        """Return optimiser and schedule."""
        optimiser = make_optimiser(self.network, self.settings)
        if self.settings.schedule == "constant":
            return optimiser
        by_step = self.settings.schedule == "warmup-cosine"
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(learning_rate_factor, self.settings))
        interval = "step" if by_step else "epoch"
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": interval}}


def make_optimiser(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return the optimiser of a network's parameters; embeddings have no weight decay."""
    embeddings = [p for n, p in network.named_parameters() if p.requires_grad and "_embed" in n]
    others = [p for n, p in network.named_parameters() if p.requires_grad and "_embed" not in n]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": embeddings, "weight_decay": 0.0}]
    common: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if settings.optimiser == "rmsprop":
        return torch.optim.RMSprop(groups, alpha=0.9, eps=1e-7, **common)
    made = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    return made(groups, betas=settings.betas, **common)


def train(
    network: nn.Module,
    samples: Dataset[Sample],
    settings: TrainingSettings,
    *,
    loss: Loss,
    validation_loss: Loss,
    epochs: int,
    seed: int,
    validation: Dataset[Sample] | None = None,
    stop_early: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Trained:
    """Train a network in place.

    Parameters
    ----------
    network : Module
        From windows to targets.
    samples : Dataset
        Pairs of window and target.
    settings : TrainingSettings
        How.
    loss, validation_loss : callable
        Of prediction and target.
    epochs : int
        At most how many.
    seed : int
        Of shuffling and dropout.
    validation : Dataset, optional
        Pairs that it is not trained on.
    stop_early : bool
        Whether validation decides which weights are kept.
    progress : callable
        Called with the epochs done.

    Returns
    -------
    Trained

    Raises
    ------
    ModelError
        If training diverges.
    """
    module = Fitting(network, loss, validation_loss, settings, stop_early=stop_early, progress=progress)
    order = torch.Generator().manual_seed(seed)
    loader = DataLoader(samples, settings.batch_size, shuffle=settings.shuffle, generator=order)
    held = None if validation is None else DataLoader(validation, settings.batch_size)
    with reproducible(seed, settings.threads):
        run_trainer(
            module,
            loader,
            held,
            max_epochs=epochs,
            gradient_clip_val=settings.gradient_clip,
            accelerator=device_kind(settings.accelerator),
        )
    network.cpu()
    if module.best is not None:
        network.load_state_dict(module.best[1])
    return Trained(tuple(module.curve), module.best[0] if module.best else epochs)


def run_network(network: nn.Module, windows: torch.Tensor, settings: TrainingSettings) -> np.ndarray:
    """Return what a trained network makes of windows.

    Parameters
    ----------
    network : Module
        It is left on the CPU.
    windows : Tensor of shape (window, ...)
        On the CPU.
    settings : TrainingSettings
        How many are taken at once, and where.

    Returns
    -------
    ndarray of shape (window, ...)
    """
    device = "cuda" if device_kind(settings.accelerator) == "gpu" else "cpu"
    network.to(device).eval()
    with reproducible(0, settings.threads), torch.no_grad():
        parts = [network(part.to(device)).cpu() for part in torch.split(windows, settings.batch_size)]
    network.cpu()
    return np.asarray(torch.cat(parts).numpy())
