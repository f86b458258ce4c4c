"""Maps to tokens: each patch of a map becomes one vector."""

from __future__ import annotations

import torch
from torch import nn


class PatchEmbedding(nn.Module):
    """Embeds the square patches of maps, row by row from the first.

    Parameters
    ----------
    patch : int
        Cells along a side of a patch.
    width : int
        Length of a token.
    channels : int
        Channels of the maps.
    """

    def __init__(self, patch: int, width: int, channels: int = 1) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return tokens of shape (batch, token, width) of maps of shape (batch, channel, latitude, longitude)."""
        embedded: torch.Tensor = self.proj(maps)
        return embedded.flatten(2).transpose(1, 2)
