"""Heat content of the ocean."""

from __future__ import annotations

from climbench.constants import FREEZING_POINT, SEA_WATER_DENSITY, SEA_WATER_HEAT_CAPACITY
from climbench.physics.arrays import LEVEL, Array, double, namespace


def ocean_heat_content(
    temperature: Array,
    thickness: Array,
    *,
    axis: int = LEVEL,
    density: float = SEA_WATER_DENSITY,
    heat_capacity: float = SEA_WATER_HEAT_CAPACITY,
    reference: float = FREEZING_POINT,
) -> Array:
    r"""Return the heat of columns of sea water, :math:`\rho c \sum_k (T_k - T_0) \Delta z_k`.

    Parameters
    ----------
    temperature : array of shape (..., level, latitude, longitude)
        In K; NaN where there is no water: on land, and below the floor.
    thickness : array that broadcasts with `temperature`
        Of layers, in m; it may be NaN where there is no water.
    axis : int
        That of layers, from the end.
    density, heat_capacity : float
        Of sea water, in kg m-3 and J kg-1 K-1.
    reference : float
        Temperature at which heat counts as 0, in K.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In J m-2, float64; 0 on land, so that a mean over the globe times its area is the heat of the whole sea.

    References
    ----------
    Constants of GFDL's CM4 as ACE takes them, fme/core/constants.py (57c54a7).
    """
    heat = (double(temperature, temperature) - reference) * double(thickness, temperature)
    xp = namespace(heat)
    return density * heat_capacity * xp.sum(xp.where(xp.isnan(heat), xp.zeros_like(heat), heat), axis=axis)
