r"""How much water vapour air can hold.

Over water after Bolton (1980), :math:`e_s = 611.2\,\mathrm{Pa} \exp\frac{17.67\, t}{t + 243.5}` with t in degrees
Celsius, fitted from -35 to 35 degrees to 0.3 %. Over ice after Murphy and Koop (2005), their equation 7, above 110 K.
Specific humidity at saturation is :math:`q_s = \varepsilon e_s / (p - (1 - \varepsilon) e_s)`.

References
----------
Bolton (1980), The computation of equivalent potential temperature, Mon. Weather Rev. 108, 1046-1053, equation 10.
Murphy and Koop (2005), Review of the vapour pressures of ice and supercooled water for atmospheric applications, Q. J.
R. Meteorol. Soc. 131, 1539-1565, doi:10.1256/qj.04.94, equation 7.
"""

from __future__ import annotations

from typing import Literal

from climbench.constants import ACE_AIR, FREEZING_POINT, MoistAir
from climbench.physics.arrays import Array, double, namespace

Surface = Literal["water", "ice"]


def saturation_vapour_pressure(temperature: Array, *, over: Surface = "water") -> Array:
    """Return the pressure of water vapour in balance with water or ice.

    Parameters
    ----------
    temperature : array
        In K.
    over : {"water", "ice"}
        Bolton's formula, or Murphy and Koop's.

    Returns
    -------
    array
        In Pa, float64.
    """
    kelvin = double(temperature, temperature)
    xp = namespace(kelvin)
    if over == "ice":
        return xp.exp(9.550426 - 5723.265 / kelvin + 3.53068 * xp.log(kelvin) - 0.00728332 * kelvin)
    celsius = kelvin - FREEZING_POINT
    return 611.2 * xp.exp(17.67 * celsius / (celsius + 243.5))


def saturation_humidity(
    temperature: Array,
    pressure: Array,
    *,
    relative_humidity: float = 1.0,
    over: Surface = "water",
    air: MoistAir = ACE_AIR,
) -> Array:
    """Return the specific humidity at saturation, or at a relative humidity.

    Parameters
    ----------
    temperature : array
        In K.
    pressure : array that broadcasts with `temperature`
        Of the air, in Pa.
    relative_humidity : float
        Of the vapour's pressure to that at saturation.
    over : {"water", "ice"}
        As for `saturation_vapour_pressure`.
    air : MoistAir
        Constants.

    Returns
    -------
    array
        In kg kg-1, float64; 1 where the air is so thin that water would boil, and nothing saturates it.
    """
    vapour = relative_humidity * saturation_vapour_pressure(temperature, over=over)
    pressure = double(pressure, vapour)
    vapour = namespace(vapour, pressure).minimum(vapour, pressure)
    ratio = air.dry_gas / air.vapour_gas
    return ratio * vapour / (pressure - (1.0 - ratio) * vapour)


def relative_humidity(
    humidity: Array, temperature: Array, pressure: Array, *, over: Surface = "water", air: MoistAir = ACE_AIR
) -> Array:
    r"""Return the pressure of water vapour over that at saturation.

    The pressure of the vapour is :math:`e = q p / (\varepsilon + (1 - \varepsilon) q)`.

    Parameters
    ----------
    humidity, temperature : array
        Specific humidity in kg kg-1, and K.
    pressure : array that broadcasts with them
        Of the air, in Pa.
    over : {"water", "ice"}
        As for `saturation_vapour_pressure`.
    air : MoistAir
        Constants.

    Returns
    -------
    array
        Without unit, float64: 1 at saturation.
    """
    humidity, ratio = double(humidity, humidity), air.dry_gas / air.vapour_gas
    vapour = humidity * double(pressure, humidity) / (ratio + (1.0 - ratio) * humidity)
    return vapour / saturation_vapour_pressure(temperature, over=over)
