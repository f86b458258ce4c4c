r"""Forecast scores of ensembles, each with its order of means and roots, and the distance between two ensembles.

First the area mean :math:`\langle \cdot \rangle_w` over latitude and longitude, then the mean over inits
:math:`\overline{\,\cdot\,}`, in which each counts the same; roots and ratios are taken last, so that a ratio is one of
means, never a mean of ratios. The fields they are made from are those of `climbench.metrics.ensembles`: the variance
across members :math:`s^2` divides by their number N less one.

Further dimensions, such as lead time or level, are kept. Arrays may be dask arrays; nothing is computed then.

References
----------
Fortin et al. (2014), Why should ensemble spread match the RMSE of the ensemble mean?, J. Hydrometeorol. 15,
doi:10.1175/JHM-D-14-0008.1.
Rasp et al. (2024), WeatherBench 2: a benchmark for the next generation of data-driven global weather models, J. Adv.
Model. Earth Syst. 16, doi:10.1029/2023MS004019.
"""

from __future__ import annotations

import xarray as xr

from climbench.errors import DataError
from climbench.metrics.base import INITS, area_mean, mean_over_inits
from climbench.metrics.crps import crps, fair_crps, half_mean_difference
from climbench.metrics.ensembles import ensemble_variance, squared_error
from climbench.metrics.members import MEMBER


def ensemble_mean_rmse(
    prediction: xr.DataArray,
    target: xr.DataArray,
    weights: xr.DataArray,
    *,
    unbiased: bool = False,
    inits: str = INITS,
    member: str = MEMBER,
) -> xr.DataArray:
    r"""Return the root of the mean over inits of the area mean square error of the mean over members.

    .. math:: \sqrt{\overline{\langle (\bar x - y)^2 \rangle_w}} \quad \text{or, unbiased,} \quad
              \sqrt{\overline{\langle (\bar x - y)^2 - s^2 / N \rangle_w}}

    Parameters
    ----------
    prediction : DataArray of shape (..., init_time, ..., member, ..., latitude, longitude)
        At least two members, if it shall be unbiased.
    target : DataArray
        In the same unit, on the same coordinates, at the valid times; members of its own are averaged, and what their
        number adds is taken off as well if it shall be unbiased.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    unbiased : bool
        Whether to take off what the finite number of members adds.
    inits, member : str
        The names of the dimensions of initial times and of members.

    Returns
    -------
    DataArray
        Without latitude, longitude, inits and members, in the unit of the target, float64; 0 where an unbiased mean
        square is negative.

    Raises
    ------
    DataError
        If there are no such dimensions or too few members, or the weights have other coordinates.
    """
    squares = area_mean(squared_error(prediction, target, unbiased=unbiased, member=member), weights)
    return mean_over_inits(squares, inits=inits).clip(min=0.0) ** 0.5


def spread(
    prediction: xr.DataArray, weights: xr.DataArray, *, inits: str = INITS, member: str = MEMBER
) -> xr.DataArray:
    r"""Return the root of the mean over inits of the area mean variance across members.

    .. math:: \sqrt{\overline{\langle s^2 \rangle_w}}

    Parameters
    ----------
    prediction : DataArray of shape (..., init_time, ..., member, ..., latitude, longitude)
        At least two members.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    inits, member : str
        The names of the dimensions of initial times and of members.

    Returns
    -------
    DataArray
        Without latitude, longitude, inits and members, in the unit of the prediction, float64.

    Raises
    ------
    DataError
        If there are no such dimensions or only one member, or the weights have other coordinates.
    """
    return mean_over_inits(area_mean(ensemble_variance(prediction, member=member), weights), inits=inits) ** 0.5


def spread_skill(
    prediction: xr.DataArray,
    target: xr.DataArray,
    weights: xr.DataArray,
    *,
    unbiased: bool = True,
    adjusted: bool = False,
    inits: str = INITS,
    member: str = MEMBER,
) -> xr.DataArray:
    r"""Return the spread over the error of the mean over members.

    .. math:: \sqrt{\frac{\overline{\langle s^2 \rangle_w}}{\overline{\langle (\bar x - y)^2 - s^2 / N \rangle_w}}}

    Parameters
    ----------
    prediction : DataArray of shape (..., init_time, ..., member, ..., latitude, longitude)
        At least two members.
    target : DataArray
        In the same unit, on the same coordinates, at the valid times; one value a point.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    unbiased : bool
        Whether to take :math:`s^2 / N` off the mean square error. If not, the ratio of a reliable ensemble is
        :math:`\sqrt{N / (N + 1)}`, as WeatherBench 2 has it.
    adjusted : bool
        Whether to multiply the biased ratio by :math:`\sqrt{(N + 1) / N}`, which puts that right for a reliable
        ensemble, and for no other.
    inits, member : str
        The names of the dimensions of initial times and of members.

    Returns
    -------
    DataArray
        Without latitude, longitude, inits and members, without unit, float64: 1 for a reliable ensemble, less for one
        that spreads too little; NaN where the mean square is not positive.

    Raises
    ------
    DataError
        If there are no such dimensions or only one member, the target has members, an unbiased ratio shall be adjusted,
        or the weights have other coordinates.
    """
    if unbiased and adjusted:
        raise DataError(
            "An unbiased spread-skill ratio needs no adjustment for the number of members: give one of both."
        )
    if member in target.dims:
        raise DataError("Spread is compared with errors against single values; the target has members of its own.")
    variance = mean_over_inits(area_mean(ensemble_variance(prediction, member=member), weights), inits=inits)
    squares = area_mean(squared_error(prediction, target, unbiased=unbiased, member=member), weights)
    square = mean_over_inits(squares, inits=inits)
    count = prediction.sizes[member]
    return ((variance / square.where(square > 0.0)) * ((count + 1) / count if adjusted else 1.0)) ** 0.5


def crps_distance(
    prediction: xr.DataArray, target: xr.DataArray, *, fair: bool = True, member: str = MEMBER
) -> xr.DataArray:
    r"""Return how far the distribution of one ensemble is from that of another, at each point.

    .. math:: \mathrm{E} |x - y| - \tfrac{1}{2} \mathrm{E} |x - x'| - \tfrac{1}{2} \mathrm{E} |y - y'|
              = \int (F_x - F_y)^2

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        At least two members, if it shall be fair.
    target : DataArray of shape (..., member, ...)
        In the same unit, with members of its own, in any number; two at least, if it shall be fair.
    fair : bool
        Whether to average differences within an ensemble over pairs of different members, so that the expectation does
        not depend on the numbers of members: it is zero for two samples of one distribution, and the distance can be
        negative. Otherwise it is the integral above for the ensembles as they are, and depends on their sizes.
    member : str
        The name of the dimension of members, of both.

    Returns
    -------
    DataArray
        Without members, float64, in the unit of the target; NaN where a value is.

    Raises
    ------
    DataError
        If one of them has no such dimension, or too few members.

    References
    ----------
    Székely and Rizzo (2013), Energy statistics: a class of statistics based on distances, J. Stat. Plan. Inference 143,
    doi:10.1016/j.jspi.2013.03.018.
    """
    within = half_mean_difference(target, fair=fair, member=member)
    return (fair_crps if fair else crps)(prediction, target, member=member) - within
