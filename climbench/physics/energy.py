r"""Total energy of the air: ACE's definition and CREDIT's, with and without that of motion.

.. math:: e_\mathrm{CREDIT} = \big((1 - q) c_{pd} + q c_{pv}\big) T + L_v q + \Phi_s + \tfrac12 (u^2 + v^2)

.. math:: e_\mathrm{ACE} = c_{vd} T + L_v q + g z, \quad
          \Delta z_k = \frac{R_d T_v}{g} \ln\frac{p_{k+1}}{p_k}, \quad T_v = T \big(1 + (R_v / R_d - 1) q\big)

with z the mean height of a layer, from the ground up. CREDIT's enthalpy with the ground's geopotential, and ACE's
internal and potential energy, have nearly the same integral over a column that is in hydrostatic balance.

What a level holds is in the dtype of what it is made of, and sums over levels are in float64. A diagnosis gives float64
to begin with (`climbench.physics.blocks`): a layer's 3e5 J kg-1 is rounded by 0.02 J kg-1 in float32, some 100 J m-2 of
a column.

References
----------
CREDIT, credit/physics_core.py (miles-credit 2026.2.0), and Sha et al. (2025), arXiv:2501.05648; ACE, fme/core
(57c54a7), and Watt-Meyer et al. (2025), doi:10.1038/s41612-025-01090-0.
"""

from __future__ import annotations

from climbench.constants import ACE_AIR, CREDIT_AIR, MoistAir
from climbench.physics.arrays import LEVEL, Array, namespace, part
from climbench.physics.integrals import UnmadeThickness, column_integral, column_mass

LOWEST_PRESSURE = 1.0  # Pa: ACE takes the pressure at the top of the air as this at least, for its logarithm
SEA_LEVEL = 0.0  # m: ACE takes no ground as lower than this


def credit_energy(
    temperature: Array,
    humidity: Array,
    surface_geopotential: Array | float,
    eastward: Array | None = None,
    northward: Array | None = None,
    *,
    axis: int = LEVEL,
    air: MoistAir = CREDIT_AIR,
) -> Array:
    """Return the total energy of each level by CREDIT's definition.

    Parameters
    ----------
    temperature : array of shape (..., level, latitude, longitude)
        In K.
    humidity : array of shape (..., level, latitude, longitude)
        In kg kg-1.
    surface_geopotential : array of shape (..., latitude, longitude) or float
        In m2 s-2.
    eastward, northward : array of shape (..., level, latitude, longitude), optional
        Winds in m s-1; without them energy is without that of motion.
    axis : int
        That of levels, from the end.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In J kg-1, in the dtype given.
    """
    rest = credit_energy_beside_heat(humidity, surface_geopotential, eastward, northward, axis=axis, air=air)
    return moist_heat_capacity(humidity, air=air) * temperature + rest


def credit_energy_beside_heat(
    humidity: Array,
    surface_geopotential: Array | float,
    eastward: Array | None = None,
    northward: Array | None = None,
    *,
    axis: int = LEVEL,
    air: MoistAir = CREDIT_AIR,
) -> Array:
    """Return the parts of CREDIT's energy that temperature has no part in: latent, of the ground and of motion.

    Parameters
    ----------
    humidity, surface_geopotential, eastward, northward, axis, air
        As for `credit_energy`.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In J kg-1, in the dtype given.
    """
    if not isinstance(surface_geopotential, (int, float)):
        xp = namespace(surface_geopotential)
        surface_geopotential = xp.expand_dims(surface_geopotential, axis=axis)
    energy = air.vaporisation * humidity + surface_geopotential
    if eastward is not None and northward is not None:
        energy = energy + kinetic_energy(eastward, northward)
    return energy


def kinetic_energy(eastward: Array, northward: Array) -> Array:
    """Return the energy of horizontal motion, half the square of the wind.

    Parameters
    ----------
    eastward, northward : array
        In m s-1.

    Returns
    -------
    array
        In J kg-1, in the dtype given.
    """
    return 0.5 * (eastward**2 + northward**2)


def moist_heat_capacity(humidity: Array, *, air: MoistAir = CREDIT_AIR) -> Array:
    """Return the heat capacity of moist air at constant pressure, weighed by mass.

    Parameters
    ----------
    humidity : array
        In kg kg-1.
    air : MoistAir
        Constants.

    Returns
    -------
    array
        In J kg-1 K-1, in the dtype given.
    """
    return air.dry_heat + (air.vapour_heat - air.dry_heat) * humidity


def ace_energy(
    temperature: Array,
    humidity: Array,
    interface_pressure: Array,
    surface_height: Array | float,
    eastward: Array | None = None,
    northward: Array | None = None,
    *,
    axis: int = LEVEL,
    air: MoistAir = ACE_AIR,
) -> Array:
    """Return the total energy of each layer by ACE's definition, which has no energy of motion unless winds are given.

    Parameters
    ----------
    temperature : array of shape (..., level, latitude, longitude)
        In K.
    humidity : array of shape (..., level, latitude, longitude)
        Specific total water, in kg kg-1.
    interface_pressure : array of shape (..., level + 1, latitude, longitude)
        In Pa, from `Column.interface_pressure`.
    surface_height : array of shape (..., latitude, longitude) or float
        In m.
    eastward, northward : array of shape (..., level, latitude, longitude), optional
        Winds in m s-1.
    axis : int
        That of levels, from the end.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In J kg-1, in the dtype given.
    """
    heights = layer_heights(temperature, humidity, interface_pressure, surface_height, axis=axis, air=air)
    energy = heat_at_constant_volume(temperature, humidity, air=air) + air.gravity * heights
    if eastward is not None and northward is not None:
        energy = energy + kinetic_energy(eastward, northward)
    return energy


