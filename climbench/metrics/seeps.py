r"""SEEPS: the stable equitable error in probability space, for precipitation in three categories.

A day is dry, or its rain is light or heavy; what is light differs from place to place, so that two thirds of the wet
days are. With :math:`p_1` the climatological share of dry days, the penalties are half of

.. math::

    \begin{pmatrix}
    0 & \frac{1}{1 - p_1} & \frac{4}{1 - p_1} \\
    \frac{1}{p_1} & 0 & \frac{3}{1 - p_1} \\
    \frac{1}{p_1} + \frac{3}{2 + p_1} & \frac{3}{2 + p_1} & 0
    \end{pmatrix}

with a row for each category of the forecast and a column for each of the target, both in the order dry, light, heavy.
A perfect forecast scores 0; one that is always dry, always light or always heavy, or drawn from the climatology, scores
1 in expectation. Where it is nearly always dry or nearly never, the penalties are unstable, and cells do not count.

References
----------
Rodwell et al. (2010), A new equitable score suitable for verifying precipitation in numerical weather prediction,
Q. J. R. Meteorol. Soc. 136, equation 15, doi:10.1002/qj.656.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import xarray as xr

from climbench.errors import DataError, did_you_mean
from climbench.metrics.base import INITS, SPACE, mean_over_inits, weighted_sum

Rule = Literal["weatherbench_x", "weatherbench2"]
DRY_THRESHOLD = 0.25e-3
BOUNDS = (0.1, 0.85)


def scored_cells(
    dry_fraction: np.ndarray, *, rule: Rule = "weatherbench_x", bounds: tuple[float, float] = BOUNDS
) -> np.ndarray:
    """Return which cells count: those whose share of dry days lies within bounds.

    Parameters
    ----------
    dry_fraction : ndarray of shape (...)
        The climatological share of dry days, from 0 to 1.
    rule : {"weatherbench_x", "weatherbench2"}
        Whether a cell on a bound counts: it does in WeatherBench-X, and does not in WeatherBench 2.
    bounds : tuple of float
        The least and the most.

    Returns
    -------
    ndarray of shape (...)
        Of booleans; false where the share is NaN.

    Raises
    ------
    DataError
        If there is no such rule, or a share is not between 0 and 1.
    """
    _check_rule(rule)
    fraction = np.asarray(dry_fraction)
    if ((fraction < 0.0) | (fraction > 1.0)).any():
        raise DataError(
            f"Shares of dry days lie between 0 and 1; found {np.nanmin(fraction):g} to {np.nanmax(fraction):g}. "
            "Give them as fractions, not in percent."
        )
    least, most = bounds
    if rule == "weatherbench2":
        return (fraction > least) & (fraction < most)
    return (fraction >= least) & (fraction <= most)


def penalties(
    prediction: np.ndarray,
    target: np.ndarray,
    heavy_threshold: np.ndarray,
    dry_fraction: np.ndarray,
    *,
    dry_threshold: float = DRY_THRESHOLD,
    rule: Rule = "weatherbench_x",
    bounds: tuple[float, float] = BOUNDS,
) -> np.ndarray:
    """Return the penalty at each cell.

    The matrix is the sum of two penalties, for the wrong side of the dry threshold and of the heavy one.

    Parameters
    ----------
    prediction, target : ndarray of shape (..., latitude, longitude)
        Precipitation in metres; the axes may be any, as long as all arrays broadcast.
    heavy_threshold : ndarray
        What heavy rain begins at, in metres, at the valid time: it is heavy itself. Where it is NaN, because it never
        rained, a wet value is in no category.
    dry_fraction : ndarray
        The climatological share of dry days, from 0 to 1.
    dry_threshold : float
        What is dry, in metres: the one the climatology was made with (0.25 mm for a day, 0.1 mm for six hours).
    rule : {"weatherbench_x", "weatherbench2"}
        With WeatherBench-X's, a value equal to the dry threshold is dry. With WeatherBench 2's it is in no category.
        A cell where forecast or target is in no category has no penalty.
    bounds : tuple of float
        As for `scored_cells`.

    Returns
    -------
    ndarray of shape (...)
        In float64; NaN where the forecast or the target is, 0 in cells that do not count.

    Raises
    ------
    DataError
        As `scored_cells` does.
    """
    counted = scored_cells(dry_fraction, rule=rule, bounds=bounds)
    dry = np.where(counted, dry_fraction, 0.5).astype("float64")  # no division by zero where a cell does not count
    wet, heavy, known = _categories(prediction, heavy_threshold, dry_threshold, rule)
    is_wet, is_heavy, is_known = _categories(target, heavy_threshold, dry_threshold, rule)
    score = (wet & ~is_wet) * (0.5 / dry) + (is_wet & ~wet) * (0.5 / (1.0 - dry))
    score += (heavy & ~is_heavy) * (1.5 / (2.0 + dry)) + (is_heavy & ~heavy) * (1.5 / (1.0 - dry))
    score *= known & is_known
    return np.where(counted, np.where(np.isnan(prediction) | np.isnan(target), np.nan, score), 0.0)


def _categories(
    rain: np.ndarray, heavy_threshold: np.ndarray, dry_threshold: float, rule: Rule
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where it is wet, where it is heavy, and where it is in any category."""
    wet, heavy = rain > dry_threshold, rain >= heavy_threshold
    dry = rain < dry_threshold if rule == "weatherbench2" else ~wet
    return wet, wet & heavy, dry | (wet & ~np.isnan(heavy_threshold))


