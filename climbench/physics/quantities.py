"""What the physics needs, by its role, and the variables of each community that it can be taken from.

A quantity is a role: the flux of latent heat out of the surface, whatever a file calls it and whichever direction it
counts as positive. A source says how to get it: convert the variable to `units`, and multiply by `factor`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from climbench.constants import ACE_AIR, CREDIT_AIR, GRAVITY
from climbench.variables import LEXICON

KELVIN, WATTS, RATE = "K", "W m-2", "kg m-2 s-1"
WIND, GEOPOTENTIAL = "m s-1", "m2 s-2"


@dataclass(frozen=True)
class Source:
    """A variable that a quantity can be taken from.

    Attributes
    ----------
    variable : str
        Its name in the lexicon.
    factor : float
        What it is multiplied by: -1 where it counts the other way.
    units : str or None
        The unit it is converted to before that; that of the quantity where None.
    """

    variable: str
    factor: float = 1.0
    units: str | None = None


@dataclass(frozen=True)
class Quantity:
    """One thing the physics needs.

    Attributes
    ----------
    name : str
        Its role.
    words : str
        What it is, for messages.
    units : str
        The unit it is wanted in.
    sources : tuple of Source
        Best first.
    """

    name: str
    words: str
    units: str
    sources: tuple[Source, ...]


def _quantity(name: str, words: str, units: str, *sources: str | Source) -> Quantity:
    return Quantity(name, words, units, tuple(s if isinstance(s, Source) else Source(s) for s in sources))


def _minus(variable: str) -> Source:
    return Source(variable, -1.0)


_STATE = (
    _quantity("surface_pressure", "surface pressure", "Pa", "surface_pressure", "ps", "PRESsfc"),
    _quantity("temperature", "air temperature", KELVIN, "temperature", "ta", "air_temperature"),
    _quantity("humidity", "specific humidity", "kg kg-1", "specific_total_water", "specific_humidity", "hus"),
    _quantity("eastward", "eastward wind", WIND, "u_component_of_wind", "ua", "eastward_wind"),
    _quantity("northward", "northward wind", WIND, "v_component_of_wind", "va", "northward_wind"),
    _quantity("geopotential", "geopotential", GEOPOTENTIAL, "geopotential", "zg"),
    _quantity(
        "surface_geopotential",
        "geopotential of the ground",
        GEOPOTENTIAL,
        "geopotential_at_surface",
        Source("HGTsfc", GRAVITY, "m"),
        Source("orog", GRAVITY, "m"),
    ),
    _quantity("water_path", "water path", "kg m-2", "total_column_water", "total_column_water_vapour", "prw"),
)
_WATER = (
    _quantity(
        "precipitation",
        "precipitation",
        RATE,
        "pr",
        "PRATEsfc",
        "mean_total_precipitation_rate",
        "total_precipitation_6hr",
        "total_precipitation",
        "total_precipitation_24hr",
        "total_precipitation_12hr",
    ),
    _quantity(
        "evaporation",
        "evaporation, or the flux of latent heat",
        RATE,
        "evspsbl",
        _minus("mean_evaporation_rate"),
        _minus("evaporation"),
        Source("LHTFLsfc", 1.0 / ACE_AIR.vaporisation, WATTS),
        Source("hfls", 1.0 / CREDIT_AIR.vaporisation, WATTS),
        Source("mean_surface_latent_heat_flux", -1.0 / CREDIT_AIR.vaporisation, WATTS),
        Source("surface_latent_heat_flux", -1.0 / CREDIT_AIR.vaporisation, WATTS),
    ),
    _quantity("frozen_precipitation", "frozen precipitation", RATE, "total_frozen_precipitation_rate", "prsn"),
    _quantity("moisture_convergence", "convergence of moisture", RATE, "tendency_of_total_water_path_due_to_advection"),
)
_TOP = (
    _quantity(
        "top_solar_down",
        "incoming solar radiation at the top",
        WATTS,
        "rsdt",
        "DSWRFtoa",
        "mean_top_downward_short_wave_radiation_flux",
        "toa_incident_solar_radiation",
        "toa_incident_solar_radiation_6hr",
        "toa_incident_solar_radiation_12hr",
        "toa_incident_solar_radiation_24hr",
    ),
    _quantity("top_solar_up", "outgoing solar radiation at the top", WATTS, "rsut", "USWRFtoa"),
    _quantity(
        "top_solar_net",
        "net solar radiation at the top",
        WATTS,
        "mean_top_net_short_wave_radiation_flux",
        "top_net_solar_radiation",
    ),
    _quantity(
        "top_thermal_up",
        "outgoing thermal radiation at the top",
        WATTS,
        "rlut",
        "ULWRFtoa",
        _minus("mean_top_net_long_wave_radiation_flux"),
        _minus("top_net_thermal_radiation"),
    ),
)
_SURFACE = (
    _quantity(
        "surface_solar_down",
        "solar radiation down at the surface",
        WATTS,
        "rsds",
        "DSWRFsfc",
        "mean_surface_downward_short_wave_radiation_flux",
        "surface_solar_radiation_downwards",
    ),
    _quantity("surface_solar_up", "solar radiation up at the surface", WATTS, "rsus", "USWRFsfc"),
    _quantity(
        "surface_solar_net",
        "net solar radiation at the surface",
        WATTS,
        "mean_surface_net_short_wave_radiation_flux",
        "surface_net_solar_radiation",
    ),
    _quantity(
        "surface_thermal_down",
        "thermal radiation down at the surface",
        WATTS,
        "rlds",
        "DLWRFsfc",
        "mean_surface_downward_long_wave_radiation_flux",
        "surface_thermal_radiation_downwards",
    ),
    _quantity("surface_thermal_up", "thermal radiation up at the surface", WATTS, "rlus", "ULWRFsfc"),
    _quantity(
        "surface_thermal_net",
        "net thermal radiation at the surface",
        WATTS,
        "mean_surface_net_long_wave_radiation_flux",
        "surface_net_thermal_radiation",
    ),
    _quantity(
        "latent_up",
        "flux of latent heat",
        WATTS,
        "hfls",
        "LHTFLsfc",
        _minus("mean_surface_latent_heat_flux"),
        _minus("surface_latent_heat_flux"),
    ),
    _quantity(
        "sensible_up",
        "flux of sensible heat",
        WATTS,
        "hfss",
        "SHTFLsfc",
        _minus("mean_surface_sensible_heat_flux"),
        _minus("surface_sensible_heat_flux"),
    ),
)
_OCEAN = (
    _quantity("ocean_temperature", "temperature of the sea", KELVIN, "thetao"),
    _quantity("ocean_thickness", "thickness of the sea's layers", "m", "thkcello"),
)

QUANTITIES: dict[str, Quantity] = {q.name: q for q in (*_STATE, *_WATER, *_TOP, *_SURFACE, *_OCEAN)}
# What has no time of its own.
STATIC = ("surface_geopotential", "ocean_thickness")
# What stands on the sea's own levels.
OF_THE_SEA = tuple(q.name for q in _OCEAN)


def source_of(quantity: str, variables: Collection[str], *, step: float | None = None) -> Source | None:
    """Return the best source of a quantity among the variables that are there; None where there is none.

    Parameters
    ----------
    quantity : str
        A role, one of `QUANTITIES`.
    variables : collection of str
        Names in the lexicon.
    step : float, optional
        Hours from one time to the next: amounts of other hours come last.

    Returns
    -------
    Source or None
    """
    there = [s for s in QUANTITIES[quantity].sources if s.variable in variables]
    return min(there, key=lambda s: step is not None and LEXICON[s.variable].window not in (None, step), default=None)


def wanted_names(quantity: str) -> str:
    """Return a quantity in words, with the variables it can be taken from, for messages."""
    found = QUANTITIES[quantity]
    return f"{found.words} ({', '.join(s.variable for s in found.sources)})"
