"""Leaves of maps on the sphere what has few enough waves."""

from __future__ import annotations

import torch
from torch import nn
from torch_harmonics import InverseRealSHT, RealSHT

from climbench.quadrature import Rule


class LowDegrees(nn.Module):
    """Maps without the spherical harmonics from some degree on.

    Parameters
    ----------
    rows, columns : int
        Of the grid.
    count : int
        How many degrees are left, those from 0.
    rule : str
        The quadrature rule of the rows.
    """

    def __init__(self, rows: int, columns: int, count: int, rule: Rule) -> None:
        super().__init__()
        self.forth = RealSHT(rows, columns, lmax=count, mmax=count, grid=rule)
        self.back = InverseRealSHT(rows, columns, lmax=count, mmax=count, grid=rule)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (..., latitude, longitude)."""
        left: torch.Tensor = self.back(self.forth(maps))
        return left
