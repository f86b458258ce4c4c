"""Fluxes through the top and the ground of the moist atmosphere: the simplest formulas of Earth's size and shape.

The ground has a temperature of its own that never changes (a sea of endless heat), so that nothing is known of its heat
but what passes through it. Signs are ERA5's: downward is positive.
"""

from __future__ import annotations

import numpy as np

from climbench.constants import CREDIT_AIR, GRAVITY
from climbench.worlds.moist_layers import LAPSE_RATE, Layers, from_mean, saturation

SUN = 340.0  # W m-2: mean over the globe, a quarter of the solar constant
SUN_CONTRAST = 0.48 * 1.5  # of the second Legendre polynomial, as annual means of the sun have it (North 1975)
CLEAR_ALBEDO, CLOUD_ALBEDO, POLAR_ALBEDO = 0.16, 0.20, 0.25
CLEAR_SKY, WET_SKY = 0.80, 0.12  # part of the absorbed sun that reaches the ground, less that part where air is wet
THERMAL, PER_KELVIN, PER_WETNESS = 238.5, 2.2, 30.0  # W m-2, W m-2 K-1, W m-2: what goes out at the top
USUAL_TEMPERATURE, USUAL_WETNESS = 254.0, 0.75  # to which the first of those belongs
WINDOW, CLOSED = 150.0, 120.0  # W m-2: net thermal radiation from the ground under dry air, less that under wet air
GROUND, GROUND_CONTRAST = 287.5, 43.0  # K: mean temperature of the ground, and equator less pole
EXCHANGE, GUSTS, AIR_DENSITY = 0.95e-3, 5.0, 1.2  # bulk coefficient; m s-1; kg m-3
NEUTRAL = 0.6  # K: by how much the lowest layer is colder than the ground where no heat passes
MIDDLE = 4  # the layer whose temperature is felt at the top

TOP_SOLAR = "mean_top_net_short_wave_radiation_flux"
TOP_THERMAL = "mean_top_net_long_wave_radiation_flux"
SURFACE_SOLAR = "mean_surface_net_short_wave_radiation_flux"
SURFACE_THERMAL = "mean_surface_net_long_wave_radiation_flux"
LATENT, SENSIBLE = "mean_surface_latent_heat_flux", "mean_surface_sensible_heat_flux"


def ground_temperature(layers: Layers) -> np.ndarray:
    """Return the temperature of the ground of shape (latitude, longitude), in K."""
    return GROUND + GROUND_CONTRAST * from_mean(layers.latitude) - LAPSE_RATE / GRAVITY * layers.ground


def radiation(layers: Layers, temperature: np.ndarray, wetness: np.ndarray) -> dict[str, np.ndarray]:
    """Return the net radiation at the top and at the ground.

    Parameters
    ----------
    layers : Layers
        The columns.
    temperature : ndarray of shape (level, latitude, longitude)
        In K.
    wetness : ndarray of shape (latitude, longitude)
        A column's water, of what it can hold.

    Returns
    -------
    dict of str to ndarray of shape (latitude, longitude)
        In W m-2, downward.
    """
    slope = from_mean(layers.latitude)
    albedo = CLEAR_ALBEDO + CLOUD_ALBEDO * wetness**2 + POLAR_ALBEDO * (1.0 / 3.0 - slope) ** 2
    absorbed = SUN * (1.0 + SUN_CONTRAST * slope) * (1.0 - albedo)
    outgoing = (
        THERMAL + PER_KELVIN * (temperature[MIDDLE] - USUAL_TEMPERATURE) - PER_WETNESS * (wetness - USUAL_WETNESS)
    )
    return {
        TOP_SOLAR: absorbed,
        TOP_THERMAL: -outgoing,
        SURFACE_SOLAR: absorbed * (CLEAR_SKY - WET_SKY * wetness),
        SURFACE_THERMAL: CLOSED * wetness - WINDOW,
    }


def evaporation(
    ground: np.ndarray, humidity: np.ndarray, speed: np.ndarray, surface_pressure: np.ndarray
) -> np.ndarray:
    """Return the water that the ground gives to the air, by the bulk formula; none is taken back as dew.

    Parameters
    ----------
    ground : ndarray of shape (latitude, longitude)
        Its temperature, in K.
    humidity, speed : ndarray of shape (latitude, longitude)
        Of the lowest layer, in kg kg-1 and m s-1.
    surface_pressure : ndarray of shape (latitude, longitude)
        In Pa.

    Returns
    -------
    ndarray of shape (latitude, longitude)
        In kg m-2 s-1, upward.
    """
    deficit = np.clip(saturation(ground, surface_pressure) - humidity, 0.0, None)
    return AIR_DENSITY * EXCHANGE * np.hypot(speed, GUSTS) * deficit


def sensible_heat(ground: np.ndarray, temperature: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Return the flux of sensible heat, by the bulk formula.

    Parameters
    ----------
    ground, temperature, speed : ndarray of shape (latitude, longitude)
        Temperatures of the ground and of the lowest layer in K, and its wind in m s-1.

    Returns
    -------
    ndarray of shape (latitude, longitude)
        In W m-2, downward.
    """
    exchange = AIR_DENSITY * CREDIT_AIR.dry_heat * EXCHANGE * np.hypot(speed, GUSTS)
    return exchange * (temperature + NEUTRAL - ground)
