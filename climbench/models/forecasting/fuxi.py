"""FuXi: a U-shaped Swin transformer from two states to the next, in a cascade for short, medium and long leads.

References
----------
Chen et al. (2023), FuXi: A cascade machine learning forecasting system for 15-day global weather forecast,
npj Clim. Atmos. Sci. 6, arXiv:2306.12873.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.cascade import CascadeStage, CascadeStepper
from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.forecasting.plan import Plan, plans
from climbench.models.forecasting.stepper import Clock, Stepper
from climbench.models.forecasting.training import Training
from climbench.models.layers.fitted_size import tiled
from climbench.models.layers.globe import require_globe
from climbench.models.layers.u_transformer import UTransformer


class FuXi(NetworkForecaster):
    """FuXi as a forecaster, on the globe.

    It gives changes, where the original gives states. Rows that windows do not fill go on over the poles.

    Parameters
    ----------
    patch, width, depth, heads, window : int
        Of `UTransformer`.
    takeovers : sequence of int
        After how many steps the networks for later leads take over; none for one network alone.
    cascade_epochs : int
        Epochs of each of those.
    history, clock
        As for `NetworkForecaster`.
    **training
        Settings of `ForecastTraining`.

    Raises
    ------
    ModelError
        If the width is no multiple of the heads, or steps of taking over do not rise.
    """

    def __init__(
        self,
        *,
        patch: int = 4,
        width: int = 64,
        depth: int = 4,
        heads: int = 4,
        window: int = 4,
        takeovers: Sequence[int] = (20, 40),
        cascade_epochs: int = 1,
        history: int = 2,
        clock: bool | None = None,
        **training: Any,
    ) -> None:
        self.architecture = {"patch": patch, "width": width, "depth": depth, "heads": heads, "window": window}
        self.takeovers, self.cascade_epochs = tuple(takeovers), cascade_epochs
        own = {**self.architecture, "takeovers": list(takeovers), "cascade_epochs": cascade_epochs}
        super().__init__(own, training, history=history, clock=clock)
        if width % heads:
            raise ModelError(f"The width must be a multiple of the {heads} heads; it is {width}.")
        if sorted({0, *takeovers}) != [0, *takeovers] or cascade_epochs < 1:
            raise ModelError(
                f"takeovers must rise from 1 on, and cascade_epochs be at least 1; they are {list(takeovers)} and "
                f"{cascade_epochs}. Set takeovers to [] for one network."
            )

    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return a new network; raise `ModelError` where a grid is none of the globe, or windows do not go round it."""
        require_globe(grid)

        def made(size: tuple[int, int]) -> nn.Module:
            return UTransformer(channels_in, channels_out, size, **self.architecture)

        return tiled(made, grid, 2 * self.architecture["patch"] * self.architecture["window"])

    def _training(self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None) -> Training:
        """Return a training with a stage for each further network, after those of the first, where it takes over."""
        first, steps = plans(self.training), self.training.rollout_steps
        stages = [*first, *(Plan(steps, self.cascade_epochs, start + steps) for start in self.takeovers)]
        stage = partial(CascadeStage, first=len(first))
        return Training(train, validation, self.history, self.training, stage=stage, stages=stages)

    def _stepper(
        self, network: nn.Module, change: np.ndarray, clock: Clock | None, kind: Callable[..., Stepper] = CascadeStepper
    ) -> Stepper:
        return super()._stepper(network, change, clock, partial(kind, takeovers=self.takeovers))
