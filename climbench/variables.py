"""The lexicon: the variables the suite knows, by the names their community uses, with units, meaning and aliases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from climbench.reanalysis_variables import ROWS

Kind = Literal[
    "temperature", "water", "forcing", "geopotential", "energy", "pressure", "wind", "humidity", "fraction", "other"
]


@dataclass(frozen=True)
class Variable:
    """One physical variable.

    Attributes
    ----------
    name : str
        The name used throughout the suite.
    long_name : str
        The name in words.
    units : str
        The unit it is scored and shown in.
    kind : str
        What it is: decides colour maps, and which conversions make sense (millimetres count as kg m-2 where it is
        water, metres of height as m2 s-2 where it is geopotential, J m-2 in a window as W m-2 where it is energy).
    standard_name : str or None
        The CF standard name, where there is one.
    aliases : tuple of str
        Other names met in files.
    sane : tuple of float or None
        Lowest and highest value of an absolute field anywhere on Earth's surface or in the troposphere and
        stratosphere, in `units`, with room to spare: a value outside says that the unit is wrong.
    window : float or None
        Hours over which the value is accumulated, up to its time; None for a rate or a state.
    """

    name: str
    long_name: str
    units: str
    kind: Kind
    standard_name: str | None = None
    aliases: tuple[str, ...] = ()
    sane: tuple[float, float] | None = None
    window: float | None = None


_T, _U, _P = (150.0, 350.0), (-200.0, 200.0), (3e4, 1.1e5)
_CMIP = (
    Variable("tas", "near-surface air temperature", "K", "temperature", "air_temperature", (), (170.0, 350.0)),
    Variable("tasmax", "daily maximum near-surface air temperature", "K", "temperature", "air_temperature", (), _T),
    Variable("tasmin", "daily minimum near-surface air temperature", "K", "temperature", "air_temperature", (), _T),
    Variable("ts", "surface temperature", "K", "temperature", "surface_temperature", (), (150.0, 370.0)),
    Variable("ta", "air temperature", "K", "temperature", "air_temperature", (), _T),
    Variable("diurnal_temperature_range", "diurnal temperature range", "K", "temperature", None, ("dtr", "DTR")),
    Variable("pr", "precipitation", "mm/day", "water", "precipitation_flux", (), (-1e-3, 3000.0)),
    Variable("pr90", "90th percentile of daily precipitation", "mm/day", "water", None, (), (-1e-3, 3000.0)),
    Variable("psl", "sea level pressure", "Pa", "pressure", "air_pressure_at_mean_sea_level", ("slp",), (8e4, 1.1e5)),
    Variable("ps", "surface air pressure", "Pa", "pressure", "surface_air_pressure", (), _P),
    Variable("zg", "geopotential height", "m", "geopotential", "geopotential_height", (), (-2e3, 1e5)),
    Variable("ua", "eastward wind", "m s-1", "wind", "eastward_wind", ("uwnd",), _U),
    Variable("va", "northward wind", "m s-1", "wind", "northward_wind", ("vwnd",), _U),
    Variable("uas", "eastward wind near the surface", "m s-1", "wind", "eastward_wind", (), _U),
    Variable("vas", "northward wind near the surface", "m s-1", "wind", "northward_wind", (), _U),
    Variable("hus", "specific humidity", "kg kg-1", "humidity", "specific_humidity", (), (-1e-3, 0.06)),
    Variable(
        "huss", "specific humidity near the surface", "kg kg-1", "humidity", "specific_humidity", (), (-1e-3, 0.06)
    ),
    Variable(
        "rsdt", "incoming solar radiation, top", "W m-2", "energy", "toa_incoming_shortwave_flux", (), (-1.0, 1500.0)
    ),
    Variable(
        "rsut", "outgoing solar radiation, top", "W m-2", "energy", "toa_outgoing_shortwave_flux", (), (-1.0, 1400.0)
    ),
    Variable(
        "rlut", "outgoing thermal radiation, top", "W m-2", "energy", "toa_outgoing_longwave_flux", (), (0.0, 600.0)
    ),
    Variable(
        "hfls", "latent heat flux, upward", "W m-2", "energy", "surface_upward_latent_heat_flux", (), (-800.0, 2000.0)
    ),
    Variable(
        "hfss",
        "sensible heat flux, upward",
        "W m-2",
        "energy",
        "surface_upward_sensible_heat_flux",
        (),
        (-1500.0, 2000.0),
    ),
    Variable(
        "prw", "water vapour path", "kg m-2", "other", "atmosphere_mass_content_of_water_vapor", (), (-0.1, 150.0)
    ),
    Variable("rtmt", "net downward flux, top", "W m-2", "energy", None, (), (-500.0, 1400.0)),
    *(
        Variable(name, words, "W m-2", "energy", standard, (), (-1.0, 1500.0))
        for name, words, standard in (
            ("rsds", "solar radiation, surface, down", "surface_downwelling_shortwave_flux_in_air"),
            ("rsus", "solar radiation, surface, up", "surface_upwelling_shortwave_flux_in_air"),
            ("rlds", "thermal radiation, surface, down", "surface_downwelling_longwave_flux_in_air"),
            ("rlus", "thermal radiation, surface, up", "surface_upwelling_longwave_flux_in_air"),
        )
    ),
    Variable("evspsbl", "evaporation, upward", "mm/day", "water", "water_evapotranspiration_flux", (), (-100.0, 300.0)),
    Variable("prsn", "snowfall", "mm/day", "water", "snowfall_flux", (), (-1e-3, 3000.0)),
    Variable("orog", "height of the surface", "m", "other", "surface_altitude", (), (-1e3, 1e4)),
    Variable(
        "thetao", "sea water temperature", "degC", "temperature", "sea_water_potential_temperature", (), (-5.0, 45.0)
    ),
    Variable("thkcello", "thickness of the sea's layer", "m", "other", "cell_thickness", (), (0.0, 1e4)),
    Variable("areacella", "cell area", "m2", "other", "cell_area", (), (0.0, 1e12)),
    Variable("sftlf", "land fraction", "%", "fraction", "land_area_fraction", (), (-0.01, 100.01)),
)
_FORCINGS = (
    Variable("CO2", "cumulative anthropogenic carbon dioxide emissions", "GtCO2", "forcing"),
    Variable("CH4", "anthropogenic methane emissions", "GtCH4/year", "forcing"),
    Variable("SO2", "anthropogenic sulfur dioxide emissions", "kg m-2 s-1", "forcing"),
    Variable("BC", "anthropogenic black carbon emissions", "kg m-2 s-1", "forcing"),
)
_WEATHER = (
    Variable("geopotential", "geopotential", "m2 s-2", "geopotential", "geopotential", ("z",), (-2e4, 1e6)),
    Variable("temperature", "air temperature", "K", "temperature", "air_temperature", ("t",), _T),
    Variable("u_component_of_wind", "eastward wind", "m s-1", "wind", "eastward_wind", ("u",), _U),
    Variable("v_component_of_wind", "northward wind", "m s-1", "wind", "northward_wind", ("v",), _U),
    Variable(
        "vertical_velocity",
        "vertical velocity",
        "Pa s-1",
        "wind",
        "lagrangian_tendency_of_air_pressure",
        ("w",),
        (-60.0, 60.0),
    ),
    Variable(
        "specific_humidity", "specific humidity", "kg kg-1", "humidity", "specific_humidity", ("q",), (-2e-3, 0.06)
    ),
    Variable("relative_humidity", "relative humidity", "%", "humidity", "relative_humidity", ("r",), (-20.0, 250.0)),
    Variable("wind_speed", "wind speed", "m s-1", "wind", "wind_speed", (), (0.0, 200.0)),
    Variable(
        "2m_temperature", "temperature at 2 m", "K", "temperature", "air_temperature", ("t2m", "2t"), (170.0, 350.0)
    ),
    Variable(
        "2m_dewpoint_temperature",
        "dew point at 2 m",
        "K",
        "temperature",
        "dew_point_temperature",
        ("d2m", "2d"),
        (130.0, 330.0),
    ),
    Variable(
        "mean_sea_level_pressure",
        "sea level pressure",
        "Pa",
        "pressure",
        "air_pressure_at_mean_sea_level",
        ("msl",),
        (8e4, 1.1e5),
    ),
    Variable("surface_pressure", "surface pressure", "Pa", "pressure", "surface_air_pressure", ("sp",), _P),
    Variable(
        "10m_u_component_of_wind", "eastward wind at 10 m", "m s-1", "wind", "eastward_wind", ("u10", "10u", "u10m"), _U
    ),
    Variable(
        "10m_v_component_of_wind",
        "northward wind at 10 m",
        "m s-1",
        "wind",
        "northward_wind",
        ("v10", "10v", "v10m"),
        _U,
    ),
    Variable("10m_wind_speed", "wind speed at 10 m", "m s-1", "wind", "wind_speed", ("si10",), (0.0, 200.0)),
    Variable(
        "sea_surface_temperature",
        "sea surface temperature",
        "K",
        "temperature",
        "sea_surface_temperature",
        ("sst",),
        (265.0, 315.0),
    ),
    Variable(
        "total_column_water_vapour",
        "water vapour path",
        "kg m-2",
        "other",
        "atmosphere_mass_content_of_water_vapor",
        ("tcwv",),
        (-0.1, 150.0),
    ),
    Variable(
        "total_precipitation",
        "precipitation of one hour",
        "m",
        "water",
        "precipitation_amount",
        ("tp",),
        (-1e-3, 0.5),
        1.0,
    ),
    Variable(
        "total_precipitation_6hr",
        "precipitation of six hours",
        "m",
        "water",
        "precipitation_amount",
        ("tp06",),
        (-1e-3, 1.5),
        6.0,
    ),
    Variable(
        "total_precipitation_12hr",
        "precipitation of twelve hours",
        "m",
        "water",
        "precipitation_amount",
        (),
        (-1e-3, 2.0),
        12.0,
    ),
    Variable(
        "total_precipitation_24hr",
        "precipitation of a day",
        "m",
        "water",
        "precipitation_amount",
        (),
        (-1e-3, 2.5),
        24.0,
    ),
    Variable("land_sea_mask", "land fraction", "1", "fraction", "land_binary_mask", ("lsm",), (-1e-4, 1.0001)),
    Variable(
        "geopotential_at_surface",
        "geopotential at the surface",
        "m2 s-2",
        "geopotential",
        "surface_geopotential",
        (),
        (-5e3, 6.5e4),
    ),
)

LEXICON: dict[str, Variable] = {v.name: v for v in (*_CMIP, *_FORCINGS, *_WEATHER, *(Variable(*row) for row in ROWS))}

# Names of one quantity in two communities: a file with either answers whoever asks for the other.
TWINS = (
    ("tas", "2m_temperature"),
    ("psl", "mean_sea_level_pressure"),
    ("ps", "surface_pressure"),
    ("ta", "temperature"),
    ("ua", "u_component_of_wind"),
    ("va", "v_component_of_wind"),
    ("hus", "specific_humidity"),
    ("zg", "geopotential"),
    ("rsdt", "toa_incident_solar_radiation"),
    ("prw", "total_column_water_vapour"),
    ("uas", "10m_u_component_of_wind"),
    ("vas", "10m_v_component_of_wind"),
)

_BY_ALIAS = {alias: v.name for v in LEXICON.values() for alias in v.aliases}
_TWIN = {a: b for pair in TWINS for a, b in (pair, pair[::-1])}


def known_name(name: str, wanted: Collection[str] = ()) -> str:
    """Return the suite's name for a variable as a file calls it; names it does not know pass unchanged.

    Parameters
    ----------
    name : str
        A name found in a file.
    wanted : collection of str
        Names that are asked for: of two names of one quantity the one that is wanted is given.

    Returns
    -------
    str
        For example ``"2m_temperature"`` for ``"t2m"``, or ``"tas"`` where that is wanted.
    """
    known = _BY_ALIAS.get(name, name)
    if name in wanted or known in wanted:
        return name if name in wanted else known
    twin = _TWIN.get(known)
    return twin if twin is not None and twin in wanted else known


def kind_of(name: str) -> Kind:
    """Return what kind of variable a name stands for; ``"other"`` where the lexicon does not have it."""
    return LEXICON[name].kind if name in LEXICON else "other"


def is_water(name: str) -> bool:
    """Return whether a variable is an amount or flux of liquid water."""
    return kind_of(name) == "water"


def of_model(variable: str, model: str) -> str:
    """Return the name of a variable of one of several climate models: ``"tas.NorESM2-LM"``."""
    return f"{variable}.{model}"


def without_model(name: str) -> str:
    """Return a variable's own name: ``"tas"`` for ``"tas.NorESM2-LM"``, and for itself."""
    return name.partition(".")[0]
