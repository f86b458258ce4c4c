"""One stage of training a network that steps, as Lightning wants it: a number of steps, for a number of epochs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule

from climbench.errors import ModelError
from climbench.models.forecasting.averaged_weights import AveragedWeights, copied
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.stepper import StepLoss, Stepper
from climbench.models.forecasting.training_state import (
    RANDOM,
    TrainingState,
    optimiser_tensors,
    restore_optimiser,
)
from climbench.models.training.fitting import make_optimiser
from climbench.models.training.settings import TrainingSettings, learning_rate_factor

Batch = dict[str, torch.Tensor]
Told = Callable[[str, int, int], None]


class Stage(LightningModule):
    """One stage of a training.

    Parameters
    ----------
    stepper : Stepper
        What is trained.
    loss : StepLoss
        Of a step.
    settings : ForecastTraining
        How.
    steps : int
        Steps of a roll-out that are judged.
    start : int
        Steps before those, which are made but not learned from.
    epochs, length : int
        Epochs of the stage, and batches in one.
    state : TrainingState
        Where the training stands; kept up to date.
    folder : Path or None
        Where it is written from time to time.
    told : callable
        Called with what is done, and how much of how much.
    """

    def __init__(
        self,
        stepper: Stepper,
        loss: StepLoss,
        settings: ForecastTraining,
        *,
        steps: int,
        start: int = 0,
        epochs: int,
        length: int,
        state: TrainingState,
        folder: Path | None,
        told: Told,
    ) -> None:
        super().__init__()
        self.stepper, self.loss, self.settings = stepper, loss, settings
        self.steps, self.start, self.epochs, self.length = steps, start, epochs, length
        self.state, self.folder, self.told = state, folder, told
        self.averaged: AveragedWeights | None = None
        self.stopped = False
        self._run = torch.compile(stepper) if settings.compiled else stepper
        self._sum = self._count = 0.0
        self._began = self._saved = time.monotonic()
        self._samples = 0

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Return the mean loss of a roll-out."""
        return self._rolled(batch, self.start, self.steps)

    def judged(self, batch: Batch) -> torch.Tensor:
        """Return the validation loss of a batch: of roll-outs as far as it goes."""
        return self._rolled(batch, 0, batch["ahead"].shape[1])

    def _rolled(self, batch: Batch, start: int, steps: int) -> torch.Tensor:
        states, seconds, total = batch["states"], batch["time"], torch.zeros((), device=self.device)
        for number in range(start + steps):
            with torch.set_grad_enabled(torch.is_grad_enabled() and number >= start):
                ahead = self._run(states, seconds + round(number * self.stepper.step_seconds), number)
            if number >= start:
                total = total + self.loss(ahead, batch["ahead"][:, number])
            states = torch.cat([states[:, 1:], ahead[:, None]], dim=1)
        return total / steps

    def on_fit_start(self) -> None:
        """Take up the training where it stands."""
        self.averaged = AveragedWeights(self.stepper, self.settings.ema)
        tensors = self.state.tensors
        if "optimiser" in tensors:
            restore_optimiser(self.trainer.optimizers[0], tensors["optimiser"])
            self.stepper.load_state_dict(tensors["weights"])
            self.averaged.values = {k: v.to(self.device) for k, v in tensors["averaged"].items()}
            torch.set_rng_state(tensors[RANDOM]["cpu"])
        self._began = self._saved = time.monotonic()

    def on_train_batch_end(self, outputs: Any, batch: Batch, *_: Any) -> None:
        """Let averaged weights follow; stop where training has run away."""
        assert self.averaged is not None
        state = self.state
        if not bool(torch.isfinite(outputs["loss"])):
            raise ModelError(self._diverged())
        state.updates, state.batches = state.updates + 1, state.batches + 1
        self.averaged.update(state.updates)
        self._samples += len(batch["time"])
        rate = self._samples / max(1e-9, time.monotonic() - self._began)
        what = f"training, {self.steps} step{'s' * (self.steps > 1)} ahead, {rate:.3g} samples/s, batches"
        self.told(what, state.epoch * self.length + state.batches, self.epochs * self.length)
        due = time.monotonic() - self._saved >= self.settings.checkpoint_seconds
        if due and state.batches < self.length:
            self.save()

    def _diverged(self) -> str:
        state = self.state
        kept = f"The last good state is kept in {self.folder}." if self.folder else "No folder was set for it."
        return (
            f"Training diverged in update {state.updates + 1} (stage {state.stage + 1}, epoch {state.epoch + 1}, batch "
            f"{state.batches + 1}): the loss is not finite. {kept} Lower learning_rate (it is "
            f"{self.settings.learning_rate:g}) or gradient_clip (it is {self.settings.gradient_clip})."
        )

    def on_validation_start(self) -> None:
        """Judge averaged weights."""
        assert self.averaged is not None
        self.averaged.put_in()

    def validation_step(self, batch: Batch, _: int) -> None:
        """Add a batch to the validation loss, of roll-outs as long as the last stage's; each start weighs the same."""
        self._sum += float(self.judged(batch)) * len(batch["time"])
        self._count += len(batch["time"])

    def on_validation_epoch_end(self) -> None:
        """Keep the loss, and the weights if they are the best so far; stop where there is no more to be had."""
        state = self.state
        loss, self._sum, self._count = self._sum / self._count, 0.0, 0.0
        state.curve.extend([] for _ in range(state.stage + 1 - len(state.curve)))
        state.curve[state.stage].append(loss)
        if state.best is None or loss < state.curve[state.best[0] - 1][state.best[1] - 1]:
            state.best = [state.stage + 1, len(state.curve[state.stage])]
            state.tensors["best"] = copied(self.stepper)
        patience, since = self.settings.patience, len(state.curve[state.stage])
        since -= state.best[1] if state.best[0] == state.stage + 1 else 0
        self.stopped = self.trainer.should_stop = patience is not None and since >= patience

    def on_validation_end(self) -> None:
        """Go on with the weights that are trained."""
        assert self.averaged is not None
        self.averaged.take_out()

    def on_train_epoch_end(self) -> None:
        """Count the epoch."""
        self.state.epoch, self.state.batches = self.state.epoch + 1, 0
        if time.monotonic() - self._saved >= self.settings.checkpoint_seconds:
            self.save()

    def on_train_end(self) -> None:
        """Leave everything in the state, so that another trainer may go on."""
        self._take()

    def _take(self) -> bool:
        """Put weights and optimiser into the state; return whether all weights are finite."""
        assert self.averaged is not None
        weights = copied(self.stepper)
        made = {"weights": weights, "averaged": self.averaged.values, RANDOM: {"cpu": torch.get_rng_state()}}
        self.state.tensors.update(made, optimiser=optimiser_tensors(self.trainer.optimizers[0]))
        return all(bool(torch.isfinite(w).all()) for w in weights.values())

    def save(self) -> None:
        """Write the state of training, if there is a folder for it and all weights are finite."""
        self._saved = time.monotonic()
        if self.folder is not None and self._take() and self.trainer.is_global_zero:
            self.state.save(self.folder)

    def configure_optimizers(self) -> Any:
        """Return optimiser and schedule, which goes on where the training stands."""
        total = self.epochs * self.length
        warm_up = min(self.settings.warmup_steps, total // 10)
        course: TrainingSettings = self.settings
        if self.settings.schedule in ("cosine", "warmup-cosine"):
            course = replace(self.settings, schedule="warmup-cosine", warmup_steps=warm_up, decay_steps=total)
        optimiser, done = make_optimiser(self.stepper, self.settings), self.state.updates

        def factor(n: int) -> float:
            if course.schedule == "constant":
                return 1.0
            if course.schedule == "exponential":
                return learning_rate_factor(course, (done + n) // self.length)
            return learning_rate_factor(course, done + n)

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
