"""One stage of training a network that steps, as Lightning wants it: a number of steps, for a number of epochs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.averaged_weights import AveragedWeights, copied
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.stepper import Stepper
from climbench.models.forecasting.training_state import TrainingState, optimiser_tensors, restore_optimiser
from climbench.models.training.clipping import ClippedModule
from climbench.models.training.fitting import make_optimiser
from climbench.models.training.ranks import ALONE, COUNT, SHARE, Batch, Rank
from climbench.models.training.settings import TrainingSettings, learning_rate_factor
from climbench.models.training.trainer import seed_of
from climbench.records import fingerprint

BURST = 100.0
Told = Callable[[str, int, int], None]


class Stage(ClippedModule):
    """One stage of a training.

    Parameters
    ----------
    stepper : Stepper
        What is trained.
    loss : callable
        Of a predicted state and the true one.
    settings : ForecastTraining
        How.
    steps : int
        Steps of a roll-out.
    epochs, length : int
        Epochs of the stage, and batches in one.
    state : TrainingState
        Where the training stands; kept up to date.
    folder : Path or None
        Where it is written from time to time.
    told : callable
        Called with what is done, and how much of how much.
    rank : Rank
        Which of the processes that train the stepper this is.
    """

    def __init__(
        self,
        stepper: Stepper,
        loss: nn.Module,
        settings: ForecastTraining,
        *,
        steps: int,
        epochs: int,
        length: int,
        state: TrainingState,
        folder: Path | None,
        told: Told,
        rank: Rank = ALONE,
    ) -> None:
        super().__init__()
        self.stepper, self.loss, self.settings = stepper, loss, settings
        self.steps, self.epochs, self.length = steps, epochs, length
        self.state, self.folder, self.told, self.rank = state, folder, told, rank
        self.averaged: AveragedWeights | None = None
        self.stopped = False
        self._draws = f"{fingerprint(state.identity)} {state.stage} {rank.number}"
        self._run = torch.compile(stepper) if settings.compiled else stepper
        self._latest: tuple[Batch, float] | None = None
        self._sum = self._count = 0.0
        self._began = self._saved = time.monotonic()
        self._samples = 0

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Return the mean loss of a roll-out, weighted so that its mean over ranks is that over samples."""
        return self._rolled(batch, self.steps) * batch[SHARE]

    def _rolled(self, batch: Batch, steps: int) -> torch.Tensor:
        total = torch.zeros((), device=self.device)
        for number, ahead in enumerate(self.stepper.rollout(batch["states"], batch["time"], steps, self._run)):
            total = total + self.loss(ahead, batch["ahead"][:, number])
        return total / steps

    def judged(self, batch: Batch, number: int) -> torch.Tensor:
        """Return the validation loss of a numbered batch: that of roll-outs as long as those of the truth."""
        return self._rolled(batch, batch["ahead"].shape[1])

    def on_fit_start(self) -> None:
        """Take up the training where it stands."""
        self.averaged = AveragedWeights(self.stepper, self.settings.ema)
        tensors = self.state.tensors
        if "optimiser" in tensors:
            restore_optimiser(self.trainer.optimizers[0], tensors["optimiser"])
            self.stepper.load_state_dict(tensors["weights"])
            self.averaged.values = {k: v.to(self.device) for k, v in tensors["averaged"].items()}
        self._began = self._saved = time.monotonic()

    def on_train_batch_start(self, *_: Any) -> None:
        """Let what a batch draws depend on its place in the training and the rank, not on where it was interrupted."""
        torch.manual_seed(seed_of(self.state.updates, self._draws))

    def on_train_batch_end(self, outputs: Any, batch: Batch, *_: Any) -> None:
        """Let averaged weights follow; stop where training has run away."""
        assert self.averaged is not None
        state = self.state
        loss = self.rank.summed(float(outputs["loss"]))[0] / self.rank.count
        if not math.isfinite(loss):
            raise ModelError(self._diverged())
        self._latest = batch, loss
        state.updates, state.batches = state.updates + 1, state.batches + 1
        self.averaged.update(state.updates)
        self._samples += batch[COUNT] * self.rank.count
        rate = self._samples / max(1e-9, time.monotonic() - self._began)
        what = f"training, {self.steps} step{'s' * (self.steps > 1)} ahead, {rate:.3g} samples/s, batches"
        self.told(what, state.epoch * self.length + state.batches, self.epochs * self.length)
        due = time.monotonic() - self._saved >= self.settings.checkpoint_seconds
        if due and state.batches < self.length:
            self.save()

    def _diverged(self) -> str:
        state = self.state
        kept = "No folder was set to keep a state in."
        if self.folder is not None:
            kept = f"The last good state is kept in {self.folder}: training goes on from it, at other rates if need be."
        return (
            f"Training diverged in update {state.updates + 1} (stage {state.stage + 1}, epoch {state.epoch + 1}, batch "
            f"{state.batches + 1}): the loss is not finite. {kept} Lower learning_rate (it is "
            f"{self.settings.learning_rate:g}), or lower or set gradient_clip (it is {self.settings.gradient_clip})."
        )

    def on_validation_start(self) -> None:
        """Judge averaged weights."""
        assert self.averaged is not None
        self.averaged.put_in()

    def validation_step(self, batch: Batch, number: int) -> None:
        """Add a batch to the validation loss, of roll-outs as long as the last stage's; each start weighs the same."""
        self._sum += float(self.judged(batch, number)) * batch[COUNT]
        self._count += batch[COUNT]

    def on_validation_epoch_end(self) -> None:
        """Keep the loss, and the weights if they are the best so far; stop where there is no more to be had."""
        state = self.state
        total, count = self.rank.summed(self._sum, self._count)
        loss, self._sum, self._count = total / count, 0.0, 0.0
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
        made = {"weights": weights, "averaged": self.averaged.values}
        self.state.tensors.update(made, optimiser=optimiser_tensors(self.trainer.optimizers[0]))
        return all(bool(torch.isfinite(w).all()) for w in weights.values())

    def save(self) -> None:
        """Write the state of training, if there is a folder for it and the latest update did no great harm."""
        self._saved = time.monotonic()
        if self.folder is not None and self._take() and self._sound():
            self.state.save(self.folder)

    def _sound(self) -> bool:
        """Return whether the latest batch's loss is still much what it was: weights that burst are finite at first."""
        assert self._latest is not None
        batch, before = self._latest
        self.stepper.eval()  # so that nothing is drawn, and no statistics follow
        with torch.no_grad():
            after = float(self._rolled(batch, self.steps))
        self.stepper.train()
        return after <= BURST * max(1.0, before)  # persistence has a loss of one

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
