"""A cascade: copies of a network, each fine-tuned for later steps, on what those before it forecast.

References
----------
Chen et al. (2023), FuXi, arXiv:2306.12873, methods: models for short, medium and long leads, each begun with the one
before.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from torch import nn

from climbench.models.forecasting.averaged_weights import copied
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.stepper import Clock, Stepper
from climbench.models.forecasting.training import Plan, Training
from climbench.models.forecasting.training_state import TrainingState


class CascadeStepper(Stepper):
    """A stepper with a network for each part of a forecast.

    Parameters
    ----------
    network : Module
        What all of them begin as.
    change, step_seconds, clock, checkpointing
        As for `Stepper`.
    takeovers : sequence of int
        After how many steps each of the further networks takes over, ascending.

    Attributes
    ----------
    active : int
        How many of the further networks are in use; steps that are for others are made by the last that is.
    """

    network: nn.ModuleList

    def __init__(
        self,
        network: nn.Module,
        change: np.ndarray,
        step_seconds: float,
        clock: Clock | None = None,
        *,
        takeovers: Sequence[int],
        checkpointing: bool = False,
    ) -> None:
        copies = nn.ModuleList([network, *(copy.deepcopy(network) for _ in takeovers)])
        super().__init__(copies, change, step_seconds, clock, checkpointing=checkpointing)
        self.takeovers, self.active = tuple(takeovers), len(takeovers)

    def forward(self, states: torch.Tensor, seconds: torch.Tensor, number: int = 0) -> torch.Tensor:
        """Return the next state, by the network for the step after `number` steps; otherwise as `Stepper`."""
        place = min(self.active, sum(number >= first for first in self.takeovers))
        return states[:, -1] + self.change * self.answer(self.network[place], states, seconds)

    def hand_over(self, place: int) -> None:
        """Let a network, and those after it, begin as the one before it is."""
        for later in self.network[place:]:
            later.load_state_dict(self.network[place - 1].state_dict())


class CascadeTraining(Training):
    """A training with a stage for each further network of a cascade, after those of the first.

    All stages are judged by the same roll-outs, through all parts of the cascade.

    Parameters
    ----------
    train, validation, history, settings
        As for `Training`.
    takeovers : sequence of int
        As for `CascadeStepper`.
    epochs : int
        Of each further network.
    """

    def __init__(
        self,
        train: Mapping[str, xr.Dataset],
        validation: Mapping[str, xr.Dataset] | None,
        history: int,
        settings: ForecastTraining,
        takeovers: Sequence[int],
        epochs: int,
    ) -> None:
        self.takeovers, self.epochs, self.settings = tuple(takeovers), epochs, settings
        super().__init__(train, validation, history, settings)

    def plans(self) -> list[Plan]:
        """Return the stages: those of the first network, then one for each further one, from where it takes over."""
        steps = self.settings.rollout_steps
        return [*super().plans(), *(Plan(steps, self.epochs, first) for first in self.takeovers)]

    def begin(self, stepper: Stepper, state: TrainingState) -> None:
        """Make a cascade ready: a further network begins as the best so far of the one before."""
        super().begin(stepper, state)
        assert isinstance(stepper, CascadeStepper)
        stepper.active = max(0, state.stage + 1 - len(super().plans()))
        if stepper.active and "optimiser" not in state.tensors:
            stepper.hand_over(stepper.active)
            state.tensors["best"] = copied(stepper)
