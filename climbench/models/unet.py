"""A U-Net from the forcings of some years to the climate of the last.

References
----------
Ronneberger et al. (2015), U-Net, arXiv:1505.04597; as an emulator of scenarios Kaltenborn et al. (2023), ClimateSet,
arXiv:2311.03721, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import xarray as xr
from torch import nn

from climbench.models.layers.globe import require_globe
from climbench.models.layers.spherical_padding import SphericalConvolution
from climbench.models.lightning import NetworkEmulator


class ConvolutionPair(nn.Module):
    """Two convolutions on the sphere, each followed by a rectifier.

    There is no normalisation over the map: it would take away the mean that tells how much carbon dioxide there is.
    """

    def __init__(self, channels_in: int, channels_out: int, *, pole_rows: bool | None) -> None:
        super().__init__()
        self.first = SphericalConvolution(channels_in, channels_out, pole_rows=pole_rows)
        self.second = SphericalConvolution(channels_out, channels_out, pole_rows=pole_rows)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channel, latitude, longitude)."""
        return nn.functional.gelu(self.second(nn.functional.gelu(self.first(maps))))


class UNetNetwork(nn.Module):
    """Convolutions on ever coarser maps and back, each level joined to its like on the way down.

    Years and variables of a window are channels; beside them stand trained maps, which tell the network where it is:
    convolutions alone would make of forcings that are the same everywhere a climate that is the same everywhere.

    Parameters
    ----------
    channels, variables : int
        Numbers of input channels (years times forcings) and of predicted variables.
    grid : tuple of int
        Numbers of latitudes and longitudes.
    widths : sequence of int
        Channels of each level. As many levels are used as the grid can be halved, and one.
    place_maps : int
        How many trained maps.
    pole_rows : bool or None
        Whether the outermost rows lie on the poles; None for maps of a region.
    """

    def __init__(
        self,
        channels: int,
        variables: int,
        grid: tuple[int, int],
        widths: Sequence[int],
        place_maps: int,
        *,
        pole_rows: bool | None = False,
    ) -> None:
        super().__init__()
        used = list(widths[: halvings(grid) + 1])
        self.place_embed = nn.Parameter(0.1 * torch.randn(1, place_maps, *grid))
        # Level by level the poles' own rows are averaged into cells, so that only the finest has rows on the poles.
        coarse = None if pole_rows is None else False
        kinds = [pole_rows, *[coarse] * (len(used) - 1)]
        before = [channels + place_maps, *used[:-1]]
        self.down = nn.ModuleList(
            ConvolutionPair(i, o, pole_rows=k) for i, o, k in zip(before, used, kinds, strict=True)
        )
        self.up = nn.ModuleList(
            ConvolutionPair(used[n + 1] + used[n], used[n], pole_rows=kinds[n]) for n in reversed(range(len(used) - 1))
        )
        self.head = nn.Conv2d(used[0], variables, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Return (batch, variable, latitude, longitude) for (batch, year, channel, latitude, longitude)."""
        maps = windows.flatten(1, 2)
        maps = torch.cat([maps, self.place_embed.expand(len(maps), -1, -1, -1)], dim=1)
        kept: list[torch.Tensor] = []
        for number, pair in enumerate(self.down):
            maps = pair(maps if number == 0 else nn.functional.avg_pool2d(maps, 2))
            kept.append(maps)
        for pair, fine in zip(self.up, reversed(kept[:-1]), strict=True):
            finer = maps.repeat_interleave(2, -2).repeat_interleave(2, -1)
            maps = pair(torch.cat([finer, fine], dim=1))
        fields: torch.Tensor = self.head(maps)
        return fields


def halvings(grid: tuple[int, int]) -> int:
    """Return how often both sizes of a grid can be halved, its rows and columns staying even in number or one row."""
    rows, columns = grid
    count = 0
    while rows % 2 == 0 and columns % 4 == 0:
        rows, columns, count = rows // 2, columns // 2, count + 1
    return count


class UNet(NetworkEmulator):
    """The U-Net as an emulator.

    Parameters
    ----------
    widths : sequence of int
        Channels of each level, from the finest.
    place_maps : int
        Trained maps beside the forcings.
    separate : bool
        Whether each variable has a network of its own.
    **training
        Settings of `TrainingSettings`.
    """

    def __init__(
        self, *, widths: Sequence[int] = (32, 64, 128), place_maps: int = 8, separate: bool = False, **training: Any
    ) -> None:
        own = {"widths": list(widths), "place_maps": place_maps, "separate": separate}
        super().__init__(own, training, separate=separate)
        self.widths, self.place_maps = tuple(widths), place_maps

    def network(self, grid: xr.Dataset, variables: int) -> nn.Module:
        """Return a new `UNetNetwork`; raise `ModelError` where the grid does not go round the globe."""
        pole_rows = require_globe(grid)
        size = (grid.sizes["latitude"], grid.sizes["longitude"])
        channels = self.window * len(self._channels)
        return UNetNetwork(channels, variables, size, self.widths, self.place_maps, pole_rows=pole_rows)
