"""The land of the rain world's regions: coasts, ridges and hills, and what they do to rain in a wind."""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter

from climbench.worlds import rain_waves
from climbench.worlds.rain_regions import CELLS, SPACING, Region

CLIMB = 0.15  # m/s of vertical wind at which the effect of slopes levels off
WIDTH = 2.0  # cells over which slopes are smoothed: air does not follow each hill
SHORE = 0.5  # standard deviations of the field that coasts are contours of, over which land rises from its coast


@cache
def terrain(region: Region) -> tuple[np.ndarray, np.ndarray]:
    """Return the land of a region, which is the same whatever the world's seed.

    Parameters
    ----------
    region : Region
        Which.

    Returns
    -------
    land : ndarray of shape (CELLS, CELLS)
        1 on land, 0 on sea; rows northward.
    height : ndarray of shape (CELLS, CELLS)
        In metres; 0 on sea.
    """
    rng = np.random.default_rng(zlib.crc32(region.title.encode()))
    form, rough, hills = (
        rain_waves.field(rain_waves.amplitudes(outer, slope) * rain_waves.white(rng))
        for outer, slope in ((300.0, 4.5), (200.0, 4.0), (90.0, 3.8))
    )
    y, x = (np.indices((CELLS, CELLS)) - (CELLS - 1) / 2.0) * SPACING
    if region.coast is not None:
        angle = np.deg2rad(region.coast)
        form = 0.3 * form + (x * np.cos(angle) + y * np.sin(angle)) / 200.0
    above = form - (np.quantile(form, 1.0 - region.land) if region.land < 1.0 else -np.inf)
    tilt = np.deg2rad(region.ridge_tilt)
    across = x * np.sin(tilt) - y * np.cos(tilt) - region.ridge_place + 25.0 * form
    crest = region.ridge * np.exp(0.15 * rough - (across / region.ridge_width) ** 2)
    height = np.clip(above / SHORE, 0.0, 1.0) * (crest + region.hills * np.exp(0.4 * hills))
    land = (above > 0.0).astype("float64")
    return land, height * land


@cache
def _slopes(region: Region) -> tuple[np.ndarray, np.ndarray]:
    """Return the slope of smoothed land northward and eastward."""
    smooth = gaussian_filter(terrain(region)[1], WIDTH, mode="nearest")
    north, east = np.gradient(smooth, SPACING * 1e3)
    return north, east


def climb(region: Region, wind: tuple[float, float]) -> np.ndarray:
    """Return how fast a wind climbs the land, in m/s, of shape (CELLS, CELLS); negative where it descends.

    Parameters
    ----------
    region : Region
        Which.
    wind : tuple of float
        Eastward and northward, m/s.
    """
    north, east = _slopes(region)
    return wind[0] * east + wind[1] * north


def gain(region: Region, wind: tuple[float, float]) -> np.ndarray:
    """Return the logarithm of the factor that land and a wind put on rain, of shape (CELLS, CELLS)."""
    return region.upslope * np.tanh(climb(region, wind) / CLIMB) + region.land_gain * terrain(region)[0]
