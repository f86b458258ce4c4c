"""Random waves on a plane: Gaussian fields with a power-law spectrum that the wind carries and time renews.

The plane is periodic and larger than a region, which is cut from its middle, so that nothing that leaves on one side
comes back on the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from climbench.worlds.rain_regions import CELLS, SPACING

PLANE = 192  # cells along each side of the periodic plane
MARGIN = (PLANE - CELLS) // 2
LARGE = 130.0  # km: waves as long are what a coarse model has; shorter ones are its sub-grid scales
COARSE = 24  # cells along each side of the plane that long waves need


@cache
def wavenumbers() -> tuple[np.ndarray, np.ndarray]:
    """Return wavenumbers northward and eastward, of shapes (PLANE, 1) and (1, PLANE // 2 + 1), in cycles per km."""
    north, east = np.fft.fftfreq(PLANE, SPACING), np.fft.rfftfreq(PLANE, SPACING)
    return north[:, None], east[None, :]


@cache
def wavenumber() -> np.ndarray:
    """Return the length of the wavenumber, of shape (PLANE, PLANE // 2 + 1), in cycles per km."""
    north, east = wavenumbers()
    return np.hypot(north, east)


@cache
def amplitudes(outer: float, slope: float, stretch: float = 1.0, tilt: float = 0.0) -> np.ndarray:
    """Return the amplitude of each wave, such that white noise times it has variance 1 at every cell.

    Power on the plane falls as (1 + (k outer)^2)^(-slope / 2): flat for long waves, then a power law.

    Parameters
    ----------
    outer : float
        Wavelength where it bends, km.
    slope : float
        Of the radially averaged power of short waves.
    stretch, tilt : float
        Areas are longer by `stretch` along the direction `tilt` (degrees from east towards north), and narrower across.

    Returns
    -------
    ndarray of shape (PLANE, PLANE // 2 + 1)
    """
    north, east = wavenumbers()
    angle = np.deg2rad(tilt)
    along = (east * np.cos(angle) + north * np.sin(angle)) * stretch
    across = (north * np.cos(angle) - east * np.sin(angle)) / stretch
    found = (1.0 + (along**2 + across**2) * outer**2) ** (-slope / 4.0)
    found[0, 0] = 0.0
    found[PLANE // 2] = found[:, -1] = 0.0  # the shortest waves cannot be shifted by part of a cell
    return found / np.sqrt(mean_square(found))


def mean_square(amplitude: np.ndarray) -> float:
    """Return the variance of white noise times an amplitude: waves east of the axis stand for those west of it too."""
    twice = np.full(amplitude.shape[1], 2.0)
    twice[[0, -1]] = 1.0
    return float((amplitude**2 * twice).sum() / PLANE**2)


def white(rng: np.random.Generator, cells: int = PLANE) -> np.ndarray:
    """Return the waves of white noise on the plane.

    Parameters
    ----------
    rng : Generator
        Drawn from.
    cells : int
        Along each side of the grid that noise is drawn on: fewer give the long waves alone, and quicker.

    Returns
    -------
    ndarray of shape (PLANE, PLANE // 2 + 1)
        Complex.
    """
    waves = np.fft.rfft2(rng.standard_normal((cells, cells)))
    if cells == PLANE:
        return waves
    half = cells // 2
    found = np.zeros((PLANE, PLANE // 2 + 1), dtype="complex128")
    for rows in (slice(None, half), slice(1 - half, None)):
        found[rows, :half] = waves[rows, :half] * (PLANE / cells)
    return found


@dataclass(frozen=True)
class Motion:
    """What an hour does to waves.

    Attributes
    ----------
    carried : ndarray of shape (PLANE, PLANE // 2 + 1)
        The complex factor on each wave: what is kept of it, shifted by the wind.
    renewed : ndarray of the same shape
        The factor on what comes anew, so that variance stays.
    """

    carried: np.ndarray
    renewed: np.ndarray


def motion(memory: float, wind: tuple[float, float]) -> Motion:
    """Return what an hour does to waves that the wind carries, each renewed as fast as it is short.

    A wave of length l keeps exp(-1 / (memory (l / 100 km)^(2/3))) of itself in an hour, as eddies of turbulence turn
    over.

    Parameters
    ----------
    memory : float
        Hours in which a wave of 100 km keeps 1/e of itself.
    wind : tuple of float
        Eastward and northward, m/s.
    """
    north, east = wavenumbers()
    eastward, northward = (component * 3.6 for component in wind)  # km in an hour
    kept = np.exp(-((wavenumber() * 100.0) ** (2.0 / 3.0)) / memory)
    shift = np.exp(-2j * np.pi * north * northward) * np.exp(-2j * np.pi * east * eastward)
    return Motion(kept * shift, np.sqrt(1.0 - kept**2))


def series(amplitude: np.ndarray, moved: Motion, hours: int, noise: Iterator[np.ndarray]) -> np.ndarray:
    """Return waves hour by hour.

    Parameters
    ----------
    amplitude : ndarray of shape (PLANE, PLANE // 2 + 1)
        Of `amplitudes`.
    moved : Motion
        What an hour does to them.
    hours : int
        How many.
    noise : iterator of ndarray
        Waves of white noise.

    Returns
    -------
    ndarray of shape (hours, PLANE, PLANE // 2 + 1)
        Complex.
    """
    states = [amplitude * next(noise)]
    for _ in range(hours - 1):
        states.append(moved.carried * states[-1] + moved.renewed * (amplitude * next(noise)))
    return np.stack(states)


def field(waves: np.ndarray) -> np.ndarray:
    """Return what waves add up to in the region, of shape (..., CELLS, CELLS), rows northward."""
    inside = slice(MARGIN, MARGIN + CELLS)
    return np.fft.irfft2(waves, (PLANE, PLANE))[..., inside, inside]
