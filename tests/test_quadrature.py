"""Quadrature rules against torch-harmonics, polynomials and tables."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.errors import DataError
from climbench.quadrature import is_gaussian, quadrature, recognise_quadrature
from tests.example_grids import gaussian, regular, with_poles

THEIRS = {
    "legendre-gauss": "legendre_gauss_weights",
    "equiangular": "clenshaw_curtiss_weights",
    "lobatto": "lobatto_weights",
    "equiangular-trapezoidal": "trapezoidal_weights",
}
RULES = list(THEIRS)


@pytest.mark.parametrize("n", [2, 3, 32, 33, 121])
@pytest.mark.parametrize("rule", RULES)
def test_rules_equal_those_of_torch_harmonics(rule, n):
    theirs = pytest.importorskip("torch_harmonics.quadrature", reason="torch-harmonics is an optional dependency")
    sine, weights = getattr(theirs, THEIRS[rule])(n)
    ours = quadrature(rule, n)
    np.testing.assert_allclose(np.sin(np.deg2rad(ours.latitude)), sine.numpy(), atol=1e-14)
    np.testing.assert_allclose(ours.weights, weights.numpy(), atol=1e-14)


@pytest.mark.parametrize(
    ("rule", "degree"),
    [("legendre-gauss", 19), ("equiangular", 9), ("lobatto", 17), ("equiangular-trapezoidal", 1)],
)
def test_rules_are_exact_up_to_their_degree(rule, degree):
    latitude, weights = quadrature(rule, 10)
    sine = np.sin(np.deg2rad(latitude))
    for power in range(degree + 1):
        exact = 2.0 / (power + 1) if power % 2 == 0 else 0.0
        assert weights @ sine**power == pytest.approx(exact, abs=1e-14)
    # The next even power is not met (odd ones vanish by symmetry).
    assert abs(weights @ sine ** (degree + 1) - 2.0 / (degree + 2)) > 1e-7


def test_gaussian_latitudes_are_those_of_the_tables():
    latitude = quadrature("legendre-gauss", 32).latitude
    np.testing.assert_allclose(latitude[:-4:-1], [85.7606, 80.2688, 74.7445], atol=5e-5)
    np.testing.assert_allclose(latitude, -latitude[::-1], atol=1e-13)


@pytest.mark.parametrize("n", [4, 33, 400])
@pytest.mark.parametrize("rule", RULES)
def test_rules_are_recognised_from_rounded_latitudes(rule, n):
    assert recognise_quadrature(quadrature(rule, n).latitude.astype("float32")) == rule


@pytest.mark.parametrize("n", [2, 3, 6, 32, 96, 720])
def test_cell_centres_are_not_taken_for_a_quadrature_rule(n):
    assert recognise_quadrature(regular(n)["latitude"].values) is None


def test_other_rows_are_not_taken_for_gaussian_ones():
    assert not is_gaussian(with_poles(33)["latitude"].values)
    rows = gaussian(32)["latitude"].values.copy()
    assert not is_gaussian(rows[1:])
    rows[10] += 0.3
    assert not is_gaussian(rows)
    assert not is_gaussian(np.array([0.0]))


def test_a_caller_cannot_spoil_the_weights_of_the_next():
    quadrature("lobatto", 5).weights[:] = 0.0
    assert quadrature("lobatto", 5).weights.sum() == pytest.approx(2.0)


def test_unknown_rules_and_too_few_rows_are_refused():
    with pytest.raises(DataError, match=r"no quadrature rule 'gauss-legendre'.*legendre-gauss"):
        quadrature("gauss-legendre", 4)
    with pytest.raises(DataError, match="at least two rows, and 1 was"):
        quadrature("lobatto", 1)
