"""A U-Net as a forecaster, on the globe and on regions.

References
----------
Ronneberger et al. (2015), U-Net, arXiv:1505.04597.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import xarray as xr
from torch import nn

from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.layers.fitted_size import FittedSize, fitted_size
from climbench.models.layers.globe import pole_rows_of
from climbench.models.unet import UNetNetwork


class UNet(NetworkForecaster):
    """The U-Net as a forecaster.

    Maps go on round the globe and over the poles; those of a region are continued by the values at their edge. A grid
    whose rows (of a region, also columns) cannot be halved often enough is continued in the same way for the network.

    Parameters
    ----------
    widths : sequence of int
        Channels of each level, from the finest.
    place_maps : int
        Trained maps that tell the network where it is.
    history, clock
        As for `NetworkForecaster`.
    **training
        Settings of `ForecastTraining`.
    """

    def __init__(
        self,
        *,
        widths: Sequence[int] = (32, 64, 128),
        place_maps: int = 8,
        history: int = 1,
        clock: bool | None = None,
        **training: Any,
    ) -> None:
        super().__init__({"widths": list(widths), "place_maps": place_maps}, training, history=history, clock=clock)
        self.widths, self.place_maps = tuple(widths), place_maps

    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return a new network; raise `ModelError` where a global grid has an odd number of columns."""
        pole_rows = pole_rows_of(grid)
        there = (grid.sizes["latitude"], grid.sizes["longitude"])
        size = fitted_size(there, len(self.widths), region=pole_rows is None)
        # Continued maps end beyond the poles, not on them.
        kind = pole_rows if size == there or pole_rows is None else False
        inner = UNetNetwork(channels_in, channels_out, size, self.widths, self.place_maps, pole_rows=kind)
        return FittedSize(_Quiet(inner), there, size, pole_rows=pole_rows)


class _Quiet(nn.Module):
    """A U-Net of windows, shown one, that begins by forecasting no change."""

    def __init__(self, network: UNetNetwork) -> None:
        super().__init__()
        self.network = network
        nn.init.zeros_(network.head.weight)
        assert network.head.bias is not None
        nn.init.zeros_(network.head.bias)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.network(maps[:, None])
        return answer
