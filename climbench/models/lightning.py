"""The adapter between an emulator and Lightning.

An emulator that is a network states the network, its loss and how its tensors are scaled; here is the rest: windows of
years, batches, seeds, the number of epochs, devices, files. Each network maps a window of forcings to the climate of
the window's last year.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
import xarray as xr
from torch import nn

from climbench.errors import ModelError, did_you_mean
from climbench.models.base import Emulator
from climbench.models.training.fitting import Trained, run_network, train
from climbench.models.training.history_windows import PAST, Record, extended_back, records, window_ends
from climbench.models.training.losses import Loss, area_mean_square
from climbench.models.training.saved_network import load_state, read_networks, write_networks
from climbench.models.training.scaling import Scaling
from climbench.models.training.settings import TrainingSettings
from climbench.models.training.trainer import reproducible, seed_of
from climbench.models.training.window_samples import WindowSamples, scaled_maps
from climbench.progress import Progress
from climbench.variables import kind_of

SPACE = ("latitude", "longitude")
SHARED = "all"


class NetworkEmulator(Emulator):
    """An emulator that is a network, or one network for each variable.

    Parameters
    ----------
    arguments : mapping
        The emulator's own settings, JSON-able, from which its class can make it again.
    training : mapping
        Settings of `TrainingSettings`.
    separate : bool
        Whether each variable has a network of its own.

    Attributes
    ----------
    as_published : bool
        Whether the original is followed, quirks included; set by the task.
    chosen : dict
        What was chosen and how, and how many windows each scenario gave.
    progress : Progress
        Told the epochs.
    """

    inputs: ClassVar[tuple[str, ...] | None] = ("CO2", "CH4", "SO2", "BC")
    history: ClassVar[int] = 9
    window: ClassVar[int] = 10

    def __init__(self, arguments: Mapping[str, Any], training: Mapping[str, Any], *, separate: bool = False) -> None:
        known = [f.name for f in fields(TrainingSettings)]
        for name in training:
            if name not in known:
                raise ModelError(f"There is no setting '{name}'. {did_you_mean(name, [*arguments, *known])}")
        self.arguments = {**arguments, **training}
        self.training = TrainingSettings(**training)
        self.separate = separate
        self.as_published = False
        self.chosen: dict[str, Any] = {}
        self.progress = Progress()
        self.grid = xr.Dataset()
        self.variables: tuple[str, ...] = ()
        self.scalings = (Scaling.none(()), Scaling.none(()))
        self.networks: dict[str, nn.Module] = {}

    @abstractmethod
    def network(self, grid: xr.Dataset, variables: int) -> nn.Module:
        """Return a new network.

        Parameters
        ----------
        grid : Dataset
            Has the coordinates ``latitude`` and ``longitude``.
        variables : int
            How many variables it predicts.

        Returns
        -------
        Module
            From (batch, year, channel, latitude, longitude) to (batch, variable, latitude, longitude).
        """

    def start(self, network: nn.Module) -> None:
        """Give a new network other starting values before it is trained; there are none unless an emulator has them."""

    def loss(self, grid: xr.Dataset) -> Loss:
        """Return the loss it is trained by; the area-weighted mean square unless an emulator says otherwise."""
        return area_mean_square(grid)

    def scale(self, found: Mapping[str, Record]) -> tuple[Scaling, Scaling]:
        """Return the scalings of inputs and targets; standardised over all training years and cells without another."""
        return (
            Scaling.standard([r.inputs for r in found.values()], self._channels),
            Scaling.standard([r.targets.isel(time=r.labels) for r in found.values()], self.variables),
        )

    def records(self, scenarios: Mapping[str, xr.Dataset], past: xr.Dataset | None = None) -> dict[str, Record]:
        """Return the windows of scenarios; see `climbench.models.training.history_windows.records`."""
        return records(scenarios, self._channels, self.variables, self.window, past)

    @property
    def label_shift(self) -> int:
        """By how many years a prediction's label is later than the last year of its window."""
        return 0

    @property
    def _channels(self) -> tuple[str, ...]:
        return tuple(self.inputs or ())

    @property
    def parameters(self) -> int:
        """Number of trained parameters of all its networks; 0 before `fit`."""
        return sum(p.numel() for network in self.networks.values() for p in network.parameters())

    def choose(self, folds: Sequence[tuple[Mapping[str, xr.Dataset], Mapping[str, xr.Dataset]]], *, seed: int) -> None:
        """Settle the number of epochs: that with the lowest validation loss, in the mean over folds.

        The loss is the area-weighted mean square of scaled variables, whatever a network is trained by.

        Parameters
        ----------
        folds : sequence of (dict, dict)
            Training and validation scenarios.
        seed : int
            The seed of everything random.

        Raises
        ------
        ModelError
            If training diverges, or a fold has no window to train or to judge by.
        """
        curves: dict[str, list[tuple[float, ...]]] = {}
        for scenarios, held_out in folds:
            self._prepare(scenarios)
            found = self._required(self.records(scenarios), "train on")
            trained = self._train_all(found, self._held_out(held_out, scenarios), seed, {}, stop_early=False)
            for key, one in trained.items():
                curves.setdefault(key, []).append(one.curve)
        means = {key: np.mean(of_folds, axis=0) for key, of_folds in curves.items()}
        self.chosen = {
            "by": f"lowest validation loss in the mean over {len(folds)} fold(s)",
            "epochs": {key: int(mean.argmin()) + 1 for key, mean in means.items()},
            "validation_loss": {key: float(mean.min()) for key, mean in means.items()},
        }

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Train the networks.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario the inputs and targets. ``historical`` is also the past of those that go on from it.
        validation : mapping of str to Dataset, optional
            Training stops early by these, if `patience` is set; without, it takes as many epochs as were chosen, or
            as are set.
        seed : int
            The seed of everything random.

        Raises
        ------
        ModelError
            If training diverges, there is no window, or inputs are not finite.
        """
        self._prepare(train)
        found = self._required(self.records(train), "train on")
        self.chosen["windows"] = {name: int(record.ends.size) for name, record in found.items()}
        trained = self._train_all(found, self._held_out(validation, train), seed, self.chosen.get("epochs", {}))
        self.chosen["trained_epochs"] = {key: one.epochs for key, one in trained.items()}

    def _prepare(self, scenarios: Mapping[str, xr.Dataset]) -> None:
        """Take grid and variables from the training scenarios."""
        first = next(iter(scenarios.values()))
        self.grid = xr.Dataset(coords={d: first[d].values for d in SPACE})
        maps = [str(v) for v in first if set(SPACE) <= set(first[v].dims)]
        self.variables = tuple(v for v in maps if kind_of(v) != "forcing")

    def _required(self, found: dict[str, Record], purpose: str) -> dict[str, Record]:
        if not found:
            raise ModelError(
                f"There is no window to {purpose}: no scenario has {self.window} consecutive years of inputs, its past "
                "in 'historical' counted, whose last has targets. Give longer scenarios."
            )
        return found

    def _held_out(
        self, validation: Mapping[str, xr.Dataset] | None, scenarios: Mapping[str, xr.Dataset]
    ) -> dict[str, Record] | None:
        """Return the windows of validation scenarios, which go on from the historical one that is trained on."""
        if not validation:
            return None
        return self._required(self.records(validation, scenarios.get(PAST)), "judge by")

    def _train_all(
        self,
        found: dict[str, Record],
        held_out: dict[str, Record] | None,
        seed: int,
        epochs: Mapping[str, int],
        *,
        stop_early: bool = True,
    ) -> dict[str, Trained]:
        """Train a network for each group of variables."""
        self.scalings = self.scale(found)
        samples, judged = self._samples(found), None if held_out is None else self._samples(held_out)
        self.networks, trained = {}, {}
        for key, names in self._groups().items():
            channels = [self.variables.index(name) for name in names]
            own_seed = seed_of(seed, key)
            network = self.networks[key] = self._built(len(names), own_seed)
            self.start(network)
            most = epochs.get(key, self.training.epochs)
            trained[key] = train(
                network,
                samples.of_targets(channels),
                self.training,
                loss=self.loss(self.grid),
                validation_loss=area_mean_square(self.grid),
                epochs=most,
                seed=own_seed,
                validation=None if judged is None else judged.of_targets(channels),
                stop_early=stop_early,
                progress=partial(self._tell, key, most),
            )
        return trained

    def _tell(self, key: str, most: int, done: int) -> None:
        self.progress.step(f"training {'all variables' if key == SHARED else key}, epochs", done, most)

    def _groups(self) -> dict[str, tuple[str, ...]]:
        """Return which variables each network predicts, by the network's name."""
        return {name: (name,) for name in self.variables} if self.separate else {SHARED: self.variables}

    def _samples(self, found: Mapping[str, Record]) -> WindowSamples:
        return WindowSamples(found, self._channels, self.variables, self.scalings, self.window, self.grid)

    def _built(self, variables: int, seed: int) -> nn.Module:
        with reproducible(seed):
            return self.network(self.grid, variables)

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return the climate of every year of the inputs.

        Parameters
        ----------
        inputs : Dataset
            Of shape (time,) or (time, latitude, longitude), consecutive years. The windows of the first years reach
            back before them; what is assumed there (`extended_back`), and for which predictions, is said in the
            attribute ``assumed_inputs``.
        members : int
            Not used: the prediction is one.
        seed : int
            Not used: nothing is random once trained.

        Returns
        -------
        Dataset of shape (time, latitude, longitude)
            float32, in the units of training.

        Raises
        ------
        ModelError
            If it was not fitted, or the inputs are on another grid, not finite, or not of consecutive years.
        """
        self._require_fitted("predict")
        back = self.window - 1 + self.label_shift
        longer, assumed = extended_back(inputs[list(self._channels)], back)
        years = longer["time"].values
        if window_ends(years, years.size).size != 1:
            raise ModelError(f"The inputs must be of consecutive years; found {inputs['time'].values.tolist()}.")
        maps = scaled_maps(longer, self._channels, self.scalings[0], self.grid)
        if not bool(torch.isfinite(maps).all()):
            raise ModelError("The inputs have values that are not finite; a network cannot use them.")
        windows = maps.unfold(0, self.window, 1).movedim(-1, 1)[: inputs.sizes["time"]]
        fields = {}
        for key, names in self._groups().items():
            values = run_network(self.networks[key], windows, self.training)
            for place, name in enumerate(names):
                fields[name] = (("time", *SPACE), self.scalings[1].invert(values[:, place], name))
        coordinates = {"time": inputs["time"].values, **{d: self.grid[d].values for d in SPACE}}
        reached = coordinates["time"][:back][-1]
        words = f"{assumed}; no prediction after {reached} depends on that"
        return xr.Dataset(fields, coords=coordinates, attrs={"assumed_inputs": words})

    def _require_fitted(self, purpose: str) -> None:
        if not self.networks:
            raise ModelError(f"{type(self).__name__} was not fitted; call fit(train, seed=...) before {purpose}.")

    def save(self, directory: Path) -> None:
        """Write networks and settings into a folder, as plain arrays and JSON; raise `ModelError` if not fitted."""
        self._require_fitted("save")
        content = {
            "emulator": type(self).__name__,
            "arguments": self.arguments,
            "as_published": self.as_published,
            "chosen": self.chosen,
            "grid": {d: self.grid[d].values.tolist() for d in SPACE},
            "variables": list(self.variables),
            "scalings": [scaling.to_json() for scaling in self.scalings],
        }
        write_networks(directory, content, {key: network.state_dict() for key, network in self.networks.items()})

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Return the emulator that `save` wrote; raise `ModelError` where the folder holds none that is whole."""
        content, states = read_networks(directory, cls.__name__)
        emulator = cls(**content["arguments"])
        emulator.as_published, emulator.chosen = content["as_published"], content["chosen"]
        emulator.grid = xr.Dataset(coords={d: np.asarray(content["grid"][d]) for d in SPACE})
        emulator.variables = tuple(content["variables"])
        inputs, targets = (Scaling(**scaling) for scaling in content["scalings"])
        emulator.scalings = (inputs, targets)
        for key, names in emulator._groups().items():
            network = emulator._built(len(names), 0)
            load_state(network, states[key], str(directory))
            emulator.networks[key] = network
        return emulator
