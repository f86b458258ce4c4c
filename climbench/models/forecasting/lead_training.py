"""Training over randomised leads: each sample is a roll-out with steps of one length, drawn for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import xarray as xr

from climbench.models.forecasting.lead_stepper import LeadStepper
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.stage import Batch, Stage
from climbench.models.forecasting.training import Plan, Training


class LeadStage(Stage):
    """A stage whose samples have a lead drawn for each; it is judged by the mean over all leads."""

    stepper: LeadStepper

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Return the mean loss of roll-outs, each in steps of a lead drawn for it."""
        leads = self.stepper.leads
        drawn = torch.randint(len(leads), (len(batch["time"]),)).to(leads.device)  # of the state that is kept
        return self._led(batch, leads[drawn], self.steps)

    def judged(self, batch: Batch) -> torch.Tensor:
        """Return the mean over leads of the loss of roll-outs in steps of a lead, as far as the batch goes."""
        there = batch["ahead"].shape[1]
        leads = [(lead, torch.full_like(batch["time"], lead, dtype=torch.int64)) for lead in self.stepper.lengths]
        return torch.stack([self._led(batch, many, there // lead) for lead, many in leads]).mean()

    def _led(self, batch: Batch, lead: torch.Tensor, steps: int) -> torch.Tensor:
        states, total = batch["states"], torch.zeros((), device=self.device)
        scale, sample = self.stepper.scale(lead), torch.arange(len(lead), device=lead.device)
        for number in range(steps):
            ahead = self._run(states, self.stepper.later(batch["time"], number * lead), number, lead)
            truth = batch["ahead"][sample, (number + 1) * lead - 1]
            total = total + self.loss(scale * ahead, scale * truth)  # in units of the change over the lead
            states = ahead[:, None]
        return total / steps


class LeadTraining(Training):
    """A training over randomised leads.

    Parameters
    ----------
    train, validation, settings
        As for `Training`.
    leads : sequence of int
        In steps.
    """

    stage_type = LeadStage

    def __init__(
        self,
        train: Mapping[str, xr.Dataset],
        validation: Mapping[str, xr.Dataset] | None,
        settings: ForecastTraining,
        leads: Sequence[int],
    ) -> None:
        self.leads = tuple(leads)
        super().__init__(train, validation, 1, settings)

    def span(self, plan: Plan) -> int:
        """Return how many states after its start a sample has: those of roll-outs in steps of the longest lead."""
        return plan.steps * max(self.leads)
