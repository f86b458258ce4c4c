"""Global means that do not change: those of a fluid's depth, as its mass is kept, and of vorticity, which has none.

A network that has never seen another mean cannot bring one back. What it adds to a mean, however little, adds up in a
roll-out until the network is where it has never been.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
import xarray as xr
from torch import nn

from climbench.grids import latitude_weights
from climbench.models.forecasting.state_channels import StateChannels

SAMPLES = 128
LEAST = 1e-3  # of the usual change of a cell: what a mean changes by less is round-off


def some_changes(train: Mapping[str, xr.Dataset], channels: StateChannels) -> Iterator[torch.Tensor]:
    """Yield what some steps change, of normalised states: about 128 of them, spread evenly over all periods.

    Parameters
    ----------
    train : mapping of str to Dataset
        Training periods, lazy or not; steps across gaps are left out.
    channels : StateChannels
        Of them.

    Yields
    ------
    Tensor of shape (channel, latitude, longitude)
    """
    for data in train.values():
        gaps = np.diff(data["time"].values)
        whole = np.flatnonzero(gaps == gaps.min())
        for place in whole[np.linspace(0, whole.size - 1, min(whole.size, SAMPLES // len(train) + 1)).astype(int)]:
            both = channels.tensor(data[list(channels.variables)].isel(time=slice(place, place + 2)))
            yield both[1] - both[0]


def steady_means(train: Mapping[str, xr.Dataset], channels: StateChannels) -> list[str]:
    """Return the names of the channels whose global mean does not change in training data.

    Parameters
    ----------
    train, channels
        As for `some_changes`; of a global grid.
    """
    rows = _rows(next(iter(train.values()))["latitude"])
    means = torch.stack([(rows * change).mean((-2, -1)) for change in some_changes(train, channels)])
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

    rows: torch.Tensor
    steady: torch.Tensor

    def __init__(self, network: nn.Module, latitude: xr.DataArray, steady: list[bool]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("rows", _rows(latitude), persistent=False)
        self.register_buffer("steady", torch.tensor(steady, dtype=torch.float32)[:, None, None], persistent=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the network's answer without the means that stay."""
        answer: torch.Tensor = self.network(maps)
        return answer - self.steady * (self.rows * answer).mean((-2, -1), keepdim=True)


def _rows(latitude: xr.DataArray) -> torch.Tensor:
    weights = latitude_weights(latitude, "cell_area").values
    return torch.tensor(weights / weights.mean(), dtype=torch.float32)[:, None]
