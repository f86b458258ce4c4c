"""FuXi's network: patches, a step down, Swin blocks, a step up, and a linear layer to the cells of each patch.

References
----------
Chen et al. (2023), FuXi: A cascade machine learning forecasting system for 15-day global weather forecast,
npj Clim. Atmos. Sci. 6, arXiv:2306.12873, methods.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from climbench.models.layers.patches import PatchEmbedding, unpatched
from climbench.models.layers.spherical_padding import SphericalConvolution, SphericalPadding
from climbench.models.layers.swin import SwinBlock


class ResidualConvolutions(nn.Module):
    """Two convolutions of width 3, each with group norm and SiLU, beside a skip connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        groups = math.gcd(32, width)
        units = [(SphericalConvolution(width, width), nn.GroupNorm(groups, width), nn.SiLU()) for _ in range(2)]
        self.layers = nn.Sequential(*[layer for unit in units for layer in unit])

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, width, row, column)."""
        added: torch.Tensor = maps + self.layers(maps)
        return added


class UTransformer(nn.Module):
    """FuXi's network for maps that end beyond the poles.

    Its cube embedding, a convolution over two states and a patch, is the embedding of patches of all states' channels.

    Parameters
    ----------
    channels_in, channels_out : int
        Numbers of channels, those of all states of the history in the first.
    size : tuple of int
        Rows and columns, multiples of two windows of patches.
    patch, width, depth, heads, window : int
        Cells along a patch, length of a token, blocks, heads of attention, tokens along a window.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        size: tuple[int, int],
        *,
        patch: int,
        width: int,
        depth: int,
        heads: int,
        window: int,
    ) -> None:
        super().__init__()
        self.patch, self.patches = patch, (size[0] // patch, size[1] // patch)
        inner = (self.patches[0] // 2, self.patches[1] // 2)
        self.embedding, self.norm = PatchEmbedding(patch, width, channels_in), nn.LayerNorm(width)
        self.padding = SphericalPadding(1)
        self.down, self.after_down = nn.Conv2d(width, width, 3, stride=2), ResidualConvolutions(width)
        shifts = [window // 2 * (number % 2) for number in range(depth)]
        self.blocks = nn.Sequential(*[SwinBlock(width, heads, inner, window, shift) for shift in shifts])
        self.up, self.after_up = nn.ConvTranspose2d(2 * width, width, 2, stride=2), ResidualConvolutions(width)
        self.head = nn.Linear(width, channels_out * patch**2)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channel, latitude, longitude)."""
        tokens = self.norm(self.embedding(maps)).transpose(1, 2).unflatten(2, self.patches)
        # The padding has a column and a row more on either side; the kernel's steps of two begin with the first.
        coarse = self.after_down(self.down(self.padding(tokens)))
        mixed = self.blocks(coarse.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        fine = self.after_up(self.up(torch.cat([coarse, mixed], dim=1)))
        return unpatched(self.head(fine.flatten(2).transpose(1, 2)), self.patches, self.patch)
