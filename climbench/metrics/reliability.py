r"""Reliability diagrams: how often an event occurs that is forecast with a probability, as counts that add up.

From the same counts come the calibration error and the parts of the Brier score.

References
----------
Murphy (1973), A new vector partition of the probability score, J. Appl. Meteorol. 12 (the parts of the Brier score).
Murphy and Winkler (1977), Reliability of subjective probability forecasts of precipitation and temperature, J. R. Stat.
Soc. C 26.
Bröcker and Smith (2007), Increasing the reliability of reliability diagrams, Weather Forecast. 22 (the mean probability
of a bin, rather than its middle, is what a frequency is to be compared with).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.metrics.base import SPACE

TENTHS = np.linspace(0.0, 1.0, 11)
CLOSE = 1e-6


def ensemble_edges(members: int) -> np.ndarray:
    """Return edges between the shares an ensemble can have, so that each has a bin of its own.

    Parameters
    ----------
    members : int
        How many members there are.

    Returns
    -------
    ndarray of shape (members + 2,)
        Half-way between the shares k / N, and 0 and 1 at the ends.
    """
    return np.concatenate([[0.0], (np.arange(members) + 0.5) / members, [1.0]])


def reliability_sums(
    probability: np.ndarray, occurred: np.ndarray, weights: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sums over cells of weights, of probabilities and of occurrences, for each bin of probability.

    Parameters
    ----------
    probability : ndarray of shape (..., cell)
        From 0 to 1.
    occurred : ndarray of shape (..., cell)
        1 where the event occurred, 0 elsewhere.
    weights : ndarray of shape (..., cell)
        Area weights. All three broadcast: weights of shape (region, 1, cell) give the sums of each region.
    edges : ndarray of shape (bin + 1,)
        Ascending. A bin holds its lower edge and not its upper one, but the last holds both. A probability within one
        millionth of an edge counts as on it, so that rounding in 3 / 10 makes no difference.

    Returns
    -------
    ndarray of shape (..., bin)
        Sum of weights, in float64; so are the others. All are NaN where a probability or an occurrence is.
    ndarray of shape (..., bin)
        Sum of weight times probability.
    ndarray of shape (..., bin)
        Sum of weight times occurrence.
    """
    shape = np.broadcast_shapes(probability.shape, occurred.shape, weights.shape)
    bins, rows = edges.size - 1, int(np.prod(shape[:-1]))
    which = np.clip(np.searchsorted(edges - CLOSE, probability, side="right") - 1, 0, bins - 1)
    place = np.broadcast_to(which, shape).reshape(rows, -1) + bins * np.arange(rows)[:, None]
    missing = np.broadcast_to((np.isnan(probability) | np.isnan(occurred)).any(axis=-1), shape[:-1])

    def total(values: np.ndarray | float) -> np.ndarray:
        each = np.broadcast_to(weights * np.asarray(values, "float64"), shape).ravel()
        sums = np.bincount(place.ravel(), each, minlength=rows * bins).reshape(*shape[:-1], bins)
        sums[missing] = np.nan
        return sums

    return total(1.0), total(probability), total(occurred)


@dataclass(frozen=True)
class ReliabilityCounts:
    """What a reliability diagram is drawn from.

    Attributes
    ----------
    weight : DataArray of shape (..., bin)
        Sum of weights of the forecasts in each bin of probability.
    probability : DataArray of shape (..., bin)
        Sum of weight times probability.
    occurrences : DataArray of shape (..., bin)
        Sum of weight times occurrence.
    """

    weight: xr.DataArray
    probability: xr.DataArray
    occurrences: xr.DataArray

    def __add__(self, other: ReliabilityCounts) -> ReliabilityCounts:
        """Return the counts of both."""
        return ReliabilityCounts(
            self.weight + other.weight, self.probability + other.probability, self.occurrences + other.occurrences
        )

    def mean_probability(self) -> xr.DataArray:
        """Return the mean probability in each bin; NaN in an empty one."""
        return self.probability / self.weight.where(self.weight > 0)

    def frequency(self) -> xr.DataArray:
        """Return how often the event occurred in each bin; NaN in an empty one."""
        return self.occurrences / self.weight.where(self.weight > 0)


def reliability(
    probability: xr.DataArray,
    occurred: xr.DataArray,
    weights: xr.DataArray,
    dim: Sequence[Hashable],
    *,
    edges: Sequence[float] | np.ndarray = TENTHS,
) -> ReliabilityCounts:
    """Return the counts of a reliability diagram.

    Parameters
    ----------
    probability : DataArray of shape (..., latitude, longitude)
        From 0 to 1, as of `climbench.metrics.exceedance.exceedance_probability`.
    occurred : DataArray
        1 or true where the event occurred, with the same dimensions.
    weights : DataArray
        Along some of `dim`, and along further dimensions such as regions.
    dim : sequence of hashable
        The dimensions to sum over.
    edges : sequence of float
        Of the bins, from 0 to 1; see `reliability_sums`. Ten equal bins unless given.

    Returns
    -------
    ReliabilityCounts
        Along `bin`, with the coordinate of its middle, and what dimensions are left. They are NaN, in all bins, where a
        probability or an occurrence is.

    Raises
    ------
    DataError
        If the edges do not ascend from 0 to 1.
    """
    limits = _checked(edges)
    core: list[Hashable] = [d for d in dim if d in SPACE] or list(dim)
    size = xr.DataArray(np.ones([probability.sizes[d] for d in core]), dims=core)

    def kernel(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        forecast, event, weight = (a.reshape(*a.shape[: -len(core)], -1) for a in arrays)
        return reliability_sums(forecast, event, weight, limits)

    sums = xr.apply_ufunc(
        kernel,
        probability,
        occurred.astype("float64"),
        size * weights,
        input_core_dims=[core] * 3,
        output_core_dims=[["bin"]] * 3,
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True, "output_sizes": {"bin": limits.size - 1}},
        output_dtypes=[np.float64] * 3,
    )
    rest = [d for d in dim if d not in core]
    middle = {"bin": (limits[1:] + limits[:-1]) / 2}
    return ReliabilityCounts(*(s.sum(rest, skipna=False).assign_coords(middle) for s in sums))


