"""Columns against hand-worked sums, and vertical coordinates that are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.errors import DataError
from climbench.physics import (
    column_integral,
    hybrid_layers,
    hybrid_levels,
    pressure_layers,
    pressure_levels,
    sigma_layers,
)

A, B = np.array([500.0, 15000.0, 0.0]), np.array([0.0, 0.1, 1.0])
SURFACE = np.array([[1e5, 8e4]])


def test_trapezoid_on_pressure_levels_by_hand():
    """Levels 500, 700, 1000 hPa with q 1, 3, 2 g/kg: 2 * 200 + 2.5 * 300 = 1150 g/kg hPa = 115 Pa."""
    column = pressure_levels(np.array([5e4, 7e4, 1e5]))
    q = np.array([0.001, 0.003, 0.002])[:, None, None]
    assert column_integral(q, column.thickness()).item() == pytest.approx(115.0 / 9.80665, rel=1e-14)
    assert not column.needs_surface_pressure


def test_hybrid_midpoint_by_hand():
    """Interfaces of 1000 hPa: 5, 250, 1000 hPa; of 800 hPa: 5, 230, 800 hPa."""
    column = hybrid_layers(A, B)
    np.testing.assert_allclose(column.thickness(SURFACE)[:, 0], [[24500.0, 22500.0], [75000.0, 57000.0]], rtol=1e-14)
    edges = column.interface_pressure(SURFACE)[:, 0]
    np.testing.assert_allclose(edges, [[500.0, 500.0], [25000.0, 23000.0], [1e5, 8e4]], rtol=1e-14)
    x = np.array([2.0, 4.0])[:, None, None] * np.ones((2, 1, 2))
    expected = [[349000.0 / 9.80665, 273000.0 / 9.80665]]  # 2 * 24500 + 4 * 75000, 2 * 22500 + 4 * 57000
    np.testing.assert_allclose(column_integral(x, column.thickness(SURFACE)), expected, rtol=1e-14)


def test_hybrid_trapezoid_by_hand():
    """Levels at 5, 250, 1000 hPa with 2, 4, 6: 3 * 245 + 5 * 750 = 4485 hPa."""
    column = hybrid_levels(A, B)
    x = np.array([2.0, 4.0, 6.0])[:, None, None] * np.ones((3, 1, 2))
    found = column_integral(x, column.thickness(SURFACE), gravity=1.0)
    assert found[0, 0] == pytest.approx(448500.0, rel=1e-14)


def test_sigma_and_pressure_layers_are_their_limits():
    layers = sigma_layers(np.array([0.0, 0.25, 1.0])).thickness(SURFACE)
    np.testing.assert_allclose(layers[:, 0], [[25000.0, 20000.0], [75000.0, 60000.0]], rtol=1e-14)
    fixed = pressure_layers(np.array([0.0, 3e4, 1e5]))
    np.testing.assert_array_equal(fixed.thickness().ravel(), [3e4, 7e4])
    np.testing.assert_array_equal(fixed.interface_pressure().ravel(), [0.0, 3e4, 1e5])


def test_sums_are_in_float64():
    """1 and then 20000 times 1e-9: where a sum is kept in float32, what is added after 1 is lost."""
    x = np.full((20001, 1, 1), 1e-9, dtype="float32")
    x[0] = 1.0
    found = column_integral(x, np.ones((20001, 1, 1), "float32"), gravity=1.0).item()
    tail = float(np.float32(1e-9)) * 20000
    assert found - 1.0 == pytest.approx(tail, rel=1e-10)
    assert float(np.cumsum(x)[-1]) == 1.0  # what float32, one after the other, makes of it


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: pressure_levels(np.array([1e5, 7e4, 5e4])), "bottom up.*100000.*Turn them"),
        (lambda: pressure_levels(np.array([5e4, 1e5, 7e4])), "out of order.*Turn them"),
        (lambda: pressure_layers(np.array([1e5, 5e4])), "bottom up.*Turn them"),
        (lambda: hybrid_layers(A[::-1], B[::-1]), "bottom up.*Turn them"),
        (lambda: sigma_layers(np.array([1.0, 0.5, 0.0])), "bottom up.*Turn them"),
        (lambda: pressure_levels(np.array([500.0, 700.0, 1000.0])), "1000.*hPa.*Multiply them by 100"),
        (lambda: pressure_layers(np.array([0.0, 300.0, 1000.0])), "1000.*hPa.*Multiply them by 100"),
        (lambda: hybrid_layers(A / 100.0, B), "150.*hPa.*Multiply them by 100"),
        (lambda: hybrid_levels(A / 1e5, B), "0.15.*shares of a reference pressure.*Multiply"),
        (lambda: hybrid_layers(A[:2], B), "in pairs.*2 of a and 3 of b"),
        (lambda: hybrid_layers(np.array([0.0, np.nan, 0.0]), B), "finite.*nan"),
        (lambda: pressure_levels(np.array([5e4])), "2 finite numbers or more.*50000"),
        (lambda: hybrid_layers(A, B).thickness(None), "Surface pressure is missing.*PRESsfc"),
        (lambda: pressure_levels(np.array([5e4, 1e5])).interface_pressure(), "need interfaces.*hybrid_layers"),
    ],
)
def test_what_is_wrong_is_said_with_what_was_found_and_what_to_do(make, words):
    with pytest.raises(DataError, match=words):
        make()


def test_axes_from_the_front_are_refused():
    with pytest.raises(ValueError, match="counted from the end"):
        hybrid_layers(A, B).thickness(SURFACE, axis=0)
