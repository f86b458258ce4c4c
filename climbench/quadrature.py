"""Latitudes and weights of the quadrature rules that spherical harmonic transforms use, in NumPy.

The names of the rules are those of torch-harmonics, whose grids they are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np
from scipy.special import eval_legendre, roots_jacobi

from climbench.errors import DataError, did_you_mean

Rule = Literal["legendre-gauss", "equiangular", "lobatto", "equiangular-trapezoidal"]

FIRST_ZERO_OF_J0 = 2.404825557695773
# Rounded coordinates differ from the true latitudes by less than this part of a row's mean width, and the outermost
# Gaussian latitude from that of cell centres by 0.27 of it, so that one is not taken for the other.
TOLERANCE = 0.02


class Quadrature(NamedTuple):
    """The rows of a quadrature rule.

    Attributes
    ----------
    latitude : ndarray of shape (n,)
        In degrees north, ascending.
    weights : ndarray of shape (n,)
        They add up to 2, the integral of cos(latitude) over latitude in radians from pole to pole.
    """

    latitude: np.ndarray
    weights: np.ndarray


def quadrature(rule: Rule, n: int) -> Quadrature:
    """Return the latitudes and weights of a rule with n rows.

    Parameters
    ----------
    rule : {"legendre-gauss", "equiangular", "lobatto", "equiangular-trapezoidal"}
        ``legendre-gauss`` is the Gaussian grid, without poles; exact for polynomials in sin(latitude) of degree
        2 n - 1. ``equiangular`` has equal steps of latitude and both poles (Clenshaw and Curtis), exact to degree
        n - 1. ``lobatto`` has both poles, exact to degree 2 n - 3. ``equiangular-trapezoidal`` has, despite its name,
        equal steps of sin(latitude), and is exact to degree 1.
    n : int
        How many rows; at least 2.

    Returns
    -------
    Quadrature
        Both in float64.

    Raises
    ------
    DataError
        If there is no such rule, or it has fewer than two rows.

    References
    ----------
    Trefethen (2008), Is Gauss quadrature better than Clenshaw-Curtis?, SIAM Rev. 50, doi:10.1137/060659831;
    Abramowitz and Stegun (1964), 25.4.32 (Lobatto).
    """
    if rule not in get_args(Rule):
        raise DataError(f"There is no quadrature rule '{rule}'. {did_you_mean(rule, get_args(Rule))}")
    if n < 2:
        raise DataError(f"A quadrature rule needs at least two rows, and {n} was asked for.")
    sine, weights = _nodes(rule, n)
    return Quadrature(np.rad2deg(np.arcsin(sine)), weights.copy())


@lru_cache(maxsize=16)
def _nodes(rule: Rule, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sines of the latitudes and the weights: cached, as a large Gaussian grid takes a tenth of a second."""
    if rule == "legendre-gauss":
        return np.polynomial.legendre.leggauss(n)
    if rule == "equiangular":
        return _clenshaw_curtis(n)
    if rule == "lobatto":
        return _lobatto(n)
    weights = np.full(n, 2.0 / (n - 1))
    weights[[0, -1]] /= 2.0
    return np.linspace(-1.0, 1.0, n), weights


def _clenshaw_curtis(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Integrate the cosine series through the nodes term by term."""
    intervals = n - 1
    angle = np.pi * np.arange(n) / intervals
    degree = np.arange(1, intervals // 2 + 1)
    term = np.where(2 * degree == intervals, 1.0, 2.0) / (4.0 * degree**2 - 1.0)
    weights = 2.0 / intervals * (1.0 - np.cos(2.0 * np.outer(angle, degree)) @ term)
    weights[[0, -1]] /= 2.0
    return -np.cos(angle), weights


def _lobatto(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Take both ends and the zeros of the derivative of a Legendre polynomial, a Jacobi polynomial."""
    inner = roots_jacobi(n - 2, 1.0, 1.0)[0] if n > 2 else np.empty(0)
    sine = np.concatenate([[-1.0], inner, [1.0]])
    return sine, 2.0 / (n * (n - 1) * eval_legendre(n - 1, sine) ** 2)


def recognise_quadrature(latitude: np.ndarray) -> Rule | None:
    """Return the rule whose rows these latitudes are, if any.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        In degrees north, ascending. Rounding is forgiven, up to 2 % of a row's mean width.

    Returns
    -------
    {"legendre-gauss", "equiangular", "lobatto", "equiangular-trapezoidal"} or None
        The first that fits: with three rows the last three rules have the same latitudes.
    """
    if is_gaussian(latitude):
        return "legendre-gauss"
    with_poles: tuple[Rule, ...] = ("equiangular", "lobatto", "equiangular-trapezoidal")
    return next((rule for rule in with_poles if _fits(latitude, rule)), None)


def is_gaussian(latitude: np.ndarray) -> bool:
    """Return whether these are all the latitudes of a Gaussian grid.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        In degrees north, ascending. Rounding is forgiven, up to 2 % of a row's mean width.

    Returns
    -------
    bool
        False for part of such a grid.
    """
    n = latitude.size
    if n < 2:
        return False
    # The outermost row tells cheaply that a grid is none: its colatitude is nearly the first zero of a Bessel function.
    outermost = 90.0 - np.rad2deg(FIRST_ZERO_OF_J0) / (n + 0.5)
    if abs(latitude[-1] - outermost) > 0.1 * 180.0 / n:
        return False
    return _fits(latitude, "legendre-gauss")


def _fits(latitude: np.ndarray, rule: Rule) -> bool:
    n = latitude.size
    if n < 2:
        return False
    return bool(np.abs(latitude - quadrature(rule, n).latitude).max() <= TOLERANCE * 180.0 / n)
