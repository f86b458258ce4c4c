"""Mean squares of errors in each region, with the target's noise floor and the interval of what exceeds it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from climbench.metrics import errors as errors_
from climbench.metrics import resampling, significance
from climbench.metrics.base import area_mean
from climbench.metrics.significance import Interval
from climbench.tasks.comparison import Comparison
from climbench.tasks.reductions import Reductions, by_region, member_variance
from climbench.tasks.score_rows import Part, root

ONE_MEMBER = "the target has one member, so neither floor nor interval can be known"
Parts = Mapping[str, Part]


def spatial_parts(c: Comparison) -> Parts:
    """Return the mean square of the difference of time means in each region that has rows.

    Parameters
    ----------
    c : Comparison
        Prediction and target.

    Returns
    -------
    dict of str to Part
        By region.
    """
    errors = c.prediction.components - c.target.components
    squares = area_mean(errors.isel(component=0).mean("member") ** 2, c.weights)
    floors = c.target.internal_variance / c.members
    grams = area_products(errors.transpose("member", "component", ...), c.weights)
    intervals = {
        region: significance.debiased_interval(resampling.resampling_of_components(grams[region]))
        for region in c.regions.shown
        if c.members > 1
    }
    return _parts(c, squares, floors, intervals)


def area_products(errors: xr.DataArray, weights: xr.DataArray) -> dict[str, np.ndarray]:
    """Return area-mean products of errors with one another.

    Parameters
    ----------
    errors : DataArray of shape (..., latitude, longitude)
        For example by member and component of the years.
    weights : DataArray of shape (region, latitude, longitude)
        Area weights; they need not be normalised.

    Returns
    -------
    dict of str to ndarray of shape (..., ...)
        By region, in the unit squared.
    """
    values = errors.values
    flat, shape = values.reshape(-1, values.shape[-2] * values.shape[-1]), values.shape[:-2]
    found = {}
    for region, weight in by_region(weights).items():
        share = weight.ravel() / weight.sum() if weight.any() else np.full(weight.size, np.nan)
        found[region] = ((flat * share) @ flat.T).reshape(*shape, *shape)
    return found


def _parts(c: Comparison, squares: xr.DataArray, floors: xr.DataArray, intervals: Mapping[str, Interval]) -> Parts:
    """Return parts from numbers of shape (region,)."""
    square, floor, none = by_region(squares), by_region(floors), Interval(reason=ONE_MEMBER)
    return {r: Part(float(square[r]), float(floor[r]), intervals.get(r, none)) for r in c.regions.shown}


def global_parts(c: Comparison) -> Parts:
    """Return the mean square of the difference of annual means over each region that has rows.

    Parameters
    ----------
    c : Comparison
        Prediction and target.

    Returns
    -------
    dict of str to Part
        By region.
    """
    errors = c.prediction.series - c.target.series
    squares = (errors.mean("member", skipna=False) ** 2).mean("time", skipna=False)
    floors = member_variance(c.target.series).mean("time", skipna=False) / c.members
    series = by_region(errors.transpose("member", "time", "region"))
    intervals = {
        region: significance.debiased_interval(resampling.resampling_of_members(_products(series[region])))
        for region in c.regions.shown
        if c.members > 1
    }
    return _parts(c, squares, floors, intervals)


def _products(series: np.ndarray) -> np.ndarray:
    """Return mean products over years of each member's error with every other's, of shape (member, member)."""
    return np.asarray(series @ series.T / series.shape[1])


def skills(c: Comparison, reference: Reductions) -> dict[str, tuple[float | None, Interval]]:
    """Return the skill against a reference in each region that has rows, and the interval of the paired difference.

    Parameters
    ----------
    c : Comparison
        Prediction and target.
    reference : Reductions of shape (time, latitude, longitude)
        The prediction that skill is stated against.

    Returns
    -------
    dict of str to (float or None, Interval)
        By region; None where the reference has no error.
    """
    mean = c.target.time_mean.mean("member", skipna=False)
    squares, bases = (area_mean((p.time_mean - mean) ** 2, c.weights) for p in (c.prediction, reference))
    middle = 0.5 * (c.prediction.components + reference.components) - c.target.components
    along = area_mean(middle * (c.prediction.time_mean - reference.time_mean), c.weights)
    square, base, parts = by_region(squares), by_region(bases), by_region(along.transpose("member", "component", ...))
    return {r: _skill(float(square[r]), float(base[r]), parts[r]) for r in c.regions.shown}


def _skill(square: float, base: float, along: np.ndarray) -> tuple[float | None, Interval]:
    """Return a skill and its interval from mean squares, and from what each member adds to half their difference."""
    if not base > 0.0:
        return None, Interval(reason="the reference has no error")
    value, base_root = errors_.skill(root(square), root(base)), root(base)
    interval = significance.difference_interval(2.0 * float(along[:, 0].mean()), along)
    if interval.low is None or interval.high is None:
        return value, interval
    worst, best = (root(base + change) / base_root for change in (interval.high, interval.low))
    return value, Interval(1.0 - worst, 1.0 - best)


def left_out_parts(c: Comparison, reason: str) -> tuple[Parts, Parts]:
    """Return parts of a reference in which each member is held against the mean of the others.

    Over the members, the mean of the others' variance is the variance of all, so that the squared floor is that over
    the number of the others.

    Parameters
    ----------
    c : Comparison
        Whose prediction has one member for each of the target.
    reason : str
        Why there are no intervals.

    Returns
    -------
    dict of str to Part
        Spatial, by region: means over the members. NaN with a single member.
    dict of str to Part
        Global, by region; floors are NaN with two members or fewer.
    """
    members = c.prediction.field.expand_dims("member") if c.ensemble is None else c.ensemble
    ours, others = Reductions(members, c.weights, c.members), c.members - 1 or np.nan
    maps, series = (
        mine - (theirs.sum("member") - theirs) / others
        for mine, theirs in ((ours.time_mean, c.target.time_mean), (ours.series, c.target.series))
    )
    spatial = area_mean(maps**2, c.weights).mean("member", skipna=False)
    globe = (series**2).mean(["member", "time"], skipna=False)
    enough = 1.0 if c.members > 2 else np.nan
    floors = (
        enough * c.target.internal_variance / others,
        enough * member_variance(c.target.series).mean("time", skipna=False) / others,
    )
    none = dict.fromkeys(c.regions.shown, Interval(reason=reason))
    return _parts(c, spatial, floors[0], none), _parts(c, globe, floors[1], none)
