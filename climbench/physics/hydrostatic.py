"""The balance between gravity and the pressure's fall with height, as values on pressure levels have it."""

from __future__ import annotations

from climbench.constants import ACE_AIR, MoistAir
from climbench.physics.arrays import LEVEL, Array, along, double, namespace, part


def hydrostatic_residual(
    geopotential: Array, virtual_temperature: Array, pressure: Array, *, axis: int = LEVEL, air: MoistAir = ACE_AIR
) -> Array:
    r"""Return what is left of the hypsometric equation between neighbouring levels.

    .. math:: \Phi_{k+1} - \Phi_k + \tfrac12 R_d (T_{v,k} + T_{v,k+1}) \ln \frac{p_{k+1}}{p_k}

    Parameters
    ----------
    geopotential : array of shape (..., level, latitude, longitude)
        In m2 s-2.
    virtual_temperature : array of shape (..., level, latitude, longitude)
        In K.
    pressure : array of shape (level,), or one that broadcasts with the others
        In Pa, from the top down.
    axis : int
        That of levels, from the end.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (..., level - 1, latitude, longitude)
        In m2 s-2, float64. Fields that were interpolated to pressure levels do not have 0; hold it against the truth's.
    """
    xp = namespace(geopotential, virtual_temperature)
    pressure = along(pressure, axis) if pressure.ndim == 1 else pressure
    logarithm = xp.log(double(pressure, geopotential))
    thickness = part(logarithm, axis, 1, None) - part(logarithm, axis, None, -1)
    warmth = part(virtual_temperature, axis, 1, None) + part(virtual_temperature, axis, None, -1)
    rise = part(geopotential, axis, 1, None) - part(geopotential, axis, None, -1)
    return rise + 0.5 * air.dry_gas * warmth * thickness
