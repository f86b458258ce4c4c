"""Rows carried to nodes and integrated: against polynomials, and rows that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.errors import DataError
from climbench.harmonics.rows import rows_of
from climbench.quadrature import quadrature
from tests.example_grids import gaussian, regular, with_poles

GRIDS = {"gaussian": gaussian, "regular": regular, "with_poles": with_poles}
DEGREES = {"gaussian": 11, "regular": 11, "with_poles": 10}


@pytest.mark.parametrize("name", GRIDS)
def test_polynomials_to_twice_the_degree_are_integrated_exactly(name):
    """Products of two functions of a degree: even ones are x^i, odd ones cos(latitude) x^i."""
    rows = rows_of(GRIDS[name](12)["latitude"].values)
    assert rows.degree == DEGREES[name]
    cosine, at_nodes = np.sqrt(1.0 - rows.sine**2), np.sqrt(1.0 - rows.nodes**2)
    for power in range(rows.degree + 1):
        even = (rows.cosines @ rows.sine**power) * rows.nodes**rows.degree
        exact = 2.0 / (power + rows.degree + 1) if (power + rows.degree) % 2 == 0 else 0.0
        assert rows.weights @ even == pytest.approx(exact, abs=1e-13)
    for power in range(rows.degree):
        odd = (rows.sines @ (cosine * rows.sine**power)) * at_nodes * rows.nodes ** (rows.degree - 1)
        total = power + rows.degree - 1
        exact = 2.0 / (total + 1) - 2.0 / (total + 3) if total % 2 == 0 else 0.0
        assert rows.weights @ odd == pytest.approx(exact, abs=1e-13)


def test_lobatto_rows_are_known():
    assert rows_of(quadrature("lobatto", 12).latitude).degree == 10


def test_rounded_rows_are_taken_for_the_true_ones():
    exact = rows_of(regular(96)["latitude"].values)
    np.testing.assert_array_equal(rows_of(regular(96)["latitude"].values.astype("float32")).sine, exact.sine)


@pytest.mark.parametrize(
    "latitude",
    [np.linspace(20, 70, 17), np.linspace(-88, 88, 32), np.rad2deg(np.arcsin(np.linspace(-1, 1, 9)))],
    ids=["regional", "short of the poles", "equal areas"],
)
def test_other_rows_are_refused(latitude):
    with pytest.raises(DataError, match="no exact spherical-harmonic transform of"):
        rows_of(latitude)


def test_too_few_or_descending_rows_are_refused():
    with pytest.raises(DataError, match="three rows or more, and there are 2"):
        rows_of(np.array([-45.0, 45.0]))
    with pytest.raises(DataError, match="must ascend"):
        rows_of(np.array([90.0, 0.0, -90.0]))
