r"""Variability from year to year, and the internal variability that errors are measured by.

Where a score's usual denominator is close to zero (the global mean change of the diurnal temperature range), an error
over the standard deviation of the target's own internal variability still means something: it says how many standard
deviations of one member's time mean the prediction is off.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.metrics.base import area_mean
from climbench.metrics.trends import DECADE, trend


def variance_about_trend(field: xr.DataArray, *, dim: str = "time") -> xr.DataArray:
    r"""Return the variance of annual values about their least squares line.

    .. math:: \frac{1}{n - 2} \sum_t (x_t - a - b t)^2

    Parameters
    ----------
    field : DataArray of shape (..., time, ...)
        Its coordinate along `dim` holds numbers. May be a dask array.
    dim : str
        The dimension of years.

    Returns
    -------
    DataArray
        Without years, float64, in the unit squared; unbiased for values that are independent about a line, NaN where a
        value is.

    Raises
    ------
    DataError
        If there are fewer than three years.
    """
    years = field.sizes[dim]
    if years < 3:
        raise DataError(f"The variance about a trend needs three years at least; '{dim}' has {years}.")
    values = field.astype("float64", copy=False)
    return variance_from_sums(
        xr.dot(values, values, dim=dim), values.mean(dim, skipna=False), trend(field, dim=dim), field[dim].values
    )


def variance_from_sums(
    squares: xr.DataArray, mean: xr.DataArray, slope: xr.DataArray, years: np.ndarray
) -> xr.DataArray:
    r"""Return the variance about the least squares line from sums over years.

    .. math:: \frac{1}{n - 2} \left( \sum_t x_t^2 - n \bar x^2 - b^2 \sum_t (t - \bar t)^2 \right)

    Parameters
    ----------
    squares : DataArray
        The sum of squares over the years.
    mean : DataArray
        The mean over the years.
    slope : DataArray
        The trend, per decade.
    years : ndarray of shape (time,)
        At least three.

    Returns
    -------
    DataArray
        In the unit squared. In float64 the rounding is about 1e-16 of the mean's square: nothing beside the variance,
        even of temperatures in kelvin.
    """
    spacing = float(((years - np.mean(years)) ** 2).sum()) / DECADE**2
    return (squares - years.size * mean**2 - spacing * slope**2).clip(min=0.0) / (years.size - 2)


def variability_ratio(
    prediction: xr.DataArray, members: xr.DataArray, weights: xr.DataArray, *, member: str = "member"
) -> xr.DataArray:
    r"""Return the standard deviation of annual values about the trend, over the target's.

    .. math:: \sqrt{\langle V_x \rangle_w / \langle \overline{V_y} \rangle_w}

    Parameters
    ----------
    prediction : DataArray of shape ([member,] time, latitude, longitude)
        Variances are averaged over its members, if it has any.
    members : DataArray of shape (member, time, latitude, longitude)
        The target's members, whose variances are averaged. The mean over members would vary less than any of them.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; variances are averaged over the area before the root.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        A number, or one a region, without unit: 1 where a member of the prediction varies as a member of the target
        does, near 0 for the forced response alone.

    Raises
    ------
    DataError
        If there are fewer than three years.
    """
    ours, theirs = (
        area_mean(variance.mean(member, skipna=False) if member in variance.dims else variance, weights)
        for variance in map(variance_about_trend, (prediction, members))
    )
    return (ours / theirs) ** 0.5


def internal_std(members: xr.DataArray, weights: xr.DataArray, *, member: str = "member") -> xr.DataArray:
    r"""Return the standard deviation of one member's time mean by internal variability.

    .. math:: \sqrt{\langle S^2 \rangle_w}, \quad S^2 = \mathrm{var}_{m-1}(\overline{Y_n})

    Parameters
    ----------
    members : DataArray of shape (member, time, latitude, longitude)
        The target's members.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; variances are averaged over the area before the root.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        A number, or one a region, in the target's unit: the noise floor of the spatial error times the root of the
        number of members. NaN with a single member.
    """
    means = members.astype("float64", copy=False).mean("time", skipna=False)
    return area_mean(means.var(member, ddof=1, skipna=False), weights) ** 0.5
