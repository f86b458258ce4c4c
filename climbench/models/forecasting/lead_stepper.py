"""A stepper whose network is told how far to step, and which reaches a time in several ways.

References
----------
Nguyen et al. (2024), Scaling transformer neural networks for skillful and reliable medium-range weather forecasting
(Stormer), arXiv:2312.03876, section 3, for changes over randomised leads and the mean of combinations of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn

from climbench.models.forecasting.lead_sequences import sequences
from climbench.models.forecasting.stepper import Clock, Stepper


class LeadStepper(Stepper):
    """Adds a network's answer, a change over a lead in units of its usual size for that lead, to the latest state.

    Parameters
    ----------
    network : Module
        From maps, and leads in hours of shape (batch,), to changes.
    changes : mapping of int to ndarray of shape (channel,)
        For each lead, in steps, the standard deviation of the change over that of the state; 1 among them.
    step_seconds : float
        Length of a step.
    clock : Clock, optional
        Tells the time.
    combinations : int
        How many sequences of leads a forecast is the mean of.
    checkpointing : bool
        As for `Stepper`.
    """

    changes: torch.Tensor
    leads: torch.Tensor

    def __init__(
        self,
        network: nn.Module,
        changes: Mapping[int, np.ndarray],
        step_seconds: float,
        clock: Clock | None = None,
        *,
        combinations: int = 3,
        checkpointing: bool = False,
    ) -> None:
        super().__init__(network, changes[1], step_seconds, clock, checkpointing=checkpointing)
        self.lengths, self.combinations = tuple(changes), combinations
        table = np.ones((max(changes) + 1, changes[1].size))
        for lead, change in changes.items():
            table[lead] = change
        sizes = torch.tensor(table, dtype=torch.float32)[:, :, None, None]
        self.register_buffer("changes", sizes, persistent=False)
        self.register_buffer("leads", torch.tensor(self.lengths), persistent=False)

    def forward(
        self, states: torch.Tensor, seconds: torch.Tensor, number: int = 0, lead: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the states a lead ahead.

        Parameters
        ----------
        states, seconds, number
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
        return states[:, -1] + self.changes[lead] * self.answer(self.network, states, seconds, hours)

    def scale(self, lead: torch.Tensor) -> torch.Tensor:
        """Return the usual change of one step over that of a lead, of shape (batch, channel, 1, 1)."""
        return self.change / self.changes[lead]

    def later(self, seconds: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        """Return times so many steps later."""
        return seconds + (steps.double() * self.step_seconds).round().to(seconds.dtype)

    def rollout(self, states: torch.Tensor, seconds: torch.Tensor, steps: int) -> Iterator[torch.Tensor]:
        """Yield the states of the next steps, each the mean over sequences of leads that reach it."""
        reached: dict[tuple[int, ...], torch.Tensor] = {(): states[:, -1]}
        for number in range(1, steps + 1):
            ways = sequences(number, self.lengths, self.combinations)
            for way in ways:
                lead, before = torch.full_like(seconds, way[-1], dtype=torch.int64), number - way[-1]
                start = self.later(seconds, torch.full_like(lead, before))
                reached[way] = self(reached[way[:-1]][:, None], start, before, lead)
            yield torch.stack([reached[way] for way in ways]).mean(0)
            reached = {way: state for way, state in reached.items() if sum(way) > number - max(self.lengths)}
