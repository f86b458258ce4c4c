"""Spatial covariance from few samples: correlations are cut off with distance, how far being chosen by validation.

References
----------
Gaspari and Cohn (1999), Construction of correlation functions in two and three dimensions, Q. J. R. Meteorol. Soc. 125,
eq. 4.10, doi:10.1002/qj.49712555417.
Gneiting (2013), Strictly and non-strictly positive definite functions on spheres, Bernoulli 19, Theorem 3,
doi:10.3150/12-BEJSP06: on a sphere the function stays a correlation as long as it ends before the antipode.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from climbench.errors import ModelError

EARTH_RADIUS = 6371.0  # km
LARGEST = 0.5 * np.pi * EARTH_RADIUS  # km: twice this reaches the antipode
NUGGET = 1e-6  # added to variances of one, against rounding


def great_circle(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return the distances between places.

    Parameters
    ----------
    latitude, longitude : ndarray of shape (n,)
        In degrees.

    Returns
    -------
    ndarray of shape (n, n)
        In km, by the haversine formula.
    """
    phi, theta = np.deg2rad(latitude), np.deg2rad(longitude)
    rise = np.sin(0.5 * np.subtract.outer(phi, phi)) ** 2
    turn = np.sin(0.5 * np.subtract.outer(theta, theta)) ** 2
    inner = rise + np.multiply.outer(np.cos(phi), np.cos(phi)) * turn
    distance: np.ndarray = 2.0 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(inner, 0.0, 1.0)))
    return distance


def gaspari_cohn(distance: np.ndarray, radius: float) -> np.ndarray:
    """Return the Gaspari-Cohn function: one at distance zero, and zero from twice the radius on.

    Parameters
    ----------
    distance : ndarray
        In any unit.
    radius : float
        In the same unit, positive.

    Returns
    -------
    ndarray of the same shape
    """
    r = distance / radius
    near = ((((-0.25 * r + 0.5) * r + 0.625) * r - 5.0 / 3.0) * r) * r + 1.0
    with np.errstate(divide="ignore"):
        far = ((((r / 12.0 - 0.5) * r + 0.625) * r + 5.0 / 3.0) * r - 5.0) * r + 4.0 - 2.0 / (3.0 * r)
    return np.where(r <= 1.0, near, np.where(r < 2.0, far, 0.0))


def localised_correlation(samples: np.ndarray, distance: np.ndarray, radius: float) -> np.ndarray:
    """Return the correlation of samples, each element times the Gaspari-Cohn function of its distance.

    Parameters
    ----------
    samples : ndarray of shape (n, place)
        With mean zero.
    distance : ndarray of shape (place, place)
        In km.
    radius : float
        In km.

    Returns
    -------
    ndarray of shape (place, place)
        Positive definite, with ones on its diagonal.

    Raises
    ------
    ModelError
        If the function would reach beyond the antipode, or a place does not vary.
    """
    if not 0.0 < radius <= LARGEST:
        raise ModelError(f"A localisation radius lies between 0 and {LARGEST:.0f} km; {radius:g} was given.")
    spread = np.sqrt((samples**2).mean(axis=0))
    if not (spread > 0.0).all():
        raise ModelError("Some place has no variability at all in the training years: it cannot be emulated.")
    scaled = samples / spread
    correlation: np.ndarray = (scaled.T @ scaled / len(samples)) * gaspari_cohn(distance, radius)
    correlation[np.diag_indices_from(correlation)] = 1.0
    return correlation


def choose_radius(
    samples: np.ndarray, distance: np.ndarray, radii: Sequence[float], *, folds: int = 5
) -> tuple[float, dict[float, float]]:
    """Return the radius under which samples are likeliest given the others.

    Parameters
    ----------
    samples : ndarray of shape (n, place)
        With mean zero, in the order of time: each fold is a block of neighbours.
    distance : ndarray of shape (place, place)
        In km.
    radii : sequence of float
        Those to choose from, in km.
    folds : int
        How many blocks.

    Returns
    -------
    float
        In km.
    dict of float to float
        The mean log likelihood of a held-out sample, per place, for each radius.

    Raises
    ------
    ModelError
        As `localised_correlation`.
    """
    block = np.arange(len(samples)) * folds // len(samples)
    likelihood = {
        radius: float(
            np.mean([_held_out(samples[block != b], samples[block == b], distance, radius) for b in range(folds)])
        )
        for radius in radii
    }
    return max(likelihood, key=lambda radius: likelihood[radius]), likelihood


def _held_out(train: np.ndarray, test: np.ndarray, distance: np.ndarray, radius: float) -> float:
    """Return the mean log likelihood of test samples per place, or minus infinity where it cannot be computed."""
    correlation = localised_correlation(train, distance, radius)
    correlation[np.diag_indices_from(correlation)] += NUGGET
    spread = np.sqrt((train**2).mean(axis=0))
    try:
        factor = cho_factor(correlation, lower=True)
    except LinAlgError:
        return -np.inf
    scaled = (test / spread).T
    distances = (scaled * cho_solve(factor, scaled)).sum(axis=0)
    determinant = 2.0 * np.log(np.diag(factor[0])).sum() + 2.0 * np.log(spread).sum()
    return float(-0.5 * (distances.mean() + determinant + len(spread) * np.log(2.0 * np.pi)) / len(spread))
