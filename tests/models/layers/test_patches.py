"""Patches: which cells a token sees, and in which order they come."""

from __future__ import annotations

import torch

from climbench.models.layers.patches import PatchEmbedding


def test_a_token_is_the_weighted_sum_of_its_own_cells():
    layer = PatchEmbedding(2, 3)
    maps = torch.arange(24.0).view(1, 1, 4, 6)
    tokens = layer(maps)
    assert tokens.shape == (1, 6, 3)
    corner = maps[0, 0, 2:4, 4:6]
    weights = layer.proj.weight[:, 0]
    torch.testing.assert_close(tokens[0, 5], (weights * corner).sum((1, 2)) + layer.proj.bias)


def test_tokens_come_row_by_row():
    layer = PatchEmbedding(2, 1)
    tokens = layer(torch.zeros(1, 1, 4, 6))
    changed = torch.zeros(1, 1, 4, 6)
    changed[..., 0, 3] = 1.0
    differing = (layer(changed) != tokens).flatten().nonzero().flatten().tolist()
    assert differing == [1]
