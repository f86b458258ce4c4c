r"""Intervals for the floor-corrected mean square, from the members and years of the target.

Let :math:`e_n` be the error of the emulator against member n (a vector over cells, or over years of global means) and
m the number of members. The unclipped debiased mean square is the mean over pairs of different members

.. math:: D = \frac{1}{m(m-1)} \sum_{n \neq k} \langle e_n, e_k \rangle, \qquad
          D - \theta = 2 \langle \delta, \bar\epsilon \rangle
          + \frac{1}{m(m-1)} \sum_{n \neq k} \langle \epsilon_n, \epsilon_k \rangle

with :math:`\theta = \lVert\delta\rVert^2` its true value, :math:`\delta` the emulator's own error and
:math:`\epsilon_n` a member's internal variability. Resampling members as they are would count the noise in
:math:`\delta`'s estimate as error and make intervals up to twice too wide near the floor, and too narrow away from it.
Instead the emulator and the forced response are removed first, by orthonormal contrasts between members (Helmert);
what remains are m - 1 independent copies of the internal variability. Their Gram matrix drives a multiplier bootstrap
of the quadratic part (off-diagonal pairs only, so that its variance is unbiased); the linear part has the variance that
the contrasts show along the emulator's mean error, for every :math:`\theta` in proportion to it. Both are Studentised,
and the interval is the set of :math:`\theta` under which D is not in either 2.5 % tail. The copies are made in
`climbench.metrics.resampling`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import stdtrit  # Student's t quantile: importing scipy.stats for it would take half a second

from climbench.metrics.base import SPACE, weighted_sum
from climbench.metrics.resampling import Resampling, helmert, slow_components

DRAWS = 2000
ROUNDING = 1e-25  # of a mean square: what the rounding of float64 leaves of differences that are none


@dataclass(frozen=True)
class Interval:
    """A two-sided 95 % interval, or the reason why there is none.

    Attributes
    ----------
    low, high : float or None
        The ends; both None where the interval cannot be trusted.
    reason : str
        Why there is none; empty otherwise.
    """

    low: float | None = None
    high: float | None = None
    reason: str = ""


def _freedom(gram: np.ndarray) -> float:
    r"""Return the degrees of freedom that the size of the quadratic part is known with.

    The scale rests on the U-statistic for :math:`\mathrm{tr}\,\Sigma^2` over n units, whose relative variance is
    :math:`4/n^2 + (8/n)\,\mathrm{tr}\,\Sigma^4 / (\mathrm{tr}\,\Sigma^2)^2` (Chen, Zhang and Zhong 2010,
    doi:10.1198/jasa.2010.tm09560): many where the variability has many dimensions, about n/4 where it has one.

    Parameters
    ----------
    gram : ndarray of shape (unit, unit)
        Inner products between units, zero on the diagonal.

    Returns
    -------
    float
    """
    n = gram.shape[0]
    square = gram @ gram
    cycles = (square**2).sum() - 2.0 * (np.diagonal(square) ** 2).sum() + (gram**4).sum()
    fourth = max(float(cycles), 0.0) / max(n * (n - 1) * (n - 2) * (n - 3), 1)
    second = float((gram**2).sum()) / (n * (n - 1))
    concentration = min(fourth / second**2, 1.0) if n > 3 else 1.0
    return 1.0 / (2.0 / n**2 + 4.0 * concentration / n)


def _draws(units: Resampling, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of the quadratic part, and of a Student variate for the linear part."""
    size = units.gram.shape[0]
    gram = units.gram * (1.0 - np.eye(size))
    signs = rng.standard_normal((DRAWS, size))
    quadratic = np.einsum("bi,bi->b", signs @ gram, signs)
    # Each pair of units appears twice: the variance 2 sum(gram^2) becomes 2 mean(gram^2) / (m (m - 1)).
    quadratic /= np.sqrt(size * (size - 1) * units.members * (units.members - 1))
    freedom = _freedom(gram)
    quadratic *= np.sqrt(freedom / rng.chisquare(freedom, DRAWS))
    return quadratic, rng.standard_t(size, DRAWS)


