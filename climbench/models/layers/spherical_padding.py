"""Padding of latitude-longitude maps: as the sphere has it, or, of a region, by the values at the edge."""

from __future__ import annotations

import torch
from torch import nn

from climbench.errors import ModelError


class SphericalPadding(nn.Module):
    """Continues maps beyond their edges with what lies there on the globe.

    West of the first column lies the last one. Beyond a pole lie the rows before it, in reverse order and half a turn
    further east. This suits scalars; the components of a vector would change their sign over a pole.

    Parameters
    ----------
    width : int
        How many cells to add on every side; at most the number of rows and of columns.
    pole_rows : bool
        Whether the outermost rows lie on the poles; such a row is not repeated beyond the pole.

    Notes
    -----
    Only slices, rolls and concatenations are used: their gradients are deterministic on every device.
    """

    def __init__(self, width: int, *, pole_rows: bool = False) -> None:
        super().__init__()
        self.width, self.pole_rows = width, pole_rows

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return padded maps.

        Parameters
        ----------
        maps : Tensor of shape (..., latitude, longitude)
            With an even number of columns.

        Returns
        -------
        Tensor of shape (..., latitude + 2 width, longitude + 2 width)

        Raises
        ------
        ModelError
            If the number of columns is odd: there is no cell half a turn further then.
        """
        if self.width == 0:
            return maps
        columns = maps.shape[-1]
        if columns % 2:
            raise ModelError(f"Padding over the poles needs an even number of longitudes; the grid has {columns}.")
        skipped = int(self.pole_rows)
        first = maps[..., skipped : skipped + self.width, :]
        last = maps[..., -self.width - skipped : maps.shape[-2] - skipped, :]
        beyond = [torch.roll(torch.flip(rows, (-2,)), columns // 2, -1) for rows in (first, last)]
        tall = torch.cat([beyond[0], maps, beyond[1]], dim=-2)
        return torch.cat([tall[..., -self.width :], tall, tall[..., : self.width]], dim=-1)


class EdgePadding(nn.Module):
    """Continues maps of a region beyond their edges with the values at the edge.

    Parameters
    ----------
    width : int
        How many cells to add on every side.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (..., latitude + 2 width, longitude + 2 width)."""
        south, north = (
            maps[..., row, :].expand(*maps.shape[:-2], self.width, -1) for row in (slice(1), slice(-1, None))
        )
        tall = torch.cat([south, maps, north], dim=-2)
        west, east = (tall[..., column].expand(*tall.shape[:-1], self.width) for column in (slice(1), slice(-1, None)))
        return torch.cat([west, tall, east], dim=-1)


class SphericalConvolution(nn.Module):
    """A convolution of latitude-longitude maps that keeps their size; on the globe it knows no edge.

    Parameters
    ----------
    channels_in, channels_out : int
        Numbers of channels.
    size : int
        Width of the kernel, odd.
    pole_rows : bool or None
        As for `SphericalPadding`; None for maps of a region.
    """

    def __init__(self, channels_in: int, channels_out: int, size: int = 3, *, pole_rows: bool | None = False) -> None:
        super().__init__()
        width = size // 2
        self.padding = EdgePadding(width) if pole_rows is None else SphericalPadding(width, pole_rows=pole_rows)
        self.convolution = nn.Conv2d(channels_in, channels_out, size)
        # As much variance out as in behind a rectifier (He et al. 2015), so that deep networks pass their input on.
        nn.init.kaiming_normal_(self.convolution.weight, nonlinearity="relu")
        assert self.convolution.bias is not None
        nn.init.zeros_(self.convolution.bias)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channel, latitude, longitude)."""
        convolved: torch.Tensor = self.convolution(self.padding(maps))
        return convolved
