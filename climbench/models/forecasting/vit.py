"""A vision transformer over randomised leads, after Stormer, on the globe and on regions.

References
----------
Nguyen et al. (2024), Scaling transformer neural networks for skillful and reliable medium-range weather forecasting,
arXiv:2312.03876: leads drawn at random, adaptive norms, the change over a lead in units of its standard deviation, a
loss weighted by pressure, and forecasts that are the mean over sequences of leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from climbench.models.forecasting.lead_forecaster import PatchForecaster
from climbench.models.layers.adaptive_norm import AdaptiveBlock, LeadEmbedding, Modulation
from climbench.models.layers.patches import PatchEmbedding, unpatched
from climbench.models.layers.positions import sphere_positions


class ViTNetwork(nn.Module):
    """Patches, adaptive transformer blocks told the lead, and a linear layer back to cells.

    Parameters
    ----------
    channels_in, channels_out : int
        Numbers of channels.
    size : tuple of int
        Rows and columns, multiples of `patch`.
    patch, width, depth, heads : int
        Cells along a patch, length of a token, blocks, heads of attention.
    dropout : float
        Of the blocks.
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
        dropout: float,
    ) -> None:
        super().__init__()
        self.patch, self.patches = patch, (size[0] // patch, size[1] // patch)
        self.embedding = PatchEmbedding(patch, width, channels_in)
        self.pos_embed = nn.Parameter(sphere_positions(*self.patches, width)[None])
        self.lead = LeadEmbedding(width)
        self.blocks = nn.ModuleList(AdaptiveBlock(width, heads, 4.0, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = Modulation(width, 2)
        self.head = nn.Linear(width, channels_out * patch**2)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, maps: torch.Tensor, hours: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channel, latitude, longitude) for leads in hours, of shape (batch,)."""
        condition = self.lead(hours)
        tokens = self.embedding(maps) + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens, condition)
        shift, scale = self.modulation(condition)
        cells = self.head(self.norm(tokens) * (1.0 + scale) + shift)
        return unpatched(cells, self.patches, self.patch)


class ViT(PatchForecaster):
    """The vision transformer over randomised leads as a forecaster.

    On the globe rows that patches do not fill go on over the poles; beside a region its edge is repeated.

    Parameters
    ----------
    patch, width, depth, heads : int
        Of `ViTNetwork`.
    dropout : float
        Likewise.
    leads, combinations, clock
        As for `LeadForecaster`.
    **training
        Settings of `ForecastTraining`.
    """

    made = ViTNetwork

    def __init__(
        self,
        *,
        patch: int = 2,
        width: int = 64,
        depth: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
        leads: Sequence[int] = (1, 2, 4),
        combinations: int = 3,
        history: int = 1,
        clock: bool | None = None,
        **training: Any,
    ) -> None:
        shape = {"patch": patch, "width": width, "depth": depth, "heads": heads}
        architecture = {**shape, "dropout": dropout}
        super().__init__(architecture, training, leads=leads, combinations=combinations, history=history, clock=clock)
