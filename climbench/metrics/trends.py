r"""Linear trends over years, and their errors against a target whose own trends carry internal variability.

A trend is the slope of the ordinary least squares line, per decade. The mean over m members of trends that differ by
internal variability has a variance of :math:`S^2 / m`, with :math:`S^2` the variance across members: the noise floor of
a trend's error, as it is of a time mean's (`climbench.metrics.noise_floor`).
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.metrics.base import area_mean

DECADE = 10.0


def trend(field: xr.DataArray, *, dim: str = "time") -> xr.DataArray:
    r"""Return the slope of the least squares line.

    .. math:: \sum_t (t - \bar t) x_t / \sum_t (t - \bar t)^2

    Parameters
    ----------
    field : DataArray of shape (..., time, ...)
        May be a dask array.
    dim : str
        The dimension of years; its coordinate holds numbers, in years.

    Returns
    -------
    DataArray
        Without years, float64, in the field's unit per decade; NaN where a value is.

    Raises
    ------
    DataError
        If there are fewer than two years, or the coordinate holds no numbers.
    """
    years = field[dim]
    if years.dtype.kind not in "iuf":
        raise DataError(f"A trend is taken over years as numbers; '{dim}' holds {years.dtype}.")
    if years.size < 2:
        raise DataError(f"A trend needs two years at least; '{dim}' has {years.size}.")
    slope = xr.DataArray(slope_coefficients(years.values), dims=dim, coords={dim: years})
    return xr.dot(field.astype("float64", copy=False), slope, dim=dim, optimize=True)


def slope_coefficients(years: np.ndarray) -> np.ndarray:
    """Return what values are multiplied by and added up to give their slope per decade.

    Parameters
    ----------
    years : ndarray of shape (time,)
        At least two that differ.

    Returns
    -------
    ndarray of shape (time,)
        They add up to zero.
    """
    centred = years - np.mean(years, dtype="float64")
    return DECADE * centred / (centred**2).sum()


def trend_rmse(prediction: xr.DataArray, target: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    r"""Return the root of the area mean of the squared difference between two maps of trends.

    Parameters
    ----------
    prediction, target : DataArray of shape (time, latitude, longitude)
        In the same unit; `target` is the mean over members.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights.

    Returns
    -------
    DataArray
        A number, or one a region, in the target's unit per decade.
    """
    return area_mean((trend(prediction) - trend(target)) ** 2, weights) ** 0.5


def trend_floor_square(members: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    r"""Return the squared floor of `trend_rmse`: the variance of local trends across members, over their number.

    Parameters
    ----------
    members : DataArray of shape (member, time, latitude, longitude)
        The target's members.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights.

    Returns
    -------
    DataArray
        A number, or one a region, in the unit per decade squared; NaN with a single member.
    """
    return area_mean(trend(members).var("member", ddof=1, skipna=False), weights) / members.sizes["member"]
