"""ClimaX as a forecaster: a vision transformer over variables and places, told the lead, on the globe and on regions.

References
----------
Nguyen et al. (2023), ClimaX: A foundation model for weather and climate, arXiv:2301.10343, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from climbench.models.forecasting.lead_forecaster import PatchForecaster
from climbench.models.layers.patches import unpatched
from climbench.models.layers.positions import sphere_positions
from climbench.models.layers.transformer import TransformerBlock
from climbench.models.layers.variable_tokens import NARROW, VariableTokens, start_narrow

LEAD_UNIT = 100.0  # hours
FULL_WIDTH = 1024  # of the original, whose weights begin as narrow as this


class ClimaXForecastNetwork(VariableTokens):
    """The transformer with the head for a map.

    Parameters
    ----------
    channels_in, channels_out : int
        Numbers of channels.
    size : tuple of int
        Rows and columns, multiples of `patch`.
    patch, width, depth, heads : int
        Cells along a patch, length of a token, blocks, heads of attention.
    decoder_depth : int
        Hidden layers of the head.
    dropout, depth_rate : float
        Of the blocks; stochastic depth rises from 0 to `depth_rate`.
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
        decoder_depth: int,
        dropout: float,
        depth_rate: float,
    ) -> None:
        super().__init__(channels_in, patch, width, heads)
        self.patch, self.patches = patch, (size[0] // patch, size[1] // patch)
        self.pos_embed = nn.Parameter(sphere_positions(*self.patches, width)[None])
        self.lead_time_embed = nn.Linear(1, width)
        self.pos_drop = nn.Dropout(dropout)
        rates = [depth_rate * n / max(1, depth - 1) for n in range(depth)]
        self.blocks = nn.ModuleList(TransformerBlock(width, heads, 4.0, dropout, rate) for rate in rates)
        self.norm = nn.LayerNorm(width)
        hidden = [layer for _ in range(decoder_depth) for layer in (nn.Linear(width, width), nn.GELU())]
        last = nn.Linear(width, channels_out * patch**2)
        self.head = nn.Sequential(*hidden, last)
        start_narrow(self, NARROW * math.sqrt(FULL_WIDTH / width))  # so that small ones pass on as much
        nn.init.normal_(self.lead_time_embed.weight)  # so that leads of hours are told apart at small widths too
        nn.init.zeros_(last.weight)

    def forward(self, maps: torch.Tensor, hours: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channel, latitude, longitude) for leads in hours, of shape (batch,)."""
        lead = self.lead_time_embed(hours[:, None] / LEAD_UNIT)
        tokens = self.pos_drop(self.of_places(maps) + self.pos_embed + lead[:, None])
        for block in self.blocks:
            tokens = block(tokens)
        return unpatched(self.head(self.norm(tokens)), self.patches, self.patch)


class ClimaX(PatchForecaster):
    """ClimaX as a forecaster, trained from scratch.

    The original predicts states directly at leads from 6 hours to a week that are drawn at random. This one is trained
    at some leads, and reaches others by steps of them, the longest first; it predicts changes. Grids are as for `ViT`.

    Parameters
    ----------
    patch, width, depth, heads, decoder_depth : int
        Of `ClimaXForecastNetwork`.
    dropout, depth_rate : float
        Likewise.
    leads, combinations, clock
        As for `LeadForecaster`.
    **training
        Settings of `ForecastTraining`.
    """

    made = ClimaXForecastNetwork

    def __init__(
        self,
        *,
        patch: int = 2,
        width: int = 64,
        depth: int = 4,
        heads: int = 4,
        decoder_depth: int = 2,
        dropout: float = 0.0,
        depth_rate: float = 0.0,
        leads: Sequence[int] = (1, 4, 12),
        combinations: int = 1,
        history: int = 1,
        clock: bool | None = None,
        **training: Any,
    ) -> None:
        shape = {"patch": patch, "width": width, "depth": depth, "heads": heads, "decoder_depth": decoder_depth}
        architecture = {**shape, "dropout": dropout, "depth_rate": depth_rate}
        super().__init__(architecture, training, leads=leads, combinations=combinations, history=history, clock=clock)
