"""Transformer blocks whose norms are scaled and shifted by a condition, such as how far to forecast.

References
----------
Peebles and Xie (2023), Scalable diffusion models with transformers, arXiv:2212.09748, section 3.2 (adaLN-Zero), as
used for lead times by Nguyen et al. (2024), arXiv:2312.03876.
"""

from __future__ import annotations

import torch
from torch import nn

from climbench.models.layers.positions import sine_cosine
from climbench.models.layers.transformer import Perceptron, SelfAttention


class LeadEmbedding(nn.Module):
    """Embeds leads: sines and cosines, and two linear layers.

    Parameters
    ----------
    width : int
        Length of the vector, even.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, hours: torch.Tensor) -> torch.Tensor:
        """Return vectors of shape (batch, width) of leads in hours, of shape (batch,)."""
        embedded: torch.Tensor = self.layers(sine_cosine(hours, self.width))
        return embedded


class Modulation(nn.Module):
    r"""Numbers for each channel from a condition, zero at first.

    Parameters
    ----------
    width : int
        Length of condition and token.
    count : int
        How many vectors.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.linear = nn.Linear(width, count * width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, condition: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return vectors of shape (batch, 1, width) of conditions of shape (batch, width)."""
        vectors: torch.Tensor = self.linear(nn.functional.silu(condition))
        return vectors[:, None].chunk(self.count, dim=-1)


class AdaptiveBlock(nn.Module):
    r"""Attention and perceptron, each as :math:`x + g\, f((1 + s)\, \mathrm{norm}(x) + b)`.

    Gate, scale and shift :math:`g, s, b` are linear in the condition and zero at first: a new block changes nothing.

    Parameters
    ----------
    width, heads, ratio, dropout
        As for `TransformerBlock`.
    """

    def __init__(self, width: int, heads: int, ratio: float = 4.0, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False)
        self.attn = SelfAttention(width, heads, dropout)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False)
        self.mlp = Perceptron(width, int(width * ratio), dropout)
        self.modulation = Modulation(width, 6)

    def forward(self, tokens: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return tokens of shape (batch, token, width) for conditions of shape (batch, width)."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(condition)
        tokens = tokens + gate1 * self.attn(self.norm1(tokens) * (1.0 + scale1) + shift1)
        mixed: torch.Tensor = tokens + gate2 * self.mlp(self.norm2(tokens) * (1.0 + scale2) + shift2)
        return mixed
