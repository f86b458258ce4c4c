"""The transformer block of vision transformers, and stochastic depth.

References
----------
Dosovitskiy et al. (2021), An image is worth 16x16 words, arXiv:2010.11929, eqs. 2 and 3; Huang et al. (2016), Deep
networks with stochastic depth, arXiv:1603.09382. Names of the parts are those of the usual checkpoints.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class StochasticDepth(nn.Module):
    """Leaves out a branch for some samples of a batch while training, and scales it up for the others.

    Parameters
    ----------
    rate : float
        The share of samples, from 0 to below 1.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: torch.Tensor) -> torch.Tensor:
        """Return a branch of shape (batch, ...)."""
        if not self.training or self.rate == 0.0:
            return branch
        kept = torch.rand(branch.shape[0], device=branch.device) >= self.rate
        scale = kept.to(branch.dtype) / (1.0 - self.rate)
        return branch * scale.view(-1, *[1] * (branch.ndim - 1))


class SelfAttention(nn.Module):
    """Attention of tokens to one another, in several heads."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.proj_drop = nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return tokens of shape (batch, token, width)."""
        split = self.qkv(tokens).view(*tokens.shape[:2], 3, self.heads, -1)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        projected: torch.Tensor = self.proj_drop(self.proj(mixed.transpose(1, 2).flatten(2)))
        return projected


class Perceptron(nn.Module):
    """Two linear layers, token by token."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return tokens of shape (batch, token, width)."""
        transformed: torch.Tensor = self.drop(self.fc2(self.drop(functional.gelu(self.fc1(tokens)))))
        return transformed


class TransformerBlock(nn.Module):
    """Attention and perceptron, each behind a layer norm and beside a skip connection.

    Parameters
    ----------
    width : int
        Length of a token.
    heads : int
        A divisor of it.
    ratio : float
        Width of the perceptron's hidden layer over that of a token.
    dropout : float
        Of attention's and perceptron's outputs.
    depth_rate : float
        Of `StochasticDepth`.
    """

    def __init__(
        self, width: int, heads: int, ratio: float = 4.0, dropout: float = 0.0, depth_rate: float = 0.0
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = SelfAttention(width, heads, dropout)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Perceptron(width, int(width * ratio), dropout)
        self.drop_path = StochasticDepth(depth_rate)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return tokens of shape (batch, token, width)."""
        tokens = tokens + self.drop_path(self.attn(self.norm1(tokens)))
        mixed: torch.Tensor = tokens + self.drop_path(self.mlp(self.norm2(tokens)))
        return mixed
