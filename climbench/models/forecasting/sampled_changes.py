"""What steps change, seen on a sample of the training data: where data lie far away, a pass through all takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
import xarray as xr

from climbench.grids import latitude_weights
from climbench.models.forecasting.state_channels import StateChannels

STRETCHES, STEPS = 16, 8
Reduction = Callable[[torch.Tensor], torch.Tensor]


def sampled_changes(train: Mapping[str, xr.Dataset], channels: StateChannels, steps: int = 1) -> Iterator[torch.Tensor]:
    """Yield what so many steps change, of normalised states, in about 16 stretches of 8 spread evenly over all periods.

    Parameters
    ----------
    train : mapping of str to Dataset
        Training periods, lazy or not; a stretch is read at once, and changes across gaps are left out.
    channels : StateChannels
        Of them.
    steps : int
        How many steps of the data a change is taken over.

    Yields
    ------
    Tensor of shape (channel, latitude, longitude)
    """
    for data in train.values():
        times = data["time"].values
        step = np.diff(times).min()
        count = min(STRETCHES // len(train) + 1, max(1, times.size // STEPS))
        for start in np.linspace(0, max(0, times.size - STEPS - steps), count).astype(int):
            part = slice(start, start + STEPS + steps)
            whole = torch.from_numpy(times[part][steps:] - times[part][:-steps] == steps * step)
            if bool(whole.any()):
                states = channels.tensor(data[list(channels.variables)].isel(time=part))
                yield from (states[steps:] - states[:-steps])[whole]


def reduced_changes(
    train: Mapping[str, xr.Dataset], channels: StateChannels, reductions: Sequence[Reduction], steps: int = 1
) -> list[torch.Tensor]:
    """Return what each reduction gives of `sampled_changes`, in one pass, with the changes along the first axis.

    Raises
    ------
    ModelError
        If a state is not finite.
    """
    found = [[reduce(change) for reduce in reductions] for change in sampled_changes(train, channels, steps)]
    return [torch.stack(values) for values in zip(*found, strict=True)]


def size_of_change(train: Mapping[str, xr.Dataset], channels: StateChannels, steps: int) -> np.ndarray:
    """Return the standard deviation over time and area of what so many steps change, over that of the state.

    Returns
    -------
    ndarray of shape (channel,)
    """
    mean = AreaMean(next(iter(train.values()))["latitude"])
    means, squares = reduced_changes(train, channels, [mean, lambda change: mean(change**2)], steps)
    return (squares.double().mean(0) - means.double().mean(0) ** 2).sqrt().numpy()


class AreaMean(torch.nn.Module):
    """The mean over the area of maps.

    Parameters
    ----------
    latitude : DataArray of shape (latitude,)
        Of the maps.
    """

    rows: torch.Tensor

    def __init__(self, latitude: xr.DataArray) -> None:
        super().__init__()
        weights = latitude_weights(latitude, "cell_area").values
        rows = torch.tensor(weights / weights.mean(), dtype=torch.float32)[:, None]
        self.register_buffer("rows", rows, persistent=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return means of shape (...) of maps of shape (..., latitude, longitude)."""
        return (self.rows * maps).mean((-2, -1))
