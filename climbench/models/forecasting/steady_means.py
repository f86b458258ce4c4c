"""Global means that do not change: those of a fluid's depth, as its mass is kept, and of vorticity, which has none.

A network that has never seen another mean cannot bring one back. What it adds to a mean, however little, adds up in a
roll-out until the network is where it has never been.
"""

from __future__ import annotations

import torch
import xarray as xr
from torch import nn

from climbench.models.forecasting.sampled_changes import AreaMean
from climbench.models.forecasting.state_channels import StateChannels

LEAST = 1e-3  # of the usual change of a cell: what a mean changes by less is round-off


def steady_means(means: torch.Tensor, channels: StateChannels) -> list[str]:
    """Return the names of the channels whose global mean does not change.

    Parameters
    ----------
    means : Tensor of shape (sample, channel)
        Of the changes of normalised states over a step.
    channels : StateChannels
        Of the states.
    """
    size = torch.from_numpy(channels.tendency / channels.std)
    steady = means.square().mean(0).sqrt() < LEAST * size
    return [channel.name for channel, still in zip(channels.channels, steady.tolist(), strict=True) if still]


class SteadyMeans(nn.Module):
    """A network whose answer leaves the global means of some channels as they are.

    Parameters
    ----------
    network : Module
        To maps of shape (batch, channel, latitude, longitude).
    latitude : DataArray of shape (latitude,)
        Of the global grid.
    steady : list of bool
        For each channel, whether its mean stays.
    """

    steady: torch.Tensor

    def __init__(self, network: nn.Module, latitude: xr.DataArray, steady: list[bool]) -> None:
        super().__init__()
        self.network, self.mean = network, AreaMean(latitude)
        self.register_buffer("steady", torch.tensor(steady, dtype=torch.float32), persistent=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the network's answer without the means that stay."""
        answer: torch.Tensor = self.network(maps)
        return answer - (self.steady * self.mean(answer))[..., None, None]
