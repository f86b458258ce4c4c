"""Where something stands, as numbers a network can use."""

from __future__ import annotations

import math

import torch


def sine_cosine(positions: torch.Tensor, width: int) -> torch.Tensor:
    """Return sines and cosines of positions at geometrically spaced frequencies.

    Parameters
    ----------
    positions : Tensor of shape (n,)
        Any unit.
    width : int
        How many numbers for each position, even.

    Returns
    -------
    Tensor of shape (n, width)
        Sines of all frequencies, then cosines.

    References
    ----------
    Vaswani et al. (2017), Attention is all you need, arXiv:1706.03762, section 3.5.
    """
    frequencies = 10000.0 ** (-torch.arange(width // 2, dtype=torch.float64, device=positions.device) / (width / 2))
    angles = positions.to(torch.float64)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1).to(torch.float32)


def sine_cosine_grid(rows: int, columns: int, width: int) -> torch.Tensor:
    """Return sines and cosines of places on a grid, row by row.

    Parameters
    ----------
    rows, columns : int
        Size of the grid.
    width : int
        How many numbers for each place, a multiple of four: half for its column, half for its row.

    Returns
    -------
    Tensor of shape (rows columns, width)
    """
    along = sine_cosine(torch.arange(columns), width // 2).repeat(rows, 1)
    across = sine_cosine(torch.arange(rows), width // 2).repeat_interleave(columns, 0)
    return torch.cat([along, across], dim=1)


def sphere_positions(rows: int, columns: int, width: int) -> torch.Tensor:
    """Return sines and cosines of places on the globe, row by row: what is told of a column goes round it.

    Parameters
    ----------
    rows, columns : int
        Size of the grid.
    width : int
        How many numbers for each place, a multiple of four: half for its column, at whole numbers of waves round the
        globe up to half as many as columns, half for its row.

    Returns
    -------
    Tensor of shape (rows columns, width)
    """
    waves = torch.logspace(0.0, math.log10(max(1, columns // 2)), width // 4, dtype=torch.float64).round()
    angles = 2.0 * math.pi / columns * torch.arange(columns, dtype=torch.float64)[:, None] * waves
    along = torch.cat([angles.sin(), angles.cos()], dim=1).to(torch.float32).repeat(rows, 1)
    across = sine_cosine(torch.arange(rows), width // 2).repeat_interleave(columns, 0)
    return torch.cat([along, across], dim=1)
