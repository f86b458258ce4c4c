"""Rows of physical consistency: ratios of mean changes against the target's, and amounts that cannot be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.metrics.base import area_mean
from climbench.metrics.consistency import (
    AgainstTarget,
    against_members,
    below,
    below_zero,
    ratio_against_members,
    ratio_of_means,
)
from climbench.metrics.significance import Interval
from climbench.tasks.comparison import Comparison
from climbench.tasks.reductions import by_region
from climbench.tasks.score_rows import GLOBE, ModelScores
from climbench.variables import LEXICON

NO_CONTROL = "only changes are known, and no control climatology to make them absolute (card key control_climatology)"


@dataclass(frozen=True)
class Ratio:
    """A ratio of two mean changes: each a variable over a region."""

    numerator: tuple[str, str]
    denominator: tuple[str, str]


RATIOS = {
    "hydrological_sensitivity": Ratio(("pr", GLOBE), ("tas", GLOBE)),
    "land_sea_warming_ratio": Ratio(("tas", "global_land"), ("tas", "global_ocean")),
    "polar_amplification": Ratio(("tas", "arctic"), ("tas", GLOBE)),
}


def regions_needed(wanted: Collection[str]) -> list[str]:
    """Return the regions that the ratios among some metrics are made from."""
    chosen = [ratio for metric, ratio in RATIOS.items() if metric in wanted]
    return [region for ratio in chosen for _, region in (ratio.numerator, ratio.denominator)]


def append_consistency(
    scores: ModelScores,
    compared: Mapping[str, Comparison],
    wanted: Collection[str],
    control: Mapping[str, xr.DataArray],
) -> None:
    """Append the rows of physical consistency that are wanted and whose variables are among the targets.

    Parameters
    ----------
    scores : ModelScores
        Takes the rows.
    compared : mapping of str to Comparison
        By variable.
    wanted : collection of str
        Names of metrics.
    control : mapping of str to DataArray of shape (latitude, longitude)
        The control's mean of variables that it is known of.
    """
    for metric, ratio in RATIOS.items():
        if metric in wanted and ratio.numerator[0] in compared:
            _append_ratio(scores, compared, metric, ratio)
    for variable, c in compared.items():
        if "below_zero" in wanted and variable in LEXICON and LEXICON[variable].kind == "water":
            _append_below_zero(scores, c, control.get(variable))
    if "pr90_below_pr" in wanted and {"pr", "pr90"} <= set(compared):
        _append_pr90_below_pr(scores, compared["pr90"], compared["pr"], control)


def _append_ratio(scores: ModelScores, compared: Mapping[str, Comparison], metric: str, ratio: Ratio) -> None:
    c, other = compared[ratio.numerator[0]], compared.get(ratio.denominator[0])
    units = "1" if other is c or other is None else f"{c.units}/{other.units}"
    reason = _why_no_ratio(c, other, ratio)
    value, found = None, AgainstTarget(np.nan, np.nan, Interval(reason=reason))
    if other is not None and not reason:
        parts = ((c, ratio.numerator[1]), (other, ratio.denominator[1]))
        value = ratio_of_means(*(part.prediction.mean_of(region) for part, region in parts))
        shared = np.intersect1d(c.target.field["member"].values, other.target.field["member"].values)
        means = (by_region(part.target.series.sel(member=shared).mean("time"))[region] for part, region in parts)
        found = ratio_against_members(value, *means)
    scores.add(c.model, c.variable, metric, units, {"value": value})
    _append_error(scores, c, metric, units, found)
    scores.add_reason(metric, reason)


def _why_no_ratio(c: Comparison, other: Comparison | None, ratio: Ratio) -> str:
    if other is None:
        return f"needs {ratio.denominator[0]} among the targets"
    lacking = [r for _, r in (ratio.numerator, ratio.denominator) if r not in c.regions.names]
    return c.regions.left_out[lacking[0]] if lacking else ""


def _append_error(scores: ModelScores, c: Comparison, metric: str, units: str, found: AgainstTarget) -> None:
    """Append a prediction's number less the target's, with the target's noise as its floor."""
    values = {"value": found.error, "floor": found.floor, "low": found.interval.low, "high": found.interval.high}
    scores.add(c.model, c.variable, f"{metric}_error", units, values)
    scores.add_reason(f"{metric}_error", found.interval.reason)


def _append_below_zero(scores: ModelScores, c: Comparison, control: xr.DataArray | None) -> None:
    value = None
    if control is None:
        scores.add_reason(f"below_zero of {c.variable}", NO_CONTROL)
    else:
        value = float(_fraction(c, below_zero(_fields(c) + control)).mean())
    scores.add(c.model, c.variable, "below_zero", "1", {"value": value})


def _append_pr90_below_pr(
    scores: ModelScores, extreme: Comparison, mean: Comparison, control: Mapping[str, xr.DataArray]
) -> None:
    value, found = None, AgainstTarget(np.nan, np.nan, Interval(reason=NO_CONTROL))
    if {"pr", "pr90"} <= set(control):
        ours = below(_fields(extreme) + control["pr90"], _fields(mean) + control["pr"])
        value = float(_fraction(extreme, ours).mean())
        theirs = below(extreme.target.field + control["pr90"], mean.target.field + control["pr"])
        found = against_members(value, _fraction(extreme, theirs).mean("time").values)
    scores.add(extreme.model, extreme.variable, "pr90_below_pr", "1", {"value": value})
    _append_error(scores, extreme, "pr90_below_pr", "1", found)


def _fields(c: Comparison) -> xr.DataArray:
    """Return the prediction's members, or the prediction itself where it has none."""
    return c.prediction.field if c.ensemble is None else c.ensemble


def _fraction(c: Comparison, counted: xr.DataArray) -> xr.DataArray:
    """Return the share of the globe's area that counts, by member and year."""
    return area_mean(counted, c.globe)
