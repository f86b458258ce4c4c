r"""Hydrostatic balance: the smallest change of geopotential and temperature that gives columns a residual.

With :math:`x = (\Phi, T_v)` of a column the residual is linear, :math:`A x`, so the change that is smallest in units of
the variables' own scales, :math:`W = 1/\mathrm{scale}^2`, is

.. math:: x' = x - s\, W^{-1} A^T (A W^{-1} A^T)^{-1} (A x - b)

with b the truth's own mean residual, which is not 0 on pressure levels, and s the strength.

References
----------
The projection of makani (constraints.py), as used by Bonev et al. (2025), FourCastNet 3, arXiv:2507.12144.
"""

from __future__ import annotations

import numpy as np

from climbench.constants import ACE_AIR, MoistAir
from climbench.errors import DataError
from climbench.physics.arrays import LEVEL, Array, double, in_dtype_of, namespace
from climbench.physics.energy import virtual_temperature
from climbench.physics.hydrostatic import hydrostatic_operator, hydrostatic_residual


def projection_gain(
    pressure: np.ndarray, geopotential_scale: np.ndarray, temperature_scale: np.ndarray, *, air: MoistAir = ACE_AIR
) -> np.ndarray:
    r"""Return what a residual changes, :math:`W^{-1} A^T (A W^{-1} A^T)^{-1}`.

    Parameters
    ----------
    pressure : ndarray of shape (level,)
        In Pa, from the top down.
    geopotential_scale, temperature_scale : ndarray of shape (level,) or float
        How readily each changes, such as its standard deviation, in m2 s-2 and K.
    air : MoistAir
        Constants.

    Returns
    -------
    ndarray of shape (2 level, level - 1)
        Of geopotential and, after it, of virtual temperature.

    Raises
    ------
    DataError
        If there is one level alone, or a scale is not positive.
    """
    count = pressure.size
    scales = [np.broadcast_to(np.asarray(s, "float64"), (count,)) for s in (geopotential_scale, temperature_scale)]
    scale = np.concatenate(scales)
    if count < 2 or not (scale > 0.0).all():
        raise DataError(
            f"Hydrostatic balance needs two levels or more and positive scales; found {count} and {scale.tolist()}."
        )
    residuals = hydrostatic_operator(pressure, air=air)
    weighed = (scale**2)[:, None] * residuals.T
    gain: np.ndarray = np.linalg.solve(residuals @ weighed, weighed.T).T
    return gain


def balanced(
    geopotential: Array,
    temperature: Array,
    humidity: Array,
    pressure: np.ndarray,
    gain: Array,
    mean_residual: Array | float = 0.0,
    *,
    strength: float = 1.0,
    air: MoistAir = ACE_AIR,
) -> tuple[Array, Array]:
    """Return geopotential and temperature whose residual is that of the truth.

    Parameters
    ----------
    geopotential, temperature, humidity : array of shape (..., level, latitude, longitude)
        In m2 s-2, K and kg kg-1.
    pressure : ndarray of shape (level,)
        In Pa, from the top down.
    gain : array of shape (2 level, level - 1)
        Of `projection_gain`.
    mean_residual : array that broadcasts with (level - 1, latitude, longitude), or float
        The truth's, in m2 s-2.
    strength : float
        1 for the whole of it, 0 for none.
    air : MoistAir
        Constants.

    Returns
    -------
    tuple of array
        Geopotential and temperature, in their dtypes.

    Raises
    ------
    DataError
        If the strength is not between 0 and 1.
    """
    if not 0.0 <= strength <= 1.0:
        raise DataError(f"The strength of a projection is between 0 and 1; it is {strength:g}.")
    xp = namespace(geopotential)
    virtual = virtual_temperature(temperature, humidity, air=air)
    excess = hydrostatic_residual(geopotential, virtual, pressure, air=air) - double(mean_residual, geopotential)
    change = xp.moveaxis(xp.matmul(xp.moveaxis(excess, LEVEL, -1), double(gain, excess).T * -strength), -1, LEVEL)
    count = pressure.size
    risen, warmed = (change[..., part, :, :] for part in (slice(None, count), slice(count, None)))
    # By how much temperature changes with virtual temperature, at the humidity there is.
    moist = virtual_temperature(1.0, humidity, air=air)
    return in_dtype_of(geopotential + risen, geopotential), in_dtype_of(temperature + warmed / moist, temperature)
