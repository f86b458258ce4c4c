"""The lexicon's rows for ERA5, by the names that WeatherBench and ARCO-ERA5 use, and for emulators such as ACE.

Names, short names and units are those of ECMWF's parameter database and of the Climate Data Store; amounts in metres
are those of one hour, as ERA5's hourly fields have them. Fluxes of ERA5 count downward as positive, those of ACE in the
direction of their name. Ranges are wide on purpose: they are to catch a wrong unit, not a rare event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from climbench.variables import Kind

# name, name in words, unit, kind, CF standard name, other names, lowest and highest value, hours of accumulation
Row = tuple[str, str, str, "Kind", str | None, tuple[str, ...], tuple[float, float] | None, float | None]
Named = tuple[str, str, str | None, str]  # name, name in words, CF standard name, other names

_LATENT, _SENSIBLE = "surface_downward_latent_heat_flux", "surface_downward_sensible_heat_flux"
_LATENT_UP, _SENSIBLE_UP = "surface_upward_latent_heat_flux", "surface_upward_sensible_heat_flux"
_SW_DOWN, _LW_DOWN = "surface_downwelling_shortwave_flux_in_air", "surface_downwelling_longwave_flux_in_air"
_SW_UP, _LW_UP = "surface_upwelling_shortwave_flux_in_air", "surface_upwelling_longwave_flux_in_air"
_SW_NET, _LW_NET = "surface_net_downward_shortwave_flux", "surface_net_downward_longwave_flux"
_SW_TOP, _SW_TOP_NET = "toa_incoming_shortwave_flux", "toa_net_downward_shortwave_flux"
_SW_OUT, _LW_OUT = "toa_outgoing_shortwave_flux", "toa_outgoing_longwave_flux"
_CAPE = "atmosphere_convective_available_potential_energy"


def _rows(
    units: str, kind: Kind, sane: tuple[float, float] | None, *named: Named, window: float | None = None
) -> tuple[Row, ...]:
    """Return rows of variables that share unit, kind and range."""
    return tuple((n, words, units, kind, standard, tuple(o.split()), sane, window) for n, words, standard, o in named)


def _flux(low: float, high: float, *named: Named, window: float | None = None) -> tuple[Row, ...]:
    return _rows("W m-2", "energy", (low, high), *named, window=window)


# What ERA5 has as J m-2 in a window, or as a mean rate; both are given as a flux.
_RADIATION = (
    *_flux(
        -1.0,
        1500.0,
        ("surface_solar_radiation_downwards", "solar radiation, surface, down", _SW_DOWN, "ssrd"),
        ("mean_surface_downward_short_wave_radiation_flux", "solar radiation, down", _SW_DOWN, "msdwswrf avg_sdswrf"),
        ("toa_incident_solar_radiation", "incoming solar radiation, top", _SW_TOP, "tisr"),
        ("mean_top_downward_short_wave_radiation_flux", "incoming solar radiation", _SW_TOP, "mtdwswrf avg_tdswrf"),
    ),
    *_flux(-1.0, 1500.0, ("toa_incident_solar_radiation_6hr", "sun, mean of six hours", _SW_TOP, ""), window=6.0),
    *_flux(-1.0, 1500.0, ("toa_incident_solar_radiation_12hr", "sun, mean of twelve hours", _SW_TOP, ""), window=12.0),
    *_flux(-1.0, 1500.0, ("toa_incident_solar_radiation_24hr", "sun, mean of a day", _SW_TOP, ""), window=24.0),
    *_flux(
        -10.0,
        1500.0,
        ("surface_net_solar_radiation", "solar radiation, surface, net", _SW_NET, "ssr"),
        ("mean_surface_net_short_wave_radiation_flux", "solar radiation, net", _SW_NET, "msnswrf avg_snswrf"),
        ("top_net_solar_radiation", "solar radiation, top, net", _SW_TOP_NET, "tsr"),
        ("mean_top_net_short_wave_radiation_flux", "solar radiation, top, net", _SW_TOP_NET, "mtnswrf avg_tnswrf"),
    ),
    *_flux(
        0.0,
        700.0,
        ("surface_thermal_radiation_downwards", "thermal radiation, surface, down", _LW_DOWN, "strd"),
        ("mean_surface_downward_long_wave_radiation_flux", "thermal radiation, down", _LW_DOWN, "msdwlwrf avg_sdlwrf"),
    ),
    *_flux(
        -600.0,
        200.0,
        ("surface_net_thermal_radiation", "thermal radiation, surface, net", _LW_NET, "str"),
        ("mean_surface_net_long_wave_radiation_flux", "thermal radiation, net", _LW_NET, "msnlwrf avg_snlwrf"),
        ("top_net_thermal_radiation", "thermal radiation, top, net", None, "ttr"),
        ("mean_top_net_long_wave_radiation_flux", "thermal radiation, top, net", None, "mtnlwrf avg_tnlwrf"),
    ),
    *_flux(
        -2000.0,
        1500.0,
        ("surface_latent_heat_flux", "latent heat flux, downward", _LATENT, "slhf"),
        ("mean_surface_latent_heat_flux", "latent heat flux, downward", _LATENT, "mslhf avg_slhtf"),
        ("surface_sensible_heat_flux", "sensible heat flux, downward", _SENSIBLE, "sshf"),
        ("mean_surface_sensible_heat_flux", "sensible heat flux, downward", _SENSIBLE, "msshf avg_ishf"),
    ),
)
_CONVECTIVE = "lwe_thickness_of_convective_precipitation_amount"
_STRATIFORM = "lwe_thickness_of_stratiform_precipitation_amount"
_WATER = (
    *_rows(
        "m",
        "water",
        (-1e-3, 0.5),
        ("convective_precipitation", "convective precipitation of one hour", _CONVECTIVE, "cp"),
        ("large_scale_precipitation", "large-scale precipitation of one hour", _STRATIFORM, "lsp"),
        ("snowfall", "snowfall of one hour, as water", "lwe_thickness_of_snowfall_amount", "sf"),
        ("snowmelt", "snowmelt of one hour, as water", None, "smlt"),
        ("runoff", "runoff of one hour", None, "ro"),
        ("surface_runoff", "surface runoff of one hour", None, "sro"),
        ("sub_surface_runoff", "sub-surface runoff of one hour", None, "ssro"),
        window=1.0,
    ),
    *_rows(
        "m",
        "water",
        (-1.0, 1.0),
        ("evaporation", "evaporation of one hour, as water, downward", None, "e"),
        ("potential_evaporation", "potential evaporation of one hour, as water, downward", None, "pev"),
        window=1.0,
    ),
    *_rows(
        "kg m-2 s-1",
        "water",
        (-0.15, 0.15),
        ("mean_total_precipitation_rate", "precipitation", "precipitation_flux", "mtpr avg_tprate"),
        ("mean_evaporation_rate", "evaporation, downward", None, "mer avg_ie"),
    ),
    *_rows("m", "other", (-1e-3, 100.0), ("snow_depth", "snow, as water", "lwe_thickness_of_surface_snow_amount", "")),
    *_rows(
        "kg m-2",
        "other",
        (-0.1, 170.0),
        ("total_column_water", "water path", None, "tcw"),
        ("total_column_cloud_liquid_water", "cloud water", "atmosphere_mass_content_of_cloud_liquid_water", "tclw"),
        ("total_column_cloud_ice_water", "cloud ice", "atmosphere_mass_content_of_cloud_ice", "tciw"),
    ),
)
_SURFACE = (
    *_rows("K", "temperature", (150.0, 370.0), ("skin_temperature", "skin temperature", "surface_temperature", "skt")),
    *_rows(
        "K",
        "temperature",
        (180.0, 350.0),
        *(
            (f"soil_temperature_level_{i}", f"soil temperature, layer {i}", "soil_temperature", f"stl{i}")
            for i in range(1, 5)
        ),
    ),
    *_rows(
        "m3 m-3",
        "other",
        (-0.01, 1.01),
        *((f"volumetric_soil_water_layer_{i}", f"soil water, layer {i}", None, f"swvl{i}") for i in range(1, 5)),
    ),
    *_rows(
        "1",
        "fraction",
        (-0.01, 1.01),
        ("sea_ice_cover", "sea-ice fraction", "sea_ice_area_fraction", ""),
        ("total_cloud_cover", "cloud fraction", "cloud_area_fraction", "tcc"),
        ("low_cloud_cover", "low cloud fraction", None, "lcc"),
        ("medium_cloud_cover", "medium cloud fraction", None, "mcc"),
        ("high_cloud_cover", "high cloud fraction", None, "hcc"),
        ("forecast_albedo", "albedo", None, "fal"),
        ("fraction_of_cloud_cover", "cloud fraction", "cloud_area_fraction_in_atmosphere_layer", ""),
    ),
    *_rows(
        "m",
        "other",
        (-1.0, 2e4),
        ("boundary_layer_height", "boundary-layer height", "atmosphere_boundary_layer_thickness", "blh"),
    ),
    *_rows("J kg-1", "other", (-1.0, 2e4), ("convective_available_potential_energy", "CAPE", _CAPE, "cape")),
    *_rows(
        "m s-1",
        "wind",
        (-200.0, 200.0),
        ("100m_u_component_of_wind", "eastward wind at 100 m", "eastward_wind", "u100 100u"),
        ("100m_v_component_of_wind", "northward wind at 100 m", "northward_wind", "v100 100v"),
        ("instantaneous_10m_wind_gust", "wind gust at 10 m", "wind_speed_of_gust", "i10fg"),
    ),
)
_UPPER_AIR = (
    *_rows(
        "s-1",
        "other",
        (-0.05, 0.05),
        ("vorticity", "relative vorticity", "atmosphere_relative_vorticity", ""),
        ("divergence", "divergence", "divergence_of_wind", ""),
    ),
    *_rows(
        "kg kg-1",
        "humidity",
        (-1e-4, 0.02),
        ("specific_cloud_liquid_water_content", "cloud water", "mass_fraction_of_cloud_liquid_water_in_air", "clwc"),
        ("specific_cloud_ice_water_content", "cloud ice", "mass_fraction_of_cloud_ice_in_air", "ciwc"),
    ),
    *_rows(
        "kg kg-1", "other", (-1e-6, 1e-4), ("ozone_mass_mixing_ratio", "ozone", "mass_fraction_of_ozone_in_air", "")
    ),
)
_ACE = (
    *_rows("Pa", "pressure", (3e4, 1.1e5), ("PRESsfc", "surface pressure", "surface_air_pressure", "")),
    *_rows("Pa", "pressure", (8e4, 1.1e5), ("PRMSL", "sea level pressure", "air_pressure_at_mean_sea_level", "")),
    *_rows("m", "other", (-1e3, 1e4), ("HGTsfc", "height of the surface", "surface_altitude", "")),
    *_rows("m", "geopotential", (3e3, 7e3), ("h500", "height at 500 hPa", "geopotential_height", "")),
    *_rows(
        "K",
        "temperature",
        (150.0, 370.0),
        ("surface_temperature", "surface temperature", "surface_temperature", ""),
        ("air_temperature", "air temperature", "air_temperature", ""),
        ("TMP2m", "temperature at 2 m", "air_temperature", ""),
        ("TMP850", "temperature at 850 hPa", "air_temperature", ""),
    ),
    *_rows(
        "kg kg-1",
        "humidity",
        (-2e-3, 0.06),
        ("specific_total_water", "specific total water", None, ""),
        ("Q2m", "specific humidity at 2 m", "specific_humidity", ""),
    ),
    *_rows(
        "m s-1",
        "wind",
        (-200.0, 200.0),
        ("eastward_wind", "eastward wind", "eastward_wind", ""),
        ("northward_wind", "northward wind", "northward_wind", ""),
        ("UGRD10m", "eastward wind at 10 m", "eastward_wind", ""),
        ("VGRD10m", "northward wind at 10 m", "northward_wind", ""),
    ),
    *_rows(
        "kg m-2 s-1",
        "water",
        (-1e-5, 0.15),
        ("PRATEsfc", "precipitation", "precipitation_flux", ""),
        ("total_frozen_precipitation_rate", "frozen precipitation", None, ""),
    ),
    *_rows(
        "kg m-2 s-1",
        "other",
        (-0.5, 0.5),
        ("tendency_of_total_water_path_due_to_advection", "water path tendency by advection", None, ""),
    ),
    *_flux(
        -1500.0,
        2000.0,
        ("LHTFLsfc", "latent heat flux, upward", _LATENT_UP, ""),
        ("SHTFLsfc", "sensible heat flux, upward", _SENSIBLE_UP, ""),
    ),
    *_flux(
        -1.0,
        1500.0,
        ("DSWRFtoa", "incoming solar radiation, top", _SW_TOP, ""),
        ("USWRFtoa", "outgoing solar radiation, top", _SW_OUT, ""),
        ("DSWRFsfc", "solar radiation, surface, down", _SW_DOWN, ""),
        ("USWRFsfc", "solar radiation, surface, up", _SW_UP, ""),
    ),
    *_flux(
        0.0,
        1100.0,
        ("ULWRFtoa", "outgoing thermal radiation, top", _LW_OUT, ""),
        ("DLWRFsfc", "thermal radiation, surface, down", _LW_DOWN, ""),
        ("ULWRFsfc", "thermal radiation, surface, up", _LW_UP, ""),
    ),
    *_rows(
        "1",
        "fraction",
        (-0.01, 1.01),
        ("land_fraction", "land fraction", "land_area_fraction", ""),
        ("ocean_fraction", "ocean fraction", "sea_area_fraction", ""),
        ("sea_ice_fraction", "sea-ice fraction", "sea_ice_area_fraction", ""),
    ),
)

ROWS: tuple[Row, ...] = (*_RADIATION, *_WATER, *_SURFACE, *_UPPER_AIR, *_ACE)
