r"""Blocks of the second Swin transformer on token maps of the globe: windows go round it, and not over the poles.

References
----------
Liu et al. (2022), Swin transformer V2: Scaling up capacity and resolution, arXiv:2111.09883, section 3: scaled cosine
attention, log-spaced continuous position bias (with the sigmoid of the public code), norms behind the branches.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from climbench.models.layers.transformer import Perceptron

LARGEST_SCALE = math.log(100.0)
BIAS_HIDDEN, BIAS_LARGEST = 512, 16.0


def log_offsets(window: int) -> torch.Tensor:
    r"""Return the offsets of a window's tokens from one another, spaced by logarithms.

    An offset of n tokens is :math:`\mathrm{sign}(n) \log_2(1 + 8 |n| / (w - 1)) / \log_2 8`, with the window w.

    Returns
    -------
    Tensor of shape (2 window - 1, 2 window - 1, 2)
        Of rows and columns, from 1 - window to window - 1.
    """
    steps = torch.arange(1 - window, window, dtype=torch.float32) * (8.0 / max(1, window - 1))
    spaced = steps.sign() * torch.log2(1.0 + steps.abs()) / 3.0
    return torch.stack(torch.meshgrid(spaced, spaced, indexing="ij"), dim=-1)


def offset_numbers(window: int) -> torch.Tensor:
    """Return which of the offsets, flattened, lies between two tokens, of shape (window^2, window^2)."""
    place = torch.arange(window)
    places = torch.stack(torch.meshgrid(place, place, indexing="ij")).flatten(1)
    apart = places[:, :, None] - places[:, None, :] + window - 1
    return apart[0] * (2 * window - 1) + apart[1]


class WindowAttention(nn.Module):
    r"""Attention within windows: :math:`\cos(q, k) e^{\min(s, \ln 100)} + b`, with the bias of their offset.

    Parameters
    ----------
    width, heads, window : int
        Length of a token, heads, tokens along a window.
    """

    offsets: torch.Tensor
    numbers: torch.Tensor

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.query_bias = nn.Parameter(torch.zeros(width))
        self.value_bias = nn.Parameter(torch.zeros(width))
        self.scale = nn.Parameter(torch.full((heads, 1, 1), math.log(10.0)))
        first = nn.Linear(2, BIAS_HIDDEN)
        self.bias = nn.Sequential(first, nn.ReLU(), nn.Linear(BIAS_HIDDEN, heads, bias=False))
        self.proj = nn.Linear(width, width)
        self.register_buffer("offsets", log_offsets(window), persistent=False)
        self.register_buffer("numbers", offset_numbers(window), persistent=False)

    def position_bias(self) -> torch.Tensor:
        """Return the bias of each head between tokens, of shape (head, token, token)."""
        table = self.bias(self.offsets).flatten(0, 1)[self.numbers]
        return BIAS_LARGEST * torch.sigmoid(table.permute(2, 0, 1))

    def factor(self) -> torch.Tensor:
        """Return what cosines are multiplied by, at most 100, of shape (head, 1, 1)."""
        return self.scale.clamp(max=LARGEST_SCALE).exp()

    def forward(self, windows: torch.Tensor, apart: torch.Tensor) -> torch.Tensor:
        """Return tokens of shape (batch, window, token, width).

        Parameters
        ----------
        windows : Tensor of that shape
            Tokens.
        apart : Tensor of bool of shape (window, token, token)
            Which do not attend to one another.
        """
        bias = torch.cat([self.query_bias, torch.zeros_like(self.query_bias), self.value_bias])
        split = functional.linear(windows, self.qkv.weight, bias).reshape(*windows.shape[:3], 3, self.heads, -1)
        query, key, value = split.permute(3, 0, 1, 4, 2, 5)
        cosine = functional.normalize(query, dim=-1) @ functional.normalize(key, dim=-1).transpose(-1, -2)
        score = (cosine * self.factor() + self.position_bias()).masked_fill(apart[:, None], float("-inf"))
        mixed = (score.softmax(-1).to(value.dtype) @ value).transpose(2, 3).flatten(3)
        projected: torch.Tensor = self.proj(mixed)
        return projected


class SwinBlock(nn.Module):
    """Attention within windows and a perceptron, a norm behind each, beside skip connections.

    Parameters
    ----------
    width, heads : int
        Length of a token, heads of attention.
    size : tuple of int
        Rows and columns of tokens, multiples of `window`.
    window, shift : int
        Tokens along a window, and by how many windows are shifted: round the globe, and towards the north, where the
        window that would reach over a pole is parted.
    """

    apart: torch.Tensor

    def __init__(self, width: int, heads: int, size: tuple[int, int], window: int, shift: int) -> None:
        super().__init__()
        self.size, self.window, self.shift = size, window, shift
        self.attn = WindowAttention(width, heads, window)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = Perceptron(width, 4 * width, 0.0)
        wrapped = (torch.arange(size[0]) < shift).float()[:, None].expand(size).roll(-shift, 0)
        side = self._parted(wrapped[None, ..., None])[0, ..., 0]
        self.register_buffer("apart", side[:, :, None] != side[:, None, :], persistent=False)

    def _parted(self, maps: torch.Tensor) -> torch.Tensor:
        """Return windows, (batch, window, token, width), of maps of shape (batch, row, column, width)."""
        batch, rows, columns, width = maps.shape
        window = self.window
        tiles = maps.reshape(batch, rows // window, window, columns // window, window, width)
        return tiles.transpose(2, 3).reshape(batch, -1, window**2, width)

    def _joined(self, windows: torch.Tensor) -> torch.Tensor:
        (rows, columns), window = self.size, self.window
        tiles = windows.reshape(len(windows), rows // window, columns // window, window, window, -1)
        return tiles.transpose(2, 3).reshape(len(windows), rows, columns, -1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, row, column, width)."""
        turned = maps.roll((-self.shift, -self.shift), (1, 2))
        attended = self._joined(self.attn(self._parted(turned), self.apart)).roll((self.shift, self.shift), (1, 2))
        maps = maps + self.norm1(attended)
        mixed: torch.Tensor = maps + self.norm2(self.mlp(maps))
        return mixed
