r"""Total energy: temperature is changed until the air holds what it held, and what the fluxes have brought.

The target is :math:`\langle E(t) \rangle + \Delta t\, \langle F \rangle`, with F the net flux into the air: that at the
top less that into the surface. CREDIT scales the energy of every level by a ratio, ACE warms the air by the same
everywhere. Each uses its own definition of energy (`climbench.physics.energy`).

References
----------
CREDIT, credit/postblock (miles-credit 2026.2.0), and Sha et al. (2025), arXiv:2501.05648; ACE,
fme/core/corrector/atmosphere.py (57c54a7), and Watt-Meyer et al. (2025), doi:10.1038/s41612-025-01090-0.
"""

from __future__ import annotations

from climbench.constants import ACE_AIR, CREDIT_AIR, MoistAir
from climbench.physics.areas import area_mean
from climbench.physics.arrays import Array, in_dtype_of
from climbench.physics.energy import (
    ace_column_energy,
    credit_energy_beside_heat,
    depth_per_kelvin,
    moist_heat_capacity,
)
from climbench.physics.integrals import UnmadeThickness, column_integral, column_mass


def credit_temperature(
    temperature: Array,
    humidity: Array,
    surface_geopotential: Array | float,
    eastward: Array | None,
    northward: Array | None,
    thickness: Array,
    areas: Array,
    target: Array,
    *,
    air: MoistAir = CREDIT_AIR,
) -> Array:
    r"""Return temperature with which the air holds an energy, by CREDIT's ratio.

    .. math:: e_k' = r\, e_k, \quad r = \frac{E}{\langle \frac1g \sum_k e_k \Delta p_k \rangle}, \quad
              T_k' = \frac{e_k' - L_v q - \Phi_s - K}{c_p} = T_k + (r - 1) \frac{e_k}{c_p}

    Parameters
    ----------
    temperature, humidity : array of shape (..., level, latitude, longitude)
        In K and kg kg-1.
    surface_geopotential : array of shape (..., latitude, longitude) or float
        In m2 s-2.
    eastward, northward : array of shape (..., level, latitude, longitude) or None
        In m s-1; None where energy is without that of motion.
    thickness : array that broadcasts with `temperature`
        In Pa.
    areas : array of shape (latitude, longitude)
        Of cells, in any unit.
    target : array of shape (...)
        E, the area mean of the column's `credit_energy` to be had, in J m-2.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In K, in the dtype of `temperature`.
    """
    capacity = moist_heat_capacity(humidity, air=air)
    energy = capacity * temperature + credit_energy_beside_heat(
        humidity, surface_geopotential, eastward, northward, air=air
    )
    held = area_mean(column_integral(energy, thickness, gravity=air.gravity), areas)
    growth = in_dtype_of(target / held - 1.0, temperature)[..., None, None, None]
    return temperature + growth * (energy / capacity)


def ace_temperature(
    temperature: Array,
    humidity: Array,
    surface_geopotential: Array | float,
    interface_pressure: Array,
    thickness: Array | UnmadeThickness,
    above: Array | UnmadeThickness,
    areas: Array,
    target: Array,
    *,
    air: MoistAir = ACE_AIR,
) -> Array:
    r"""Return temperature with which the air holds an energy, warmed by the same everywhere (ACE).

    .. math:: \Delta T = \frac{E - \langle \frac1g \sum_k e_k \Delta p_k \rangle}
              {\langle \frac1g \sum_k (c_v - \frac12 Q_k + \sum_{l \ge k} Q_l) \Delta p_k \rangle}, \quad
              Q_k = \frac{g\, \Delta z_k}{T_k}

    Depths of layers are proportional to temperature, so that the energy is a straight line of it and closes exactly.

    Parameters
    ----------
    temperature, humidity : array of shape (..., level, latitude, longitude)
        In K and kg kg-1.
    surface_geopotential : array of shape (..., latitude, longitude) or float
        In m2 s-2.
    interface_pressure : array of shape (..., level + 1, latitude, longitude)
        In Pa.
    thickness, areas
        As for `credit_temperature`.
    above : array that broadcasts with `temperature`, or UnmadeThickness
        In Pa, of `Column.above`.
    target : array of shape (...)
        E, the area mean of the column's `ace_energy` to be had, in J m-2.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In K, in the dtype of `temperature`.
    """
    deeper = depth_per_kelvin(humidity, interface_pressure, air=air)
    height = surface_geopotential / air.gravity
    energy = ace_column_energy(temperature, humidity, temperature * deeper, height, thickness, above, air=air)
    warmth = air.dry_heat_at_constant_volume * column_mass(thickness, deeper, gravity=air.gravity)
    # Layers above are lifted by what those below deepen.
    warmth = warmth + column_integral(deeper, above, gravity=1.0)
    held, slope = (area_mean(values, areas) for values in (energy, warmth))
    return temperature + in_dtype_of((target - held) / slope, temperature)[..., None, None, None]
