"""The geography of the simulated climate: grid, idealised land, response patterns, sources, and mean precipitation."""

from __future__ import annotations

from functools import cache

import numpy as np

LATITUDES, LONGITUDES = 32, 64
EARTH_RADIUS = 6.371e6  # m

# Idealised continents: centre latitude and longitude, half-widths in latitude and longitude [degrees].
CONTINENTS = (
    (50.0, 260.0, 19.0, 26.0),
    (-13.0, 300.0, 21.0, 13.0),
    (6.0, 18.0, 27.0, 17.0),
    (53.0, 75.0, 19.0, 62.0),
    (24.0, 88.0, 13.0, 20.0),
    (-25.0, 134.0, 11.0, 17.0),
    (73.0, 318.0, 9.0, 16.0),
)
SOURCES = ((40.0, 268.0), (50.0, 15.0), (33.0, 112.0), (24.0, 80.0), (-5.0, 22.0))


def latitude() -> np.ndarray:
    """Return cell centres in degrees north, ascending, of shape (32,)."""
    step = 180.0 / LATITUDES
    return -90.0 + step * (np.arange(LATITUDES) + 0.5)


def longitude() -> np.ndarray:
    """Return cell centres in degrees east, from 0, of shape (64,)."""
    return np.arange(LONGITUDES) * 360.0 / LONGITUDES


@cache
def _mesh() -> tuple[np.ndarray, np.ndarray]:
    lat, lon = np.meshgrid(latitude(), longitude(), indexing="ij")
    return lat, lon


def cosine_mean(field: np.ndarray) -> np.ndarray:
    """Return the cos(latitude)-weighted mean of a field of shape (..., 32, 64)."""
    weights = np.cos(np.deg2rad(latitude()))
    return field.mean(axis=-1) @ (weights / weights.sum())


def _blob(lat0: float, lon0: float, width_lat: float, width_lon: float) -> np.ndarray:
    lat, lon = _mesh()
    apart = (lon - lon0 + 180.0) % 360.0 - 180.0
    return np.exp(-(((lat - lat0) / width_lat) ** 2) - (apart / width_lon) ** 2)


def land_fraction() -> np.ndarray:
    """Return idealised land, smooth at the coasts, between 0 and 1, of shape (32, 64)."""
    lat, _ = _mesh()
    height = np.max([_blob(*continent) for continent in CONTINENTS], axis=0)
    land = 1.0 / (1.0 + np.exp(-(height - 0.37) / 0.06))
    return np.maximum(land, 1.0 / (1.0 + np.exp((lat + 71.0) / 2.0)))


def greenhouse_pattern(arctic: float = 1.9, land: float = 0.50) -> np.ndarray:
    """Return the warming at each cell per kelvin of global warming by greenhouse gases, of shape (32, 64).

    Land warms more than sea, the Arctic most, the subpolar North Atlantic and the Southern Ocean least.

    Parameters
    ----------
    arctic, land : float
        How much more the pole and land warm, before the pattern is scaled to mean one.

    Returns
    -------
    ndarray of shape (32, 64)
        Without unit, mean one.
    """
    lat, _ = _mesh()
    pole = arctic * np.exp(-(((lat - 90.0) / 24.0) ** 2))
    pattern = 0.72 + land * land_fraction() + pole - 0.5 * _deep_waters()
    return pattern / cosine_mean(pattern)


def _deep_waters() -> np.ndarray:
    """Return where the sea mixes deeply: the subpolar North Atlantic and the Southern Ocean."""
    lat, _ = _mesh()
    return 1.5 * _blob(53.0, 328.0, 9.0, 22.0) + np.exp(-(((lat + 58.0) / 10.0) ** 2))


def delayed_pattern() -> np.ndarray:
    """Return what each kelvin of deep-ocean warming adds at each cell once it comes up; mean zero, (32, 64)."""
    waters = _deep_waters()
    return waters - cosine_mean(waters)


def aerosol_pattern() -> np.ndarray:
    """Return the same per kelvin of global temperature change by aerosols: strongest in the northern extratropics."""
    lat, _ = _mesh()
    north = 1.35 * np.exp(-(((lat - 48.0) / 28.0) ** 2)) + 1.1 * np.exp(-(((lat - 90.0) / 22.0) ** 2))
    pattern = 0.45 + north + 0.30 * land_fraction()
    return pattern / cosine_mean(pattern)


def source_maps() -> np.ndarray:
    """Return where each region's aerosols are emitted, of shape (region, 32, 64), each with area integral 1 [m-2]."""
    lat = np.deg2rad(latitude())
    half = np.deg2rad(90.0 / LATITUDES)
    rows = EARTH_RADIUS**2 * (np.sin(lat + half) - np.sin(lat - half)) * 2.0 * np.pi / LONGITUDES
    maps = np.stack([_blob(lat0, lon0, 11.0, 16.0) for lat0, lon0 in SOURCES])
    return maps / (maps * rows[:, None]).sum(axis=(1, 2), keepdims=True)


def haze_maps() -> np.ndarray:
    """Return where each region's aerosols dim the sun, wider than where they are emitted; peak 1, (region, 32, 64)."""
    return np.stack([_blob(lat0, lon0 + 8.0, 14.0, 26.0) for lat0, lon0 in SOURCES])


def rain_belt(shift: np.ndarray | float = 0.0) -> np.ndarray:
    """Return the precipitation of the tropical rain belt in mm/day.

    Parameters
    ----------
    shift : float or ndarray of shape (year, 1, 1)
        How far the belt lies north of its mean place, in degrees.

    Returns
    -------
    ndarray of shape (32, 64) or (year, 32, 64)
    """
    lat, lon = _mesh()
    strength = 6.0 + 1.8 * np.cos(np.deg2rad(lon - 130.0))
    return strength * np.exp(-(((lat - 5.0 - shift) / 9.5) ** 2))


def mean_precipitation() -> np.ndarray:
    """Return the precipitation of the control climate in mm/day: rain belt, two storm tracks, and little elsewhere."""
    lat, _ = _mesh()
    tracks = 2.3 * np.exp(-(((lat - 43.0) / 13.0) ** 2)) + 2.6 * np.exp(-(((lat + 47.0) / 13.0) ** 2))
    dry = 1.0 - 0.35 * land_fraction() * np.exp(-(((np.abs(lat) - 25.0) / 11.0) ** 2))
    return (1.0 + tracks) * dry + rain_belt()


def diurnal_range() -> np.ndarray:
    """Return the mean diurnal temperature range in K: large over dry land, small over sea."""
    lat, _ = _mesh()
    return 2.5 + land_fraction() * (8.0 + 3.0 * np.exp(-(((np.abs(lat) - 25.0) / 12.0) ** 2)))


def wet_day_shape() -> np.ndarray:
    """Return the shape parameter of the gamma distribution of daily precipitation: small where rain is rare."""
    return np.clip(0.18 + 0.13 * mean_precipitation(), 0.2, 1.2)
