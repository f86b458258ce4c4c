"""Associated Legendre functions against SciPy, and derivatives against differences and values by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import sph_harm_y

from climbench.harmonics.legendre import legendre_functions

LATITUDE = np.deg2rad([-90.0, -61.3, -5.0, 0.0, 33.0, 89.0, 90.0])


@pytest.mark.parametrize("order", [0, 1, 2, 3, 17, 40])
def test_values_are_those_of_scipy(order):
    found = legendre_functions(order, 40, np.sin(LATITUDE)).values
    for degree in range(order, 41):
        expected = sph_harm_y(degree, order, np.pi / 2 - LATITUDE, 0.0).real
        np.testing.assert_allclose(found[degree - order], expected, atol=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_slopes_are_the_limit_of_differences(order):
    inner, step = LATITUDE[1:-1], 1e-6
    found = legendre_functions(order, 9, np.sin(inner)).slopes
    north, south = (legendre_functions(order, 9, np.sin(inner + h)).values for h in (step, -step))
    np.testing.assert_allclose(found, (north - south) / (2 * step), atol=1e-7)


def test_at_a_pole_only_order_one_has_slopes():
    """Y_1^1 = -sqrt(3 / 8 pi) cos(latitude) exp(i longitude): its slope at the north pole is sqrt(3 / 8 pi)."""
    one = legendre_functions(1, 1, np.array([-1.0, 1.0]))
    size = np.sqrt(3.0 / (8.0 * np.pi))
    np.testing.assert_allclose(one.slopes, [[-size, size]])
    np.testing.assert_allclose(one.quotients, [[-size, -size]])
    for order in (0, 2, 3):
        other = legendre_functions(order, 6, np.array([-1.0, 1.0]))
        assert not np.any(other.slopes)
        assert not np.any(other.quotients)


def test_quotients_are_values_over_the_cosine():
    found = legendre_functions(4, 9, np.sin(LATITUDE[1:-1]))
    np.testing.assert_allclose(found.quotients * np.cos(LATITUDE[1:-1]), 4 * found.values, atol=1e-13)


@pytest.mark.parametrize("order", [0, 200, 265, 700])
def test_high_degrees_stay_normalised(order):
    sine, weights = np.polynomial.legendre.leggauss(721)
    values = legendre_functions(order, 720, sine).values
    np.testing.assert_allclose(2.0 * np.pi * (values**2 @ weights), 1.0, rtol=1e-10)
