"""Training over randomised leads: each sample is a roll-out with steps of one length, drawn for it."""

from __future__ import annotations

import torch

from climbench.models.forecasting.lead_stepper import LeadStepper
from climbench.models.forecasting.stage import Stage
from climbench.models.training.ranks import Batch


class LeadStage(Stage):
    """A stage whose samples have a lead drawn for each; it is judged by the mean over all leads."""

    stepper: LeadStepper

    def _rolled(self, batch: Batch, steps: int) -> torch.Tensor:
        leads = self.stepper.leads
        drawn = torch.randint(len(leads), (len(batch["time"]),)).to(leads.device)  # on every device the same
        return self._led(batch, leads[drawn], steps)

    def judged(self, batch: Batch, number: int) -> torch.Tensor:
        """Return the mean over leads of the loss of roll-outs in steps of a lead, as far as the batch goes."""
        there = batch["ahead"].shape[1]
        leads = [(lead, torch.full_like(batch["time"], lead, dtype=torch.int64)) for lead in self.stepper.lengths]
        return torch.stack([self._led(batch, many, there // lead) for lead, many in leads]).mean()

    def _led(self, batch: Batch, lead: torch.Tensor, steps: int) -> torch.Tensor:
        states, total = batch["states"], torch.zeros((), device=self.device)
        scale, sample = self.stepper.scale(lead), torch.arange(len(lead), device=lead.device)
        for number in range(steps):
            ahead = self._run(states, self.stepper.later(batch["time"], number * lead), lead=lead)
            truth = batch["ahead"][sample, (number + 1) * lead - 1]
            total = total + self.loss(scale * ahead, scale * truth)  # in units of the change over the lead
            states = ahead[:, None]
        return total / steps
