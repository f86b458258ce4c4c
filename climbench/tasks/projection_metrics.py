"""What a projection can be scored by: the metrics of the contract, and those that a task's card may add."""

from __future__ import annotations

from climbench.cards import ProjectionCard
from climbench.errors import CardError, did_you_mean
from climbench.regions import REGIONS

# Every projection has these, for the globe, and the skill against the card's reference after them.
CONTRACT = ("nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial", "rmse_global", "rmse_spatial_debiased")
# What a row of a region other than the globe has of them: a region's mean change is no common denominator.
REGIONAL = ("rmse_spatial", "rmse_global", "rmse_spatial_debiased")

CHANGES = (
    "trend_error_global",
    "trend_rmse_spatial",
    "trend_rmse_spatial_debiased",
    "variability_ratio_spatial",
    "variability_ratio_global",
)
CONSISTENCY = (
    "hydrological_sensitivity",
    "land_sea_warming_ratio",
    "polar_amplification",
    "below_zero",
    "pr90_below_pr",
)
ENSEMBLES = (
    "crps_fair",
    "spread",
    "spread_error",
    "rmse_spatial_debiased_both",
    "energy_score_fair",
    "variogram_score_fair",
)
FURTHER = ("rmse_over_internal_std", *CHANGES, *CONSISTENCY, *ENSEMBLES)
USUAL_REGIONS = ("global_land", "global_ocean", "tropics", "northern-hemisphere", "southern-hemisphere")


def metrics_of(card: ProjectionCard) -> tuple[str, ...]:
    """Return the metrics that a task has beside the contract's: those on its card, or all."""
    return FURTHER if card.scoring.metrics is None else card.scoring.metrics


def regions_of(card: ProjectionCard) -> tuple[str, ...]:
    """Return the regions that a task has beside the globe: those on its card, or the usual ones."""
    return USUAL_REGIONS if card.scoring.regions is None else card.scoring.regions


def check_scoring(card: ProjectionCard) -> None:
    """Raise `CardError` where a task names a metric or a region that there is not.

    Parameters
    ----------
    card : ProjectionCard
        With the settings used.

    Raises
    ------
    CardError
        With the closest match.
    """
    for what, names, there in (
        ("metric", metrics_of(card), list(FURTHER)),
        ("region", regions_of(card), list(REGIONS)),
    ):
        for name in names:
            if name not in there:
                raise CardError(f"scoring.{what}s: there is no {what} '{name}'. {did_you_mean(name, there)}")
