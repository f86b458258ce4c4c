"""Maps brought to a size that can be halved often enough, and back."""

from __future__ import annotations

import torch
from torch import nn

from climbench.models.layers.spherical_padding import EdgePadding, SphericalPadding


class FittedSize(nn.Module):
    """Gives a network maps with more rows and columns than there are, and takes of its answer what lies on the map.

    On the globe only rows are added, continued over the poles; beside a region its edge is repeated.

    Parameters
    ----------
    network : Module
        From maps of the larger size to maps of that size.
    grid, size : tuple of int
        Rows and columns that there are, and of the larger maps.
    pole_rows : bool or None
        As for `SphericalConvolution`.
    """

    def __init__(
        self, network: nn.Module, grid: tuple[int, int], size: tuple[int, int], *, pole_rows: bool | None
    ) -> None:
        super().__init__()
        self.network, self.size = network, size
        self.before = tuple((large - small) // 2 for small, large in zip(grid, size, strict=True))
        after = [large - small - first for small, large, first in zip(grid, size, self.before, strict=True)]
        self.grid, self.width = grid, max(*after, *self.before)
        padding = EdgePadding(self.width) if pole_rows is None else SphericalPadding(self.width, pole_rows=pole_rows)
        self.padding: nn.Module = padding

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channel, latitude, longitude)."""
        if self.width == 0:
            answer: torch.Tensor = self.network(maps)
            return answer
        (south, west), (rows, columns) = self.before, self.size
        first, left = self.width - south, self.width - west
        large = self.padding(maps)[..., first : first + rows, left : left + columns]
        inner: torch.Tensor = self.network(large)
        return inner[..., south : south + self.grid[0], west : west + self.grid[1]]


def fitted_size(grid: tuple[int, int], levels: int, *, region: bool) -> tuple[int, int]:
    """Return the least size, no smaller than a grid, whose rows and columns can be halved at all levels but one.

    Parameters
    ----------
    grid : tuple of int
        Rows and columns.
    levels : int
        How many levels there are to be.
    region : bool
        Whether columns may be added; on the globe they are as many as there are.
    """
    rows, columns = (-(-count // 2**levels) * 2**levels for count in grid)
    return rows, columns if region else grid[1]
