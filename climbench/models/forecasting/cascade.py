"""A cascade: copies of a network, each fine-tuned for later steps, on what those before it forecast.

References
----------
Chen et al. (2023), FuXi, arXiv:2306.12873, methods: models for short, medium and long leads, each begun with the one
before.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from climbench.models.forecasting.averaged_weights import copied
from climbench.models.forecasting.stage import Stage
from climbench.models.forecasting.stepper import Stepper
from climbench.models.training.ranks import Batch


class CascadeStepper(Stepper):
    """A stepper with a network for each part of a forecast.

    Parameters
    ----------
    network : Module
        What all of them begin as.
    *given
        Of `Stepper`, after the network.
    takeovers : sequence of int
        After how many steps each of the further networks takes over, ascending.
    **options
        Of `Stepper`.

    Attributes
    ----------
    active : int
        How many of the further networks are in use; steps that are for others are made by the last that is.
    """

    network: nn.ModuleList

    def __init__(self, network: nn.Module, *given: Any, takeovers: Sequence[int], **options: Any) -> None:
        copies = nn.ModuleList([network, *(copy.deepcopy(network) for _ in takeovers)])
        super().__init__(copies, *given, **options)
        self.takeovers, self.active = tuple(takeovers), len(takeovers)

    def forward(
        self, states: torch.Tensor, seconds: torch.Tensor, *beside: torch.Tensor, place: int = 0
    ) -> torch.Tensor:
        """Return the next state, by the network of a place; otherwise as `Stepper`."""
        answer = self.answer(self.network[place], self.shown(states, seconds, *beside))
        return states[:, -1] + self.change * answer

    def rollout(
        self, states: torch.Tensor, seconds: torch.Tensor, steps: int, run: Callable[..., torch.Tensor] | None = None
    ) -> Iterator[torch.Tensor]:
        """Yield the states of the next steps, each made by the network of its part."""
        kept = self.kept(states)
        for number in range(steps):
            place = min(self.active, sum(number >= first for first in self.takeovers))
            ahead = (run or self)(states, seconds + round(number * self.step_seconds), place=place)
            ahead = self.mended(states, ahead, kept)
            yield ahead
            states = torch.cat([states[:, 1:], ahead[:, None]], dim=1)

    def train_only(self, place: int) -> None:
        """Use no network after one, and train that one alone."""
        self.active = place
        for number, network in enumerate(self.network):
            network.requires_grad_(number == place)

    def hand_over(self, place: int) -> None:
        """Let a network, and those after it, begin as the one before it is."""
        for later in self.network[place:]:
            later.load_state_dict(self.network[place - 1].state_dict())


class CascadeStage(Stage):
    """A stage of a cascade: the last steps of a roll-out are learned from, those before are only made.

    All stages are judged by the same roll-outs, through all parts of the cascade. A further network begins as the best
    so far of the one before.

    Parameters
    ----------
    *given
        Of `Stage`.
    first : int
        Stages of the first network; each further one has a stage.
    **options
        Of `Stage`.
    """

    stepper: CascadeStepper

    def __init__(self, *given: Any, first: int, **options: Any) -> None:
        super().__init__(*given, **options)
        place = max(0, self.state.stage + 1 - first)
        self.stepper.train_only(place)
        if place and "optimiser" not in self.state.tensors:
            self.stepper.hand_over(place)
            self.state.tensors["best"] = copied(self.stepper)

    def _rolled(self, batch: Batch, steps: int) -> torch.Tensor:
        truth, total = batch["ahead"], torch.zeros((), device=self.device)
        ahead = self.stepper.rollout(batch["states"], batch["time"], truth.shape[1], self._run)
        for number in range(truth.shape[1]):
            learned = number >= truth.shape[1] - steps
            with torch.set_grad_enabled(torch.is_grad_enabled() and learned):
                state = next(ahead)
            if learned:
                total = total + self.loss(state, truth[:, number])
        return total / steps
