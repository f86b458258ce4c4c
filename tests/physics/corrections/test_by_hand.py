"""CREDIT's and ACE's corrections on cases small enough to be worked out on paper."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.constants import GRAVITY
from climbench.errors import DataError
from climbench.physics import corrections
from climbench.physics.columns import Column

ONE = np.ones((1, 1))
TWO_CELLS = np.array([[1.0, 3.0]])


def tall(*levels):
    """Return one column."""
    return np.array(levels)[:, None, None]


def test_credit_dry_air_on_pressure_levels():
    """Of 100, 200 and 300 kg there are 100, 198 and 294 of dry air; the lower two are to be 0.99 of what they are."""
    humidity, thickness = tall(0.0, 0.01, 0.02), GRAVITY * tall(100.0, 200.0, 300.0)
    found = corrections.credit_humidity(humidity, thickness, ONE, np.array(100.0 + 0.99 * 492.0), levels=2)
    np.testing.assert_allclose(found[:, 0, 0], [0.0, 1.0 - 0.99 * 0.99, 1.0 - 0.98 * 0.99], atol=1e-15)


@pytest.mark.parametrize("levels", [0, 4])
def test_credit_dry_air_wants_levels_that_are_there(levels):
    with pytest.raises(DataError, match="of 3 levels"):
        corrections.credit_humidity(tall(0.0, 0.0, 0.0), tall(1.0, 1.0, 1.0), ONE, np.array(1.0), levels=levels)


def test_credit_dry_air_on_hybrid_layers():
    """M_a is 100 + 50 x 0.9, M_b is 1e5 x (0.001 + 0.002 x 0.9): 145 and 280 kg; 439 are wanted."""
    column = Column(GRAVITY * np.array([100.0, 50.0]), GRAVITY * np.array([0.001, 0.002]))
    given = np.full((1, 1), 1e5), tall(0.0, 0.1), column, ONE, np.array(439.0)
    assert corrections.credit_surface_pressure(*given)[0, 0] == pytest.approx(1.05e5, rel=1e-14)


def test_ace_dry_air():
    """Water weighs 41000 x 0.01 + 52000 x 0.02 = 1450 Pa; the air is 98.6 Pa too heavy, 100 Pa with the water in it."""
    column = Column(np.array([1000.0, 2000.0]), np.array([0.4, 0.5]))
    given = np.full((1, 1), 1e5), tall(0.01, 0.02), column, ONE, np.array(98550.0 - 98.6)
    found = corrections.ace_surface_pressure(*given)
    assert found[0, 0] == pytest.approx(99900.0, rel=1e-14)
    dry = 98550.0 - 98.6
    assert found[0, 0] == pytest.approx((dry + 1000.0 * 0.01 + 2000.0 * 0.02) / (1.0 - 0.4 * 0.01 - 0.5 * 0.02))


def test_water_of_both():
    """<P> is (4 + 3 x 2) / 4 = 2.5, <E> 2.5, <dW/dt> 0.5: the ratio is 0.8, in CREDIT's signs -(0.5 - 2.5) / 2.5."""
    rain, up, more = (1e-5 * np.array([row]) for row in ([4.0, 2.0], [2.5, 2.5], [2.0, 0.0]))
    found = corrections.closing_precipitation(rain, up, more, TWO_CELLS)
    np.testing.assert_allclose(found, 1e-5 * np.array([[3.2, 1.6]]), rtol=1e-14)
    brought = corrections.closing_convergence(more, up, found, np.zeros((1, 2)))
    np.testing.assert_allclose(brought, 1e-5 * np.array([[2.7, -0.9]]), rtol=1e-13)


def test_where_it_rains_nowhere_nothing_is_scaled():
    none = np.zeros((1, 2))
    assert (corrections.closing_precipitation(none, none + 1.0, none, TWO_CELLS) == 0.0).all()


