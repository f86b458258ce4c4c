"""The training of a network that steps: which data it sees, stage by stage, and where it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from climbench.data.splits import Split
from climbench.data.streaming import Part, StreamLoader, WindowStream
from climbench.grids import describe_grid, latitude_weights
from climbench.models.forecasting.complete_series import require_complete
from climbench.models.forecasting.plan import Plan, plans
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.stage import Stage, Told
from climbench.models.forecasting.state_channels import StateChannels
from climbench.models.forecasting.stepper import StepLoss, Stepper
from climbench.models.forecasting.training_periods import Periods, Rest, held, parted
from climbench.models.forecasting.training_state import TrainingState
from climbench.models.training.rank_processes import several
from climbench.models.training.ranks import Rank
from climbench.models.training.trainer import device_kind, reproducible, run_trainer, seed_of
from climbench.records import fingerprint

STATE = "training"


class Training:
    """One network's training.

    Parameters
    ----------
    train : mapping of str to Dataset
        Training periods.
    validation : mapping of str to Dataset or None
        Periods that epochs are chosen on; without, the end of the last training period is kept for it.
    history : int
        States that a step starts from.
    settings : ForecastTraining
        How.
    stage : callable
        Makes a stage, as `Stage` does.
    stages : sequence of Plan, optional
        What they do; without, those of `plans`.
    loss : callable
        Makes the loss from the sizes of changes and the weights of channels and rows, as `StepLoss` does.

    Attributes
    ----------
    channels : StateChannels
        Of the training periods, without what is kept to choose on.
    """

    def __init__(
        self,
        train: Periods,
        validation: Periods | None,
        history: int,
        settings: ForecastTraining,
        *,
        stage: Callable[..., Stage] = Stage,
        stages: Sequence[Plan] | None = None,
        loss: Callable[..., nn.Module] = StepLoss,
    ) -> None:
        self.history, self.settings = history, settings
        self.stage, self.loss = stage, loss
        self.stages = plans(settings) if stages is None else list(stages)
        self.kept_end = validation is None and settings.held_out > 0.0
        if validation is None and settings.held_out > 0.0:
            train, validation = parted(train, settings.held_out, history + self._furthest)
        self.channels, self.statistics = StateChannels.of(train)
        names = list(self.channels.variables)
        require_complete({name: data[names] for name, data in (validation or {}).items()})
        self.train, self.validation = (held(part, names, settings.memory) for part in (train, validation or {}))

    def run(
        self, stepper: Stepper, seed: int, identity: Mapping[str, Any], folder: Path | None, told: Told
    ) -> dict[str, Any]:
        """Train a network in place, and return what was chosen.

        Parameters
        ----------
        stepper : Stepper
            New.
        seed : int
            Of the order of the data.
        identity : mapping
            What else a state of training depends on, JSON-able.
        folder : Path or None
            Where states of training are kept.
        told : callable
            Called with what is done, and how much of how much.

        Returns
        -------
        dict
            JSON-able.
        """
        mark = {**identity, **self._data_identity()}
        place = None if folder is None else folder / STATE
        state = None if place is None else TrainingState.load(place, mark)
        if state is None:
            state = TrainingState(identity=mark)
            if place is not None:
                state.save(place)  # the last good state of a training that diverges before another is kept
        kind = device_kind(self.settings.accelerator)
        with several(self.settings.ranks, kind, partial(self.follow, stepper, seed, state)) as rank:
            self._stages(stepper, seed, state, place, told, rank)
        stepper.cpu()
        stepper.load_state_dict(state.tensors["best"])
        return self._chosen(state)

    def follow(self, stepper: Stepper, seed: int, state: TrainingState, rank: Rank) -> None:
        """Train along with rank 0, and leave writing and telling to it."""
        self._stages(stepper, seed, state, None, _silent, rank)

    def _stages(
        self, stepper: Stepper, seed: int, state: TrainingState, place: Path | None, told: Told, rank: Rank
    ) -> None:
        with reproducible(seed_of(seed, "training"), self.settings.threads):
            for plan in self.stages[state.stage :]:
                self._stage(stepper, plan, seed, state, place, told, rank)

    def _stage(
        self,
        stepper: Stepper,
        plan: Plan,
        seed: int,
        state: TrainingState,
        place: Path | None,
        told: Told,
        rank: Rank,
    ) -> None:
        """Train as planned; leave the best weights in the state, and begin the next stage there."""
        settings = self.settings if state.stage == 0 else self.settings.slower()
        if state.stage > 0 and "optimiser" not in state.tensors:
            stepper.load_state_dict(state.tensors["best"])
        loader = self._loader(self.train, plan.ahead, seed, shuffle=settings.shuffle)
        if state.batches or state.epoch:
            loader.load_state_dict({**loader.state_dict(), "epoch": state.epoch, "batches": state.batches})
        judged = self._loader(self.validation, self._furthest, seed, shuffle=False) if self.validation else None
        stopped = False
        while state.epoch < plan.epochs and not stopped:
            rest = Rest(loader, state.batches, rank)
            module = self._module(stepper, settings, plan, len(loader), state, place, told, rank)
            kind = device_kind(settings.accelerator)
            run_trainer(
                module,
                rest,
                None if judged is None else Rest(judged, 0, rank),
                rank=rank,
                max_epochs=1 if state.batches else plan.epochs - state.epoch,
                gradient_clip_val=settings.gradient_clip,
                accelerator=kind,
                precision=precision(settings, kind),
            )
            stopped = module.stopped
        if judged is None:
            state.tensors["best"], state.best = state.tensors["averaged"], [state.stage + 1, state.epoch]
        for name in ("weights", "averaged", "optimiser"):
            state.tensors.pop(name, None)
        state.stage, state.epoch, state.batches, state.updates = state.stage + 1, 0, 0, 0
        if place is not None:
            state.save(place)

    def _module(
        self,
        stepper: Stepper,
        settings: ForecastTraining,
        plan: Plan,
        length: int,
        state: TrainingState,
        place: Path | None,
        told: Told,
        rank: Rank,
    ) -> Stage:
        rows = latitude_weights(next(iter(self.train.values()))["latitude"], "cell_area").values
        change = stepper.change.cpu().numpy()[:, 0, 0]
        return self.stage(
            stepper,
            self.loss(change, self.channels.loss_weights(), rows / rows.mean()),
            settings,
            steps=plan.steps,
            epochs=plan.epochs,
            length=length,
            state=state,
            folder=place,
            told=told,
            rank=rank,
        )

    @property
    def _furthest(self) -> int:
        return max(plan.ahead for plan in self.stages)

    def _loader(self, periods: Periods, ahead: int, seed: int, *, shuffle: bool) -> StreamLoader:
        names = self.channels.variables
        parts = {"states": Part(names, range(1 - self.history, 1)), "ahead": Part(names, range(1, ahead + 1))}
        windows = sum(max(0, data.sizes["time"] - self.history - ahead + 1) for data in periods.values())
        stream = WindowStream(
            periods,
            parts,
            Split("training"),
            batch_size=min(self.settings.batch_size, max(1, windows)),
            shuffle=shuffle,
            seed=seed_of(seed, "order"),
            memory=self.settings.memory,
            statistics=self.statistics,
            rank=0,
            ranks=1,
        )
        return StreamLoader(stream)

    def _data_identity(self) -> dict[str, Any]:
        both = (self.train, self.validation)
        spans = [[name, *map(str, data["time"].values[[0, -1]])] for part in both for name, data in part.items()]
        return {
            "channels": [channel.name for channel in self.channels.channels],
            "grid": describe_grid(next(iter(self.train.values()))),
            "periods": spans,
            "statistics": fingerprint(self.channels.to_json())[:16],
        }

    def _chosen(self, state: TrainingState) -> dict[str, Any]:
        assert state.best is not None
        kept = "the end of training" if self.kept_end else "the validation period"
        by = f"lowest validation loss on {kept}, of averaged weights, at roll-outs of {self._furthest} steps"
        return {
            "by": by if self.validation else "no validation; the last epoch",
            "epochs": state.best[1],
            "steps_ahead": self.stages[state.best[0] - 1].steps,
            "validation_loss": state.curve,
        }


def _silent(what: str, done: int, total: int) -> None:
    """Show nothing."""


def precision(settings: ForecastTraining, kind: str) -> str:
    """Return what Lightning calls the precision of a training on a kind of device."""
    able = kind == "gpu" and torch.cuda.is_bf16_supported()
    return "bf16-mixed" if settings.precision == "bfloat16" or (settings.precision == "auto" and able) else "32-true"
