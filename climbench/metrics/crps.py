r"""The continuous ranked probability score of ensembles at each point: fair, classical and almost fair.

The functions return fields; means over time and space come after them (`climbench.metrics.base.weighted_sum`). Members
may stand anywhere among the dimensions, arrays may be dask arrays (nothing is computed then), and float32 values are
summed in float64. A target may have members :math:`y_n` of its own: the score is then its mean over them.

References
----------
Ferro (2014), Fair scores for ensemble forecasts, Q. J. R. Meteorol. Soc. 140, doi:10.1002/qj.2270.
Lang et al. (2024), AIFS-CRPS: ensemble forecasting using a model trained with a loss function based on the continuous
ranked probability score, arXiv:2412.15832 (the almost fair CRPS).
"""

from __future__ import annotations

import xarray as xr

from climbench.errors import DataError
from climbench.metrics import ensemble_kernels as kernels
from climbench.metrics.members import MEMBER, at_each_point, check_members, whole


def fair_crps(prediction: xr.DataArray, target: xr.DataArray, *, member: str = MEMBER) -> xr.DataArray:
    r"""Return the fair CRPS, whose expectation does not depend on the number of members.

    .. math:: \frac{1}{M} \sum_i |x_i - y| - \frac{1}{2 M (M - 1)} \sum_{i,j} |x_i - x_j|

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        At least two members.
    target : DataArray
        In the same unit, with the prediction's other dimensions; with members of its own the score is their mean.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members, float64, in the unit of the target; NaN where a value is.

    Raises
    ------
    DataError
        If the prediction has no such dimension, or only one member.
    """
    return _crps(prediction, target, 1.0, member)


def crps(prediction: xr.DataArray, target: xr.DataArray, *, member: str = MEMBER) -> xr.DataArray:
    r"""Return the classical CRPS, which takes the members for the whole distribution and so favours many.

    .. math:: \frac{1}{M} \sum_i |x_i - y| - \frac{1}{2 M^2} \sum_{i,j} |x_i - x_j|

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        With one member it is the absolute error.
    target : DataArray
        As for `fair_crps`.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members, float64, in the unit of the target; NaN where a value is.

    Raises
    ------
    DataError
        If the prediction has no such dimension.
    """
    return _crps(prediction, target, 0.0, member)


def almost_fair_crps(
    prediction: xr.DataArray, target: xr.DataArray, *, alpha: float = 0.95, member: str = MEMBER
) -> xr.DataArray:
    r"""Return the almost fair CRPS: :math:`\alpha` times the fair one and :math:`1 - \alpha` times the classical one.

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        At least two members, unless `alpha` is 0.
    target : DataArray
        As for `fair_crps`.
    alpha : float
        From 0 to 1.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members, float64, in the unit of the target; NaN where a value is.

    Raises
    ------
    DataError
        If `alpha` is out of range, the prediction has no such dimension, or only one member.
    """
    if not 0.0 <= alpha <= 1.0:
        raise DataError(f"The share of the fair CRPS, alpha, must lie between 0 and 1; found {alpha:g}.")
    return _crps(prediction, target, alpha, member)


def _crps(prediction: xr.DataArray, target: xr.DataArray, alpha: float, member: str) -> xr.DataArray:
    check_members(prediction, member, 2 if alpha else 1)
    if member not in target.dims:
        return at_each_point(kernels.crps, prediction, target, member, alpha=alpha)
    return at_each_point(kernels.crps_between, prediction, target, member, both=True, alpha=alpha)


def half_mean_difference(ensemble: xr.DataArray, *, fair: bool = True, member: str = MEMBER) -> xr.DataArray:
    r"""Return half the mean absolute difference between members.

    .. math:: \frac{1}{2 M (M - 1)} \sum_{i,j} |x_i - x_j|

    It is what the fair CRPS takes off the absolute error; and taken over the target's members, it is the fair CRPS that
    an ensemble of the target's own distribution has in expectation.

    Parameters
    ----------
    ensemble : DataArray of shape (..., member, ...)
        At least two members.
    fair : bool
        Whether to average over pairs of different members; otherwise over all :math:`M^2`.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members, float64, in the unit of the ensemble.

    Raises
    ------
    DataError
        If there is no such dimension, or too few members.
    """
    check_members(ensemble, member, 2 if fair else 1)
    return at_each_point(kernels.half_mean_difference, ensemble, None, member, alpha=float(fair))


def absolute_error(prediction: xr.DataArray, target: xr.DataArray, *, member: str = MEMBER) -> xr.DataArray:
    """Return the mean over the prediction's members of the absolute difference from the target.

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        In the unit of the target.
    target : DataArray
        With the prediction's other dimensions; members of its own are kept, each with its error.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without the prediction's members, float64, in the unit of the target. Less `half_mean_difference` it is a CRPS.

    Raises
    ------
    DataError
        If the prediction has no such dimension.
    """
    check_members(prediction, member, 1)
    theirs, several = f"target_{member}", member in target.dims
    values = whole(target, member).rename({member: theirs}) if several else target.expand_dims(theirs)
    found = xr.apply_ufunc(
        kernels.absolute_error,
        whole(prediction, member),
        values,
        input_core_dims=[[member], [theirs]],
        output_core_dims=[[theirs]],
        dask="parallelized",
        output_dtypes=[float],
    )
    return found.rename({theirs: member}) if several else found.isel({theirs: 0}, drop=True)
