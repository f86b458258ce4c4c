"""Water that cannot be: less than none, more than the air can hold, more that freezes than falls.

What says where something is so is 1 there and 0 elsewhere, and NaN where a value is missing, so that a gap is not taken
for health. Its `climbench.physics.areas.area_mean` is a fraction of area, its `fraction_of_air` one of mass; either is
a statistic that may be averaged over times.
"""

from __future__ import annotations

from climbench.constants import ACE_AIR, GRAVITY, MoistAir
from climbench.physics.areas import area_mean
from climbench.physics.arrays import LEVEL, SPACE, Array, double, namespace
from climbench.physics.integrals import column_integral
from climbench.physics.saturation import Surface, relative_humidity, saturation_humidity


def below_zero(values: Array, *, tolerance: float = 0.0) -> Array:
    """Return where an amount is less than none.

    Parameters
    ----------
    values : array
        Humidity, cloud, precipitation.
    tolerance : float
        How far below zero still counts as zero, in the unit of the values.

    Returns
    -------
    array of the same shape
        1 or 0, NaN where a value is missing, float64.
    """
    return indicator(values < -tolerance, values)


def negative_water(humidity: Array, thickness: Array, *, axis: int = LEVEL, gravity: float = GRAVITY) -> Array:
    """Return the mass of negative water above a unit of area.

    Parameters
    ----------
    humidity : array of shape (..., level, latitude, longitude)
        In kg kg-1.
    thickness : array that broadcasts with `humidity`
        In Pa, from `Column.thickness`.
    axis : int
        That of levels, from the end.
    gravity : float
        In m s-2.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In kg m-2, float64, positive: what setting negative values to 0 would add.
    """
    values = double(humidity, humidity)
    return column_integral(_positive_part(-values), thickness, axis=axis, gravity=gravity)


def above_saturation(
    humidity: Array,
    temperature: Array,
    pressure: Array,
    *,
    limit: float = 1.0,
    over: Surface = "water",
    air: MoistAir = ACE_AIR,
) -> Array:
    """Return where the relative humidity is above a limit.

    Parameters
    ----------
    humidity, temperature : array of shape (..., level, latitude, longitude)
        Specific humidity in kg kg-1, without cloud, and K.
    pressure : array that broadcasts with them
        In Pa.
    limit : float
        Relative humidity: 1 is saturation, more is how much supersaturation is allowed.
    over : {"water", "ice"}
        What it is saturation with respect to. Above clouds of ice the air may well hold more than over ice.
    air : MoistAir
        Constants.

    Returns
    -------
    array of the same shape
        1 or 0, NaN where a value is missing, float64.
    """
    found = relative_humidity(humidity, temperature, pressure, over=over, air=air)
    return indicator(found > limit, found)


def water_above_saturation(
    humidity: Array,
    temperature: Array,
    pressure: Array,
    thickness: Array,
    *,
    limit: float = 1.0,
    over: Surface = "water",
    axis: int = LEVEL,
    air: MoistAir = ACE_AIR,
) -> Array:
    """Return the mass of water above a unit of area that is more than the air can hold.

    Parameters
    ----------
    humidity, temperature, pressure, limit, over, air
        As for `above_saturation`.
    thickness : array that broadcasts with `humidity`
        In Pa, from `Column.thickness`.
    axis : int
        That of levels, from the end.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In kg m-2, float64.
    """
    most = saturation_humidity(temperature, pressure, relative_humidity=limit, over=over, air=air)
    excess = _positive_part(double(humidity, humidity) - most)
    return column_integral(excess, thickness, axis=axis, gravity=air.gravity)


def frozen_above_total(frozen: Array, total: Array, *, tolerance: float = 0.0) -> Array:
    """Return where more precipitation falls frozen than falls at all.

    Parameters
    ----------
    frozen, total : array
        Precipitation, in the same unit.
    tolerance : float
        How much more still counts as equal, in that unit.

    Returns
    -------
    array of the same shape
        1 or 0, NaN where a value is missing, float64.
    """
    excess = frozen - total
    return indicator(excess > tolerance, excess)


def fraction_of_air(where: Array, thickness: Array, areas: Array) -> Array:
    """Return the fraction of the mass of air in which something is so.

    Parameters
    ----------
    where : array of shape (..., level, latitude, longitude)
        1 or 0.
    thickness : array that broadcasts with it
        In Pa, from `Column.thickness`.
    areas : array of shape (latitude, longitude)
        In m2, or relative.

    Returns
    -------
    array of shape (...)
        From 0 to 1, float64.
    """
    weights = double(thickness, where) * double(areas, where)
    return area_mean(where, weights, axis=(LEVEL, *SPACE))


def _positive_part(values: Array) -> Array:
    return namespace(values).clip(values, 0.0, None)


def indicator(condition: Array, values: Array) -> Array:
    """Return 1 where a condition holds and 0 where it does not, and NaN where a value is missing.

    Parameters
    ----------
    condition : array of booleans
        Any comparison of the values.
    values : array of the same shape
        What was compared.

    Returns
    -------
    array of the same shape
        Float64.
    """
    xp = namespace(values)
    known = xp.astype(condition, xp.float64)
    return xp.where(xp.isnan(values), xp.nan, known)
