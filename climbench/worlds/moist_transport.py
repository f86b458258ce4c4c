r"""How winds carry a column's water: back along the wind to where it was, with its mean over the globe kept.

The place that air left a step ago is reached along a great circle, against the wind; the value there is interpolated
between the four nearest cells, which mixes neighbours as eddies too small for the grid would. What that makes or loses
over the globe is taken back by one factor: no water is made, none turns negative.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from climbench.constants import EARTH_RADIUS

BEYOND = 1  # rows and columns that interpolation may reach into beyond the edge of the map


def carried(
    values: np.ndarray,
    eastward: np.ndarray,
    northward: np.ndarray,
    latitude: np.ndarray,
    areas: np.ndarray,
    seconds: float,
) -> np.ndarray:
    """Return a map after winds have carried it.

    Parameters
    ----------
    values : ndarray of shape (latitude, longitude)
        What is carried, not negative.
    eastward, northward : ndarray of shape (latitude, longitude)
        In m s-1.
    latitude : ndarray of shape (latitude,)
        In degrees, ascending, of a global grid; longitudes are evenly spaced from 0.
    areas : ndarray of shape (latitude, longitude)
        Of the cells.
    seconds : float
        For how long.

    Returns
    -------
    ndarray of shape (latitude, longitude)
        Of the same mean over the areas.
    """
    north, east = origins(eastward, northward, latitude, seconds)
    columns = values.shape[1]
    rows = np.interp(north, _beyond_poles(latitude), np.arange(latitude.size + 2 * BEYOND))
    places = np.stack([rows, east / (360.0 / columns) + BEYOND])
    moved: np.ndarray = map_coordinates(_padded(values), places, order=1)
    return moved * ((values * areas).sum() / (moved * areas).sum())


def origins(
    eastward: np.ndarray, northward: np.ndarray, latitude: np.ndarray, seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return where air was that is at the centres of cells now.

    Parameters
    ----------
    eastward, northward : ndarray of shape (latitude, longitude)
        Winds, in m s-1.
    latitude : ndarray of shape (latitude,)
        In degrees; longitudes are evenly spaced from 0.
    seconds : float
        How long ago.

    Returns
    -------
    tuple of ndarray of shape (latitude, longitude)
        Latitude, and longitude in [0, 360), in degrees.
    """
    phi = np.deg2rad(latitude)[:, None]
    lam = np.arange(eastward.shape[1]) * (2.0 * np.pi / eastward.shape[1])
    speed = np.hypot(eastward, northward)
    angle = speed * seconds / EARTH_RADIUS
    still = np.where(speed > 0.0, speed, 1.0)
    # In the plane of the meridian: outward from the axis, eastward, and along the axis.
    back_east = -np.sin(angle) * eastward / still
    back_north = -np.sin(angle) * northward / still
    outward = np.cos(angle) * np.cos(phi) - back_north * np.sin(phi)
    along_axis = np.cos(angle) * np.sin(phi) + back_north * np.cos(phi)
    north = np.rad2deg(np.arcsin(np.clip(along_axis, -1.0, 1.0)))
    return north, np.rad2deg(np.arctan2(back_east, outward) + lam) % 360.0


def _beyond_poles(latitude: np.ndarray) -> np.ndarray:
    return np.concatenate([[-180.0 - latitude[0]], latitude, [180.0 - latitude[-1]]])


def _padded(values: np.ndarray) -> np.ndarray:
    """Return a map with the row across each pole, and with the columns across the seam."""
    half = values.shape[1] // 2
    across = np.concatenate([np.roll(values[:1], half, axis=1), values, np.roll(values[-1:], half, axis=1)])
    return np.pad(across, ((0, 0), (BEYOND, BEYOND)), mode="wrap")
