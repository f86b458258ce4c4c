"""Maps made larger for a network, and its answer cut to size again."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from climbench.models.layers.fitted_size import FittedSize, fitted_size


@pytest.mark.parametrize("pole_rows", [None, True, False])
def test_what_lies_on_the_map_comes_back(pole_rows):
    maps = torch.randn(2, 3, 5, 8)
    size = (8, 12) if pole_rows is None else (8, 8)
    torch.testing.assert_close(FittedSize(nn.Identity(), (5, 8), size, pole_rows=pole_rows)(maps), maps)


def test_a_network_sees_the_edge_repeated_beside_a_region():
    seen = []

    class Seeing(nn.Module):
        def forward(self, maps):
            seen.append(maps)
            return maps

    FittedSize(Seeing(), (1, 2), (2, 4), pole_rows=None)(torch.tensor([[[[1.0, 2.0]]]]))
    assert seen[0][0, 0].tolist() == [[1.0, 1.0, 2.0, 2.0]] * 2


def test_sizes_can_be_halved():
    assert fitted_size((17, 33), 3, region=True) == (24, 40)
    assert fitted_size((121, 240), 3, region=False) == (128, 240)
    assert fitted_size((32, 64), 3, region=False) == (32, 64)
