"""What is left of harmonics whose degree is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from climbench.models.layers.low_degrees import LowDegrees
from climbench.models.sfno import SFNONetwork
from climbench.quadrature import quadrature

ROWS = {rule: quadrature(rule, 17).latitude for rule in ("legendre-gauss", "equiangular")}
COLUMNS = 32


def sectoral(degree, latitude):
    """The harmonic whose order is its degree: cosine of latitude to that power, times waves along it."""
    shape = np.cos(np.deg2rad(latitude))[:, None] ** degree
    return torch.tensor(
        shape * np.cos(degree * np.linspace(0.0, 2 * np.pi, COLUMNS, endpoint=False)), dtype=torch.float32
    )


@pytest.mark.parametrize("rule", ROWS)
@pytest.mark.parametrize(("degree", "left"), [(0, 1.0), (3, 1.0), (4, 0.0), (7, 0.0)])
def test_harmonics_below_the_count_stay_and_others_go(rule, degree, left):
    wave = sectoral(degree, ROWS[rule])
    kept = LowDegrees(17, COLUMNS, 4, rule)(wave[None])[0]
    torch.testing.assert_close(kept, left * wave, atol=1e-5, rtol=1e-4)


def test_an_operator_of_some_degrees_answers_with_them_alone():
    """Its layers that work cell by cell make others, which are taken out of its answer."""
    torch.manual_seed(0)
    maps, rest = torch.randn(1, 1, 2, 17, COLUMNS), {}
    for share in (0.5, 1.0):
        network = SFNONetwork(2, 1, ROWS["legendre-gauss"], COLUMNS, 8, 2, 1, degrees=share)
        answer = network(maps).detach()
        rest[share] = float((answer - LowDegrees(17, COLUMNS, 8, "legendre-gauss")(answer)).abs().max() / answer.std())
    assert rest[0.5] < 1e-4 < 1e-2 < rest[1.0]
