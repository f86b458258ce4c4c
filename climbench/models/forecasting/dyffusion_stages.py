"""The two stages of training DYffusion: what lies between two states, then the end from a state in between.

References
----------
Ruhling Cachay et al. (2023), DYffusion: a dynamics-informed diffusion model for spatiotemporal forecasting, NeurIPS,
arXiv:2306.01984, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from climbench.models.forecasting.dyffusion_stepper import DYffusionStepper, Interpolator
from climbench.models.forecasting.ensemble_stage import EnsembleStage
from climbench.models.training.ranks import Batch


class InterpolationStage(EnsembleStage):
    """Trains an `Interpolator` by the absolute error of one draw at a random place; judges draws at all places."""

    stepper: Interpolator

    def _rolled(self, batch: Batch, steps: int) -> torch.Tensor:
        start, end = batch["states"][:, -1], batch["ahead"][:, steps - 1]
        place = torch.randint(1, steps, (len(start),)).to(start.device)
        truth = batch["ahead"][torch.arange(len(start), device=place.device), place - 1]
        loss: torch.Tensor = self.loss(self.stepper.between(start, end, place, batch["time"]), truth)
        return loss

    def _ensemble(self, batch: Batch, steps: int) -> Iterator[torch.Tensor]:
        start, end, times = (
            values.repeat_interleave(self.members, 0)
            for values in (batch["states"][:, -1], batch["ahead"][:, steps - 1], batch["time"])
        )
        for number in range(1, steps):
            place = torch.full((len(start),), number, device=start.device)
            found = self.stepper.between(start, end, place, times)
            yield found.reshape(-1, self.members, *found.shape[1:])


class EndStage(EnsembleStage):
    """Trains the forecaster of a `DYffusionStepper`, whose interpolator is trained; judges whole samples.

    The loss is the absolute error of the end, from a true state interpolated at a random place; and, by the share
    `lookahead`, that of the end found once more from where the first one leads a place further.

    Parameters
    ----------
    *given
        Of `EnsembleStage`.
    lookahead : float
        Share of the second term, from 0 to 1.
    **options
        Of `EnsembleStage`.
    """

    stepper: DYffusionStepper

    def __init__(self, *given: Any, lookahead: float, **options: Any) -> None:
        super().__init__(*given, **options)
        self.lookahead = lookahead

    def _rolled(self, batch: Batch, steps: int) -> torch.Tensor:
        start, truth, times = batch["states"][:, -1], batch["ahead"][:, steps - 1], batch["time"]
        place = torch.randint(0, steps, (len(start),)).to(start.device)
        with torch.no_grad():
            now = self.stepper.interpolator.between(start, truth, place, times)
        end = self.stepper.end(start, now, place, times)
        loss: torch.Tensor = self.loss(end, truth)
        further = place < steps - 1
        if not self.lookahead or not bool(further.any()):
            return loss
        start, end, place, times = (values[further] for values in (start, end, place + 1, times))
        later = self.stepper.interpolator.between(start, end, place, times)
        again = self.stepper.end(start, later, place, times)
        return (1.0 - self.lookahead) * loss + self.lookahead * self.loss(again, truth[further])
