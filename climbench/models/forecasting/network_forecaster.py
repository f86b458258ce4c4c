"""Forecasters that are networks: a subclass gives the network, the rest is here.

The network is shown normalised states and gives the change of the next step in units of its standard deviation; its
roll-outs are judged, in the same units, by the mean square weighted by area and level.

References
----------
Lam et al. (2023), Learning skillful medium-range global weather forecasting, Science 382, doi:10.1126/science.adi2336,
for residuals, weights of levels and fine-tuning by roll-outs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
import xarray as xr
from torch import nn

from climbench.errors import ModelError, did_you_mean
from climbench.models.forecaster import Forecaster, in_forecast_order, lead_times
from climbench.models.forecasting.channel_corrections import ChannelCorrections
from climbench.models.forecasting.normals import covers_years
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.state_channels import SPACE, StateChannels
from climbench.models.forecasting.static_maps import StaticMaps
from climbench.models.forecasting.stepper import Clock, Stepper
from climbench.models.forecasting.steps import require_history, step_of, steps_to
from climbench.models.forecasting.training import Training
from climbench.models.step_corrections import StepCorrections
from climbench.models.training.saved_network import load_state, read_networks, write_networks
from climbench.models.training.trainer import device_kind, reproducible, seed_of
from climbench.progress import Progress

NETWORK, STATIC = "network", "static"
DAY = np.timedelta64(24, "h")
CHANGEABLE = {"learning_rate", "gradient_clip", "checkpoint_seconds", "threads", "ranks"}  # when a training goes on


class NetworkForecaster(Forecaster):
    """A forecaster that is a network from the latest states to the next; it is shown static variables beside them.

    Parameters
    ----------
    arguments : mapping
        The forecaster's own settings, JSON-able, from which its class can make it again.
    training : mapping
        Settings of `ForecastTraining`.
    history : int
        How many states the network is shown.
    clock : bool or None
        Whether it is told the season, and with steps of less than a day the local solar time; with None where the
        training period spans two years.

    Attributes
    ----------
    chosen : dict
        Epochs, and the validation losses they were chosen by.
    progress : Progress
        Told the batches.
    checkpoints : Path or None
        A folder where the state of training is kept from time to time; `fit` goes on from what it finds there, if
        need be at another learning rate.
    corrections : StepCorrections or None
        Corrects each step of forecasts, and of training where it is there when `fit` is called.
    corrects_steps : bool
        Whether it can: whether each of its forecasts is one state made from those before.
    """

    static: ClassVar[bool] = True
    corrects_steps: ClassVar[bool] = True

    def __init__(
        self, arguments: Mapping[str, Any], training: Mapping[str, Any], *, history: int = 1, clock: bool | None = None
    ) -> None:
        known = [f.name for f in fields(ForecastTraining)]
        for name in training:
            if name not in known:
                choices = [*arguments, "history", "clock", *known]
                raise ModelError(f"There is no setting '{name}'. {did_you_mean(name, choices)}")
        if history < 1:
            raise ModelError(f"history must be at least 1; it is {history}.")
        self.arguments = {**arguments, "history": history, "clock": clock, **training}
        self.training = ForecastTraining(**training)
        self.history, self.clock = history, clock
        self.chosen: dict[str, Any] = {}
        self.progress = Progress()
        self.checkpoints: Path | None = None
        self.corrections: StepCorrections | None = None
        self.grid = xr.Dataset()
        self.step: np.timedelta64 = np.timedelta64(0, "ns")
        self.channels: StateChannels | None = None
        self.maps: StaticMaps | None = None
        self.stepper: Stepper | None = None

    @abstractmethod
    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return a new network.

        Parameters
        ----------
        grid : Dataset
            Has the coordinates ``latitude`` and ``longitude``.
        channels_in, channels_out : int
            Numbers of channels.

        Returns
        -------
        Module
            From (batch, channels_in, latitude, longitude) to (batch, channels_out, latitude, longitude).

        Raises
        ------
        ModelError
            If it cannot take the grid.
        """

    @property
    def parameters(self) -> int:
        """Number of trained parameters; 0 before `fit`."""
        return 0 if self.stepper is None else sum(p.numel() for p in self.stepper.parameters())

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Train the network.

        Parameters
        ----------
        train : mapping of str to Dataset
            Training periods of one step and grid.
        validation : mapping of str to Dataset, optional
            Periods that epochs are chosen on; without, the end of the last training period is kept for it.
        seed : int
            The seed of everything random.

        Raises
        ------
        ModelError
            If data is missing or too short, the grid is none for the network, training diverges, or steps are to be
            corrected and cannot be.
        """
        if self.corrections is not None and not self.corrects_steps:
            raise ModelError(
                f"{type(self).__name__} does not make each state from those before, so that it cannot be corrected in "
                "training; its forecasts can. Say training: false."
            )
        self.step = step_of(train)
        first = next(iter(train.values()))
        self.grid = xr.Dataset(coords={d: first[d].values for d in SPACE})
        if self.clock is None:
            self.clock = any(covers_years(data["time"]) for data in train.values())
        with reproducible(seed_of(seed, NETWORK)):
            self.network(self.grid, 1, 1)  # refuses a grid before the data is read through
        self.maps = StaticMaps.of(train)
        training = self._training(train, validation)
        self.channels = training.channels
        self._observe(training)
        stepper = self._corrected(self._built(seed))
        fixed = {name: value for name, value in self.arguments.items() if name not in CHANGEABLE}
        identity = {"model": type(self).__name__, **fixed, "seed": seed, "static": list(self.maps.names)}
        if self.corrections is not None:
            identity["corrected"] = self.corrections.about
        self.chosen |= self._trained_by(training, stepper, seed, identity)
        self.stepper = stepper

    def _observe(self, training: Training) -> None:
        """Keep in `chosen` what is to be known of the data before a network is made; the place for it."""

    def _trained_by(
        self, training: Training, stepper: Stepper, seed: int, identity: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Train in place and return what was chosen; the place for more than one network."""
        return training.run(stepper, seed, identity, self.checkpoints, self.progress.step)

    def _training(self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None) -> Training:
        """Return how it is trained; the place for another stage or loss."""
        return Training(train, validation, self.history, self.training)

    def _stepper(
        self, network: nn.Module, change: np.ndarray, clock: Clock | None, kind: Callable[..., Stepper] = Stepper
    ) -> Stepper:
        """Return what steps with a network; the place for another kind."""
        seconds = float(self.step / np.timedelta64(1, "s"))
        assert self.maps is not None
        return kind(network, change, seconds, clock, self.maps.values, checkpointing=self.training.checkpointing)

    def _built(self, seed: int) -> Stepper:
        channels = self._trained(self.channels)
        rows, longitude = self.grid.sizes["latitude"], self.grid["longitude"].values
        clock = Clock(longitude, rows, hourly=bool(self.step < DAY)) if self.clock else None
        count = len(channels.channels)
        assert self.maps is not None
        shown = self.history * count + (clock.channels if clock else 0) + len(self.maps.names)
        with reproducible(seed_of(seed, NETWORK)):
            network = self.network(self.grid, shown, count)
        return self._stepper(network, channels.tendency / channels.std, clock)

    def _corrected(self, stepper: Stepper) -> Stepper:
        """Return what steps, with the corrections there are or without."""
        channels, seconds = self._trained(self.channels), float(self.step / np.timedelta64(1, "s"))
        made = None if self.corrections is None else ChannelCorrections(self.corrections, channels, seconds)
        stepper.corrections = made
        return stepper

    def _trained(self, channels: StateChannels | None) -> StateChannels:
        if channels is None:
            raise ModelError(f"{type(self).__name__} was not fitted; call fit(train, seed=...) first.")
        return channels

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return roll-outs at the lead times.

        Raises
        ------
        ModelError
            If it was not fitted, a lead is no whole number of steps, or states are not what it was trained on.
        """
        channels = self._trained(self.channels)
        wanted = steps_to(leads, self.step)
        require_history(inputs, self.history, self.step)
        self._require_grid(inputs)
        given = inputs.isel(history=slice(inputs.sizes["history"] - self.history, None))
        states = channels.tensor(given.transpose("init_time", "history", ...))
        inits = inputs["init_time"].values.astype("datetime64[s]").astype(np.int64)
        dims, values = self._forecast(states, torch.from_numpy(inits), wanted, members, seed)
        coords: dict[str, Any] = {"init_time": inputs["init_time"].values, "lead_time": lead_times(leads)}
        coords |= {d: self.grid[d] for d in SPACE} | ({"member": np.arange(members)} if "member" in dims else {})
        return in_forecast_order(channels.dataset(values, dims, coords))

    def _forecast(
        self, states: torch.Tensor, seconds: torch.Tensor, wanted: np.ndarray, members: int, seed: int
    ) -> tuple[tuple[str, ...], np.ndarray]:
        """Return the leading dimensions of forecasts, and forecasts; the place for more than one member."""
        return ("init_time", "lead_time"), self._rolled(states, seconds, wanted)

    def _require_grid(self, inputs: xr.Dataset) -> None:
        for dim in SPACE:
            own, given = self.grid[dim].values, inputs[dim].values
            if own.shape != given.shape or not np.allclose(own, given, atol=1e-4):
                raise ModelError(
                    f"The network was trained on {own.size} of {dim}, {own[0]:g} to {own[-1]:g}, and was given "
                    f"{given.size}, {given[0]:g} to {given[-1]:g}. Regrid the states to the grid of training."
                )

    def _rolled(self, states: torch.Tensor, seconds: torch.Tensor, wanted: np.ndarray, seed: int = 0) -> np.ndarray:
        """Return states at steps, of shape (init_time, lead_time, channel, latitude, longitude), batch by batch."""
        assert self.stepper is not None
        device = "cuda" if device_kind(self.training.accelerator) == "gpu" else "cpu"
        stepper = self._corrected(self.stepper).to(device).eval()
        found = np.empty((len(states), wanted.size, *states.shape[2:]), "float32")
        size = self.training.batch_size
        with reproducible(seed, self.training.threads), torch.no_grad():
            for start in range(0, len(states), size):
                part = slice(start, start + size)
                ahead = stepper.rollout(states[part].to(device), seconds[part].to(device), int(wanted.max()))
                for number, state in enumerate(ahead, 1):
                    for place in np.flatnonzero(wanted == number):
                        found[part, place] = state.cpu().numpy()
        stepper.cpu()
        return found

    def save(self, directory: Path) -> None:
        """Write network and settings into a folder, as plain arrays and JSON; raise `ModelError` if not fitted."""
        channels = self._trained(self.channels)
        assert self.stepper is not None
        content = {
            "emulator": type(self).__name__,
            "arguments": self.arguments,
            "clock": self.clock,
            "chosen": self.chosen,
            "grid": {d: self.grid[d].values.tolist() for d in SPACE},
            "step_hours": self.step / np.timedelta64(1, "h"),
            "channels": channels.to_json(),
        }
        assert self.maps is not None
        maps = dict(zip(self.maps.names, self.maps.values, strict=True))
        write_networks(directory, content, {NETWORK: self.stepper.network.state_dict(), STATIC: maps})

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Return the forecaster that `save` wrote; raise `ModelError` where the folder holds none that is whole."""
        content, states = read_networks(directory, cls.__name__)
        forecaster = cls(**content["arguments"])
        forecaster.clock, forecaster.chosen = content["clock"], content["chosen"]
        forecaster.grid = xr.Dataset(coords={d: np.asarray(content["grid"][d]) for d in SPACE})
        forecaster.step = np.timedelta64(round(content["step_hours"] * 3.6e12), "ns")
        forecaster.channels = StateChannels.from_json(content["channels"])
        names, sizes = tuple(states[STATIC]), (forecaster.grid.sizes[d] for d in SPACE)
        maps = torch.stack(list(states[STATIC].values())) if names else torch.zeros(0, *sizes)
        forecaster.maps = StaticMaps(names, maps)
        forecaster.stepper = forecaster._built(0)
        load_state(forecaster.stepper.network, states[NETWORK], str(directory))
        return forecaster
