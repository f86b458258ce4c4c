"""Balances of energy fluxes at the top of the atmosphere and at the surface; all sums of named parts.

Downward is positive in every balance here. Parts bear the sign of their name: an outgoing flux is positive when it
goes out.
"""

from __future__ import annotations

from climbench.physics.arrays import Array, double


def top_balance(solar_down: Array, solar_up: Array, thermal_up: Array) -> Array:
    """Return the net downward flux through the top of the atmosphere.

    Parameters
    ----------
    solar_down, solar_up, thermal_up : array
        In W m-2: CMIP's rsdt, rsut and rlut; ACE's DSWRFtoa, USWRFtoa and ULWRFtoa.

    Returns
    -------
    array
        In W m-2, float64.
    """
    return double(solar_down, solar_down) - solar_up - thermal_up


def surface_balance(
    solar_down: Array,
    solar_up: Array,
    thermal_down: Array,
    thermal_up: Array,
    latent_up: Array,
    sensible_up: Array,
    frozen_precipitation: Array | None = None,
    *,
    fusion: float = 0.0,
) -> Array:
    """Return the net downward flux into the surface.

    Parameters
    ----------
    solar_down, solar_up, thermal_down, thermal_up : array
        Radiation at the surface, in W m-2.
    latent_up, sensible_up : array
        Turbulent fluxes, in W m-2.
    frozen_precipitation : array, optional
        In kg m-2 s-1; it takes the heat to melt it out of the surface. ACE counts it, CREDIT does not.
    fusion : float
        Latent heat, in J kg-1, where frozen precipitation counts.

    Returns
    -------
    array
        In W m-2, float64.
    """
    balance = double(solar_down, solar_down) - solar_up + thermal_down - thermal_up - latent_up - sensible_up
    return balance if frozen_precipitation is None else balance - fusion * frozen_precipitation
