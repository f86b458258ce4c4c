"""The U-Net: its size, and that turning the globe turns the answer."""

from __future__ import annotations

import pytest
import torch

from climbench.errors import ModelError
from climbench.models.unet import UNet, UNetNetwork, halvings
from tests.models import small_climates


@pytest.fixture
def network():
    torch.manual_seed(0)
    return UNetNetwork(4, 2, (8, 16), (4, 6, 8), 3)


def turned(network, turn):
    """The same network on a globe turned by some columns: where things are turns along."""
    other = UNetNetwork(4, 2, (8, 16), (4, 6, 8), 3)
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        other.place_embed.copy_(network.place_embed.roll(turn, -1))
    return other


@pytest.mark.parametrize("turn", [4, 8, -4])
def test_turning_the_globe_by_whole_coarse_cells_turns_the_answer(network, turn):
    windows = torch.randn(2, 2, 2, 8, 16)
    torch.testing.assert_close(turned(network, turn)(windows.roll(turn, -1)), network(windows).roll(turn, -1))


def test_forcings_that_are_the_same_everywhere_make_a_map_by_the_trained_maps_alone(network):
    uniform = torch.ones(1, 2, 2, 8, 16)
    assert network(uniform).std(-1).max().item() > 1e-3
    with torch.no_grad():
        network.place_embed.zero_()
    assert network(uniform).std(-1).max().item() < 1e-6


def test_the_level_of_a_forcing_reaches_the_answer(network):
    """A normalisation over the map would hide it."""
    uniform = torch.ones(1, 2, 2, 8, 16)
    assert (network(2.0 * uniform) - network(uniform)).abs().max().item() > 1e-3


def test_its_size_follows_from_its_convolutions():
    def pair(channels_in, channels_out):
        return 9 * channels_in * channels_out + channels_out + 9 * channels_out**2 + channels_out

    down = pair(4 + 3, 4) + pair(4, 6) + pair(6, 8)
    up = pair(8 + 6, 6) + pair(6 + 4, 4)
    found = sum(p.numel() for p in UNetNetwork(4, 2, (8, 16), (4, 6, 8), 3).parameters())
    assert found == down + up + (4 * 2 + 2) + 3 * 8 * 16


@pytest.mark.parametrize(
    ("grid", "times"), [((32, 64), 5), ((48, 72), 2), ((96, 144), 3), ((96, 192), 5), ((5, 8), 0), ((6, 6), 0)]
)
def test_a_grid_is_halved_while_rows_and_columns_stay_whole(grid, times):
    assert halvings(grid) == times


def test_more_levels_than_the_grid_allows_are_left_out():
    network = UNetNetwork(4, 1, (6, 8), (4, 4, 4, 4, 4), 1)
    assert len(network.down) == 2
    assert network(torch.randn(1, 2, 2, 6, 8)).shape == (1, 1, 6, 8)


def test_a_region_is_refused():
    region = small_climates.inputs("ssp126").isel(longitude=slice(0, 6))
    with pytest.raises(ModelError, match="made for the whole globe"):
        UNet().network(region, 1)
