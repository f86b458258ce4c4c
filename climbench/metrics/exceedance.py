r"""Forecasts of exceeding a threshold: the Brier score, and the ranked probability score over several thresholds.

An event is a value above a threshold, which may be a field of its own, such as a quantile of the climatology at the
valid time; a value equal to the threshold is none. The ranked probability score is the sum of Brier scores over
thresholds, and its distribution functions :math:`F(t) = P(x \le t)` include their right ends.

The functions return fields; means over time and space come after them (`climbench.metrics.base.weighted_sum`). Arrays
may be dask arrays.

References
----------
Brier (1950), Verification of forecasts expressed in terms of probability, Mon. Weather Rev. 78.
Ferro (2014), Fair scores for ensemble forecasts, Q. J. R. Meteorol. Soc. 140, doi:10.1002/qj.2270.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.metrics.ensemble_kernels import blocks
from climbench.metrics.members import MEMBER, check_members, whole

BLOCK = 2**16
THRESHOLD = "threshold"


def share_above(members: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Return the share of members above a threshold at each point.

    Parameters
    ----------
    members : ndarray of shape (..., member)
        The ensemble; its points broadcast against the threshold's.
    threshold : ndarray of shape (...)
        In the same unit.

    Returns
    -------
    ndarray of shape (...)
        From 0 to 1, in float64; NaN where a value is.
    """
    count = members.shape[-1]
    shape = np.broadcast_shapes(members.shape[:-1], np.shape(threshold))
    members, threshold = np.broadcast_to(members, (*shape, count)), np.broadcast_to(threshold, shape)
    result = np.empty(shape)
    for part in blocks(shape, max(1, BLOCK // count)):
        sample, limit = members[part], threshold[part]
        above = np.count_nonzero(sample > limit[..., None], axis=-1) / count
        missing = np.isnan(sample).any(axis=-1) | np.isnan(limit)
        result[part] = np.where(missing, np.nan, above)
    return result


def brier_at_points(
    members: np.ndarray, target: np.ndarray, threshold: np.ndarray, *, debiased: bool = False
) -> np.ndarray:
    """Return the Brier score of exceeding a threshold at each point.

    Parameters
    ----------
    members : ndarray of shape (..., member)
        The ensemble; one member for a deterministic forecast.
    target, threshold : ndarray of shape (...)
        In the same unit.
    debiased : bool
        Whether to take off p (1 - p) / (N - 1) for N members, of which there must then be two at least.

    Returns
    -------
    ndarray of shape (...)
        In float64; NaN where a value is.
    """
    probability, occurred = share_above(members, threshold), share_above(target[..., None], threshold)
    score = (probability - occurred) ** 2
    return score - probability * (1.0 - probability) / (members.shape[-1] - 1) if debiased else score


def ranked_probability_at_points(
    members: np.ndarray, target: np.ndarray, thresholds: np.ndarray, *, fair: bool = False
) -> np.ndarray:
    """Return the ranked probability score at each point: the sum of Brier scores over thresholds.

    Parameters
    ----------
    members : ndarray of shape (..., member)
        The ensemble.
    target : ndarray of shape (...)
        In the same unit.
    thresholds : ndarray of shape (..., threshold)
        In the same unit, in any order.
    fair : bool
        Whether to take the debiased Brier scores.

    Returns
    -------
    ndarray of shape (...)
        In float64; NaN where a value is.
    """
    each = (brier_at_points(members, target, limit, debiased=fair) for limit in np.moveaxis(thresholds, -1, 0))
    return np.asarray(sum(each))


def exceedance_probability(
    prediction: xr.DataArray, threshold: xr.DataArray | float, *, member: str | None = MEMBER
) -> xr.DataArray:
    """Return the share of members above a threshold.

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        Or without members, where `member` is None: 0 or 1 is then returned. So it serves for a target as well.
    threshold : DataArray or float
        In the same unit.
    member : str or None
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members, from 0 to 1, float64; NaN where a value is.

    Raises
    ------
    DataError
        If the prediction has no such dimension.
    """
    prediction, name = _with_members(prediction, member, 1)
    return _at_points(share_above, [prediction, threshold], [[name], []])


def brier_score(
    prediction: xr.DataArray,
    target: xr.DataArray,
    threshold: xr.DataArray | float,
    *,
    debiased: bool = False,
    member: str | None = MEMBER,
) -> xr.DataArray:
    r"""Return the Brier score of exceeding a threshold.

    .. math:: (p - o)^2 - \frac{p (1 - p)}{N - 1}

    where p is the share of N members above the threshold and o is 1 where the target is above it, 0 elsewhere; the
    second term only if it shall be debiased.

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        At least two members, if the score shall be debiased. Without members for a deterministic forecast.
    target : DataArray
        In the same unit, with the prediction's other dimensions.
    threshold : DataArray or float
        In the same unit; broadcasts against the target.
    debiased : bool
        Whether the expectation shall not depend on the number of members. The score can then be negative at a point.
    member : str or None
        The name of the dimension of members; None for a deterministic forecast.

    Returns
    -------
    DataArray
        Without members, without unit, float64; NaN where a value is.

    Raises
    ------
    DataError
        If the prediction has no such dimension or too few members.
    """
    prediction, name = _with_members(prediction, member, 2 if debiased else 1)
    return _at_points(brier_at_points, [prediction, target, threshold], [[name], [], []], debiased=debiased)


def rps(
    prediction: xr.DataArray,
    target: xr.DataArray,
    thresholds: xr.DataArray,
    *,
    fair: bool = False,
    dim: str = THRESHOLD,
    member: str | None = MEMBER,
) -> xr.DataArray:
    r"""Return the ranked probability score: the sum over thresholds t of Brier scores.

    .. math:: \sum_t \left( P(x \le t) - 1_{y \le t} \right)^2

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        At least two members, if the score shall be fair. Without members for a deterministic forecast.
    target : DataArray
        In the same unit, with the prediction's other dimensions.
    thresholds : DataArray of shape (..., threshold)
        In the same unit, in any order.
    fair : bool
        Whether to take p (1 - p) / (N - 1) off at each threshold, so that the expectation does not depend on the number
        of members. The score can then be negative at a point.
    dim : str
        The name of the dimension of thresholds.
    member : str or None
        The name of the dimension of members; None for a deterministic forecast.

    Returns
    -------
    DataArray
        Without members and thresholds, without unit, float64; NaN where a value is. It is a sum, not a mean.

    Raises
    ------
    DataError
        If there are no thresholds, or the prediction has no such dimension or too few members.
    """
    if dim not in thresholds.dims or not thresholds.sizes[dim]:
        raise DataError(f"The ranked probability score needs thresholds along '{dim}'; found {dict(thresholds.sizes)}.")
    prediction, name = _with_members(prediction, member, 2 if fair else 1)
    arrays = [prediction, target, whole(thresholds, dim)]
    return _at_points(ranked_probability_at_points, arrays, [[name], [], [dim]], fair=fair)


def _with_members(prediction: xr.DataArray, member: str | None, least: int) -> tuple[xr.DataArray, str]:
    """Return a forecast with members in one chunk, and their dimension's name: a deterministic one has one member."""
    if member is None and least > 1:
        raise DataError("A deterministic forecast cannot be debiased; that needs an ensemble of two members at least.")
    if member is None:
        prediction, member = prediction.expand_dims("single_member"), "single_member"
    check_members(prediction, member, least)
    return whole(prediction, member), member


def _at_points(
    kernel: Callable[..., Any], arrays: Sequence[xr.DataArray | float], dims: list[list[str]], **options: bool
) -> xr.DataArray:
    return xr.apply_ufunc(
        kernel, *arrays, input_core_dims=dims, kwargs=options, dask="parallelized", output_dtypes=[np.float64]
    )
