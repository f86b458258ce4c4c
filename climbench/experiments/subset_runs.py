"""One emulator on one subset of members: fitted on its mean, and what is kept of its prediction.

Each piece stands for itself, so that it can be worked on anywhere the data can be read: in this process, or by a worker
of a dask cluster, which opens the data once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import xarray as xr

from climbench.cards import ModelCard
from climbench.errors import ModelError
from climbench.evaluate import OpenTask, open_task
from climbench.experiments.ensemble import Ensemble
from climbench.experiments.kept_results import Kept
from climbench.experiments.subset_scaling import SubsetScaling
from climbench.experiments.subset_scores import TargetFrame
from climbench.experiments.truth import forced_response
from climbench.grids import latitude_weights
from climbench.harness import emulators_fault, fit_emulator, tested_years
from climbench.models import Preset, load_emulator
from climbench.models.base import handshake
from climbench.models.pattern_scaling import LinearPatternScaling
from climbench.tasks.sources import Progress, no_progress

SUBSETS_AT_ONCE = 100
_OPENING = Lock()


@dataclass(frozen=True)
class Setting:
    """What an experiment is made on, in words that can be sent to a worker.

    Attributes
    ----------
    task, data : str, str or None
        As they are given to a run.
    settings : str
        Changed keys of the task's card, as JSON.
    include, leave_out : tuple of str
        Further folders with cards, and members not to use.
    """

    task: str
    data: str | None = None
    settings: str = "{}"
    include: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    def open(self, progress: Progress = no_progress) -> OpenTask:
        """Return the task with its data opened."""
        folders = [Path(folder) for folder in self.include]
        return open_task(self.task, self.data, json.loads(self.settings), folders, progress)


@dataclass(frozen=True)
class Piece:
    """One fit: which emulator, on which members."""

    card: ModelCard
    preset: Preset
    members: tuple[Hashable, ...]
    memberseed: int
    seed: int

    @property
    def size(self) -> int:
        """How many members are averaged."""
        return len(self.members)


@dataclass
class Bench:
    """Task, members and target, opened once and shared by all fits.

    Attributes
    ----------
    opened : OpenTask
        Task and data.
    ensemble : Ensemble
        The members.
    target : Dataset of shape (member, time, latitude, longitude)
        The shared members of the test scenario.
    truth : Dataset or None
        The known forced response.
    frames : dict of str to TargetFrame
        By variable.
    """

    opened: OpenTask
    ensemble: Ensemble
    target: xr.Dataset
    truth: xr.Dataset | None
    frames: dict[str, TargetFrame]
    _training: tuple[Any, dict[str, xr.Dataset]] | None = field(default=None)

    @classmethod
    def of(cls, opened: OpenTask, leave_out: Sequence[str] = ()) -> Bench:
        """Return everything that is read once."""
        task = opened.task
        ensemble = Ensemble(task, leave_out)
        target = ensemble.target()
        mark = opened.source.data(task.target_files()).world
        truth = forced_response(task, mark)
        weights = latitude_weights(target["latitude"], opened.card.scoring.weights)
        frames = {v: TargetFrame(target[v], weights, None if truth is None else truth[v]) for v in opened.card.targets}
        return cls(opened, ensemble, target, truth, frames)

    def training(
        self, members: tuple[Hashable, ...], inputs: tuple[str, ...], wanted: tuple[str, ...]
    ) -> dict[str, xr.Dataset]:
        """Return training data, made once for emulators that want the same after one another."""
        key, made = (members, inputs, wanted), self._training
        if made is None or made[0] != key:
            made = self._training = None  # what is not wanted any more makes room
            made = self._training = (key, self.ensemble.training(members, inputs, wanted))
        return made[1]  # a worker's other thread may have put its own in its place meanwhile

    def kept(self, prediction: xr.Dataset, about: dict[str, Any]) -> Kept:
        """Return what is kept of a prediction; members of one are averaged."""
        mean = prediction.mean("member") if "member" in prediction.dims else prediction
        return Kept({v: frame.of_prediction(mean[v]) for v, frame in self.frames.items()}, about)


@lru_cache(maxsize=1)
def _bench(setting: Setting, identity: str) -> Bench:
    return Bench.of(setting.open(), setting.leave_out)


def bench(setting: Setting, identity: str) -> Bench:
    """Return the bench of an experiment, opened once in each process for data and code of one fingerprint."""
    with _OPENING:  # a worker's threads ask at the same time, and a cache alone lets each of them open all
        return _bench(setting, identity)


def work_on(setting: Setting, identity: str, piece: Piece) -> Kept:
    """Fit and predict one piece on an experiment's bench; what a worker is sent."""
    return emulate(bench(setting, identity), piece)


