r"""The loss of an ensemble of states: the CRPS at each cell, and that of the amplitude of each spherical harmonic.

References
----------
Bonev et al. (2025), FourCastNet 3: a geometric approach to probabilistic machine-learning weather forecasting at scale,
arXiv:2507.12144.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from climbench.models.layers.harmonic_coefficients import HarmonicCoefficients
from climbench.models.training.crps import crps


class Amplitudes(HarmonicCoefficients):
    r"""How large each spherical harmonic of a map is: :math:`|a_{lm}| / \sqrt{4 \pi}` of the orthonormal harmonics.

    Squares, as often as they count, add up to the mean square over the sphere.
    """

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return amplitudes of shape (..., degree, order) of maps of shape (..., latitude, longitude)."""
        return super().forward(maps).abs() / math.sqrt(4.0 * math.pi)


class CellLoss(nn.Module):
    """The absolute error of a state in units of a step's change, and the CRPS of several; means over cells.

    Parameters
    ----------
    change : ndarray of shape (channel,)
        Standard deviation of a step's change over that of the state.
    channel_weights : ndarray of shape (channel,)
        With mean 1.
    row_weights : ndarray of shape (latitude,)
        With mean 1.
    """

    channel_scale: torch.Tensor
    rows: torch.Tensor

    def __init__(self, change: np.ndarray, channel_weights: np.ndarray, row_weights: np.ndarray) -> None:
        super().__init__()
        scale = torch.tensor(channel_weights / change, dtype=torch.float32)[:, None, None]
        self.register_buffer("channel_scale", scale, persistent=False)
        rows = torch.tensor(row_weights, dtype=torch.float32)[:, None]
        self.register_buffer("rows", rows, persistent=False)

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the absolute error of states of shape (batch, channel, latitude, longitude)."""
        return (self.channel_scale * self.rows * (prediction - target).abs()).mean()

    def crps(self, members: torch.Tensor, target: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        """Return the CRPS of members of shape (batch, member, channel, latitude, longitude)."""
        return (self.channel_scale * self.rows * crps(members, target, alpha)).mean()


class EnsembleLoss(CellLoss):
    """The CRPS of states in units of a step's change: the mean over cells, and a sum over harmonics.

    Parameters
    ----------
    *given
        Of `CellLoss`.
    alpha : float
        Of `climbench.models.training.crps.crps`.
    spectral : float
        Weight of the sum over harmonics; that of the mean over cells is 1.
    amplitudes : Amplitudes
        Of harmonics.
    """

    def __init__(self, *given: np.ndarray, alpha: float, spectral: float, amplitudes: Amplitudes) -> None:
        super().__init__(*given)
        self.alpha, self.spectral, self.amplitudes = alpha, spectral, amplitudes

    def forward(self, members: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss.

        Parameters
        ----------
        members : Tensor of shape (batch, member, channel, latitude, longitude)
            Predicted states.
        target : Tensor of shape (batch, channel, latitude, longitude)
            The true one.
        """
        loss = self.crps(members, target, self.alpha)
        if not self.spectral:
            return loss
        each = crps(self.amplitudes(members), self.amplitudes(target), self.alpha)
        summed = (self.amplitudes.times * each).sum((-2, -1), keepdim=True)
        return loss + self.spectral * (self.channel_scale * summed).mean()
