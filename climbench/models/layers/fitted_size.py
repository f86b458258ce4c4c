"""Maps brought to a size that can be halved often enough, and back."""

from __future__ import annotations

from collections.abc import Callable

import torch
import xarray as xr
from torch import nn

from climbench.errors import ModelError
from climbench.models.layers.globe import pole_rows_of
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

    def forward(self, maps: torch.Tensor, *conditions: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channel, latitude, longitude); conditions are passed on to the network."""
        if self.width == 0:
            answer: torch.Tensor = self.network(maps, *conditions)
            return answer
        (south, west), (rows, columns) = self.before, self.size
        first, left = self.width - south, self.width - west
        large = self.padding(maps)[..., first : first + rows, left : left + columns]
        inner: torch.Tensor = self.network(large, *conditions)
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
    rows, columns = tiled_size(grid, 2**levels)
    return rows, columns if region else grid[1]


def tiled_size(grid: tuple[int, int], tile: int) -> tuple[int, int]:
    """Return the least size, no smaller than a grid, whose rows and columns are multiples of a number of cells."""
    rows, columns = (-(-count // tile) * tile for count in grid)
    return rows, columns


def tiled(made: Callable[[tuple[int, int]], nn.Module], grid: xr.Dataset, tile: int) -> FittedSize:
    """Return a network of tiles, made for the least size that they fill, fitted to a grid.

    Parameters
    ----------
    made : callable
        Gives the network for numbers of rows and columns.
    grid : Dataset
        With coordinates ``latitude`` and ``longitude``, of the globe or a region.
    tile : int
        Cells along a tile.

    Raises
    ------
    ModelError
        If tiles do not go round the globe.
    """
    pole_rows = pole_rows_of(grid)
    there = (grid.sizes["latitude"], grid.sizes["longitude"])
    size = tiled_size(there, tile)
    if pole_rows is not None and size[1] != there[1]:
        raise ModelError(
            f"Tiles of {tile} cells (patches, and windows of them) do not go round a globe of {there[1]} longitudes; "
            "choose a patch and a window whose product divides it."
        )
    return FittedSize(made(size), there, size, pole_rows=pole_rows)
