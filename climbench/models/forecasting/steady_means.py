"""Global means that do not change: those of a fluid's depth, as its mass is kept, and of vorticity, which has none.

A network that has never seen another mean cannot bring one back. What it adds to a mean, however little, adds up in a
roll-out until the network is where it has never been.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
import xarray as xr
from torch import nn

from climbench.grids import latitude_weights
from climbench.models.forecasting.state_channels import StateChannels

STRETCHES, STEPS = 16, 8
LEAST = 1e-3  # of the usual change of a cell: what a mean changes by less is round-off


def some_changes(train: Mapping[str, xr.Dataset], channels: StateChannels) -> Iterator[torch.Tensor]:
    """Yield what steps change, of normalised states, in about 16 stretches of 8 steps spread evenly over all periods.

    Stretches are read at once, so that data that are streamed are asked for few chunks again.

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
        times = data["time"].values
        count = min(STRETCHES // len(train) + 1, max(1, times.size // STEPS))
        for start in np.linspace(0, max(0, times.size - STEPS - 1), count).astype(int):
            part = slice(start, start + STEPS + 1)
            gaps = np.diff(times[part])
            changes = channels.tensor(data[list(channels.variables)].isel(time=part)).diff(dim=0)
            yield from changes[torch.from_numpy(gaps == np.diff(times).min())]


def steady_means(changes: Iterable[torch.Tensor], latitude: xr.DataArray, channels: StateChannels) -> list[str]:
    """Return the names of the channels whose global mean does not change.

    Parameters
    ----------
    changes : iterable of Tensor of shape (channel, latitude, longitude)
        Of steps, of normalised states.
    latitude : DataArray of shape (latitude,)
        Of the global grid.
    channels : StateChannels
        Of the states.
    """
    rows = _rows(latitude)
    means = torch.stack([(rows * change).mean((-2, -1)) for change in changes])
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
