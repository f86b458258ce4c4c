r"""The geostrophic wind: what the slope of geopotential asks for.

.. math:: u_g = -\frac{1}{f a} \frac{\partial \Phi}{\partial \varphi}, \quad
          v_g = \frac{1}{f a \cos\varphi} \frac{\partial \Phi}{\partial \lambda}, \quad f = 2 \Omega \sin\varphi

On the equator f is 0 and there is no such wind; within some 15 degrees of it the balance says little. At the very poles
east and north have no direction. There it is NaN.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from array_api_compat import is_numpy_array

from climbench.constants import EARTH_RADIUS, ROTATION_RATE
from climbench.errors import DataError
from climbench.grids import goes_round
from climbench.harmonics import spherical_harmonics
from climbench.physics.arrays import Array, along, double, namespace
from climbench.physics.differences import derivative

Derivatives = Literal["differences", "harmonics"]
ROUND_OFF = 1e-4  # degrees: coordinates in float32 count as what they stand for
ROWS, COLUMNS = -2, -1


def coriolis(latitude: np.ndarray, *, rotation: float = ROTATION_RATE) -> np.ndarray:
    r"""Return the Coriolis parameter, :math:`2 \Omega \sin\varphi`.

    Parameters
    ----------
    latitude : ndarray of shape (latitude,)
        In degrees north.
    rotation : float
        Of the Earth, in rad s-1.

    Returns
    -------
    ndarray of shape (latitude,)
        In s-1.
    """
    return 2.0 * rotation * np.sin(np.deg2rad(np.asarray(latitude, "float64")))


def geostrophic_wind(
    geopotential: Array,
    latitude: np.ndarray,
    longitude: np.ndarray,
    *,
    derivatives: Derivatives = "differences",
    radius: float = EARTH_RADIUS,
    rotation: float = ROTATION_RATE,
) -> tuple[Array, Array]:
    """Return the geostrophic wind.

    Parameters
    ----------
    geopotential : array of shape (..., latitude, longitude)
        On a level of pressure, in m2 s-2.
    latitude, longitude : ndarray of shape (n,)
        In degrees, ascending; at least three of each.
    derivatives : {"differences", "harmonics"}
        By three-point differences, for any grid and any library; or by spherical harmonics, for global grids that have
        an exact transform and arrays of NumPy.
    radius : float
        Of the Earth, in m.
    rotation : float
        Of the Earth, in rad s-1.

    Returns
    -------
    eastward, northward : array of shape (..., latitude, longitude)
        In m s-1, float64; NaN on the equator and at the poles.

    Raises
    ------
    DataError
        If there are too few rows or columns, or harmonics are asked for where there are none.
    """
    way = _by_harmonics if derivatives == "harmonics" else _by_differences
    eastward, northward = way(geopotential, latitude, longitude, radius)
    # Finite before NaN is chosen: a gradient of the rows that are used would else be NaN beside those that are not.
    defined = is_defined(latitude)
    safe = np.where(defined, coriolis(latitude, rotation=rotation), 1.0)
    inverse = double(along(1.0 / safe, ROWS), geopotential)
    known, xp = double(along(defined, ROWS), geopotential) > 0.0, namespace(geopotential)
    return xp.where(known, -inverse * northward, xp.nan), xp.where(known, inverse * eastward, xp.nan)


def is_defined(latitude: np.ndarray) -> np.ndarray:
    """Return in which rows there is a geostrophic wind: not on the equator, nor at a pole.

    Parameters
    ----------
    latitude : ndarray of shape (latitude,)
        In degrees north.

    Returns
    -------
    ndarray of shape (latitude,)
        Booleans.
    """
    distance = np.abs(np.asarray(latitude, "float64"))
    return (distance > ROUND_OFF) & (distance < 90.0 - ROUND_OFF)


def _by_differences(values: Array, latitude: np.ndarray, longitude: np.ndarray, radius: float) -> tuple[Array, Array]:
    """Return slopes towards the east and the north, per m; a column's neighbours go round where the grid does."""
    rows, columns = np.deg2rad(np.asarray(latitude, "float64")), np.asarray(longitude, "float64")
    period = 2.0 * np.pi if goes_round(columns) else None
    # At a pole the slope towards the east has no meaning; any finite number does, as it is set to NaN.
    across = double(along(1.0 / (radius * np.where(is_defined(latitude), np.cos(rows), 1.0)), ROWS), values)
    eastward = across * derivative(values, np.deg2rad(columns), axis=COLUMNS, period=period)
    return eastward, derivative(values, rows, axis=ROWS) / radius


def _by_harmonics(values: Array, latitude: np.ndarray, longitude: np.ndarray, radius: float) -> tuple[Array, Array]:
    """Return slopes as the wind whose potential the field is: its divergence is the field's Laplacian."""
    if not is_numpy_array(values):
        raise DataError(
            f"Derivatives by harmonics are for arrays of NumPy; found {type(values).__module__}.{type(values).__name__}"
            ". Take derivatives='differences', or compute the array first."
        )
    transform = spherical_harmonics(np.asarray(latitude), np.asarray(longitude))
    degrees = np.arange(transform.degree + 1.0)[:, None]
    laplacian = transform.analysis(values) * (-degrees * (degrees + 1.0) / radius**2)
    return transform.winds(np.zeros_like(laplacian), laplacian, radius=radius)
