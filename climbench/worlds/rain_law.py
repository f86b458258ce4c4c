"""From waves to rain: where it rains, how much, and the climate that this has by its own formula.

With m, z and c independent Gaussian fields of variance 1, rain is

    r = scale * max(m - threshold, 0)^POWER * exp(cells z + instability c + gain)

where m says where it rains, z is the sub-grid cascade, c what convective energy tells, and the gain is that of land and
wind. Given m and the gain, the logarithm of r is Gaussian, so that the share of hours and cells above any amount is one
integral over m and a mean over gains: threshold and scale are solved for from a region's wet frequency and percentile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from climbench.worlds.rain_regions import Region
from climbench.worlds.rain_terrain import gain

POWER = 1.3
WET = 0.1  # mm of an hour
RARE = 1e-3  # share above the percentile that regions are set to
NODES = 160  # of the integral over m
HIGHEST = 6.0  # standard deviations that the integral goes to
BINS = 48  # of the distribution of gains
WINDS = 7  # nodes for each component of the wind


@dataclass(frozen=True)
class RainLaw:
    """The law of a region.

    Attributes
    ----------
    threshold : float
        Of m, in standard deviations.
    scale : float
        mm of an hour.
    """

    threshold: float
    scale: float

    def rain(self, m: np.ndarray, exponent: np.ndarray) -> np.ndarray:
        """Return rain in mm of an hour: `m` of variance 1, and the sum of all logarithms of factors."""
        return self.scale * np.maximum(m - self.threshold, 0.0) ** POWER * np.exp(exponent)


def share_above(amount: float, region: Region, law: RainLaw) -> float:
    """Return the share of all hours and cells with more rain than an amount, by the integral.

    Parameters
    ----------
    amount : float
        mm of an hour.
    region : Region
        Which.
    law : RainLaw
        Its law, or another.

    Returns
    -------
    float
    """
    return _share(np.log(amount / law.scale), law.threshold, region)


def law_of(region: Region) -> RainLaw:
    """Return the law whose wet frequency and 99.9th percentile are the region's."""
    return _law(region)


@cache
def _law(region: Region) -> RainLaw:
    def surplus(threshold: float) -> float:
        wet = np.log(WET / region.percentile_99_9) + _rare(threshold, region)
        return _share(wet, threshold, region) - region.wet_frequency

    threshold = float(brentq(surplus, -1.5, 3.0, xtol=1e-6))
    return RainLaw(threshold, float(region.percentile_99_9 / np.exp(_rare(threshold, region))))


def _rare(threshold: float, region: Region) -> float:
    """Return the logarithm of the percentile at a scale of 1."""
    return float(brentq(lambda level: _share(level, threshold, region) - RARE, -12.0, 8.0, xtol=1e-7))


def _share(level: float, threshold: float, region: Region) -> float:
    """Return the share above exp(`level`) at a scale of 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = (HIGHEST - threshold) / 2.0
    m = threshold + half * (nodes + 1.0)
    density = half * weights * np.exp(-(m**2) / 2.0) / np.sqrt(2.0 * np.pi)
    gains, shares = _gains(region)
    spread = np.hypot(region.cells, region.instability)
    over = (POWER * np.log(m - threshold)[:, None] + gains - level) / spread
    return float(density @ ndtr(over) @ shares)


@cache
def _gains(region: Region) -> tuple[np.ndarray, np.ndarray]:
    """Return gains over cells and winds, in bins, and the share of each."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(WINDS)
    weights = weights / weights.sum()
    winds = region.wind[0] + region.wind_spread * nodes, region.wind[1] + region.wind_spread * nodes
    values = np.stack([gain(region, (float(u), float(v))).ravel() for u in winds[0] for v in winds[1]])
    chance = np.broadcast_to(np.outer(weights, weights).reshape(-1, 1) / values.shape[1], values.shape)
    edges = np.linspace(values.min() - 1e-9, values.max() + 1e-9, BINS + 1)
    shares, _ = np.histogram(values, edges, weights=chance)
    sums, _ = np.histogram(values, edges, weights=chance * values)
    filled = shares > 0.0
    return sums[filled] / shares[filled], shares[filled]
