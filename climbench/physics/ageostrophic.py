r"""Geostrophic balance: how much of the wind is not geostrophic, over bands of latitude.

References
----------
Bonavita (2024), On some limitations of current machine learning weather prediction models, Geophys. Res. Lett. 51,
doi:10.1029/2023GL107377 (geostrophic and ageostrophic wind of forecasts).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from climbench.errors import DataError
from climbench.physics.areas import area_mean
from climbench.physics.arrays import Array, double
from climbench.physics.geostrophic import ROUND_OFF, is_defined
from climbench.physics.imbalance import relative

MIDDLE_LATITUDES = ((-60.0, -30.0), (30.0, 60.0))


def ageostrophic_mean_squares(
    wind: tuple[Array, Array],
    geostrophic: tuple[Array, Array],
    areas: Array,
    latitude: np.ndarray,
    *,
    bands: Sequence[tuple[float, float]] = MIDDLE_LATITUDES,
) -> tuple[Array, Array]:
    r"""Return the mean over bands of latitude of :math:`|v - v_g|^2` and of :math:`|v|^2`.

    Statistics of each map: take means over times first, and `ageostrophic_ratio` last.

    Parameters
    ----------
    wind, geostrophic : tuple of two arrays of shape (..., latitude, longitude)
        Eastward and northward, in m s-1.
    areas : array of shape (latitude, longitude)
        In m2, or relative.
    latitude : ndarray of shape (latitude,)
        In degrees north.
    bands : sequence of (south, north)
        In degrees north, both ends included.

    Returns
    -------
    departure, whole : array of shape (...)
        In m2 s-2, float64.

    Raises
    ------
    DataError
        If no row lies in the bands, or one on the equator or a pole does.
    """
    inside = _rows_within(latitude, bands)
    (u, v), (ug, vg) = (_chosen(w, inside) for w in (wind, geostrophic))
    (weights,) = _chosen((areas,), inside)
    departure = area_mean((u - ug) ** 2 + (v - vg) ** 2, weights)
    return departure, area_mean(u**2 + v**2, weights)


def ageostrophic_ratio(departure: Array, whole: Array) -> Array:
    r"""Return how large the wind that is not geostrophic is beside the wind: the last step.

    Parameters
    ----------
    departure, whole : array
        From `ageostrophic_mean_squares`, averaged alike.

    Returns
    -------
    array
        :math:`\sqrt{\overline{|v - v_g|^2} / \overline{|v|^2}}`, without unit: about the Rossby number, 0.1 for the
        large-scale flow of middle latitudes. Over that of the truth it says how balanced a forecast is beside it.
    """
    return relative(departure, whole)


def _rows_within(latitude: np.ndarray, bands: Sequence[tuple[float, float]]) -> np.ndarray:
    degrees = np.asarray(latitude, "float64")
    inside = np.zeros(degrees.size, bool)
    for south, north in bands:
        inside |= (degrees >= south - ROUND_OFF) & (degrees <= north + ROUND_OFF)
    asked = ", ".join(f"{south:g}..{north:g}" for south, north in bands)
    if not inside.any():
        raise DataError(f"No row lies within the bands of latitude {asked}; give bands that the grid has rows in.")
    undefined = degrees[inside & ~is_defined(degrees)]
    if undefined.size:
        raise DataError(
            f"The geostrophic wind is undefined on the equator and at the poles, and the bands {asked} hold a row at "
            f"{undefined[0]:g} degrees. Give bands without, such as 30..60."
        )
    return np.flatnonzero(inside)


def _chosen(arrays: Sequence[Array], rows: np.ndarray) -> list[Array]:
    return [double(a[..., rows, :], a) for a in arrays]
