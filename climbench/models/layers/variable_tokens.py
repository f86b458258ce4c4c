"""Tokens of variables, joined to one token for each place by a trained query that attends to them.

References
----------
Nguyen et al. (2023), ClimaX: A foundation model for weather and climate, arXiv:2301.10343, section 3.1. Names of the
parts are those of its checkpoints.
"""

from __future__ import annotations

import torch
from torch import nn

from climbench.models.layers.patches import PatchEmbedding
from climbench.models.layers.positions import sine_cosine

NARROW = 0.02


class VariableTokens(nn.Module):
    """Embeds each variable's patches on its own, and joins the variables at each place.

    Parameters
    ----------
    channels : int
        Number of variables, each level one.
    patch, width, heads : int
        Cells along a patch, length of a token, heads of attention.
    """

    def __init__(self, channels: int, patch: int, width: int, heads: int) -> None:
        super().__init__()
        self.token_embeds = nn.ModuleList(PatchEmbedding(patch, width) for _ in range(channels))
        self.var_embed = nn.Parameter(sine_cosine(torch.arange(channels), width)[None])
        self.var_query = nn.Parameter(torch.zeros(1, 1, width))
        self.var_agg = nn.MultiheadAttention(width, heads, batch_first=True)

    def of_places(self, maps: torch.Tensor) -> torch.Tensor:
        """Return one token for each place: (map, place, width) for (map, channel, latitude, longitude)."""
        each = [embed(maps[:, [channel]]) for channel, embed in enumerate(self.token_embeds)]
        tokens = torch.stack(each, dim=2) + self.var_embed
        of_places = tokens.flatten(0, 1)
        query = self.var_query.expand(len(of_places), -1, -1)
        joined, _ = self.var_agg(query, of_places, of_places, need_weights=False)
        return joined.view(len(maps), -1, joined.shape[-1])


def start_narrow(network: nn.Module, spread: float = NARROW) -> None:
    """Draw the weights of linear layers and patch embeddings from a normal distribution, cut off at 2; biases zero."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.trunc_normal_(module.weight, std=spread)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
