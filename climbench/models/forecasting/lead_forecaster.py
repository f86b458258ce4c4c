"""Forecasters whose network is told how far to step: a subclass gives the network, the rest is here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.lead_stage import LeadStage
from climbench.models.forecasting.lead_stepper import LeadStepper
from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.forecasting.plan import plans
from climbench.models.forecasting.sampled_changes import size_of_change
from climbench.models.forecasting.stepper import Clock, Stepper
from climbench.models.forecasting.training import Training
from climbench.models.layers.fitted_size import tiled


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

    Attributes
    ----------
    chosen : dict
        As for `NetworkForecaster`; ``changes`` has, for each longer lead, the standard deviation of the change over it
        over that of the state, by channel.

    Raises
    ------
    ModelError
        If leads are no numbers of steps, or another history is asked for.
    """

    corrects_steps: ClassVar[bool] = False

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

    def _training(self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None) -> Training:
        """Return a training over randomised leads; it tells the usual size of the change over each."""
        stages = plans(self.training, longest=self.leads[-1])
        training = Training(train, validation, self.history, self.training, stage=LeadStage, stages=stages)
        longer = {str(lead): size_of_change(training.train, training.channels, lead) for lead in self.leads[1:]}
        self.chosen["changes"] = {lead: change.tolist() for lead, change in longer.items()}
        return training

    def _stepper(
        self, network: nn.Module, change: np.ndarray, clock: Clock | None, kind: Callable[..., Stepper] = LeadStepper
    ) -> Stepper:
        longer = {int(lead): np.array(sizes) for lead, sizes in self.chosen["changes"].items()}
        return super()._stepper(network, change, clock, partial(kind, longer=longer, combinations=self.combinations))


class PatchForecaster(LeadForecaster):
    """A `LeadForecaster` that is a transformer over patches of cells.

    On the globe rows that patches do not fill go on over the poles; beside a region its edge is repeated.

    Parameters
    ----------
    architecture : mapping
        What `made` takes by name beside channels and size: ``patch``, ``width`` and ``heads`` among it.
    training, leads, combinations, history, clock
        As for `LeadForecaster`.
    """

    made: ClassVar[Callable[..., nn.Module]]

    def __init__(self, architecture: Mapping[str, Any], training: Mapping[str, Any], **options: Any) -> None:
        super().__init__(architecture, training, **options)
        self.architecture = dict(architecture)
        width, heads = architecture["width"], architecture["heads"]
        if width % 4 or width % heads:
            raise ModelError(f"The width must be a multiple of 4 and of the {heads} heads; it is {width}.")

    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return a new network; raise `ModelError` where patches do not go round the globe."""

        def made(size: tuple[int, int]) -> nn.Module:
            return type(self).made(channels_in, channels_out, size, **self.architecture)

        return tiled(made, grid, self.architecture["patch"])
