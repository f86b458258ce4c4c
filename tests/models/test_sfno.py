"""The spherical operator: turning the globe turns the answer, and rows that are not Gaussian are brought there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from climbench.errors import ModelError
from climbench.models.sfno import SFNONetwork, SFNOProjector
from climbench.quadrature import quadrature
from tests.models import small_climates

GAUSSIAN = quadrature("legendre-gauss", 12).latitude
CENTRES = np.arange(-82.5, 90.0, 15.0)


def made(latitude=GAUSSIAN, scale=1):
    torch.manual_seed(0)
    return SFNONetwork(4, 2, latitude, 24, width=6, layers=2, scale=scale)


def turned(network, turn, latitude, scale):
    other = made(latitude, scale)
    other.load_state_dict(network.state_dict())
    places = "operator.pos_embed.position_embeddings"
    with torch.no_grad():
        dict(other.named_parameters())[places].copy_(dict(network.named_parameters())[places].roll(turn, -1))
    return other


def with_places(network):
    """Torch-harmonics starts its trained maps at zero."""
    with torch.no_grad():
        dict(network.named_parameters())["operator.pos_embed.position_embeddings"].normal_()
    return network


@pytest.mark.parametrize(("scale", "turn"), [(1, 5), (1, -1), (2, 4)])
@pytest.mark.parametrize("latitude", [GAUSSIAN, CENTRES])
def test_turning_the_globe_turns_the_answer(latitude, scale, turn):
    network = with_places(made(latitude, scale))
    windows = torch.randn(2, 2, 2, 12, 24)
    answer = network(windows)
    assert answer.std().item() > 1e-2
    expected = turned(network, turn, latitude, scale)(windows.roll(turn, -1))
    torch.testing.assert_close(expected, answer.roll(turn, -1), atol=1e-4, rtol=1e-3)


def test_without_trained_maps_it_treats_north_and_south_alike():
    """Degree by degree it multiplies, whatever the order: maps turned upside down give answers turned upside down."""
    network = made()
    windows = torch.randn(1, 2, 2, 12, 24)
    torch.testing.assert_close(network(windows.flip(-2)), network(windows).flip(-2), atol=1e-4, rtol=1e-3)


def test_the_level_of_a_forcing_reaches_the_answer():
    """A normalisation over the map would hide it."""
    network, uniform = made(), torch.ones(1, 2, 2, 12, 24)
    assert (network(2.0 * uniform) - network(uniform)).abs().max().item() > 1e-2


def test_on_gaussian_rows_nothing_is_interpolated():
    network = made()
    torch.testing.assert_close(network.to_rows.weights, torch.eye(12))
    assert not bool(network.to_rows.pole_weights.any())


def test_north_and_south_are_not_exchanged():
    """Trained maps that mark the operator's first row show up in the north, where transforms begin."""
    network, marked = made(), made()
    with torch.no_grad():
        dict(marked.named_parameters())["operator.pos_embed.position_embeddings"][..., 0, :] = 5.0
    windows = torch.zeros(1, 2, 2, 12, 24)
    change = (marked(windows) - network(windows)).abs().mean((0, 1, 3))
    assert int(change.argmax()) == 11


def test_a_region_is_refused():
    region = small_climates.inputs("ssp126").isel(latitude=slice(0, 4))
    with pytest.raises(ModelError, match="made for the whole globe"):
        SFNOProjector().network(region, 1)
