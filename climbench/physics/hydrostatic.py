r"""Hydrostatic balance between neighbouring levels.

.. math:: r_k = (\Phi_{k+1} - \Phi_k) + R_d\, \tfrac12 (T_{v,k} + T_{v,k+1}) \ln\frac{p_{k+1}}{p_k}

with levels from the top down. It is 0 where virtual temperature runs straight in the logarithm of pressure between the
two. A reanalysis on pressure levels leaves a residual of its own, from the curvature in between and from what stands
below the ground; so a forecast's is to be held against the truth's (`climbench.physics.imbalance`).

Residuals are a linear map of a column's geopotential and virtual temperature: `hydrostatic_operator` is its matrix.
"""

from __future__ import annotations

import numpy as np

from climbench.constants import ACE_AIR, MoistAir
from climbench.errors import DataError
from climbench.physics.arrays import LEVEL, Array, along, double, namespace, part
from climbench.physics.vertical_coordinates import level_pressures


def hydrostatic_residual(
    geopotential: Array,
    virtual_temperature: Array,
    pressure: Array,
    *,
    axis: int = LEVEL,
    air: MoistAir = ACE_AIR,
) -> Array:
    """Return by how much neighbouring levels miss hydrostatic balance.

    Parameters
    ----------
    geopotential : array of shape (..., level, latitude, longitude)
        In m2 s-2, levels from the top down.
    virtual_temperature : array of the same shape
        In K, from `climbench.physics.energy.virtual_temperature`.
    pressure : array of shape (level,), or of the same shape
        In Pa; profiles are checked for order and unit, pressures of each cell are not.
    axis : int
        That of levels, from the end.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (..., level - 1, latitude, longitude)
        In m2 s-2, float64; positive where the levels are closer together than warmth of the air asks for.

    Raises
    ------
    DataError
        If the pressures of levels are not in Pa from the top down, or not as many as the levels.
    """
    half = 0.5 * hypsometric_factor(pressure, like=geopotential, axis=axis, air=air)
    geopotential, virtual = double(geopotential, geopotential), double(virtual_temperature, virtual_temperature)
    _check(geopotential.shape[axis], half.shape[axis] + 1)
    upper, lower = part(virtual, axis, None, -1), part(virtual, axis, 1, None)
    return part(geopotential, axis, 1, None) - part(geopotential, axis, None, -1) + half * (upper + lower)


def residual_in_kelvin(residual: Array, pressure: Array, *, axis: int = LEVEL, air: MoistAir = ACE_AIR) -> Array:
    """Return the error of the mean virtual temperature between levels that a residual amounts to.

    Parameters
    ----------
    residual : array of shape (..., level - 1, latitude, longitude)
        From `hydrostatic_residual`.
    pressure, axis, air
        As there.

    Returns
    -------
    array of the same shape
        In K, float64.

    Raises
    ------
    DataError
        As for `hydrostatic_residual`.
    """
    factor = hypsometric_factor(pressure, like=residual, axis=axis, air=air)
    _check(residual.shape[axis] + 1, factor.shape[axis] + 1)
    return residual / factor


def hydrostatic_operator(pressure: np.ndarray, *, air: MoistAir = ACE_AIR) -> np.ndarray:
    r"""Return the matrix A of :math:`r = A\, (\Phi_1, \dots, \Phi_K, T_{v,1}, \dots, T_{v,K})`.

    Parameters
    ----------
    pressure : ndarray of shape (level,)
        In Pa, from the top down.
    air : MoistAir
        Constants.

    Returns
    -------
    ndarray of shape (level - 1, 2 * level)
        The left half, of geopotential, without unit; the right half, of virtual temperature, in J kg-1 K-1. Its rank
        is full.

    Raises
    ------
    DataError
        If the pressures are not in Pa from the top down.
    """
    levels = level_pressures(pressure).size
    # A column for each unit vector: whatever the residual's definition, this is its matrix.
    unit, none = np.eye(levels), np.zeros((levels, levels))
    of_geopotential = hydrostatic_residual(unit, none, pressure, axis=-2, air=air)
    of_temperature = hydrostatic_residual(none, unit, pressure, axis=-2, air=air)
    return np.concatenate([of_geopotential, of_temperature], axis=1)


def hypsometric_factor(pressure: Array, *, like: Array, axis: int = LEVEL, air: MoistAir = ACE_AIR) -> Array:
    r"""Return what turns virtual temperature into a difference of geopotential, :math:`R_d \ln(p_{k+1} / p_k)`.

    Parameters
    ----------
    pressure : array of shape (level,) or (..., level, latitude, longitude)
        In Pa, from the top down.
    like : array
        Of the library and on the device that it is wanted for.
    axis : int
        Where levels stand, from the end.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (level - 1, 1, 1) or (..., level - 1, latitude, longitude)
        In J kg-1 K-1, float64.

    Raises
    ------
    DataError
        If the pressures of levels are not in Pa from the top down.
    """
    if np.ndim(pressure) == 1:
        profile = np.diff(np.log(level_pressures(np.asarray(pressure))))
        return double(along(air.dry_gas * profile, axis), like)
    pressure = double(pressure, like)
    logarithm = namespace(pressure).log(pressure)
    return air.dry_gas * (part(logarithm, axis, 1, None) - part(logarithm, axis, None, -1))


def _check(levels: int, pressures: int) -> None:
    if levels != pressures:
        raise DataError(f"There are {levels} levels and {pressures} pressures. Give the pressure of each level.")
