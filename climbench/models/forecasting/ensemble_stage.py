"""A stage of training a network whose answers differ: several roll-outs from each state, judged as an ensemble."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from climbench.models.forecasting.ensemble_loss import CellLoss
from climbench.models.forecasting.stage import Stage
from climbench.models.training.ranks import Batch
from climbench.models.training.trainer import reproducible


class EnsembleStage(Stage):
    """A `Stage` of ensembles; epochs are chosen by the fair CRPS of cells alone, whatever the loss is.

    Parameters
    ----------
    *given
        Of `Stage`; the loss is a `CellLoss`.
    members : int
        Roll-outs from each state.
    **options
        Of `Stage`.
    """

    loss: CellLoss

    def __init__(self, *given: Any, members: int, **options: Any) -> None:
        super().__init__(*given, **options)
        self.members = members

    def _rolled(self, batch: Batch, steps: int) -> torch.Tensor:
        total = torch.zeros((), device=self.device)
        for number, members in enumerate(self._ensemble(batch, steps)):
            total = total + self.loss(members, batch["ahead"][:, number])
        return total / steps

    def judged(self, batch: Batch, number: int) -> torch.Tensor:
        """Return the fair CRPS of roll-outs as long as those of the truth; the same noise judges every epoch."""
        steps, total = batch["ahead"].shape[1], torch.zeros((), device=self.device)
        with reproducible(number, self.settings.threads):
            for place, members in enumerate(self._ensemble(batch, steps)):
                total = total + self.loss.crps(members, batch["ahead"][:, place])
        return total / steps

    def _ensemble(self, batch: Batch, steps: int) -> Iterator[torch.Tensor]:
        """Yield states of shape (batch, member, channel, latitude, longitude), step by step."""
        states, times = (batch[name].repeat_interleave(self.members, 0) for name in ("states", "time"))
        for ahead in self.stepper.rollout(states, times, steps, self._run):
            yield ahead.reshape(-1, self.members, *ahead.shape[1:])
