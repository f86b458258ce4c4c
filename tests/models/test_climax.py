"""ClimaX: its size, its parts by themselves, and the settings of the original."""

from __future__ import annotations

import pytest
import torch

from climbench.errors import ModelError
from climbench.models.climax import ClimaX, ClimaXNetwork
from climbench.models.training.trainer import seed_of
from tests.models import small_climates

SMALL = {"patch": 4, "width": 8, "depth": 2, "heads": 2}


def made(channels=3, variables=2, years=4, **changes):
    torch.manual_seed(0)
    sizes = {**SMALL, "dropout": 0.0, "depth_rate": 0.0, **changes}
    return ClimaXNetwork(channels, variables, years, (8, 16), **sizes)


def attention(width):
    return 4 * width**2 + 4 * width


def by_formula(c, v, years, cells, *, patch, width, depth, places):
    """Embeddings of patches, variables, places and years; queries; attentions; blocks; the last norm; the head."""
    embeddings = c * (patch**2 + 1) * width + (c + places + years + 2) * width
    block = 4 * width + attention(width) + 8 * width**2 + 5 * width
    return embeddings + 2 * attention(width) + depth * block + 2 * width + (width + 1) * v * cells


def test_its_size_follows_the_formula():
    found = sum(p.numel() for p in made().parameters())
    assert found == by_formula(3, 2, 4, 8 * 16, patch=4, width=8, depth=2, places=8)


def test_its_published_size_is_about_a_hundred_million():
    """107.6 million by the formula for 10 years, 4 forcings and one variable on 32 x 64 cells: as the paper says."""
    with torch.device("meta"):
        network = ClimaXNetwork(4, 1, 10, (32, 64), patch=2, width=1024, depth=8, heads=16, dropout=0.1, depth_rate=0.1)
    found = sum(p.numel() for p in network.parameters())
    assert found == by_formula(4, 1, 10, 32 * 64, patch=2, width=1024, depth=8, places=512)
    assert 1.0e8 < found < 1.2e8


def test_each_window_is_answered_by_itself():
    network, windows = made().eval(), torch.randn(3, 4, 3, 8, 16)
    one_by_one = torch.cat([network(window[None]) for window in windows])
    torch.testing.assert_close(network(windows), one_by_one)


def test_variables_are_joined_by_attention_with_a_trained_query():
    """Written out with PyTorch's own attention for one place of one map."""
    network = made().eval()
    with torch.no_grad():
        network.var_query.normal_()
    maps = torch.randn(2, 3, 8, 16)
    tokens = torch.stack([embed(maps[:, [c]])[1, 5] for c, embed in enumerate(network.token_embeds)])
    tokens = tokens + network.var_embed[0]
    joined, _ = network.var_agg(network.var_query[0], tokens, tokens)
    torch.testing.assert_close(network.of_places(maps)[1, 5], joined[0])


def test_years_are_told_apart():
    network, windows = made().eval(), torch.randn(1, 4, 3, 8, 16)
    with torch.no_grad():
        for parameter in network.parameters():  # at first forcings count for little
            parameter.normal_(std=0.5)
    apart = (network(windows) - network(windows.flip(1))).abs().max().item()
    with torch.no_grad():
        network.time_pos_embed.zero_()
    alike = (network(windows) - network(windows.flip(1))).abs().max().item()
    assert apart > 1e-3
    assert alike < 1e-5


def test_a_frozen_encoder_trains_its_norms_alone():
    network = ClimaX(**SMALL, frozen=True).network(small_climates.inputs("ssp126"), 1)
    for name, parameter in network.named_parameters():
        frozen = name.startswith("blocks.") and "norm" not in name
        assert parameter.requires_grad is not frozen


def test_frozen_weights_stay_as_they_are_in_training():
    emulator = ClimaX(**SMALL, frozen=True, epochs=1)
    emulator.fit(small_climates.training(), seed=0)
    fitted = emulator.networks["all"].state_dict()
    fresh = emulator._built(2, seed_of(0, "all")).state_dict()
    assert torch.equal(fitted["blocks.0.attn.qkv.weight"], fresh["blocks.0.attn.qkv.weight"])
    assert not torch.equal(fitted["head.weight"], fresh["head.weight"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patch": 5}, "Patches of 5 x 5 cells do not fill a grid of 8 x 16"),
        ({"width": 10, "heads": 5}, "multiple of 4 and of the 5 heads; it is 10"),
        ({"width": 12, "heads": 8}, "multiple of 4 and of the 8 heads; it is 12"),
    ],
)
def test_sizes_that_do_not_fit(settings, message):
    with pytest.raises(ModelError, match=message):
        ClimaX(**{**SMALL, **settings}).network(small_climates.inputs("ssp126"), 1)


def test_targets_may_be_left_in_their_units():
    emulator, train = ClimaX(scale_targets=False), small_climates.training()
    emulator._prepare(train)
    assert emulator.scale(emulator.records(train))[1].scale == {"tas": 1.0, "pr": 1.0}
