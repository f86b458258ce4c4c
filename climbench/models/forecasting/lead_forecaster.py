"""Forecasters whose network is told how far to step: a subclass gives the network, the rest is here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.lead_stepper import LeadStepper
from climbench.models.forecasting.lead_training import LeadTraining
from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.forecasting.stepper import Clock
from climbench.models.forecasting.training import Training


class LeadForecaster(NetworkForecaster):
    """A forecaster that is a network from the latest state to the change over a lead.

    Parameters
    ----------
    arguments, training, clock
        As for `NetworkForecaster`.
    leads : sequence of int
        Leads that are trained, in steps of the data; 1 among them, so that every lead time is reached.
    combinations : int
        How many sequences of leads a forecast is the mean of: those with the longest leads.
    history : int
        1: a network that steps by several leads has no one spacing of states before.

    Raises
    ------
    ModelError
        If leads are no numbers of steps, or another history is asked for.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any],
        training: Mapping[str, Any],
        *,
        leads: Sequence[int],
        combinations: int,
        history: int = 1,
        clock: bool | None = None,
    ) -> None:
        self.leads, self.combinations = tuple(sorted(set(leads))), combinations
        if not self.leads or self.leads[0] != 1 or combinations < 1:
            raise ModelError(
                f"leads must have the step of the data, 1, and longer ones, and combinations be at least 1; they are "
                f"{list(leads)} and {combinations}."
            )
        if history != 1:
            raise ModelError(f"{type(self).__name__} starts from one state; history is {history}. Leave it out.")
        own = {**arguments, "leads": list(self.leads), "combinations": combinations}
        super().__init__(own, training, history=history, clock=clock)

    @abstractmethod
    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return a new network, as for `NetworkForecaster`; it is also given leads in hours, of shape (batch,)."""

    def made_training(self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None) -> Training:
        """Return a training over randomised leads."""
        return LeadTraining(train, validation, self.training, self.leads)

    def observed(self, training: Training) -> dict[str, Any]:
        """Return the usual size of the change over each lead."""
        longer = {lead: training.channels.change_over(lead, training.train) for lead in self.leads if lead > 1}
        return {"changes": {str(lead): change.tolist() for lead, change in longer.items()}}

    def made_stepper(self, network: nn.Module, change: np.ndarray, seconds: float, clock: Clock | None) -> LeadStepper:
        """Return the network as a `LeadStepper`."""
        changes = {1: change} | {int(lead): np.array(sizes) for lead, sizes in self.facts["changes"].items()}
        again = self.training.checkpointing
        return LeadStepper(network, changes, seconds, clock, combinations=self.combinations, checkpointing=again)