def emulate(on: Bench, piece: Piece) -> Kept:
    """Fit an emulator on the mean over some members, predict, and return what is kept.

    Parameters
    ----------
    on : Bench
        Task and members.
    piece : Piece
        The emulator, the members, and the seed of everything random in it.

    Returns
    -------
    Kept

    Raises
    ------
    ClimbenchError
        If emulator and task do not fit, or the emulator fails.
    """
    card, name, task = on.opened.card, piece.card.name, on.opened.task
    emulator = load_emulator(piece.card, piece.preset)
    if hasattr(emulator, "leave_one_out"):
        raise ModelError(f"'{name}' is a reference row, made from the target itself: it is not trained on members.")
    inputs = handshake(emulator, name, offered=card.inputs, trainable=tuple(on.opened.source.card.variables))
    wanted = tuple(dict.fromkeys((*card.targets, *getattr(emulator, "training_variables", ()))))
    train = on.training(piece.members, inputs, wanted)
    start = time.perf_counter()
    with emulators_fault(name, "fit"):
        fit_emulator(task, emulator, train, inputs, wanted, seed=piece.seed)
    given = task.test_inputs(inputs, int(getattr(emulator, "history", 0)), on.target)
    with emulators_fault(name, "predict"):
        members = card.scoring.members if getattr(emulator, "ensemble", False) else 1
        prediction = emulator.predict(given, members=members, seed=piece.seed)
    seconds = time.perf_counter() - start
    by_design = bool(getattr(emulator, "zero_by_design", False))
    tested = tested_years(prediction, on.target)
    prediction = task.check_prediction(tested, on.target, name, zero_by_design=by_design)
    about = {"seconds": seconds, "seed": piece.seed, "members": [str(m) for m in piece.members]}
    return on.kept(prediction, {**about, "chosen": dict(getattr(emulator, "chosen", {}))})


def has_closed_form(card: ModelCard, preset: Preset) -> bool:
    """Return whether a model on any subset follows from sums over members, so that it need not be fitted again."""
    return type(load_emulator(card, preset)) is LinearPatternScaling


def emulate_in_closed_form(on: Bench, pieces: Sequence[Piece]) -> list[Kept]:
    """Return what pattern scaling gives on many subsets, from sums over the members that are made once.

    Parameters
    ----------
    on : Bench
        Task and members.
    pieces : sequence of Piece
        Of an emulator that `has_closed_form`.

    Returns
    -------
    list of Kept
        As `emulate` gives them, to rounding.
    """
    start = time.perf_counter()
    scaling = SubsetScaling(on.ensemble, tuple(on.frames))
    emissions = on.opened.task.test_inputs(("CO2",), 0, on.target)["CO2"].values.astype("float64")
    found: list[dict[str, Any]] = [{} for _ in pieces]
    for first in range(0, len(pieces), SUBSETS_AT_ONCE):
        part = slice(first, first + SUBSETS_AT_ONCE)
        weights = np.stack([_weights(piece.members, on.ensemble.members) for piece in pieces[part]])
        for variable, frame in on.frames.items():
            fit = scaling.fit(variable, weights)
            kept = frame.of_means(fit.time_mean(emissions), fit.area_mean(emissions, frame.weights))
            for place, statistics in zip(range(len(pieces))[part], kept, strict=True):
                found[place][variable] = statistics
    seconds = (time.perf_counter() - start) / max(len(pieces), 1)
    about = [{"seconds": seconds, "members": [str(m) for m in piece.members]} for piece in pieces]
    return [Kept(statistics, a) for statistics, a in zip(found, about, strict=True)]


def _weights(members: Sequence[Hashable], all_members: Sequence[Hashable]) -> np.ndarray:
    """Return 1 / n for each of n members, 0 for the others."""
    return np.isin(np.arange(len(all_members)), [all_members.index(m) for m in members]) / len(members)
