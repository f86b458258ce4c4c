"""What the names of earth2studio's variables stand for: ``z500`` is the geopotential at 500 hPa.

Only those whose unit and meaning are the lexicon's; ``tp`` is not among them, for its window differs by model.
"""

from __future__ import annotations

import re

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


def field_named(short: str) -> Field | None:
    """Return what an id of earth2studio stands for; None where the suite has no such variable."""
    if short in SURFACE:
        return Field(SURFACE[short])
    aloft = _ALOFT.fullmatch(short)
    return Field(ALOFT[aloft[1]], float(aloft[2])) if aloft else None
