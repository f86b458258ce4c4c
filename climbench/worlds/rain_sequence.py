"""Some hours in a row of a region's rain on the fine grid, and of what a coarse model would know of them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from itertools import repeat

import numpy as np

from climbench.constants import GRAVITY
from climbench.worlds import rain_waves
from climbench.worlds.rain_law import law_of
from climbench.worlds.rain_regions import SPACING, Region, region_of
from climbench.worlds.rain_terrain import gain, terrain

AREAS = 4.2  # slope of the power of areas of rain
INSIDE = 3.5  # and of the cascade within them
WEATHER = (280.0, 4.5)  # outer wavelength (km) and slope of pressure, instability and moisture
ROTATION = 2.5  # m/s: size of the winds that turn around lows
SEEN = 0.8  # correlation of column water with where it rains


@dataclass(frozen=True)
class Hours:
    """Hours in a row.

    Attributes
    ----------
    rain : ndarray of shape (hours, CELLS, CELLS)
        mm of an hour, float32.
    weather : dict of str to ndarray of shape (hours, CELLS, CELLS)
        What the coarse predictors are block means of, by RainShift's names: ``cape``, ``sp``, ``tcw``, ``u``, ``v``.
    wind : tuple of float
        What carries the rain, eastward and northward, m/s.
    """

    rain: np.ndarray
    weather: dict[str, np.ndarray]
    wind: tuple[float, float]


def simulate(name: str, when: tuple[int, int], hours: int, *, seed: int, draw: int = 0) -> Hours:
    """Return some hours of a region.

    Parameters
    ----------
    name : str
        A region.
    when : tuple of int
        Year and number of the sequence within it.
    hours : int
        How many.
    seed : int
        The world's.
    draw : int
        Which of the fine fields that go with one and the same coarse weather: all waves below
        `climbench.worlds.rain_waves.LARGE` and the cascade within areas of rain are drawn anew.

    Returns
    -------
    Hours

    Raises
    ------
    DataError
        If there is no such region.
    """
    region = region_of(name)
    words = (seed, zlib.crc32(name.encode()), *when)
    coarse, fine = np.random.default_rng([*words, 0]), np.random.default_rng([*words, 1, draw])
    east, north = (float(m + region.wind_spread * coarse.standard_normal()) for m in region.wind)
    wind = (east, north)
    waves, moved = _amplitudes(region), rain_waves.motion(region.memory, wind)

    def drawn(amplitude: np.ndarray, rng: np.random.Generator, cells: int) -> np.ndarray:
        return rain_waves.series(amplitude, moved, hours, map(rain_waves.white, repeat(rng), repeat(cells)))

    known, *other = (drawn(a, coarse, rain_waves.COARSE) for a in (waves.known, *(waves.weather,) * 3))
    unknown, cells = (drawn(a, fine, rain_waves.PLANE) for a in (waves.unknown, waves.inside))
    m, inside = rain_waves.field(known + unknown), rain_waves.field(cells)
    instability, pressure, moist = (rain_waves.field(one) for one in other)
    exponent = region.cells * inside + region.instability * instability + gain(region, wind)
    likely = rain_waves.field(known) / np.sqrt(rain_waves.mean_square(waves.known))
    moisture = SEEN * likely + np.sqrt(1.0 - SEEN**2) * moist
    rain = law_of(region).rain(m, exponent).astype("float32")
    return Hours(rain, _weather(region, wind, instability, pressure, likely, moisture), wind)


def _weather(
    region: Region,
    wind: tuple[float, float],
    instability: np.ndarray,
    pressure: np.ndarray,
    likely: np.ndarray,
    moisture: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return what a coarse model has means of, from fields of variance 1; pressure is low where rain is likely."""
    height = terrain(region)[1]
    eastward, northward = _around(pressure * np.sign(region.latitude))
    return {
        "cape": region.energy * np.exp(0.4 * instability),
        "sp": (101_325.0 + 400.0 * pressure - 250.0 * likely) * np.exp(-GRAVITY * height / (287.0 * 280.0)),
        "tcw": region.water * np.exp(0.15 * moisture - height / 2500.0),
        "u": wind[0] + eastward,
        "v": wind[1] + northward,
    }


@dataclass(frozen=True)
class Amplitudes:
    """Amplitudes of a region's waves.

    Attributes
    ----------
    known, unknown : ndarray of shape (PLANE, PLANE // 2 + 1)
        Of areas of rain: long waves, which the coarse weather shares, and short ones; variance 1 together.
    inside : ndarray of the same shape
        Of the cascade within areas of rain, variance 1.
    weather : ndarray of the same shape
        Of pressure, instability and moisture: long waves alone, variance 1.
    """

    known: np.ndarray
    unknown: np.ndarray
    inside: np.ndarray
    weather: np.ndarray


@cache
def _amplitudes(region: Region) -> Amplitudes:
    areas = rain_waves.amplitudes(region.outer, AREAS, region.stretch, region.tilt)
    long = rain_waves.wavenumber() < 1.0 / rain_waves.LARGE
    weather = long * rain_waves.amplitudes(*WEATHER)
    return Amplitudes(
        long * areas,
        ~long * areas,
        rain_waves.amplitudes(region.cell_size, INSIDE),
        weather / np.sqrt(rain_waves.mean_square(weather)),
    )


def _around(pressure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return winds along lines of equal pressure, eastward and northward: around lows against the clock where north."""
    north, east = np.gradient(pressure, SPACING, axis=(-2, -1))
    size = ROTATION * WEATHER[0] / (2.0 * np.pi)
    return -size * north, size * east


def block_means(fields: np.ndarray, factor: int) -> np.ndarray:
    """Return means over squares of cells, taken in float64.

    Parameters
    ----------
    fields : ndarray of shape (..., rows, columns)
        Both divisible by the factor.
    factor : int
        Cells along each side of a square.

    Returns
    -------
    ndarray of shape (..., rows / factor, columns / factor)
    """
    *lead, rows, columns = fields.shape
    squares = fields.reshape(*lead, rows // factor, factor, columns // factor, factor)
    return squares.mean(axis=(-3, -1), dtype="float64")
