"""The training of a network that steps: which data it sees, stage by stage, and where it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
import xarray as xr

from climbench.data.splits import Split
from climbench.data.streaming import Part, StreamLoader, WindowStream
from climbench.errors import ModelError
from climbench.grids import latitude_weights
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.stage import Stage, Told
from climbench.models.forecasting.state_channels import StateChannels
from climbench.models.forecasting.stepper import StepLoss, Stepper
from climbench.models.forecasting.training_state import TrainingState
from climbench.models.training.trainer import device_kind, reproducible, run_trainer, seed_of
from climbench.records import fingerprint

Periods = Mapping[str, xr.Dataset]
STATE = "training"


@dataclass(frozen=True)
class Plan:
    """What a stage does.

    Attributes
    ----------
    steps, epochs : int
        Steps of a roll-out that are learned from, and epochs.
    start : int
        Steps made before those.
    """

    steps: int
    epochs: int
    start: int = 0


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

    Attributes
    ----------
    channels : StateChannels
        Of the training periods, without what is kept to choose on.
    """

    stage_type: ClassVar[type[Stage]] = Stage

    def __init__(self, train: Periods, validation: Periods | None, history: int, settings: ForecastTraining) -> None:
        self.history, self.settings = history, settings
        self.kept_end = validation is None and settings.held_out > 0.0
        if validation is None and settings.held_out > 0.0:
            train, validation = parted(train, settings.held_out, history + self.furthest)
        self.channels, self.statistics = StateChannels.of(train)
        names = list(self.channels.variables)
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
            What else a state of training depends on.
        folder : Path or None
            Where states of training are kept.
        told : callable
            Called with what is done, and how much of how much.

        Returns
        -------
        dict
            JSON-able.
        """
        mark = fingerprint({**identity, "channels": self.channels.to_json(), "windows": self._spans()})
        place = None if folder is None else folder / STATE
        state = (None if place is None else TrainingState.load(place, mark)) or TrainingState(identity=mark)
        stages = self.plans()
        with reproducible(seed_of(seed, "training"), self.settings.threads):
            for number in range(state.stage, len(stages)):
                self._stage(stepper, stages[number], seed, state, place, told)
        stepper.cpu()
        stepper.load_state_dict(state.tensors["best"])
        return self._chosen(state, [plan.steps for plan in stages])

    def plans(self) -> list[Plan]:
        """Return the stages: single steps, then roll-outs where the settings have them."""
        settings = self.settings
        stages = [Plan(1, settings.epochs)]
        if settings.rollout_steps > 1 and settings.rollout_epochs:
            stages.append(Plan(settings.rollout_steps, settings.rollout_epochs))
        return stages

    def span(self, plan: Plan) -> int:
        """Return how many states after its start a sample of a stage has."""
        return plan.start + plan.steps

    @property
    def furthest(self) -> int:
        """How many states ahead roll-outs are judged."""
        return max(self.span(plan) for plan in self.plans())

    def begin(self, stepper: Stepper, state: TrainingState) -> None:
        """Make a stepper ready for the stage of a state: a stage that is new begins with the best weights so far."""
        if state.stage > 0 and "optimiser" not in state.tensors:
            stepper.load_state_dict(state.tensors["best"])

    def _stage(
        self, stepper: Stepper, plan: Plan, seed: int, state: TrainingState, place: Path | None, told: Told
    ) -> None:
        """Train by roll-outs of some steps; leave the best weights in the state, and begin the next stage there."""
        settings = self.settings if state.stage == 0 else self.settings.slower()
        self.begin(stepper, state)
        loader = self._loader(self.train, self.span(plan), seed, shuffle=settings.shuffle)
        if state.batches or state.epoch:
            loader.load_state_dict({**loader.state_dict(), "epoch": state.epoch, "batches": state.batches})
        judged = self._loader(self.validation, self.furthest, seed, shuffle=False) if self.validation else None
        stopped = False
        while state.epoch < plan.epochs and not stopped:
            rest = Rest(loader, state.batches)
            module = self._module(stepper, settings, plan, len(loader), state, place, told)
            kind = device_kind(settings.accelerator)
            run_trainer(
                module,
                rest,
                judged,
                max_epochs=1 if state.batches else plan.epochs - state.epoch,
                gradient_clip_val=settings.gradient_clip,
                accelerator=kind,
                precision=precision(settings, kind),
            )
            stopped = module.stopped
        if judged is None:
            state.tensors["best"], state.best = state.tensors["averaged"], [state.stage + 1, state.epoch]
        for name in ("weights", "averaged", "optimiser", "random"):
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
    ) -> Stage:
        rows = latitude_weights(next(iter(self.train.values()))["latitude"], "cell_area").values
        change = stepper.change.cpu().numpy()[:, 0, 0]
        return self.stage_type(
            stepper,
            StepLoss(change, self.channels.loss_weights(), rows / rows.mean()),
            settings,
            steps=plan.steps,
            start=plan.start,
            epochs=plan.epochs,
            length=length,
            state=state,
            folder=place,
            told=told,
        )

    def _loader(self, periods: Periods, steps: int, seed: int, *, shuffle: bool) -> StreamLoader:
        names = self.channels.variables
        parts = {"states": Part(names, range(1 - self.history, 1)), "ahead": Part(names, range(1, steps + 1))}
        windows = sum(max(0, data.sizes["time"] - self.history - steps + 1) for data in periods.values())
        stream = WindowStream(
            periods,
            parts,
            Split("training"),
            batch_size=min(self.settings.batch_size, max(1, windows)),
            shuffle=shuffle,
            seed=seed_of(seed, "order"),
            memory=self.settings.memory,
            statistics=self.statistics,
        )
        return StreamLoader(stream)

    def _spans(self) -> list[list[str]]:
        both = (self.train, self.validation)
        return [[name, *map(str, data["time"].values[[0, -1]])] for part in both for name, data in part.items()]

    def _chosen(self, state: TrainingState, stages: list[int]) -> dict[str, Any]:
        assert state.best is not None
        kept = "the end of training" if self.kept_end else "the validation period"
        by = f"lowest validation loss on {kept}, of averaged weights, at roll-outs of {self.furthest} steps"
        return {
            "by": by if self.validation else "no validation; the last epoch",
            "epochs": state.best[1],
            "steps_ahead": stages[state.best[0] - 1],
            "validation_loss": state.curve,
        }


class Rest:
    """The rest of an epoch, and whole epochs after it, as loaders that know how many batches they have.

    Lightning asks for the length once and judges after so many batches: an epoch that was begun is a run of its own.
    """

    def __init__(self, loader: StreamLoader, given: int) -> None:
        self.loader, self.length = loader, len(loader) - given

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self.length

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        """Give the batches of an epoch."""
        return iter(self.loader)


def parted(train: Periods, share: float, least: int) -> tuple[dict[str, xr.Dataset], dict[str, xr.Dataset]]:
    """Return training periods without the end of the last, and that end.

    Raises
    ------
    ModelError
        If too little is left on either side for a window of `least` times.
    """
    last = max(train, key=lambda name: train[name]["time"].values[0])
    count = max(least, round(share * sum(data.sizes["time"] for data in train.values())))
    left = train[last].sizes["time"] - count
    if left < least:
        raise ModelError(
            f"The training period '{last}' has {left + count} times, too few to keep {count} at its end to "
            "choose epochs on. Give a validation period, or set held_out to 0 or less than it is."
        )
    rest = {**train, last: train[last].isel(time=slice(0, left))}
    return rest, {last: train[last].isel(time=slice(left, None))}


def held(periods: Periods, names: list[str], memory: int) -> dict[str, xr.Dataset]:
    """Return periods with some variables: in memory where all of them fit, lazy otherwise."""
    used = {name: data[names] for name, data in periods.items()}
    fits = sum(data.nbytes for data in used.values()) <= memory
    return {name: data.load() if fits else data for name, data in used.items()}


def precision(settings: ForecastTraining, kind: str) -> str:
    """Return what Lightning calls the precision of a training on a kind of device."""
    able = kind == "gpu" and torch.cuda.is_bf16_supported()
    return "bf16-mixed" if settings.precision == "bfloat16" or (settings.precision == "auto" and able) else "32-true"
