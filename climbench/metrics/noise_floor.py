"""The noise floor: what a perfect emulator of the forced response scores against a mean over few members.

The mean over m members still carries internal variability of variance S2 / m, where S2 is the variance across members
of the quantity that is squared (the time mean at a cell, or the annual global mean). A perfect emulator that is
independent of those members therefore has an expected mean square of S2 / m, not zero; taking it off a score's square
leaves an unbiased estimate of the emulator's own mean square error. That estimate can be negative; clipped at zero
and put under a root it is biased upward near the floor.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.metrics.base import area_mean


def floor_square_spatial(members: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    r"""Return the squared floor of `rmse_spatial`.

    .. math:: \langle S^2 \rangle_w / m, \quad S^2 = \mathrm{var}_{m-1}(\overline{Y_n})

    Parameters
    ----------
    members : DataArray of shape (member, time, latitude, longitude)
        The target's members.
    weights : DataArray of shape (latitude,)
        Area weights.

    Returns
    -------
    DataArray
        A scalar in the unit squared; NaN with a single member.
    """
    spread = members.astype("float64", copy=False).mean("time", skipna=False).var("member", ddof=1, skipna=False)
    return area_mean(spread, weights) / members.sizes["member"]


def floor_square_global(members: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    r"""Return the squared floor of `rmse_global`: the variance across members of annual global means, over m.

    Parameters
    ----------
    members : DataArray of shape (member, time, latitude, longitude)
        The target's members.
    weights : DataArray of shape (latitude,)
        Area weights.

    Returns
    -------
    DataArray
        A scalar in the unit squared, the mean over years; NaN with a single member.
    """
    spread = area_mean(members, weights).var("member", ddof=1, skipna=False)
    return spread.mean("time", skipna=False) / members.sizes["member"]


def debiased_rmse(mean_square: xr.DataArray | float, floor_square: xr.DataArray | float) -> float:
    r"""Return the root of what a mean square exceeds its squared floor by, 0 where it lies below.

    .. math:: \sqrt{\max(0, \mathrm{MSE} - S^2 / m)}

    Parameters
    ----------
    mean_square, floor_square : float
        In the unit squared.

    Returns
    -------
    float
        In the variable's unit. Clipping and the root bias it upward near the floor: there, read the unclipped
        difference of squares and its interval instead.
    """
    return float(np.sqrt(np.maximum(float(mean_square) - float(floor_square), 0.0)))
