r"""NumPy kernels of spectra: one spectrum a map, of which means over inits are taken before ratios and logarithms.

Maps have latitude and longitude on their last two axes; a spectrum has degree or wavenumber on its last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np

from climbench.constants import EARTH_RADIUS
from climbench.errors import DataError
from climbench.harmonics import SphericalHarmonics

Nyquist = Literal["doubled", "once"]

# Mean of the equatorial and the polar radius, as WeatherBench 2 rounds them.
WEATHERBENCH_RADIUS = 6.3675e6  # m
MAPS_AT_ONCE = 64


def power(field: np.ndarray, transform: SphericalHarmonics) -> np.ndarray:
    r"""Return the power of each degree of spherical harmonics.

    .. math:: P(l) = \frac{1}{4 \pi} \sum_{m=-l}^{l} |a_l^m|^2

    Parameters
    ----------
    field : ndarray of shape (..., latitude, longitude)
        Any unit.
    transform : SphericalHarmonics
        Of their grid.

    Returns
    -------
    ndarray of shape (..., degree + 1)
        In the square of the unit; over all degrees it adds up to the area mean of the square.
    """
    return _by_blocks(lambda f: _per_degree(transform.analysis(f)), transform.degree, field)


def kinetic_energy(
    eastward: np.ndarray, northward: np.ndarray, transform: SphericalHarmonics, *, radius: float = EARTH_RADIUS
) -> np.ndarray:
    r"""Return the kinetic energy of each degree, from vorticity and divergence.

    .. math:: E(l) = \frac{1}{8 \pi} \frac{a^2}{l (l + 1)} \sum_{m=-l}^{l} (|\zeta_l^m|^2 + |\delta_l^m|^2)

    Parameters
    ----------
    eastward, northward : ndarray of shape (..., latitude, longitude)
        Winds, in m s-1.
    transform : SphericalHarmonics
        Of their grid.
    radius : float
        Of the sphere, in m; it cancels.

    Returns
    -------
    ndarray of shape (..., degree + 1)
        In m2 s-2, per unit of mass; over all degrees it adds up to the area mean of :math:`(u^2 + v^2) / 2`.
    """
    degrees = np.arange(transform.degree + 1.0)
    factor = 0.5 * radius**2 / np.maximum(degrees * (degrees + 1.0), 1.0)

    def energy(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return factor * sum(_per_degree(c) for c in transform.vorticity_divergence(u, v, radius=radius))

    return _by_blocks(energy, transform.degree, eastward, northward)


def _per_degree(coefficients: np.ndarray) -> np.ndarray:
    squares = coefficients.real**2 + coefficients.imag**2
    return (2.0 * squares.sum(-1) - squares[..., 0]) / (4.0 * np.pi)


def _by_blocks(spectrum: Callable[..., np.ndarray], degree: int, *fields: np.ndarray) -> np.ndarray:
    """Return spectra of a few maps at a time, as coefficients take more memory than the maps do."""
    fields = tuple(np.broadcast_arrays(*fields))
    maps = [f.reshape(-1, *f.shape[-2:]) for f in fields]
    result = np.empty((len(maps[0]), degree + 1))
    for part in _parts(len(maps[0])):
        result[part] = spectrum(*(f[part] for f in maps))
    return result.reshape(*fields[0].shape[:-2], degree + 1)


def _parts(maps: int) -> Iterator[slice]:
    for start in range(0, maps, MAPS_AT_ONCE):
        yield slice(start, start + MAPS_AT_ONCE)


def zonal_energy(
    field: np.ndarray, latitude: np.ndarray, *, radius: float = WEATHERBENCH_RADIUS, nyquist: Nyquist = "doubled"
) -> np.ndarray:
    r"""Return the energy spectrum along each circle of latitude.

    .. math:: S_0 = C |F_0|^2, \quad S_k = 2 C |F_k|^2, \quad F_k = \frac{1}{L} \sum_j f_j e^{-2 \pi i j k / L}, \quad
              C = 2 \pi a \cos\varphi

    Parameters
    ----------
    field : ndarray of shape (..., latitude, longitude)
        Longitudes in equal steps all round.
    latitude : ndarray of shape (latitude,)
        In degrees north.
    radius : float
        a, in m; by default WeatherBench 2's.
    nyquist : {"doubled", "once"}
        The last wavenumber of an even number of longitudes stands for itself only. ``doubled`` counts it twice all the
        same, as WeatherBench 2 does; with ``once`` the spectrum adds up to :math:`C / L \sum_j f_j^2`.

    Returns
    -------
    ndarray of shape (..., latitude, longitude // 2 + 1)
        In m times the square of the unit; zonal wavenumbers from 0.

    References
    ----------
    Rasp et al. (2024), WeatherBench 2, doi:10.1029/2023MS004019.
    """
    circumference = 2.0 * np.pi * radius * np.cos(np.deg2rad(latitude))
    waves = np.fft.rfft(field.astype("float64", copy=False), axis=-1, norm="forward")
    energy = waves.real**2 + waves.imag**2
    last = -1 if field.shape[-1] % 2 == 0 and nyquist == "once" else None
    energy[..., 1:last] *= 2.0
    return energy * circumference[:, None]


def zonal_frequencies(latitude: np.ndarray, columns: int, *, radius: float = WEATHERBENCH_RADIUS) -> np.ndarray:
    """Return frequencies that waves along every one of some circles of latitude have.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        In degrees north; none at a pole.
    columns : int
        How many longitudes there are.
    radius : float
        In m.

    Returns
    -------
    ndarray of shape (columns // 2,)
        In m-1, in equal steps from the lowest of the shortest circle to the highest of the longest one.
    """
    circumference = 2.0 * np.pi * radius * np.cos(np.deg2rad(latitude))
    return np.linspace(1.0 / circumference.min(), (columns // 2) / circumference.max(), columns // 2)


def mean_over_circles(
    energy: np.ndarray, latitude: np.ndarray, frequency: np.ndarray, *, radius: float = WEATHERBENCH_RADIUS
) -> np.ndarray:
    """Return the mean of zonal spectra over circles of latitude, at common frequencies.

    Parameters
    ----------
    energy : ndarray of shape (..., latitude, wavenumber)
        From `zonal_energy`.
    latitude : ndarray of shape (latitude,)
        In degrees north; the mean is over all of them, each counting the same.
    frequency : ndarray of shape (frequency,)
        In m-1, within those of each circle: energies are interpolated between them.
    radius : float
        In m.

    Returns
    -------
    ndarray of shape (..., frequency)
        In the unit of the energy. It is linear in it, so that means over inits may be taken before or after.
    """
    circumference = 2.0 * np.pi * radius * np.cos(np.deg2rad(latitude))
    place = circumference[:, None] * frequency
    below = np.clip(np.floor(place).astype(int), 0, energy.shape[-1] - 2)
    share = place - below
    rows = np.arange(latitude.size)[:, None]
    between = energy[..., rows, below] * (1.0 - share) + energy[..., rows, below + 1] * share
    return between.mean(-2)


def effective_degree(
    prediction_power: np.ndarray, target_power: np.ndarray, *, threshold: float = 0.5, first: int = 1
) -> np.ndarray:
    """Return the highest degree up to which the prediction has enough power at every degree.

    Parameters
    ----------
    prediction_power, target_power : ndarray of shape (..., degree + 1)
        Means over inits.
    threshold : float
        The least share of the target's power.
    first : int
        The degree to begin at.

    Returns
    -------
    ndarray of shape (...)
        Float64; NaN where already the first has too little power, or a spectrum has a NaN. A degree beyond one that
        fails does not count, so that noise at the smallest scales does not pass for resolution.
    """
    ours, theirs = (p[..., first:] for p in np.broadcast_arrays(prediction_power, target_power))
    passed = np.logical_and.accumulate(ours >= threshold * theirs, axis=-1).sum(-1)
    known = np.isfinite(ours).all(-1) & np.isfinite(theirs).all(-1)
    return np.where(known & (passed > 0), first - 1.0 + passed, np.nan)


def slope(spectrum: np.ndarray, *, degrees: tuple[int, int] = (10, 40)) -> np.ndarray:
    """Return the slope of a line fitted to the logarithm of a spectrum over the logarithm of the degree.

    Parameters
    ----------
    spectrum : ndarray of shape (..., degree + 1)
        Mean over inits.
    degrees : tuple of int
        The first and the last that count, each the same.

    Returns
    -------
    ndarray of shape (...)
        Without unit: -3 where energy falls with the third power of the degree. NaN where a power is not positive.

    Raises
    ------
    DataError
        If the spectrum does not reach so far.
    """
    first, last = degrees
    if not 1 <= first < last < spectrum.shape[-1]:
        raise DataError(
            f"A slope from degree {first} to {last} was asked for; the spectrum has degrees 0 to "
            f"{spectrum.shape[-1] - 1}, and it takes two different ones of at least 1."
        )
    part = spectrum[..., first : last + 1]
    distance = np.log(np.arange(first, last + 1.0))
    distance -= distance.mean()
    logarithm = np.log(np.where(part > 0, part, np.nan))
    return logarithm @ distance / (distance @ distance)
