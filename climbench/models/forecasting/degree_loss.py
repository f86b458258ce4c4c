r"""A loss that sees all scales: beside the error of cells that of each degree of spherical harmonics.

The change that a step brings has nearly all of its power in few degrees, so that an error of cells hardly sees the
others: what a network makes up there grows in a roll-out until it is seen. With errors :math:`e` and changes
:math:`d` of a step, in the mean over channels and degrees :math:`l \geq 1` that change at all,

.. math:: \frac{\sum_m |e_l^m|^2}{\langle \sum_m |d_l^m|^2 \rangle}.
"""

from __future__ import annotations

import numpy as np
import torch

from climbench.models.forecasting.stepper import StepLoss
from climbench.models.layers.harmonic_coefficients import HarmonicCoefficients

LEAST = 1e-6  # of a channel's whole change: degrees with less are round-off, such as those the data were truncated at


class DegreePower(HarmonicCoefficients):
    """The power of maps at each degree of spherical harmonics."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the power of maps of shape (..., latitude, longitude), of shape (..., degree).

        Summed over degrees it is the integral of the square over the sphere of radius 1.
        """
        found = super().forward(maps)
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