def test_credit_energy():
    """At 300 K and 1 % of vapour cp is 1012.6936, and e 303808.08 + 25010 + 1000 + 12.5 J/kg; 1 % more is wanted."""
    energy = 303808.08 + 25010.0 + 1000.0 + 12.5
    given = tall(300.0), tall(0.01), np.full((1, 1), 1000.0), tall(3.0), tall(4.0), GRAVITY * tall(1000.0), ONE
    found = corrections.credit_temperature(*given, np.array(1.01 * energy * 1000.0))
    assert found[0, 0, 0] == pytest.approx((1.01 * energy - 25010.0 - 1000.0 - 12.5) / 1012.6936, rel=1e-14)
    assert found[0, 0, 0] == pytest.approx(303.25696, abs=1e-5)


def test_ace_energy():
    """Two dry layers over pressure ratios of e, of 1 and 2 kg, at 200 and 300 K over the sea.

    Q is 287.05 in both: g z is 43057.5 below and 86115 + 28705 above, the energy 258330 + 2 x 258322.5 J, and by 1 K
    it rises by 717.55 + 1.5 Q + 2 (717.55 + 0.5 Q) = 2870.275 J.
    """
    interfaces = 1e4 * np.exp(tall(0.0, 1.0, 2.0))
    thickness, above = GRAVITY * tall(1.0, 2.0), GRAVITY * tall(0.5, 2.0)
    given = tall(200.0, 300.0), tall(0.0, 0.0), np.zeros((1, 1)), interfaces, thickness, above, ONE
    found = corrections.ace_temperature(*given, np.array(774975.0 + 2.0 * 2870.275))
    np.testing.assert_allclose(found[:, 0, 0], [202.0, 302.0], rtol=1e-13)


def test_the_projection_is_the_smallest_change_there_is():
    """Against the pseudo-inverse of the residual written out; by hand for two levels."""
    pressure = np.array([30000.0, 50000.0, 100000.0])
    rises, warmths = np.array([300.0, 200.0, 100.0]), np.array([3.0, 2.0, 1.0])
    half = 0.5 * 287.05 * np.log(pressure[1:] / pressure[:-1])
    residual = np.array([[-1.0, 1, 0, half[0], half[0], 0], [0, -1.0, 1, 0, half[1], half[1]]])
    scale = np.concatenate([rises, warmths])
    expected = scale[:, None] * np.linalg.pinv(residual * scale)
    gain = corrections.projection_gain(pressure, rises, warmths)
    np.testing.assert_allclose(gain, expected, rtol=1e-9, atol=1e-12)
    two = corrections.projection_gain(np.array([1e4, 1e4 * np.e]), 100.0, 1.0)
    norm = 2e4 + 2.0 * 143.525**2
    np.testing.assert_allclose(two[:, 0], np.array([-1e4, 1e4, 143.525, 143.525]) / norm, rtol=1e-12)


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
def test_the_projection_leaves_its_share_of_the_residual(strength):
    pressure, draw = np.array([30000.0, 50000.0, 100000.0]), np.random.default_rng(0)
    heights, warm, humid = (m + s * draw.standard_normal((3, 2, 2)) for m, s in ((4e4, 2e3), (250, 9), (5e-3, 1e-3)))
    usual = np.array([30.0, -20.0])[:, None, None]
    gain = corrections.projection_gain(pressure, 100.0, 1.0)
    after = corrections.balanced(heights, warm, humid, pressure, gain, usual, strength=strength)

    def excess(geopotential, temperature):
        virtual = temperature * (1.0 + (461.5 / 287.05 - 1.0) * humid)
        mean = 287.05 * 0.5 * (virtual[1:] + virtual[:-1])
        return np.diff(geopotential, axis=0) + mean * np.log(pressure[1:] / pressure[:-1])[:, None, None] - usual

    np.testing.assert_allclose(excess(*after), (1.0 - strength) * excess(heights, warm), atol=1e-8)


def test_a_strength_beyond_one_is_refused():
    with pytest.raises(DataError, match="between 0 and 1"):
        corrections.balanced(*[tall(1.0, 2.0)] * 3, np.array([1e4, 2e4]), np.zeros((4, 1)), strength=1.5)


def test_nothing_stays_negative():
    given = np.array([[-1e-6, 0.0, 2e-3, np.nan]])
    np.testing.assert_array_equal(corrections.non_negative(given), [[0.0, 0.0, 2e-3, np.nan]])
