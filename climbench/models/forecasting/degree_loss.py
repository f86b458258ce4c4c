r"""A loss that sees all scales: beside the error of cells that of each degree of spherical harmonics.

The change that a step brings has nearly all of its power in few degrees, so that an error of cells hardly sees the
others: what a network makes up there grows in a roll-out until it is seen. With errors :math:`e` and changes
:math:`d` of a step, in the mean over channels and degrees :math:`l \geq 1` that change at all,

.. math:: \frac{\sum_m |e_l^m|^2}{\langle \sum_m |d_l^m|^2 \rangle}.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch_harmonics import RealSHT

from climbench.models.forecasting.stepper import StepLoss
from climbench.models.layers.row_interpolation import RowInterpolation
from climbench.quadrature import quadrature, recognise_quadrature

LEAST = 1e-6  # of a channel's whole change: degrees with less are round-off, such as those the data were truncated at


class DegreePower(nn.Module):
    """The power of maps at each degree of spherical harmonics; rows that no rule has are interpolated to Gaussian ones.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        Degrees north, ascending, from pole to pole.
    columns : int
        Longitudes round the globe.
    share : float
        Which share of the degrees that the grid resolves is looked at.
    """

    times: torch.Tensor

    def __init__(self, latitude: np.ndarray, columns: int, share: float = 1.0) -> None:
        super().__init__()
        rule = recognise_quadrature(latitude) or "legendre-gauss"
        count = int(share * min(latitude.size, columns // 2))
        self.to_rows = RowInterpolation(latitude, quadrature(rule, latitude.size).latitude)
        self.transform = RealSHT(latitude.size, columns, lmax=count, mmax=count, grid=rule, norm="ortho").float()
        times = torch.full((count,), 2.0)
        times[0] = 1.0
        self.register_buffer("times", times, persistent=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the power of maps of shape (..., latitude, longitude), of shape (..., degree).

        Summed over degrees it is the integral of the square over the sphere of radius 1.
        """
        with torch.autocast(maps.device.type, enabled=False):
            found = self.transform(self.to_rows(maps.float()))  # from the south: only signs differ
        power: torch.Tensor = (self.times * (found.real**2 + found.imag**2)).sum(-1)
        return power


class DegreeLoss(StepLoss):
    """`StepLoss`, and a weight times the error of each degree in units of its change.

    Parameters
    ----------
    *given
        Of `StepLoss`.
    power : DegreePower
        Of maps.
    usual : Tensor of shape (channel, degree)
        The mean power of a step's change, of normalised states.
    weight : float
        Of the second part.
    """

    inverse: torch.Tensor

    def __init__(self, *given: np.ndarray, power: DegreePower, usual: torch.Tensor, weight: float) -> None:
        super().__init__(*given)
        self.power, self.weight = power, weight
        counted = usual > LEAST * usual.sum(-1, keepdim=True)
        counted[:, 0] = False
        self.register_buffer("inverse", torch.where(counted, 1.0 / usual, 0.0) / counted.sum(), persistent=False)

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of states of shape (batch, channel, latitude, longitude)."""
        degrees = (self.power(prediction - target) * self.inverse).sum((-2, -1)).mean()
        return super().forward(prediction, target) + self.weight * degrees