def _check_rule(rule: str) -> None:
    if rule not in get_args(Rule):
        raise DataError(f"There is no SEEPS rule '{rule}'. {did_you_mean(rule, get_args(Rule))}")


def seeps_at_cells(
    prediction: xr.DataArray,
    target: xr.DataArray,
    heavy_threshold: xr.DataArray,
    dry_fraction: xr.DataArray,
    *,
    dry_threshold: float = DRY_THRESHOLD,
    rule: Rule = "weatherbench_x",
    bounds: tuple[float, float] = BOUNDS,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the penalty at each cell, and which cells count.

    Parameters
    ----------
    prediction, target : DataArray of shape (..., latitude, longitude)
        Precipitation in metres, accumulated over the same window.
    heavy_threshold : DataArray of shape (..., latitude, longitude)
        In metres, at the valid times; see `penalties`.
    dry_fraction : DataArray of shape (latitude, longitude)
        The climatological share of dry days, averaged over hours and days of the year.
    dry_threshold : float
        In metres; see `penalties`.
    rule : {"weatherbench_x", "weatherbench2"}
        What becomes of values on a threshold and cells on a bound; see `penalties` and `scored_cells`.
    bounds : tuple of float
        The least and the most share of dry days in a cell that counts.

    Returns
    -------
    DataArray
        The penalty, without unit, float64: NaN where forecast or target is, 0 in cells that do not count.
    DataArray of the shape of `dry_fraction`
        Which cells count. Area means are sums of weight times penalty over sums of weight in these cells.

    Raises
    ------
    DataError
        As `scored_cells` does; under dask only when it is computed.
    """
    _check_rule(rule)
    options = {"rule": rule, "bounds": bounds}
    counts = xr.apply_ufunc(scored_cells, dry_fraction, kwargs=options, dask="parallelized", output_dtypes=[np.bool_])
    score = xr.apply_ufunc(
        penalties,
        prediction,
        target,
        heavy_threshold,
        dry_fraction,
        kwargs={"dry_threshold": dry_threshold, **options},
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    return score, counts


def seeps(
    prediction: xr.DataArray,
    target: xr.DataArray,
    heavy_threshold: xr.DataArray,
    dry_fraction: xr.DataArray,
    weights: xr.DataArray,
    *,
    dry_threshold: float = DRY_THRESHOLD,
    rule: Rule = "weatherbench_x",
    bounds: tuple[float, float] = BOUNDS,
    inits: str = INITS,
) -> xr.DataArray:
    """Return SEEPS: the mean over inits of the area mean over cells that count.

    Parameters
    ----------
    prediction, target, heavy_threshold, dry_fraction, dry_threshold, rule, bounds
        As for `seeps_at_cells`, with a dimension of inits.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without inits, latitude and longitude; without unit, 0 for a perfect forecast. NaN where no cell counts.

    Raises
    ------
    DataError
        If there is no dimension of inits, or as `scored_cells` does.
    """
    score, counts = seeps_at_cells(
        prediction, target, heavy_threshold, dry_fraction, dry_threshold=dry_threshold, rule=rule, bounds=bounds
    )
    return mean_over_inits(weighted_sum(score, counts * weights, SPACE).mean(), inits=inits)
