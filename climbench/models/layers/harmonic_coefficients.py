"""The spherical harmonics of maps, as losses look at them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch_harmonics import RealSHT

from climbench.models.layers.row_interpolation import RowInterpolation
from climbench.quadrature import quadrature, recognise_quadrature


class HarmonicCoefficients(nn.Module):
    """Coefficients of orthonormal spherical harmonics; rows that no rule has are interpolated to Gaussian ones.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        Degrees north, ascending, from pole to pole.
    columns : int
        Longitudes round the globe.
    share : float
        Which share of the degrees that the grid resolves is looked at, those from 0.

    Attributes
    ----------
    times : Tensor of shape (degree, order)
        How often the square of a coefficient counts in the integral of the map's square: orders above 0 stand for two.
    """

    times: torch.Tensor

    def __init__(self, latitude: np.ndarray, columns: int, share: float = 1.0) -> None:
        super().__init__()
        rule = recognise_quadrature(latitude) or "legendre-gauss"
        count = int(share * min(latitude.size, columns // 2)) if share < 1.0 else None
        self.to_rows = RowInterpolation(latitude, quadrature(rule, latitude.size).latitude)
        self.transform = RealSHT(latitude.size, columns, lmax=count, mmax=count, grid=rule, norm="ortho").float()
        times = torch.full((self.transform.lmax, self.transform.mmax), 2.0).tril()
        times[:, 0] = 1.0
        self.register_buffer("times", times, persistent=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return complex coefficients of shape (..., degree, order) of maps of shape (..., latitude, longitude).

        The transform counts rows from the north; from the south, as here, only signs differ.
        """
        with torch.autocast(maps.device.type, enabled=False):
            coefficients: torch.Tensor = self.transform(self.to_rows(maps.float()))
        return coefficients
