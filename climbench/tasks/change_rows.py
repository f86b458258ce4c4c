"""Rows of change and variability: trends over the test years, and how much years vary about them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import xarray as xr
from scipy.special import stdtrit

from climbench.metrics import resampling, significance
from climbench.metrics.base import area_mean
from climbench.metrics.consistency import ONE_MEMBER, against_members
from climbench.metrics.significance import Interval
from climbench.metrics.trends import trend
from climbench.metrics.variability import variance_about_trend
from climbench.tasks.comparison import Comparison
from climbench.tasks.error_parts import area_products
from climbench.tasks.projection_metrics import CHANGES
from climbench.tasks.reductions import Reductions, by_region, member_variance
from climbench.tasks.score_rows import ModelScores, Part, root

FEWEST_YEARS = 3
ROUNDING = 1e-13  # of a value's square: what float64 leaves of a variance that is none
TOO_SHORT = f"a trend and what lies about it need {FEWEST_YEARS} test years at least"


def append_changes(scores: ModelScores, c: Comparison, wanted: Collection[str]) -> None:
    """Append the rows of change and variability that are wanted, for each region.

    Parameters
    ----------
    scores : ModelScores
        Takes the rows.
    c : Comparison
        Prediction and target.
    wanted : collection of str
        Names of metrics.
    """
    if not set(CHANGES) & set(wanted):
        return
    if c.years < FEWEST_YEARS:
        _append_null(scores, c, wanted)
        return
    if {"trend_rmse_spatial", "trend_rmse_spatial_debiased"} & set(wanted):
        _append_local_trends(scores, c, wanted)
    if "trend_error_global" in wanted:
        _append_area_trends(scores, c)
    if "variability_ratio_spatial" in wanted:
        ours = Reductions(c.ensemble, c.weights, c.members) if c.ensemble is not None else c.prediction
        _append_ratio(scores, c, "variability_ratio_spatial", ours.variance, c.target.variance)
    if "variability_ratio_global" in wanted:
        series = area_mean(c.ensemble, c.weights) if c.ensemble is not None else c.prediction.series
        parts = (variance_about_trend(part) for part in (series, c.target.series))
        _append_ratio(scores, c, "variability_ratio_global", *parts)


def _append_null(scores: ModelScores, c: Comparison, wanted: Collection[str]) -> None:
    for metric in (m for m in CHANGES if m in wanted):
        scores.add_reason(metric, TOO_SHORT)
        for region in c.regions.shown:
            scores.add(c.model, c.variable, metric, _units(c, metric), {}, region=region)


def _units(c: Comparison, metric: str) -> str:
    return "1" if metric.startswith("variability_ratio") else f"{c.units}/decade"


def _append_local_trends(scores: ModelScores, c: Comparison, wanted: Collection[str]) -> None:
    """Append the error of local trends; the floor and interval are those of a spatial error, of slopes not means."""
    errors = (c.prediction.trend - c.target.trend).transpose("member", "latitude", "longitude")
    squares = by_region(area_mean(errors.mean("member") ** 2, c.weights))
    floors = by_region(area_mean(member_variance(c.target.trend), c.weights) / c.members)
    products = area_products(errors, c.weights)
    for region in c.regions.shown:
        interval = Interval(reason=ONE_MEMBER)
        if c.members > 1:
            interval = significance.debiased_interval(resampling.resampling_of_members(products[region]))
        part = Part(float(squares[region]), float(floors[region]), interval)
        for metric, values in (
            ("trend_rmse_spatial", part.rooted()),
            ("trend_rmse_spatial_debiased", part.debiased()),
        ):
            if metric in wanted:
                scores.add_reason(f"{metric} intervals", interval.reason)
                scores.add(c.model, c.variable, metric, _units(c, metric), values, region=region)


def _append_area_trends(scores: ModelScores, c: Comparison) -> None:
    """Append the trend of each region's mean less the target's."""
    ours, theirs = (by_region(trend(part.series)) for part in (c.prediction, c.target))
    for region in c.regions.shown:
        found = against_members(float(ours[region]), theirs[region])
        scores.add_reason("trend_error_global intervals", found.interval.reason)
        values = {"value": found.error, "floor": found.floor, "low": found.interval.low, "high": found.interval.high}
        units = _units(c, "trend_error_global")
        scores.add(c.model, c.variable, "trend_error_global", units, values, region=region)


def _append_ratio(scores: ModelScores, c: Comparison, metric: str, ours: xr.DataArray, theirs: xr.DataArray) -> None:
    """Append the root of a ratio of variances; the interval is that of the target's mean variance, over members."""
    variances, by_member = by_region(ours.mean("member") if "member" in ours.dims else ours), by_region(theirs)
    least = ROUNDING * float(np.abs(c.target.field).max()) ** 2
    for region in c.regions.shown:
        values = _ratio(float(variances[region]), by_member[region], least)
        scores.add_reason(f"{metric} intervals", ONE_MEMBER if c.members < 2 else "")
        scores.add_reason(metric, "" if values else "the target does not vary about its trend")
        scores.add(c.model, c.variable, metric, "1", values, region=region)


def _ratio(variance: float, members: np.ndarray, least: float) -> dict[str, float | None]:
    """Return the root of a variance over the mean of others, with its interval; nothing where that is rounding."""
    mean, count = float(members.mean()), members.size
    if not mean > least:
        return {}
    if count < 2:
        return {"value": root(variance / mean)}
    half = float(stdtrit(count - 1, 0.975) * np.std(members, ddof=1) / np.sqrt(count))
    return {
        "value": root(variance / mean),
        "low": root(variance / (mean + half)),
        "high": root(variance / (mean - half)) if half < mean else None,
    }
