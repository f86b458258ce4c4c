"""Rows of errors: ClimateBench's for the globe, and their like for regions, with noise floor, interval and skill."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from climbench.cards import ProjectionCard
from climbench.metrics.consistency import ONE_MEMBER
from climbench.metrics.significance import Interval
from climbench.tasks.comparison import Comparison
from climbench.tasks.error_parts import Parts
from climbench.tasks.projection_metrics import metrics_of
from climbench.tasks.reductions import by_region
from climbench.tasks.score_rows import GLOBE, NUMBERS, ModelScores, Part

# A norm within this many noise floors of an annual global mean makes a poor denominator.
FEW_FLOORS = 3.0
# What the rounding of float64 leaves of a mean that is zero, in units of the values.
ROUNDING = 1e-14


def append_errors(scores: ModelScores, c: Comparison, spatial: Parts, globe: Parts, card: ProjectionCard) -> None:
    """Append the rows of errors and keep their squares.

    Parameters
    ----------
    scores : ModelScores
        Takes the rows.
    c : Comparison
        Prediction and target.
    spatial, globe : mapping of str to Part
        By region.
    card : ProjectionCard
        Says how the total is made, and which metrics are wanted.
    """
    scores.add_reason("nrmse_total", "a sum of two roots that share their noise; read the intervals of its parts")
    norm = norm_of(c)
    if not norm > 0.0:
        scores.add_reason(f"NRMSEs of {c.variable}", "the target's mean over globe and years is zero")
    for metric, values in _relative(spatial[GLOBE], globe[GLOBE], norm, card.scoring.global_factor).items():
        scores.add(c.model, c.variable, metric, "1", values)
    stds = by_region(c.target.internal_variance**0.5)
    for region in c.regions.shown:
        for metric, values in (
            ("rmse_spatial", spatial[region].rooted()),
            ("rmse_global", globe[region].rooted()),
            ("rmse_spatial_debiased", spatial[region].debiased()),
        ):
            scores.add(c.model, c.variable, metric, c.units, values, region=region)
        if "rmse_over_internal_std" in metrics_of(card):
            _append_over_internal(scores, c, spatial[region], region, float(stds[region]))
    for name, part in (("spatial", spatial[GLOBE]), ("global", globe[GLOBE])):
        scores.details.append(part.detail(model=c.model, variable=c.variable, part=name))
        scores.add_reason(f"{name} intervals", part.interval.reason)


def norm_of(c: Comparison) -> float:
    """Return the absolute value of the target's mean over globe, years and members, which NRMSEs are divided by."""
    norm = abs(float(c.target.mean_of(GLOBE).mean()))
    return norm if norm > ROUNDING * float(np.abs(c.target.time_mean).max()) else 0.0


def near_zero(c: Comparison, globe: Parts) -> str:
    """Return a warning where the norm is too close to zero to say anything in units of it, or an empty string."""
    norm, floor = norm_of(c), float(np.sqrt(globe[GLOBE].floor_square))
    if not 0.0 < norm < FEW_FLOORS * floor:
        return ""
    return (
        f"WARNING: {c.variable}: the NRMSEs are divided by a target mean of {norm:.2g} {c.units} that is within "
        f"{FEW_FLOORS:g} noise floors of zero ({floor:.2g} {c.units}); read rmse_spatial and rmse_over_internal_std"
    )


def _relative(spatial: Part, globe: Part, norm: float, factor: float) -> dict[str, Mapping[str, float | None]]:
    parts = [part.rooted(norm) if norm > 0.0 else dict.fromkeys(NUMBERS) for part in (spatial, globe)]
    total: dict[str, float | None] = {}
    for key in ("value", "floor"):
        one, other = (part[key] for part in parts)
        total[key] = None if one is None or other is None else one + factor * other
    return {"nrmse_spatial": parts[0], "nrmse_global": parts[1], "nrmse_total": total}


def _append_over_internal(scores: ModelScores, c: Comparison, part: Part, region: str, std: float) -> None:
    """Append the spatial error over the standard deviation of one member's time mean by internal variability."""
    values = part.rooted(std) if std > 0.0 else {}
    if not std > 0.0:
        scores.add_reason("rmse_over_internal_std", ONE_MEMBER)
    scores.add(c.model, c.variable, "rmse_over_internal_std", "1", values, region=region)


def append_skill(
    scores: ModelScores, c: Comparison, metric: str, found: Mapping[str, tuple[float | None, Interval]], why_none: str
) -> None:
    """Append the skill in each region, or null where there is none.

    Parameters
    ----------
    scores : ModelScores
        Takes the rows.
    c : Comparison
        Prediction and target.
    metric : str
        The name of the skill metric.
    found : mapping of str to (float or None, Interval)
        By region; empty where there is no reference.
    why_none : str
        The reason where there is none.
    """
    for region in c.regions.shown:
        value, interval = found.get(region, (None, Interval(reason=why_none)))
        scores.add_reason(metric, interval.reason)
        values = {"value": value, "low": interval.low, "high": interval.high}
        scores.add(c.model, c.variable, metric, "1", values, region=region)
