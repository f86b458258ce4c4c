"""Areas against the sphere, and CREDIT's and ACE's against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.errors import DataError
from climbench.physics import ace_weights, area_mean, area_sum, credit_cell_areas, exact_cell_areas

RADIUS = 6.371e6


@pytest.mark.parametrize("latitude", [np.linspace(-90.0, 90.0, 7), np.linspace(-75.0, 75.0, 6)])
def test_exact_areas_add_up_to_the_sphere(latitude):
    areas = exact_cell_areas(latitude, np.arange(8) * 45.0)
    assert areas.sum() == pytest.approx(4.0 * np.pi * RADIUS**2, rel=1e-14)


def test_an_exact_area_by_hand():
    """From the equator to 30 N sin(latitude) is 0.5; an eighth of that belt."""
    areas = exact_cell_areas(np.linspace(-75.0, 75.0, 6), np.arange(8) * 45.0)
    assert areas[3, 0] == pytest.approx(RADIUS**2 * 0.5 * np.pi / 4.0, rel=1e-14)


def test_credit_areas_by_hand():
    """sin(latitude) is -1, -0.5, 0, 0.5, 1 in rows: within, differences of second order are 0.5.

    At the ends (-3 f0 + 4 f1 - f2) / 2 = (3 - 2 - 0) / 2 = 0.5 as well. Columns are 90 degrees apart everywhere.
    """
    latitude = np.rad2deg(np.arcsin([-1.0, -0.5, 0.0, 0.5, 1.0]))
    areas = credit_cell_areas(latitude, np.arange(4) * 90.0)
    np.testing.assert_allclose(areas, np.full((5, 4), RADIUS**2 * 0.5 * np.pi / 2.0), rtol=1e-14)
    assert areas.sum() == pytest.approx(1.25 * 4.0 * np.pi * RADIUS**2)  # as CREDIT has it: not the sphere


def test_credit_areas_of_uneven_rows_by_hand():
    """sin of -60, 0, 60: -s, 0, s with s = 0.8660254: 2 s / 2 within, (3 s + 0 - s) / 2 = s at the ends."""
    areas = credit_cell_areas(np.array([60.0, 0.0, -60.0]), np.arange(3) * 120.0)
    expected = RADIUS**2 * 0.8660254037844386 * 2.0943951023931953  # 120 degrees, below pi: nothing to wrap
    np.testing.assert_allclose(areas, np.full((3, 3), expected), rtol=1e-14)


def test_ace_weights_by_hand():
    """cos of -60, 0, 60: 0.5, 1, 0.5 over 2."""
    np.testing.assert_allclose(ace_weights(np.array([-60.0, 0.0, 60.0])), [[0.25], [0.5], [0.25]], rtol=1e-14)


def test_means_and_sums_by_hand():
    """Rows of 1 and 3 with areas 1 and 2: (1 + 1 + 2 * 3 + 2 * 5) / 6 = 3; a column of weights counts for each cell."""
    values = np.array([[1.0, 1.0], [3.0, 5.0]])
    areas = np.array([[1.0, 1.0], [2.0, 2.0]])
    assert area_sum(values, areas) == 18.0
    assert area_mean(values, areas) == area_mean(values, areas[:, :1]) == 3.0


def test_float32_is_summed_in_float64():
    """Ones add up past 2**24, where float32 stops counting by ones."""
    values = np.ones((1, 2**24 + 5), dtype="float32")
    assert area_sum(values, np.ones((1, 1), dtype="float32")) == 2**24 + 5
    cold = np.full((32, 64), 280.1, dtype="float32")
    assert area_mean(cold, ace_weights(np.linspace(-87.0, 87.0, 32))) == pytest.approx(float(cold[0, 0]), rel=1e-15)


def test_turning_rows_and_rolling_columns():
    rng = np.random.default_rng(0)
    values, areas = rng.normal(280.0, 10.0, (3, 6, 8)), rng.uniform(1.0, 2.0, (6, 8))
    turned = area_mean(np.roll(values[:, ::-1], 3, -1), np.roll(areas[::-1], 3, -1))
    np.testing.assert_allclose(turned, area_mean(values, areas), rtol=1e-14)


def test_coordinates_that_are_no_grid():
    with pytest.raises(DataError, match=r"latitude.*ascend"):
        exact_cell_areas(np.linspace(75.0, -75.0, 6), np.arange(8) * 45.0)
    with pytest.raises(DataError, match=r"span 360 degrees.*Drop"):
        exact_cell_areas(np.linspace(-75.0, 75.0, 6), np.linspace(0.0, 360.0, 9))
