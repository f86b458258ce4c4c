"""Errors of an emulated climate against the mean over the target's members (ClimateBench's definitions).

The order of operations is part of each definition: members are averaged before anything is squared; the spatial score
squares the difference of time means, the global score squares the difference of annual global means.

References
----------
Watson-Parris et al. (2022), ClimateBench v1.0, J. Adv. Model. Earth Syst. 14, section 4, doi:10.1029/2021MS002954.
"""

from __future__ import annotations

import xarray as xr

from climbench.metrics.base import area_mean


def rmse_spatial(prediction: xr.DataArray, target: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    r"""Return the root of the area mean of the squared difference of two time means.

    .. math:: \sqrt{\langle (\overline{M} - \overline{Y})^2 \rangle_w}

    Parameters
    ----------
    prediction, target : DataArray of shape (time, latitude, longitude)
        In the same unit; `target` is the mean over members.
    weights : DataArray of shape (latitude,)
        Area weights.

    Returns
    -------
    DataArray
        A scalar in the unit of the target.
    """
    difference = prediction.mean("time", skipna=False) - target.mean("time", skipna=False)
    return area_mean(difference**2, weights) ** 0.5


def rmse_global(prediction: xr.DataArray, target: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    r"""Return the root of the mean over years of the squared difference of annual area means.

    .. math:: \sqrt{\overline{(\langle M_t \rangle_w - \langle Y_t \rangle_w)^2}}

    Parameters
    ----------
    prediction, target : DataArray of shape (time, latitude, longitude)
        In the same unit; `target` is the mean over members.
    weights : DataArray of shape (latitude,)
        Area weights.

    Returns
    -------
    DataArray
        A scalar in the unit of the target.
    """
    difference = area_mean(prediction, weights) - area_mean(target, weights)
    return (difference**2).mean("time", skipna=False) ** 0.5


def normaliser(target: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    r"""Return the absolute value of the target's mean over globe and years, the denominator of the NRMSEs.

    .. math:: |\langle \overline{Y} \rangle_w|

    Parameters
    ----------
    target : DataArray of shape (time, latitude, longitude)
        The mean over members; always the target's, never the prediction's.
    weights : DataArray of shape (latitude,)
        Area weights.

    Returns
    -------
    DataArray
        A scalar in the unit of the target. It can be close to zero (diurnal temperature range), which inflates the
        scores divided by it.
    """
    return abs(area_mean(target.mean("time", skipna=False), weights))


def nrmse_total(nrmse_spatial: xr.DataArray, nrmse_global: xr.DataArray, *, factor: float = 5.0) -> xr.DataArray:
    """Return the spatial NRMSE plus a multiple of the global one.

    Parameters
    ----------
    nrmse_spatial, nrmse_global : DataArray
        Scalars without unit.
    factor : float
        Weight of the global part; ClimateBench takes 5.

    Returns
    -------
    DataArray
        A scalar without unit.
    """
    return nrmse_spatial + factor * nrmse_global


def skill(rmse: float, reference: float) -> float:
    """Return the skill of an error against a reference error, 1 - rmse / reference.

    Parameters
    ----------
    rmse, reference : float
        Root-mean-square errors in the same unit.

    Returns
    -------
    float
        1 is perfect, 0 as good as the reference, negative worse.
    """
    return 1.0 - rmse / reference
