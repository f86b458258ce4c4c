r"""Associated Legendre functions of one order, by the recurrence in degree, which is stable in float64.

They are normalised so that :math:`Y_l^m = P_l^m(\sin\varphi) e^{i m \lambda}` has :math:`\int |Y_l^m|^2 d\Omega = 1` on
the unit sphere, and have the phase :math:`(-1)^m` of Condon and Shortley.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Beyond this degree the functions' first values, (m / l)^m near a pole, leave the range of float64 where later ones
# still count.
HIGHEST_DEGREE = 1800


class LegendreFunctions(NamedTuple):
    """The functions of one order m at some latitudes, degrees from m up.

    Attributes
    ----------
    values : ndarray of shape (degree - m + 1, n)
        The functions.
    slopes : ndarray of shape (degree - m + 1, n)
        Their derivatives with respect to latitude in radians.
    quotients : ndarray of shape (degree - m + 1, n)
        m times the functions over cos(latitude): finite at the poles as well.
    """

    values: np.ndarray
    slopes: np.ndarray
    quotients: np.ndarray


def legendre_functions(order: int, degree: int, sine: np.ndarray) -> LegendreFunctions:
    r"""Return the associated Legendre functions of one order, with what derivatives along a sphere need.

    .. math:: \epsilon_l P_l = \sin\varphi\, P_{l-1} - \epsilon_{l-1} P_{l-2}, \quad
              \cos\varphi\, \frac{dP_l}{d\varphi} = (l + 1) \epsilon_l P_{l-1} - l \epsilon_{l+1} P_{l+1}, \quad
              \epsilon_l = \sqrt{\frac{l^2 - m^2}{4 l^2 - 1}}

    Parameters
    ----------
    order : int
        m, from 0 to `degree`.
    degree : int
        The highest; at most 1800.
    sine : ndarray of shape (n,)
        Of the latitudes.

    Returns
    -------
    LegendreFunctions
        In float64.

    References
    ----------
    Belousov (1962), Tables of normalized associated Legendre polynomials; Holmes and Featherstone (2002), A unified
    approach to the Clenshaw summation, J. Geod. 76, doi:10.1007/s00190-002-0216-2 (the range of float64).
    """
    cosine = np.sqrt((1.0 - sine) * (1.0 + sine))
    degrees = np.arange(order, degree + 1.0)[:, None]
    if order == 0:
        values = _degrees_up(np.full_like(sine, np.sqrt(0.25 / np.pi)), 0, degree, sine)
        slopes = np.zeros_like(values)
        if degree:
            slopes[1:] = -np.sqrt(degrees[1:] * (degrees[1:] + 1.0)) * cosine * _over_cosine(1, degree, sine, cosine)
        return LegendreFunctions(values, slopes, np.zeros_like(values))
    # Over the cosine, which vanishes at the poles, so that nothing is divided by it.
    over = _over_cosine(order, degree + 1, sine, cosine)
    below = np.concatenate([np.zeros_like(over[:1]), over[:-2]])
    slopes = (degrees + 1.0) * _epsilon(degrees, order) * below - degrees * _epsilon(degrees + 1.0, order) * over[1:]
    return LegendreFunctions(cosine * over[:-1], slopes, order * over[:-1])


def _epsilon(degree: np.ndarray, order: int) -> np.ndarray:
    return np.sqrt((degree**2 - order**2) / (4.0 * degree**2 - 1.0))


def _over_cosine(order: int, degree: int, sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """Return the functions over cos(latitude), for an order of 1 or more."""
    steps = np.arange(1.0, order + 1.0)
    constant = (-1.0) ** order * np.sqrt(0.25 / np.pi * np.prod((2.0 * steps + 1.0) / (2.0 * steps)))
    return _degrees_up(constant * cosine ** (order - 1), order, degree, sine)


def _degrees_up(first: np.ndarray, order: int, degree: int, sine: np.ndarray) -> np.ndarray:
    result = np.empty((degree - order + 1, sine.size))
    result[0] = first
    epsilon = _epsilon(np.arange(order, degree + 1.0), order)
    for i in range(1, len(result)):
        result[i] = sine * result[i - 1]
        if i > 1:
            result[i] -= epsilon[i - 1] * result[i - 2]
        result[i] /= epsilon[i]
    return result
