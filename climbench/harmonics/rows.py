"""How the rows of a grid are integrated from pole to pole, exactly for fields of a high degree.

Gaussian and Lobatto rows have weights of their own. Equal steps of latitude, with poles or cell-centred, are first
carried to Gaussian nodes by the cosine or sine series along the meridian that goes through the rows: weights at the
rows themselves would be exact to half the degree only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from climbench.errors import DataError
from climbench.grids import ascending, longitude_gaps
from climbench.quadrature import TOLERANCE, quadrature, recognise_quadrature

# Columns rounded to float32, or printed with three decimals, are still equally spaced: within this part of a step.
LARGEST_SHIFT = 0.02


class Rows(NamedTuple):
    """Rows, and the nodes at which they are integrated.

    Attributes
    ----------
    sine : ndarray of shape (row,)
        Of the latitudes.
    degree : int
        The highest for which an analysis is exact.
    nodes : ndarray of shape (node,)
        Sines of the latitudes of the nodes.
    weights : ndarray of shape (node,)
        They add up to 2.
    cosines : ndarray of shape (node, row)
        Values at the nodes from values in the rows, for functions that go on evenly beyond a pole.
    sines : ndarray of shape (node, row)
        For functions that change their sign beyond a pole, and so vanish there.
    """

    sine: np.ndarray
    degree: int
    nodes: np.ndarray
    weights: np.ndarray
    cosines: np.ndarray
    sines: np.ndarray


def rows_of(latitude: np.ndarray) -> Rows:
    """Return how rows are integrated.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        In degrees north, ascending, from pole to pole: Gaussian, Lobatto, or in equal steps with both poles or half a
        step from them. Rounding is forgiven, up to 2 % of a row's width.

    Returns
    -------
    Rows
        Exact to degree n - 1 for Gaussian and cell-centred rows, n - 2 for those with poles.

    Raises
    ------
    DataError
        If they are other rows, or fewer than three.

    References
    ----------
    Swarztrauber (1979), On the spectral approximation of discrete scalar and vector functions on the sphere, SIAM J.
    Numer. Anal. 16, doi:10.1137/0716069 (equal steps).
    """
    latitude = ascending(latitude, "latitude")
    n = latitude.size
    if n < 3:
        raise DataError(f"Spherical harmonics need three rows or more, and there are {n}.")
    rule = recognise_quadrature(latitude)
    if rule in ("legendre-gauss", "lobatto"):
        known, weights = quadrature(rule, n)
        sine = np.sin(np.deg2rad(known))
        return Rows(sine, n - 1 if rule == "legendre-gauss" else n - 2, sine, weights, np.eye(n), np.eye(n))
    if rule == "equiangular":
        return _equal_steps(np.linspace(0.0, np.pi, n), n - 2)
    centres = (np.arange(n) + 0.5) * np.pi / n
    if np.abs(latitude - (np.rad2deg(centres) - 90.0)).max() <= TOLERANCE * 180.0 / n:
        return _equal_steps(centres, n - 1)
    raise DataError(
        f"There is no exact spherical-harmonic transform of these {n} rows, {latitude[0]:g}..{latitude[-1]:g} degrees: "
        "they must go from pole to pole, in equal steps or at Gaussian latitudes. Regrid the field to such a grid."
    )


def _equal_steps(angle: np.ndarray, degree: int) -> Rows:
    """Carry rows at angles from the south pole to enough Gaussian nodes for any product of two series."""
    south_to_north, weights = quadrature("legendre-gauss", angle.size + 1)
    node = np.deg2rad(south_to_north + 90.0)
    wave = np.arange(angle.size)
    cosines = _series(np.cos, wave, angle, node)
    # With poles, where a sine series vanishes, there are two waves less; the pseudo-inverse leaves their rows out.
    waves = degree if angle[0] == 0.0 else angle.size
    sines = _series(np.sin, np.arange(1, waves + 1), angle, node)
    return Rows(-np.cos(angle), degree, -np.cos(node), weights, cosines, sines)


def _series(function: np.ufunc, wave: np.ndarray, angle: np.ndarray, node: np.ndarray) -> np.ndarray:
    return function(np.outer(node, wave)) @ np.linalg.pinv(function(np.outer(angle, wave)))


def equally_spaced(longitude: np.ndarray) -> np.ndarray:
    """Return columns if the Fourier transform can take them.

    Parameters
    ----------
    longitude : ndarray of shape (n,)
        In degrees east.

    Returns
    -------
    ndarray of shape (n,)
        The same in float64.

    Raises
    ------
    DataError
        If they do not ascend in equal steps all round the globe.
    """
    longitude = ascending(longitude, "longitude")
    step = 360.0 / longitude.size
    if np.abs(longitude_gaps(longitude) - step).max() > LARGEST_SHIFT * step:
        raise DataError(
            f"A transform along circles of latitude needs longitudes in equal steps all round the globe; found "
            f"{longitude.size} of them from {longitude[0]:g} to {longitude[-1]:g}. Regrid the field to such a grid."
        )
    return longitude
