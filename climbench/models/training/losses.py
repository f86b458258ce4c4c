"""Losses: what a network's prediction is judged by, of tensors of shape (batch, variable, latitude, longitude)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import xarray as xr

from climbench.grids import latitude_weights

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def area_mean_square(grid: xr.Dataset) -> Loss:
    """Return the mean square error in which each cell weighs by its area.

    Parameters
    ----------
    grid : Dataset
        With the coordinate ``latitude``.

    Returns
    -------
    callable
        Of prediction and target.
    """
    weights = latitude_weights(grid["latitude"], "cell_area").values
    rows = torch.tensor(weights / weights.mean(), dtype=torch.float32)[:, None]

    def loss(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (rows.to(prediction.device) * (prediction - target) ** 2).mean()

    return loss


def mean_square(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the mean square error in which all cells weigh the same."""
    return ((prediction - target) ** 2).mean()