def _checked(edges: Sequence[float] | np.ndarray) -> np.ndarray:
    limits = np.asarray(edges, "float64")
    if limits.ndim != 1 or limits.size < 2 or limits[0] != 0.0 or limits[-1] != 1.0 or (np.diff(limits) <= 0).any():
        raise DataError(f"The edges of bins of probability must ascend from 0 to 1; found {limits.tolist()}.")
    return limits


def calibration_error_of_sums(weight: np.ndarray, probability: np.ndarray, occurrences: np.ndarray) -> np.ndarray:
    r"""Return the mean distance of frequencies from probabilities, each bin with its share of the weight.

    .. math:: \sum_k \frac{w_k}{\sum_k w_k} \left| \bar p_k - \bar o_k \right|

    Parameters
    ----------
    weight, probability, occurrences : ndarray of shape (..., bin)
        From `reliability_sums`, over all that shall be averaged.

    Returns
    -------
    ndarray of shape (...)
        0 for calibrated probabilities, NaN where nothing counted. Wider bins make it smaller, and few forecasts make it
        larger.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning, Proc. AAAI 29.
    """
    total = weight.sum(axis=-1)
    return np.abs(probability - occurrences).sum(axis=-1) / np.where(total > 0, total, np.nan)


def calibration_error(counts: ReliabilityCounts) -> xr.DataArray:
    """Return `calibration_error_of_sums` of counts.

    Parameters
    ----------
    counts : ReliabilityCounts
        Over all that shall be averaged.

    Returns
    -------
    DataArray
        Without bins.
    """
    return xr.apply_ufunc(
        calibration_error_of_sums,
        counts.weight,
        counts.probability,
        counts.occurrences,
        input_core_dims=[["bin"]] * 3,
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True},
        output_dtypes=[np.float64],
    )


@dataclass(frozen=True)
class BrierParts:
    """The parts of a Brier score: reliability less resolution plus uncertainty.

    Attributes
    ----------
    reliability : DataArray
        How far frequencies lie from the probabilities they were forecast with; 0 is best.
    resolution : DataArray
        How far frequencies lie from the overall one; the more the better, at most the uncertainty.
    uncertainty : DataArray
        What the target alone sets: f (1 - f) for an event that occurs with frequency f.
    """

    reliability: xr.DataArray
    resolution: xr.DataArray
    uncertainty: xr.DataArray

    def score(self) -> xr.DataArray:
        """Return the mean Brier score."""
        return self.reliability - self.resolution + self.uncertainty


def brier_parts(counts: ReliabilityCounts, *, members: int) -> BrierParts:
    """Return the parts of the mean Brier score of an ensemble, not debiased; they add up to it exactly.

    Parameters
    ----------
    counts : ReliabilityCounts
        With one bin for each share k / N of N members: from `reliability` with the edges of
        `ensemble_edges`. Wider bins, that hold several probabilities, would leave something over.
    members : int
        N.

    Returns
    -------
    BrierParts
        Each without bins.

    Raises
    ------
    DataError
        If the bins are not those of so many members.
    """
    shares = xr.DataArray(np.arange(members + 1) / members, dims="bin")
    if counts.weight.sizes["bin"] != members + 1:
        raise DataError(
            f"The parts of the Brier score of {members} members need {members + 1} bins, one for each share of "
            f"members; found {counts.weight.sizes['bin']}. Take the edges of ensemble_edges({members})."
        )
    probability, frequency = counts.mean_probability().drop_vars("bin"), counts.frequency().drop_vars("bin")
    if bool((abs(probability - shares) > CLOSE).any()):
        raise DataError(f"The probabilities are not shares of {members} members: in a bin there are several.")
    weight = counts.weight.drop_vars("bin")
    total = weight.sum("bin", skipna=False)
    share = weight / total.where(total > 0)
    overall = counts.occurrences.sum("bin", skipna=False) / total.where(total > 0)
    return BrierParts(
        reliability=(share * (probability - frequency) ** 2).where(weight > 0, 0.0).sum("bin", skipna=False),
        resolution=(share * (frequency - overall) ** 2).where(weight > 0, 0.0).sum("bin", skipna=False),
        uncertainty=overall * (1.0 - overall),
    )
