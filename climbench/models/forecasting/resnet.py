"""The residual network of Rasp and Thuerey as a forecaster.

References
----------
Rasp and Thuerey (2021), Data-driven medium-range weather prediction with a Resnet pretrained on climate simulations: a
new model for WeatherBench, J. Adv. Model. Earth Syst., doi:10.1029/2020MS002405, section 2.3: a convolution of width 7,
19 residual blocks of two convolutions of width 3 with 128 channels, leaky rectifiers, batch normalisation and dropout.
"""

from __future__ import annotations

from typing import Any

import torch
import xarray as xr
from torch import nn

from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.layers.globe import pole_rows_of
from climbench.models.layers.spherical_padding import SphericalConvolution

LEAK = 0.3  # Keras' own, which the original was made with


class ConvolutionUnit(nn.Sequential):
    """A convolution, a leaky rectifier, batch normalisation and dropout, in the order of the original."""

    def __init__(self, channels_in: int, width: int, size: int, dropout: float, *, pole_rows: bool | None) -> None:
        convolution = SphericalConvolution(channels_in, width, size, pole_rows=pole_rows)
        super().__init__(convolution, nn.LeakyReLU(LEAK), nn.BatchNorm2d(width), nn.Dropout(dropout))


class ResidualBlock(nn.Module):
    """Two units beside a skip connection."""

    def __init__(self, width: int, dropout: float, *, pole_rows: bool | None) -> None:
        super().__init__()
        self.first = ConvolutionUnit(width, width, 3, dropout, pole_rows=pole_rows)
        self.second = ConvolutionUnit(width, width, 3, dropout, pole_rows=pole_rows)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channel, latitude, longitude)."""
        added: torch.Tensor = maps + self.second(self.first(maps))
        return added


class ResNetNetwork(nn.Sequential):
    """A wide convolution, residual blocks, and a convolution to the channels that are predicted.

    Parameters
    ----------
    channels_in, channels_out : int
        Numbers of channels.
    width, blocks : int
        Channels within, and blocks.
    dropout : float
        Share of values left out in training.
    pole_rows : bool or None
        As for `SphericalConvolution`.
    """

    def __init__(
        self, channels_in: int, channels_out: int, width: int, blocks: int, dropout: float, *, pole_rows: bool | None
    ) -> None:
        first = ConvolutionUnit(channels_in, width, 7, dropout, pole_rows=pole_rows)
        inner = [ResidualBlock(width, dropout, pole_rows=pole_rows) for _ in range(blocks)]
        super().__init__(first, *inner, SphericalConvolution(width, channels_out, 3, pole_rows=pole_rows))


class ResNet(NetworkForecaster):
    """The residual network of Rasp and Thuerey as a forecaster.

    The original predicts a lead time at once and pads maps with zeros at the poles; this one steps, and goes on over
    the poles. Maps of a region are continued by the values at their edge.

    Parameters
    ----------
    width, blocks : int
        Channels within, and residual blocks.
    dropout : float
        Share of values left out in training.
    history, clock
        As for `NetworkForecaster`.
    **training
        Settings of `ForecastTraining`.
    """

    def __init__(
        self,
        *,
        width: int = 128,
        blocks: int = 19,
        dropout: float = 0.1,
        history: int = 1,
        clock: bool | None = None,
        **training: Any,
    ) -> None:
        own = {"width": width, "blocks": blocks, "dropout": dropout}
        super().__init__(own, training, history=history, clock=clock)
        self.width, self.blocks, self.dropout = width, blocks, dropout

    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return a new network; raise `ModelError` where a global grid has an odd number of columns."""
        pole_rows = pole_rows_of(grid)
        return ResNetNetwork(channels_in, channels_out, self.width, self.blocks, self.dropout, pole_rows=pole_rows)
