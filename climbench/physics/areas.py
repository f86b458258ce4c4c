r"""Means and sums over area, in float64, and the areas of cells as three codes take them.

The suite's own are exact: :math:`a^2 \Delta\lambda\, \Delta\sin\varphi` between the edges of a cell. CREDIT's come from
second-order differences at the centres, ACE's weights are cosines of latitude. Both are here so that their numbers can
be reproduced on the same arrays.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.constants import EARTH_RADIUS
from climbench.grids import cell_areas
from climbench.physics.arrays import SPACE, Array, double, namespace


def area_sum(values: Array, areas: Array, *, axis: tuple[int, ...] = SPACE) -> Array:
    """Return the sum of values times areas.

    Parameters
    ----------
    values : array of shape (..., latitude, longitude)
        Per unit of area.
    areas : array that broadcasts with `values`
        In m2, or relative.
    axis : tuple of int
        Those of space, from the end.

    Returns
    -------
    array of shape (...)
        Float64.
    """
    xp = namespace(values, areas)
    return xp.sum(values * double(areas, values), axis=axis)


def area_mean(values: Array, areas: Array, *, axis: tuple[int, ...] = SPACE) -> Array:
    """Return the mean of values, each weighed by its area.

    Parameters
    ----------
    values : array of shape (..., latitude, longitude)
        Any.
    areas : array that broadcasts with `values`
        In m2, or relative; shape (latitude, longitude), or (latitude, 1) where all columns weigh the same.
    axis : tuple of int
        Those of space, from the end.

    Returns
    -------
    array of shape (...)
        In the unit of the values, float64.
    """
    xp = namespace(values, areas)
    weights = double(areas, values)
    sizes = tuple(values.shape[a] for a in axis)
    if weights.shape != sizes:  # areas that stand for a whole row are summed as often as the row has columns
        weights = double(np.ones(sizes), values) * weights
    total = namespace(weights).sum(weights, axis=axis)
    return xp.sum(values * weights, axis=axis) / total


def exact_cell_areas(latitude: np.ndarray, longitude: np.ndarray, *, radius: float = EARTH_RADIUS) -> np.ndarray:
    """Return the areas of cells between their edges.

    Parameters
    ----------
    latitude, longitude : ndarray of shape (n,)
        In degrees, ascending.
    radius : float
        Of the Earth, in m.

    Returns
    -------
    ndarray of shape (latitude, longitude)
        In m2; of a global grid they add up to the sphere.

    Raises
    ------
    DataError
        If the coordinates are no grid.
    """
    grid = xr.Dataset(coords={"latitude": latitude, "longitude": longitude})
    return radius**2 * cell_areas(grid).values


def credit_cell_areas(latitude: np.ndarray, longitude: np.ndarray, *, radius: float = EARTH_RADIUS) -> np.ndarray:
    r"""Return the areas of cells as CREDIT takes them, :math:`|a^2\, d(\sin\varphi)\, d\lambda|`.

    Parameters
    ----------
    latitude, longitude : ndarray of shape (n,)
        In degrees; at least three of each.
    radius : float
        Of the Earth, in m.

    Returns
    -------
    ndarray of shape (latitude, longitude)
        In m2. Differences are of second order, one-sided at the ends: the sum differs a little from the sphere.

    References
    ----------
    CREDIT, credit/physics_core.py (miles-credit 2026.2.0): differences of second order with d(longitude) wrapped.
    """
    rows = np.gradient(np.sin(np.deg2rad(latitude)), edge_order=2)
    columns = np.gradient(np.deg2rad(longitude), edge_order=2)
    wrapped = (columns + np.pi) % (2.0 * np.pi) - np.pi
    return np.abs(radius**2 * rows[:, None] * wrapped)


def ace_weights(latitude: np.ndarray) -> np.ndarray:
    """Return the weights of rows as ACE takes them: cosines of latitude.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        In degrees.

    Returns
    -------
    ndarray of shape (latitude, 1)
        They add up to 1.

    References
    ----------
    ACE, fme (57c54a7): spherical_area_weights.
    """
    cosines = np.cos(np.deg2rad(np.asarray(latitude, "float64")))
    return (cosines / cosines.sum())[:, None]
