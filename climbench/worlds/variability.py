"""Internal variability: red in space and in time, with a mode like El Nino, and of known global-mean size.

Every field is a sum of spherical harmonics whose coefficients are first-order autoregressive in time, the larger scales
with the longer memory, times a map of local standard deviations. It is added to the forced response and has mean zero,
so that the mean over infinitely many members is the forced response itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.special import sph_harm_y

from climbench.worlds import patterns

DEGREES = 18
SPIN_UP = 60
GLOBAL_STD = 0.12  # K: standard deviation of annual global-mean temperature
PERIOD, DAMPING = 4.5, 0.78  # years; factor a year: the mode's autoregression of second order
FIELDS = ("tas", "pr", "pr90", "diurnal_temperature_range")


@cache
def _degrees() -> np.ndarray:
    """Return the degree l of each real harmonic, degree zero left out."""
    return np.concatenate([np.full(2 * degree + 1, degree) for degree in range(1, DEGREES + 1)])


@cache
def harmonics(slope: float) -> np.ndarray:
    """Return real spherical harmonics scaled to a power law, of shape (harmonic, 32, 64).

    Parameters
    ----------
    slope : float
        Variance of a harmonic falls as degree ** -slope.

    Returns
    -------
    ndarray
        With white coefficients of variance one the sum has variance one at every place.
    """
    theta = np.deg2rad(90.0 - patterns.latitude())[:, None]
    phi = np.deg2rad(patterns.longitude())[None, :]
    rows, variances = [], []
    for degree in range(1, DEGREES + 1):
        for order in range(-degree, degree + 1):
            value = sph_harm_y(degree, abs(order), theta, phi)
            part = value.real if order >= 0 else value.imag
            rows.append(part * (1.0 if order == 0 else np.sqrt(2.0)))
            variances.append(float(degree) ** -slope)
    basis = np.stack(rows) * np.sqrt(np.array(variances))[:, None, None]
    return basis / np.sqrt((basis**2).sum(axis=0).mean())


def _memory(longest: float) -> np.ndarray:
    """Return the year-to-year correlation of each harmonic: longest for the largest scale."""
    return longest / (1.0 + 0.12 * (_degrees() - 1))


def _autoregression(rng: np.random.Generator, years: int, memory: np.ndarray) -> np.ndarray:
    """Return stationary first-order series of variance one, of shape (year, harmonic)."""
    noise = rng.standard_normal((years, memory.size))
    series = np.empty_like(noise)
    series[0] = noise[0]
    fresh = np.sqrt(1.0 - memory**2)
    for year in range(1, years):
        series[year] = memory * series[year - 1] + fresh * noise[year]
    return series


def oscillation(rng: np.random.Generator, years: int) -> np.ndarray:
    """Return the index of the El Nino-like mode, variance one, of shape (year,).

    Parameters
    ----------
    rng : Generator
        Source of the noise.
    years : int
        How many.

    Returns
    -------
    ndarray
        Second-order autoregression with a spectral peak near 4.5 years.
    """
    first, second = 2.0 * DAMPING * np.cos(2.0 * np.pi / PERIOD), -(DAMPING**2)
    variance = (1.0 - second) / ((1.0 + second) * ((1.0 - second) ** 2 - first**2))
    noise = rng.standard_normal(years + SPIN_UP) / np.sqrt(variance)
    index = np.zeros(years + SPIN_UP)
    for year in range(2, index.size):
        index[year] = first * index[year - 1] + second * index[year - 2] + noise[year]
    return index[SPIN_UP:]


@cache
def local_deviation(name: str) -> np.ndarray:
    """Return the standard deviation of annual values at each cell, the El Nino-like mode apart, of shape (32, 64)."""
    lat = patterns.latitude()[:, None]
    land = patterns.land_fraction()
    if name == "tas":
        return 0.22 + (0.20 + 0.45 * land) * (np.abs(lat) / 60.0) ** 1.5 + 0.10 * land
    if name == "pr":
        return 0.05 + 0.09 * patterns.mean_precipitation()
    if name == "pr90":
        return 0.10 + 0.10 * patterns.mean_precipitation()
    return 0.06 + 0.12 * land


@cache
def oscillation_pattern(name: str) -> np.ndarray:
    """Return what one standard deviation of the El Nino-like mode does at each cell, of shape (32, 64)."""
    pacific = patterns._blob(0.0, 225.0, 9.0, 48.0)
    west = patterns._blob(2.0, 140.0, 14.0, 28.0)
    if name == "tas":
        tropics = np.exp(-((patterns.latitude()[:, None] / 22.0) ** 2))
        return 0.75 * pacific + 0.10 * tropics - 0.10 * west + 0.25 * patterns._blob(58.0, 245.0, 13.0, 26.0)
    rain = 1.1 * pacific - 0.9 * west - 0.25 * patterns._blob(-8.0, 305.0, 12.0, 16.0)
    if name == "pr":
        return rain
    return 2.0 * rain if name == "pr90" else -0.12 * rain * patterns.land_fraction()


@cache
def _global_fluctuation() -> float:
    """Return the standard deviation of the mode that is the same everywhere, so that the global mean has 0.12 K."""
    shares = patterns.cosine_mean(harmonics(2.2) * local_deviation("tas"))
    rest = float((shares**2).sum() + patterns.cosine_mean(oscillation_pattern("tas")) ** 2)
    return float(np.sqrt(max(GLOBAL_STD**2 - rest, 0.0)))


def draw(seed: Sequence[int], years: int, window: slice, names: Sequence[str] = FIELDS) -> dict[str, np.ndarray]:
    """Return one member's internal variability.

    Parameters
    ----------
    seed : sequence of int
        Seed of the member.
    years : int
        Length of the whole series: what is drawn does not depend on the window.
    window : slice
        The years that are wanted.
    names : sequence of str
        The variables that are wanted; each is the same whatever others are.

    Returns
    -------
    dict of str to ndarray of shape (year, 32, 64)
        ``tas`` and ``diurnal_temperature_range`` in K, ``pr`` and ``pr90`` in mm/day.
    """
    shared = np.random.default_rng([*seed, 0])
    index = oscillation(shared, years)[window]
    common = _autoregression(shared, years, np.array([0.6]))[window]

    free = {name: _own(seed, years, window, name) for name in _wanted(names)}
    fields = {"tas": free["tas"] + _global_fluctuation() * common[:, :, None]} if "tas" in free else {}
    if "pr" in free:
        fields["pr"] = free["pr"]
    if "pr90" in free:
        fields["pr90"] = 1.6 * free["pr"] + free["pr90"]
    if "diurnal_temperature_range" in free:
        dampness = free["pr"] / patterns.mean_precipitation()
        fields["diurnal_temperature_range"] = (
            free["diurnal_temperature_range"] - 0.06 * patterns.diurnal_range() * dampness
        )
    return {name: fields[name] + index[:, None, None] * oscillation_pattern(name) for name in names}


def _wanted(names: Sequence[str]) -> list[str]:
    """Return the variables to draw: rain is part of all but temperature."""
    return [name for name in FIELDS if name in names or (name == "pr" and set(names) - {"tas"})]


_SETTINGS = {"tas": (2.2, 0.5), "pr": (1.4, 0.25), "pr90": (1.0, 0.1), "diurnal_temperature_range": (1.4, 0.3)}


def _own(seed: Sequence[int], years: int, window: slice, name: str) -> np.ndarray:
    """Return the part of a variable's variability that no other variable shares, of shape (year, 32, 64)."""
    rng = np.random.default_rng([*seed, 1 + FIELDS.index(name)])
    return _synthesis(rng, years, window, *_SETTINGS[name]) * local_deviation(name)


def _synthesis(rng: np.random.Generator, years: int, window: slice, slope: float, longest: float) -> np.ndarray:
    coefficients = _autoregression(rng, years, _memory(longest))[window]
    basis = harmonics(slope)
    fields: np.ndarray = (coefficients @ basis.reshape(len(basis), -1)).reshape(-1, *basis.shape[1:])
    return fields
