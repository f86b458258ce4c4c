"""Maps to tokens, and back: each patch of a map becomes one vector."""

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


def unpatched(tokens: torch.Tensor, patches: tuple[int, int], patch: int) -> torch.Tensor:
    """Return maps of tokens that hold the cells of their patches.

    Parameters
    ----------
    tokens : Tensor of shape (batch, rows columns, channel patch patch)
        Row by row from the first, as `PatchEmbedding` has them.
    patches : tuple of int
        Rows and columns of patches.
    patch : int
        Cells along a side of a patch.

    Returns
    -------
    Tensor of shape (batch, channel, rows patch, columns patch)
    """
    cells = tokens.view(len(tokens), *patches, -1, patch, patch)
    return cells.permute(0, 3, 1, 4, 2, 5).reshape(len(tokens), -1, patches[0] * patch, patches[1] * patch)
