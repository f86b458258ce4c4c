"""A stepper whose network is told how far to step, and which reaches a time in several ways.

References
----------
Nguyen et al. (2024), Scaling transformer neural networks for skillful and reliable medium-range weather forecasting
(Stormer), arXiv:2312.03876, section 3, for changes over randomised leads and the mean of combinations of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from climbench.models.forecasting.lead_sequences import sequences
from climbench.models.forecasting.stepper import Stepper


class LeadStepper(Stepper):
    """Adds a network's answer, a change over a lead in units of its usual size for that lead, to the latest state.

    Parameters
    ----------
    network : Module
        From maps, and leads in hours of shape (batch,), to changes.
    change : ndarray of shape (channel,)
        Standard deviation of a step's change over that of the state.
    *given
        Of `Stepper`, after these.
    longer : mapping of int to ndarray of shape (channel,)
        For each lead of several steps the same of the change over it.
    combinations : int
        How many sequences of leads a forecast is the mean of.
    **options
        Of `Stepper`.
    """

    changes: torch.Tensor
    leads: torch.Tensor

    def __init__(
        self,
        network: nn.Module,
        change: np.ndarray,
        *given: Any,
        longer: Mapping[int, np.ndarray],
        combinations: int = 3,
        **options: Any,
    ) -> None:
        super().__init__(network, change, *given, **options)
        self.lengths, self.combinations = (1, *longer), combinations
        table = np.ones((max(self.lengths) + 1, change.size))
        for lead, sizes in {1: change, **longer}.items():
            table[lead] = sizes
        numbers = torch.tensor(table, dtype=torch.float32)[:, :, None, None]
        self.register_buffer("changes", numbers, persistent=False)
        self.register_buffer("leads", torch.tensor(self.lengths), persistent=False)

    def forward(
        self, states: torch.Tensor, seconds: torch.Tensor, *beside: torch.Tensor, lead: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the states a lead ahead.

        Parameters
        ----------
        states, seconds, *beside
            As for `Stepper`.
        lead : Tensor of int of shape (batch,), optional
            In steps; one step without.

        Returns
        -------
        Tensor of shape (batch, channel, latitude, longitude)
        """
        if lead is None:
            lead = torch.ones(len(states), dtype=torch.int64, device=states.device)
        hours = lead.float() * (self.step_seconds / 3600.0)
        answer = self.answer(self.network, self.shown(states, seconds, *beside), hours)
        return states[:, -1] + self.changes[lead] * answer

    def scale(self, lead: torch.Tensor) -> torch.Tensor:
        """Return the usual change of one step over that of a lead, of shape (batch, channel, 1, 1)."""
        return self.change / self.changes[lead]

    def later(self, seconds: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        """Return times so many steps later."""
        return seconds + (steps.double() * self.step_seconds).round().to(seconds.dtype)

    def rollout(
        self, states: torch.Tensor, seconds: torch.Tensor, steps: int, run: Callable[..., torch.Tensor] | None = None
    ) -> Iterator[torch.Tensor]:
        """Yield the states of the next steps, each the mean over sequences of leads that reach it."""
        reached: dict[tuple[int, ...], torch.Tensor] = {(): states[:, -1]}
        for number in range(1, steps + 1):
            ways = sequences(number, self.lengths, self.combinations)
            for way in ways:
                lead, before = torch.full_like(seconds, way[-1], dtype=torch.int64), number - way[-1]
                start = self.later(seconds, torch.full_like(lead, before))
                reached[way] = (run or self)(reached[way[:-1]][:, None], start, lead=lead)
            yield torch.stack([reached[way] for way in ways]).mean(0)
            reached = {way: state for way, state in reached.items() if sum(way) > number - max(self.lengths)}
