r"""Deterministic forecast scores, each with its order of means and roots.

First the area mean :math:`\langle \cdot \rangle_w` over latitude and longitude, then the mean over inits
:math:`\overline{\,\cdot\,}`, in which each counts the same. Where a root or ratio is taken makes a difference: the root
of the mean over inits is never less than the mean of roots, and the two correlations of anomalies differ as well.
Anomalies :math:`f' = f - c` of the forecast and :math:`o' = o - c` of the target are from a climatology c at the valid
time; their means are not removed.

Further dimensions, such as lead time or level, are kept. Arrays may be dask arrays; nothing is computed then.

References
----------
Rasp et al. (2024), WeatherBench 2: a benchmark for the next generation of data-driven global weather models, J. Adv.
Model. Earth Syst. 16, doi:10.1029/2023MS004019.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from climbench.metrics import forecast_kernels as kernels
from climbench.metrics.base import INITS, area_mean, mean_over_inits

Wind = tuple[xr.DataArray, xr.DataArray]


def rmse(prediction: xr.DataArray, target: xr.DataArray, weights: xr.DataArray, *, inits: str = INITS) -> xr.DataArray:
    r"""Return the root of the mean over inits of the area mean square error: the root is taken last.

    .. math:: \sqrt{\overline{\langle (f - o)^2 \rangle_w}}

    Parameters
    ----------
    prediction, target : DataArray of shape (..., init_time, ..., latitude, longitude)
        In the same unit, on the same coordinates: the target at the valid times.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, in the unit of the target, float64.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the weights have other coordinates.
    """
    squares = area_mean(_at_points(kernels.squared_error, prediction, target), weights)
    return _root(mean_over_inits(squares, inits=inits))


def rmse_mean_of_roots(
    prediction: xr.DataArray, target: xr.DataArray, weights: xr.DataArray, *, inits: str = INITS
) -> xr.DataArray:
    r"""Return the mean over inits of the root of the area mean square error: the root is taken first.

    .. math:: \overline{\sqrt{\langle (f - o)^2 \rangle_w}}

    Parameters
    ----------
    prediction, target : DataArray of shape (..., init_time, ..., latitude, longitude)
        In the same unit, on the same coordinates: the target at the valid times.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, in the unit of the target, float64. Never more than `rmse`.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the weights have other coordinates.
    """
    squares = area_mean(_at_points(kernels.squared_error, prediction, target), weights)
    return mean_over_inits(_root(squares), inits=inits)


def mae(prediction: xr.DataArray, target: xr.DataArray, weights: xr.DataArray, *, inits: str = INITS) -> xr.DataArray:
    r"""Return the mean over inits of the area mean absolute error.

    .. math:: \overline{\langle |f - o| \rangle_w}

    Parameters
    ----------
    prediction, target : DataArray of shape (..., init_time, ..., latitude, longitude)
        In the same unit, on the same coordinates: the target at the valid times.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, in the unit of the target, float64.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the weights have other coordinates.
    """
    return mean_over_inits(area_mean(_at_points(kernels.absolute_error, prediction, target), weights), inits=inits)


def bias(prediction: xr.DataArray, target: xr.DataArray, weights: xr.DataArray, *, inits: str = INITS) -> xr.DataArray:
    r"""Return the mean over inits of the area mean error.

    .. math:: \overline{\langle f - o \rangle_w}

    Parameters
    ----------
    prediction, target : DataArray of shape (..., init_time, ..., latitude, longitude)
        In the same unit, on the same coordinates: the target at the valid times.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, in the unit of the target, float64; positive if predicted too large.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the weights have other coordinates.
    """
    return mean_over_inits(area_mean(_at_points(kernels.error, prediction, target), weights), inits=inits)


def wind_vector_rmse(prediction: Wind, target: Wind, weights: xr.DataArray, *, inits: str = INITS) -> xr.DataArray:
    r"""Return the root of the mean over inits of the area mean squared length of the wind's error.

    .. math:: \sqrt{\overline{\langle (u_f - u_o)^2 + (v_f - v_o)^2 \rangle_w}}

    Parameters
    ----------
    prediction, target : two DataArrays of shape (..., init_time, ..., latitude, longitude)
        Eastward and northward components in the same unit, on the same coordinates: the target at the valid times.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, in the unit of the target, float64.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the weights have other coordinates.
    """
    squares = area_mean(_at_points(kernels.vector_squared_error, *prediction, *target), weights)
    return _root(mean_over_inits(squares, inits=inits))


def acc(
    prediction: xr.DataArray,
    target: xr.DataArray,
    weights: xr.DataArray,
    climatology: xr.DataArray,
    *,
    inits: str = INITS,
) -> xr.DataArray:
    r"""Return the correlation of anomalies, from means over inits: the ratio is taken last, as in WeatherBench-X.

    .. math:: \overline{\langle f' o' \rangle_w} / \left( \sqrt{\overline{\langle f'^2 \rangle_w}}
              \sqrt{\overline{\langle o'^2 \rangle_w}} \right)

    Parameters
    ----------
    prediction, target : DataArray of shape (..., init_time, ..., latitude, longitude)
        In the same unit, on the same coordinates: the target at the valid times.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    climatology : DataArray
        In the same unit, at the valid times.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, from -1 to 1, float64.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the weights have other coordinates.
    """
    means = (mean_over_inits(m, inits=inits) for m in _anomaly_means(prediction, target, weights, climatology))
    return _at_points(kernels.anomaly_correlation, *means)


def acc_mean_of_inits(
    prediction: xr.DataArray,
    target: xr.DataArray,
    weights: xr.DataArray,
    climatology: xr.DataArray,
    *,
    inits: str = INITS,
) -> xr.DataArray:
    r"""Return the mean over inits of the correlation of anomalies: the ratio is taken first, as in WeatherBench 2.

    .. math:: \overline{\langle f' o' \rangle_w / \sqrt{\langle f'^2 \rangle_w \langle o'^2 \rangle_w}}

    Parameters
    ----------
    prediction, target : DataArray of shape (..., init_time, ..., latitude, longitude)
        In the same unit, on the same coordinates: the target at the valid times.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    climatology : DataArray
        In the same unit, at the valid times.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, from -1 to 1, float64.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the weights have other coordinates.
    """
    means = _anomaly_means(prediction, target, weights, climatology)
    return mean_over_inits(_at_points(kernels.anomaly_correlation, *means), inits=inits)


def activity(
    prediction: xr.DataArray, weights: xr.DataArray, climatology: xr.DataArray, *, inits: str = INITS
) -> xr.DataArray:
    r"""Return the root of the mean over inits of the area mean square anomaly: blurred forecasts have little of it.

    .. math:: \sqrt{\overline{\langle f'^2 \rangle_w}}

    Parameters
    ----------
    prediction : DataArray of shape (..., init_time, ..., latitude, longitude)
        In any unit; of the target it is the activity to compare with.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    climatology : DataArray
        In the same unit, at the valid times.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, in the unit of the prediction, float64.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the weights have other coordinates.
    """
    squares = area_mean(_at_points(kernels.squared_anomaly, prediction, climatology), weights)
    return _root(mean_over_inits(squares, inits=inits))


def _anomaly_means(
    prediction: xr.DataArray, target: xr.DataArray, weights: xr.DataArray, climatology: xr.DataArray
) -> list[xr.DataArray]:
    """Return area means of the products of anomalies."""
    products = _at_points(kernels.anomaly_products, prediction, target, climatology, outputs=3)
    return [area_mean(product, weights) for product in products]


def _root(mean_square: xr.DataArray) -> xr.DataArray:
    return mean_square**0.5


def _at_points(kernel: Callable[..., Any], *arrays: xr.DataArray, outputs: int = 1) -> Any:
    return xr.apply_ufunc(
        kernel,
        *arrays,
        output_core_dims=[[]] * outputs,
        dask="parallelized",
        output_dtypes=[np.float64] * outputs,
    )