def debiased_interval(units: Resampling, *, seed: int = 0) -> Interval:
    """Return the 95 % interval of the unclipped debiased mean square.

    Parameters
    ----------
    units : Resampling
        From `resampling_spatial` or `resampling_global`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Interval
        In the unit squared; the lower end, and near the floor even the upper one, can be negative. Without ends where
        there are too few units to resample.
    """
    if units.gram.shape[0] < 3:
        return Interval(reason=f"{units.members} target members are too few to resample")
    if not units.mean_square > 0.0:
        return Interval(reason="the error is zero in every member")
    if not np.trace(units.gram) > ROUNDING * units.mean_square:
        return Interval(reason="the target's members do not differ")
    quadratic, linear = _draws(units, np.random.default_rng(seed))
    rate = float((units.along**2).mean()) / units.mean_square

    def excess(theta: float, level: float) -> float:
        pivot = quadratic + 2.0 * np.sqrt(rate * max(theta, 0.0) / units.members) * linear
        return units.estimate - theta - _quantile(pivot, level)

    low, high = (_root(excess, units.estimate, level) for level in (0.975, 0.025))
    return Interval(low, high)


def _quantile(values: np.ndarray, level: float) -> float:
    """Return what `numpy.quantile` does, which takes longer to prepare itself than to find it."""
    place = level * (values.size - 1)
    lower = int(place)
    below, above = np.partition(values, (lower, lower + 1))[lower : lower + 2]
    return float(below + (place - lower) * (above - below))


def _root(excess: Callable[[float, float], float], estimate: float, level: float) -> float:
    """Return where the excess over a tail's quantile vanishes; below zero the pivot no longer depends on theta.

    By false position: an end that stays where it is has its excess halved (Illinois), so that both ends close in.
    """
    below = excess(0.0, level)
    if below <= 0.0:
        return below
    low, high = 0.0, max(estimate, below)
    while (above := excess(high, level)) > 0.0:
        high *= 2.0
    moved = 0
    for _ in range(100):
        middle = (low * above - high * below) / (above - below)
        value = excess(middle, level)
        if abs(value) <= 1e-14 * high or high - low <= 1e-14 * high:
            break
        if value > 0.0:
            low, below, above, moved = middle, value, above * (0.5 if moved > 0 else 1.0), 1
        else:
            high, above, below, moved = middle, value, below * (0.5 if moved < 0 else 1.0), -1
    return middle


def paired_interval(
    errors: xr.DataArray, reference_errors: xr.DataArray, weights: xr.DataArray
) -> tuple[float, Interval]:
    r"""Return the difference between two emulators' spatial mean squares and its 95 % interval.

    Both are scored against the same target, whose noise enters the difference only through
    :math:`2 \langle M - R, \bar\epsilon \rangle`: the floor drops out, and a Student interval over the contrasts
    between members (and their slowest cosines, with fewer than ten) is exact for Gaussian variability.

    Parameters
    ----------
    errors, reference_errors : DataArray of shape (member, time, latitude, longitude)
        Prediction less target member, for the emulator and for the reference.
    weights : DataArray of shape (latitude,)
        Area weights.

    Returns
    -------
    float
        Mean square of the emulator less that of the reference, in the unit squared.
    Interval
        Of that difference.
    """
    members, years = errors.sizes["member"], errors.sizes["time"]
    gap = (errors - reference_errors).isel(member=0, drop=True).mean("time")
    middle = 0.5 * (errors + reference_errors)
    along = weighted_sum(middle * gap, weights.broadcast_like(gap), SPACE).mean()
    values = along.transpose("member", "time").values
    difference = 2.0 * float(values.mean())
    return difference, difference_interval(difference, values @ slow_components(years, members).T)


def difference_interval(difference: float, along: np.ndarray) -> Interval:
    r"""Return the 95 % interval of a difference between two mean squares that share a target.

    Parameters
    ----------
    difference : float
        Mean square of the emulator less that of the reference.
    along : ndarray of shape (member, component)
        What each target member contributes to half of it: its inner products with the two predictions' difference, for
        the mean over the years and, where members are few, its slow cosines (`slow_components`). What all members share
        drops out.

    Returns
    -------
    Interval
        Without ends where there is one member.
    """
    members = along.shape[0]
    if members < 2:
        return Interval(reason="the target has one member, so its spread is not known")
    units = helmert(members) @ along
    deviation = 2.0 * np.sqrt((units**2).mean() / members)
    half = float(stdtrit(units.size, 0.975) * deviation)
    return Interval(difference - half, difference + half)