def heat_at_constant_volume(temperature: Array, humidity: Array, *, air: MoistAir = ACE_AIR) -> Array:
    """Return ACE's energy without that of height and motion: internal and latent.

    Parameters
    ----------
    temperature, humidity : array of shape (..., level, latitude, longitude)
        In K and kg kg-1.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In J kg-1, in the dtype given.
    """
    return air.dry_heat_at_constant_volume * temperature + air.vaporisation * humidity


def ace_column_energy(
    temperature: Array,
    humidity: Array,
    depths: Array,
    surface_height: Array | float,
    thickness: Array | UnmadeThickness,
    above: Array | UnmadeThickness,
    *,
    air: MoistAir = ACE_AIR,
) -> Array:
    """Return the integral of `ace_energy` over columns, without making heights: depths tell that of all above them.

    Parameters
    ----------
    temperature, humidity : array of shape (..., level, latitude, longitude)
        In K and kg kg-1.
    depths : array of shape (..., level, latitude, longitude)
        In m, from `layer_depths`.
    surface_height : array of shape (..., latitude, longitude) or float
        In m; ground below sea level counts as at sea level.
    thickness : array that broadcasts with `temperature`, or UnmadeThickness
        In Pa, of the column.
    above : array that broadcasts with `temperature`, or UnmadeThickness
        In Pa, of `Column.above`.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In J m-2, float64.
    """
    heat = column_integral(heat_at_constant_volume(temperature, humidity, air=air), thickness, gravity=air.gravity)
    ground = above_sea(surface_height) * column_mass(thickness, depths, gravity=1.0)
    return heat + ground + column_integral(depths, above, gravity=1.0)


def layer_depths(
    temperature: Array, humidity: Array, interface_pressure: Array, *, axis: int = LEVEL, air: MoistAir = ACE_AIR
) -> Array:
    """Return how deep layers are in hydrostatic balance, by the hypsometric equation.

    Parameters
    ----------
    temperature, humidity : array of shape (..., level, latitude, longitude)
        In K and kg kg-1.
    interface_pressure : array of shape (..., level + 1, latitude, longitude)
        In Pa; less than 1 Pa counts as 1 Pa.
    axis : int
        That of levels, from the end.
    air : MoistAir
        Constants.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In m, in the dtype given.
    """
    return temperature * depth_per_kelvin(humidity, interface_pressure, axis=axis, air=air)


def depth_per_kelvin(
    humidity: Array, interface_pressure: Array, *, axis: int = LEVEL, air: MoistAir = ACE_AIR
) -> Array:
    """Return how deep layers are for each kelvin of their temperature, which their depth is proportional to.

    Parameters
    ----------
    humidity, interface_pressure, axis, air
        As for `layer_depths`.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In m K-1, in the dtype given.
    """
    xp = namespace(interface_pressure, humidity)
    logarithm = xp.log(xp.where(interface_pressure < LOWEST_PRESSURE, LOWEST_PRESSURE, interface_pressure))
    ratio = part(logarithm, axis, 1, None) - part(logarithm, axis, None, -1)
    return virtual_temperature(ratio * (air.dry_gas / air.gravity), humidity, air=air)


def layer_heights(
    temperature: Array,
    humidity: Array,
    interface_pressure: Array,
    surface_height: Array | float,
    *,
    axis: int = LEVEL,
    air: MoistAir = ACE_AIR,
) -> Array:
    """Return the heights of the middles of layers: means of the heights of the interfaces above and below.

    Parameters
    ----------
    temperature, humidity, interface_pressure, axis, air
        As for `layer_depths`.
    surface_height : array of shape (..., latitude, longitude) or float
        In m; ground below sea level counts as at sea level.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In m, in the dtype given.
    """
    depths = layer_depths(temperature, humidity, interface_pressure, axis=axis, air=air)
    ground = above_sea(surface_height)
    if not isinstance(ground, float):
        ground = namespace(ground).expand_dims(ground, axis=axis)
    return ground + from_below(depths, axis=axis) - 0.5 * depths


def above_sea(surface_height: Array | float) -> Array:
    """Return the height of the ground, or of the sea where that is higher, as ACE takes it.

    Parameters
    ----------
    surface_height : array or float
        In m.

    Returns
    -------
    array or float
        In m, in the dtype given.
    """
    if isinstance(surface_height, (int, float)):
        return max(float(surface_height), SEA_LEVEL)
    return namespace(surface_height).clip(surface_height, SEA_LEVEL, None)


def from_below(values: Array, *, axis: int = LEVEL) -> Array:
    """Return sums of values from the lowest level up to each, that one included.

    Parameters
    ----------
    values : array of shape (..., level, latitude, longitude)
        From the top down.
    axis : int
        That of levels, from the end.

    Returns
    -------
    array of the same shape
    """
    xp = namespace(values)
    total = xp.sum(values, axis=axis, keepdims=True)
    return total - xp.cumulative_sum(values, axis=axis) + values


def virtual_temperature(temperature: Array, humidity: Array, *, air: MoistAir = ACE_AIR) -> Array:
    """Return the temperature at which dry air is as light as moist air.

    Parameters
    ----------
    temperature, humidity : array
        In K and kg kg-1.
    air : MoistAir
        Constants.

    Returns
    -------
    array
        In K, in the dtype given.
    """
    return temperature * (1.0 + air.vapour_lightness * humidity)


def energy_residual(tendency: Array, top: Array, surface: Array) -> Array:
    """Return what the fluxes leave unexplained of a change of the air's energy.

    Parameters
    ----------
    tendency : array
        Of the energy of the column, in W m-2.
    top, surface : array
        Net downward fluxes through the top of the atmosphere, and into the surface, in W m-2.

    Returns
    -------
    array
        In W m-2.
    """
    return tendency - (top - surface)
