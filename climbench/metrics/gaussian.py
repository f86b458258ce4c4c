r"""Scores of normal distributions, given by mean and standard deviation, at each point.

They serve for forecasts that state a normal distribution, and for a climatology of mean and standard deviation. The
functions return fields; means over time and space come after them (`climbench.metrics.base.weighted_sum`).

References
----------
Gneiting et al. (2005), Calibrated probabilistic forecasting using ensemble model output statistics and minimum CRPS
estimation, Mon. Weather Rev. 133, doi:10.1175/MWR2904.1.
Roulston and Smith (2002), Evaluating probabilistic forecasts using information theory, Mon. Weather Rev. 130.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy.special import ndtr


def crps_at_points(mean: np.ndarray, deviation: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the CRPS of a normal distribution at each point.

    Parameters
    ----------
    mean, deviation, target : ndarray of shape (...)
        In the same unit.

    Returns
    -------
    ndarray of shape (...)
        In float64: the absolute error where the deviation is 0, NaN where it is negative or a value is missing.
    """
    error, scale, z = _standardised(mean, deviation, target)
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    spread_out = scale * (z * (2.0 * ndtr(z) - 1.0) + 2.0 * density - 1.0 / np.sqrt(np.pi))
    return np.where(scale > 0.0, spread_out, np.where(scale == 0.0, np.abs(error), np.nan))


def ignorance_at_points(mean: np.ndarray, deviation: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the negative logarithm of a normal distribution's density at each point.

    Parameters
    ----------
    mean, deviation, target : ndarray of shape (...)
        In the same unit.

    Returns
    -------
    ndarray of shape (...)
        In float64, natural logarithm of the density per unit. Where the deviation is 0: infinite, negative if the mean
        is the target. NaN where it is negative or a value is missing.
    """
    error, scale, z = _standardised(mean, deviation, target)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread_out = 0.5 * np.log(2.0 * np.pi) + np.log(scale) + 0.5 * z**2
    certain = np.where(np.isnan(error), np.nan, np.where(error == 0.0, -np.inf, np.inf))
    return np.where(scale > 0.0, spread_out, np.where(scale == 0.0, certain, np.nan))


def _standardised(
    mean: np.ndarray, deviation: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return target less mean, the deviation, and their ratio, in float64; no ratio where it is not positive."""
    error, scale = np.subtract(target, mean, dtype="float64"), np.asarray(deviation, "float64")
    return error, scale, error / np.where(scale > 0.0, scale, np.nan)


def gaussian_crps(mean: xr.DataArray, deviation: xr.DataArray, target: xr.DataArray) -> xr.DataArray:
    r"""Return the CRPS of a normal distribution.

    .. math:: \sigma \left( z (2 \Phi(z) - 1) + 2 \varphi(z) - \frac{1}{\sqrt{\pi}} \right),
              \quad z = \frac{y - \mu}{\sigma}

    Parameters
    ----------
    mean, deviation : DataArray
        Of the distribution, in the unit of the target.
    target : DataArray
        One value a point.

    Returns
    -------
    DataArray
        In the unit of the target, float64: the absolute error where the deviation is 0, NaN where it is negative or a
        value is missing.
    """
    return _at_points(crps_at_points, mean, deviation, target)


def gaussian_ignorance(
    mean: xr.DataArray, deviation: xr.DataArray, target: xr.DataArray, *, bits: bool = False
) -> xr.DataArray:
    r"""Return the ignorance of a normal distribution: the negative logarithm of its density at the target.

    .. math:: \tfrac{1}{2} \ln(2 \pi) + \ln \sigma + \tfrac{1}{2} z^2, \quad z = \frac{y - \mu}{\sigma}

    Parameters
    ----------
    mean, deviation : DataArray
        Of the distribution, in the unit of the target.
    target : DataArray
        One value a point.
    bits : bool
        Whether to take the logarithm of base 2 instead.

    Returns
    -------
    DataArray
        In nats or bits, float64; a change of the target's unit adds a constant. Infinite where the deviation is 0, NaN
        where it is negative or a value is missing.
    """
    return _at_points(ignorance_at_points, mean, deviation, target) / (np.log(2.0) if bits else 1.0)


def _at_points(kernel: Callable[..., np.ndarray], *arrays: xr.DataArray) -> xr.DataArray:
    return xr.apply_ufunc(kernel, *arrays, dask="parallelized", output_dtypes=[np.float64])
