"""Forecasters whose network gives another answer each time: members are roll-outs, each with a seed of its own."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.training.trainer import seed_of


class EnsembleForecaster(NetworkForecaster):
    """A `NetworkForecaster` that gives members; each is the same whatever the number that is asked for."""

    ensemble: ClassVar[bool] = True

    def _forecast(
        self, states: torch.Tensor, seconds: torch.Tensor, wanted: np.ndarray, members: int, seed: int
    ) -> tuple[tuple[str, ...], np.ndarray]:
        """Return members one after the other, so that sums over a batch are the same for any number of them."""
        if members == 1:
            return ("init_time", "lead_time"), self._rolled(states, seconds, wanted, self._ready_for(0, seed))
        found = np.empty((len(states), wanted.size, members, *states.shape[2:]), "float32")
        for number in range(members):
            found[:, :, number] = self._rolled(states, seconds, wanted, self._ready_for(number, seed))
        return ("init_time", "lead_time", "member"), found

    def _ready_for(self, number: int, seed: int) -> int:
        """Make ready for a member, counted from 0, and return its seed."""
        return seed_of(seed, f"member {number}")
