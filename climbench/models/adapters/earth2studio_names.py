"""The names of earth2studio's variables, and back: ``z500`` is the geopotential at 500 hPa.

Only those whose unit and meaning are the lexicon's; ``tp`` is not among them, for its window differs by model.
"""

from __future__ import annotations

import re

from climbench.errors import ModelError
from climbench.models.adapters.fields import Field

SURFACE = {
    "u10m": "10m_u_component_of_wind",
    "v10m": "10m_v_component_of_wind",
    "ws10m": "10m_wind_speed",
    "u100m": "100m_u_component_of_wind",
    "v100m": "100m_v_component_of_wind",
    "t2m": "2m_temperature",
    "d2m": "2m_dewpoint_temperature",
    "msl": "mean_sea_level_pressure",
    "sp": "surface_pressure",
    "sst": "sea_surface_temperature",
    "tcwv": "total_column_water_vapour",
    "tcc": "total_cloud_cover",
    "tp01": "total_precipitation",
    "tp06": "total_precipitation_6hr",
    "tp12": "total_precipitation_12hr",
    "tp24": "total_precipitation_24hr",
    "lsm": "land_sea_mask",
    "z": "geopotential_at_surface",
}
ALOFT = {
    "z": "geopotential",
    "t": "temperature",
    "u": "u_component_of_wind",
    "v": "v_component_of_wind",
    "w": "vertical_velocity",
    "q": "specific_humidity",
    "r": "relative_humidity",
}
_ALOFT = re.compile(rf"([{''.join(ALOFT)}])(\d+)")
_SURFACE_ID = {name: short for short, name in SURFACE.items()}
_ALOFT_ID = {name: short for short, name in ALOFT.items()}


def field_named(short: str) -> Field | None:
    """Return what an id of earth2studio stands for; None where the suite has no such variable."""
    if short in SURFACE:
        return Field(SURFACE[short])
    aloft = _ALOFT.fullmatch(short)
    return Field(ALOFT[aloft[1]], float(aloft[2])) if aloft else None


def id_of(field: Field) -> str:
    """Return earth2studio's id of a field; raise `ModelError` where it has none."""
    if field.level is None and field.name in _SURFACE_ID:
        return _SURFACE_ID[field.name]
    if field.level is not None and field.name in _ALOFT_ID and field.level == int(field.level):
        return f"{_ALOFT_ID[field.name]}{int(field.level)}"
    raise ModelError(f"earth2studio has no name for {field}.")
