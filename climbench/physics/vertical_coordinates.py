"""Makes columns of pressure levels, sigma layers and hybrid layers, and refuses wrong orders, units and crossings."""

from __future__ import annotations

import numpy as np

from climbench.errors import DataError
from climbench.physics.columns import Column

LOWEST_SURFACE, HIGHEST_SURFACE = 5e4, 1.05e5  # Pa: interfaces must not cross for surface pressures between
LARGEST_SCALED = 1.5  # an offset up to here is a share of a reference pressure
LARGEST_HECTOPASCAL = 1500.0  # and up to here in hPa: in Pa it reaches some 20,000 on every hybrid grid in use


def pressure_levels(pressure: np.ndarray) -> Column:
    """Return the column of values on pressure levels, integrated by the trapezoidal rule from the first to the last.

    Parameters
    ----------
    pressure : ndarray of shape (level,)
        In Pa, from the top down; at least two. Air above the first and below the last is not counted, and what stands
        below the ground is.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        If there are fewer than two, they stand from the bottom up, or are not in Pa.
    """
    pressure = level_pressures(pressure)
    return Column(_trapezoid(pressure), np.zeros(pressure.size))


def level_pressures(pressure: np.ndarray) -> np.ndarray:
    """Return pressures of levels if they can be that.

    Parameters
    ----------
    pressure : ndarray of shape (level,)
        In Pa, from the top down; at least two.

    Returns
    -------
    ndarray of shape (level,)
        The same in float64.

    Raises
    ------
    DataError
        If there are fewer than two, they stand from the bottom up, or are not in Pa.
    """
    pressure = _profile(pressure, "pressure levels", at_least=2)
    _refuse_hectopascal(pressure, "pressure levels")
    return _downward(pressure, "Pressure levels")


def pressure_layers(edges: np.ndarray) -> Column:
    """Return the column of values that stand for layers between fixed pressures (CREDIT's midpoint rule).

    Parameters
    ----------
    edges : ndarray of shape (level + 1,)
        In Pa, from the top down.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        If there are fewer than two, they stand from the bottom up, or are not in Pa.
    """
    edges = _downward(_profile(edges, "edges of pressure layers", at_least=2), "Edges of pressure layers")
    _refuse_hectopascal(edges, "edges of pressure layers")
    none = np.zeros(edges.size)
    return Column(np.diff(edges), np.diff(none), edges, none)


def sigma_layers(sigma: np.ndarray) -> Column:
    """Return the column of layers between interfaces at shares of surface pressure.

    Parameters
    ----------
    sigma : ndarray of shape (level + 1,)
        From the top down, mostly from 0 to 1.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        If there are fewer than two interfaces, or they stand from the bottom up.
    """
    sigma = _profile(sigma, "sigma interfaces", at_least=2)
    return hybrid_layers(np.zeros(sigma.size), sigma)


def hybrid_layers(a: np.ndarray, b: np.ndarray, *, stated: bool = False) -> Column:
    """Return the column of layers between hybrid interfaces, at pressures a + b times surface pressure.

    Parameters
    ----------
    a : ndarray of shape (level + 1,)
        In Pa, from the top down.
    b : ndarray of shape (level + 1,)
        Without unit; 1 at the ground.
    stated : bool
        Whether whoever made a said that it is in Pa, and no guess by its size is called for: 20 hPa may be all that is
        pure pressure of a shallow grid.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        If the two are not as many, stand from the bottom up, or a seems to be in hPa or a share of a reference
        pressure.
    """
    a, b = _hybrid(a, b, stated=stated)
    return Column(np.diff(a), np.diff(b), a, b)


def hybrid_levels(a: np.ndarray, b: np.ndarray) -> Column:
    """Return the column of values on hybrid levels, integrated by the trapezoidal rule from the first to the last.

    Parameters
    ----------
    a : ndarray of shape (level,)
        In Pa, from the top down.
    b : ndarray of shape (level,)
        Without unit.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        As for `hybrid_layers`.
    """
    a, b = _hybrid(a, b)
    return Column(_trapezoid(a), _trapezoid(b))


def _trapezoid(points: np.ndarray) -> np.ndarray:
    half = 0.5 * np.diff(points)
    return np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half])


def _hybrid(a: np.ndarray, b: np.ndarray, *, stated: bool = False) -> tuple[np.ndarray, np.ndarray]:
    a, b = _profile(a, "hybrid coefficients a", at_least=2), _profile(b, "hybrid coefficients b", at_least=2)
    if a.size != b.size:
        raise DataError(f"Hybrid coefficients come in pairs; there are {a.size} of a and {b.size} of b.")
    largest = 0.0 if stated else float(np.abs(a).max())
    if 0.0 < largest <= LARGEST_SCALED:
        raise DataError(
            f"The hybrid coefficients a reach {largest:g}: shares of a reference pressure, it seems. Multiply them by "
            "it (mostly 1e5 Pa)."
        )
    if 0.0 < largest <= LARGEST_HECTOPASCAL and b[0] < b[-1]:
        raise DataError(
            f"The hybrid coefficients a reach {largest:g}, and would reach some 20000 in Pa: they seem to be in hPa. "
            "Multiply them by 100, or state their unit."
        )
    for surface in (LOWEST_SURFACE, HIGHEST_SURFACE):
        _downward(a + b * surface, f"Hybrid levels over a surface pressure of {surface:g} Pa")
    return a, b


def _profile(values: np.ndarray, what: str, *, at_least: int) -> np.ndarray:
    values = np.asarray(values, "float64")
    if values.ndim != 1 or values.size < at_least or not np.isfinite(values).all():
        raise DataError(f"{what} must be {at_least} finite numbers or more in one dimension; found {values.tolist()}.")
    return values


def _downward(pressure: np.ndarray, what: str) -> np.ndarray:
    if (np.diff(pressure) <= 0.0).any() or pressure[0] < 0.0:
        order = "from the bottom up" if (np.diff(pressure) < 0.0).all() else "out of order"
        raise DataError(
            f"{what} must ascend in pressure, from the top down; these are {order}: {np.round(pressure, 6).tolist()} "
            "Pa. Turn them, and the values with them."
        )
    return pressure


def _refuse_hectopascal(pressure: np.ndarray, what: str) -> None:
    if pressure.max() <= LARGEST_HECTOPASCAL:
        raise DataError(f"The {what} reach {pressure.max():g}: they seem to be in hPa. Multiply them by 100 for Pa.")
