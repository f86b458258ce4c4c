"""Spread of ensembles and errors of their means: additive fields first, ratios and roots last.

`ensemble_variance` and `squared_error` return fields; means over time and space come after them
(`climbench.metrics.base.weighted_sum`), and `spread`, `ensemble_mean_rmse` and `spread_error_ratio` take the last step.
Members may stand anywhere among the dimensions, arrays may be dask arrays (nothing is computed then), and float32
values are summed in float64.

References
----------
Fortin et al. (2014), Why should ensemble spread match the RMSE of the ensemble mean?, J. Hydrometeorol. 15,
doi:10.1175/JHM-D-14-0008.1.
"""

from __future__ import annotations

import xarray as xr

from climbench.metrics import ensemble_kernels as kernels
from climbench.metrics.base import WeightedSum
from climbench.metrics.members import MEMBER, at_each_point, check_members


def ensemble_variance(ensemble: xr.DataArray, *, member: str = MEMBER) -> xr.DataArray:
    """Return the unbiased variance across members (divided by their number less one).

    Parameters
    ----------
    ensemble : DataArray of shape (..., member, ...)
        At least two members.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members, float64, in the unit squared.

    Raises
    ------
    DataError
        If there is no such dimension, or only one member.
    """
    check_members(ensemble, member, 2)
    return _mean_and_variance(ensemble, _first(ensemble, member), member)[1]


def squared_error(
    prediction: xr.DataArray, target: xr.DataArray, *, unbiased: bool, member: str = MEMBER
) -> xr.DataArray:
    r"""Return the squared error of the ensemble mean.

    .. math:: (\bar x - \bar y)^2 - \frac{s_x^2}{M} - \frac{s_y^2}{N}

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        At least two members, if it shall be unbiased.
    target : DataArray
        One value a point; or members of its own, whose mean the error is taken against.
    unbiased : bool
        Whether to take off what the finite number of members adds: the variances over the numbers of members, the
        target's as well where it has members. What is left can be negative at a point.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members, float64, in the unit squared.

    Raises
    ------
    DataError
        If the prediction has no such dimension, or there are too few members.
    """
    check_members(prediction, member, 2 if unbiased else 1)
    origin, off = target, xr.DataArray(0.0)
    if member in target.dims:
        check_members(target, member, 2 if unbiased else 1)
        first = _first(target, member)
        above, variance = _mean_and_variance(target, first, member)
        origin, off = first + above, variance / target.sizes[member]
    error, variance = _mean_and_variance(prediction, origin, member)
    return error**2 - variance / prediction.sizes[member] - off if unbiased else error**2


def _first(ensemble: xr.DataArray, member: str) -> xr.DataArray:
    return ensemble.isel({member: 0}, drop=True)


def spread(variance: WeightedSum) -> xr.DataArray:
    """Return the spread: the root of the mean variance.

    Parameters
    ----------
    variance : WeightedSum
        Of `ensemble_variance`, over time and space.

    Returns
    -------
    DataArray
        In the unit of the ensemble.
    """
    return variance.mean() ** 0.5


def ensemble_mean_rmse(squares: WeightedSum) -> xr.DataArray:
    """Return the root of the mean squared error of the ensemble mean, 0 where an unbiased mean square is negative.

    Parameters
    ----------
    squares : WeightedSum
        Of `squared_error`, over time and space.

    Returns
    -------
    DataArray
        In the unit of the target.
    """
    return squares.mean().clip(min=0.0) ** 0.5


def spread_error_ratio(variance: WeightedSum, squares: WeightedSum) -> xr.DataArray:
    r"""Return the spread over the error of the ensemble mean, a ratio of means taken before the root.

    Parameters
    ----------
    variance : WeightedSum
        Of `ensemble_variance`, over time and space.
    squares : WeightedSum
        Of the unbiased `squared_error` against single values over the same points. Against the biased one, a reliable
        ensemble of M members would have a ratio of :math:`\sqrt{M / (M + 1)}`.

    Returns
    -------
    DataArray
        1 for a reliable ensemble, less for one that spreads too little; NaN where the unbiased mean square is not
        positive.
    """
    error = squares.mean()
    return (variance.mean() / error.where(error > 0.0)) ** 0.5


def _mean_and_variance(ensemble: xr.DataArray, origin: xr.DataArray, member: str) -> tuple[xr.DataArray, xr.DataArray]:
    return at_each_point(kernels.mean_and_variance, ensemble, origin, member, outputs=2)
