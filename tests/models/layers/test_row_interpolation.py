"""Interpolation between rows against NumPy's, and what lies beyond the outermost row."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from climbench.models.layers.row_interpolation import RowInterpolation
from climbench.quadrature import quadrature

CENTRES = np.arange(-82.5, 90.0, 15.0)
GAUSSIAN = quadrature("legendre-gauss", 12).latitude


def test_between_rows_it_is_numpys_interpolation():
    rng = np.random.default_rng(0)
    field = rng.standard_normal((CENTRES.size, 4))
    moved = RowInterpolation(CENTRES, GAUSSIAN)(torch.tensor(field, dtype=torch.float32)).numpy()
    for column in range(4):
        inner = np.interp(GAUSSIAN[1:-1], CENTRES, field[:, column])
        np.testing.assert_allclose(moved[1:-1, column], inner, atol=1e-6)


def test_beyond_the_outermost_row_values_go_to_its_mean_at_the_pole():
    field = torch.zeros(2, 3, 4)
    field[:, -1] = torch.tensor([1.0, 2.0, 3.0, 6.0])
    moved = RowInterpolation(np.array([-60.0, 0.0, 60.0]), np.array([0.0, 75.0, 90.0]))(field)
    torch.testing.assert_close(moved[0, 2], torch.full((4,), 3.0))
    torch.testing.assert_close(moved[0, 1], torch.tensor([2.0, 2.5, 3.0, 4.5]))
    torch.testing.assert_close(moved[0, 0], torch.zeros(4))


@pytest.mark.parametrize("latitude", [CENTRES, GAUSSIAN, np.linspace(-90.0, 90.0, 7)])
def test_the_same_rows_stay_as_they_are(latitude):
    field = torch.randn(latitude.size, 5)
    torch.testing.assert_close(RowInterpolation(latitude, latitude)(field), field)


def test_the_weights_are_no_part_of_what_is_saved():
    assert not RowInterpolation(CENTRES, GAUSSIAN).state_dict()
