r"""Physical consistency of a predicted change: ratios of mean changes, and values that cannot be.

Three ratios tell whether a prediction hangs together as a climate: the change of global precipitation per kelvin of
global warming (hydrological sensitivity), the warming of land over that of the ocean, and the warming north of 60
degrees north over that of the globe (polar amplification). Each is a ratio of two means over years, area and members,
and is held against the target's.

References
----------
Held and Soden (2006), Robust responses of the hydrological cycle to global warming, J. Climate 19,
doi:10.1175/JCLI3990.1.
Sutton, Dong and Gregory (2007), Land/sea warming ratio in response to climate change, Geophys. Res. Lett. 34,
doi:10.1029/2006GL028164.
Holland and Bitz (2003), Polar amplification of climate change in coupled models, Clim. Dyn. 21,
doi:10.1007/s00382-003-0332-6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import stdtrit  # Student's t quantile: importing scipy.stats for it would take half a second

from climbench.metrics.significance import Interval

ONE_MEMBER = "the target has one member, so its internal variability is not known"
# A change smaller than this many standard errors is no denominator.
ENOUGH_ERRORS = 3.0
# A value below zero, or below another, by no more than this is rounding [mm/day].
ROUNDING = 1e-3


@dataclass(frozen=True)
class AgainstTarget:
    """A number of a prediction against that of the target.

    Attributes
    ----------
    error : float
        The prediction's less the target's; NaN where it cannot be had.
    floor : float
        Standard error of the target's number by internal variability; NaN with a single member.
    interval : Interval
        95 % interval of the error, for what is not known of the target.
    """

    error: float
    floor: float
    interval: Interval


def against_members(prediction: float, members: np.ndarray) -> AgainstTarget:
    """Return the difference between a prediction's number and the mean over the target's members.

    Parameters
    ----------
    prediction : float
        For example a trend.
    members : ndarray of shape (member,)
        The same number of each member of the target.

    Returns
    -------
    AgainstTarget
        The interval is Student's, over members.
    """
    return _difference(prediction - float(np.mean(members)), members)


def _difference(error: float, members: np.ndarray) -> AgainstTarget:
    """Return an error with the standard error of the target's mean, and Student's interval."""
    count = members.size
    if count < 2:
        return AgainstTarget(error, float("nan"), Interval(reason=ONE_MEMBER))
    floor = float(np.std(members, ddof=1) / np.sqrt(count))
    half = float(stdtrit(count - 1, 0.975)) * floor
    return AgainstTarget(error, floor, Interval(error - half, error + half))


def ratio_of_means(numerator: np.ndarray, denominator: np.ndarray) -> float:
    """Return the ratio of two means.

    Parameters
    ----------
    numerator, denominator : ndarray
        Changes, of any shape: for example precipitation and temperature by member and year.

    Returns
    -------
    float
        NaN where the denominator's mean is zero.
    """
    below = float(np.mean(denominator))
    return float(np.mean(numerator)) / below if below else float("nan")


def ratio_against_members(prediction: float, numerator: np.ndarray, denominator: np.ndarray) -> AgainstTarget:
    r"""Return the difference between a prediction's ratio of mean changes and the target's.

    The target's is :math:`R = \bar a / \bar b`. Internal variability enters both parts; to first order a member moves R
    by :math:`(a_n - R b_n) / \bar b`, whose spread over members gives floor and interval.

    Parameters
    ----------
    prediction : float
        From `ratio_of_means`.
    numerator, denominator : ndarray of shape (member,)
        Mean changes of each of the target's members, in the same order.

    Returns
    -------
    AgainstTarget
        With the reason where the denominator is too close to zero for a ratio: within three standard errors.
    """
    below, count = float(np.mean(denominator)), denominator.size
    noise = float(np.std(denominator, ddof=1) / np.sqrt(count)) if count > 1 else 0.0
    if not abs(below) > ENOUGH_ERRORS * noise:
        return AgainstTarget(np.nan, np.nan, Interval(reason="the change it is divided by is within its noise"))
    ratio = float(np.mean(numerator)) / below
    return _difference(prediction - ratio, (numerator - ratio * denominator) / below)


def below_zero(field: xr.DataArray, *, tolerance: float = ROUNDING) -> xr.DataArray:
    """Return which values of an amount are below zero; the mean over time and area is their fraction.

    Parameters
    ----------
    field : DataArray
        Absolute values, not changes.
    tolerance : float
        How far below zero still counts as zero, in the unit of the field.

    Returns
    -------
    DataArray
        1 or 0, NaN where the value is missing, float64.
    """
    return (field < -tolerance).where(field.notnull()).astype("float64")


def below(field: xr.DataArray, other: xr.DataArray, *, tolerance: float = ROUNDING) -> xr.DataArray:
    """Return where one amount is below another; the mean over time and area is the fraction.

    Parameters
    ----------
    field, other : DataArray
        Absolute values on the same points, for example the 90th percentile of daily precipitation and its mean. In
        deserts, where it rains on fewer than one day in ten, the percentile is rightly below the mean.
    tolerance : float
        How far below still counts as equal, in their unit.

    Returns
    -------
    DataArray
        1 or 0, NaN where a value is missing, float64.
    """
    gap = field - other
    return (gap < -tolerance).where(gap.notnull()).astype("float64")
