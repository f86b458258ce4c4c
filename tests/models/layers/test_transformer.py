"""Attention and blocks against PyTorch's own layers."""

from __future__ import annotations

import pytest
import torch

from climbench.models.layers.transformer import SelfAttention, StochasticDepth, TransformerBlock

WIDTH, HEADS = 8, 2


@pytest.fixture
def tokens():
    torch.manual_seed(0)
    return torch.randn(3, 5, WIDTH)


def copied_attention(attention, reference):
    reference.in_proj_weight.data.copy_(attention.qkv.weight)
    reference.in_proj_bias.data.copy_(attention.qkv.bias)
    reference.out_proj.load_state_dict(attention.proj.state_dict())


def test_attention_agrees_with_pytorchs(tokens):
    ours, theirs = SelfAttention(WIDTH, HEADS, 0.0), torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    copied_attention(ours, theirs)
    torch.testing.assert_close(ours(tokens), theirs(tokens, tokens, tokens)[0])


def test_a_block_agrees_with_pytorchs_encoder_layer(tokens):
    ours = TransformerBlock(WIDTH, HEADS, ratio=2.0)
    theirs = torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, 2 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    copied_attention(ours.attn, theirs.self_attn)
    for mine, other in (
        (ours.norm1, theirs.norm1),
        (ours.norm2, theirs.norm2),
        (ours.mlp.fc1, theirs.linear1),
        (ours.mlp.fc2, theirs.linear2),
    ):
        other.load_state_dict(mine.state_dict())
    torch.testing.assert_close(ours(tokens), theirs(tokens))


def test_the_parts_have_the_names_of_published_checkpoints():
    names = set(TransformerBlock(WIDTH, HEADS).state_dict())
    parts = ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
    assert names == {f"{part}.{kind}" for part in parts for kind in ("weight", "bias")}


def test_stochastic_depth_drops_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    layer = StochasticDepth(0.25)
    branch = layer(torch.ones(4000, 2, 3))
    assert branch.unique().tolist() == pytest.approx([0.0, 4.0 / 3.0])
    assert bool((branch.flatten(1).std(1) == 0.0).all())
    assert branch.mean().item() == pytest.approx(1.0, abs=0.05)


def test_stochastic_depth_does_nothing_once_trained():
    branch = torch.randn(4, 2)
    assert StochasticDepth(0.5).eval()(branch) is branch
