"""Which metrics a forecast can be scored by, and why it cannot by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from climbench.cards import ForecastCard
from climbench.data.climatology import SEEPS_DRY
from climbench.errors import CardError
from climbench.grids import covers_globe
from climbench.regions import find_region
from climbench.tasks.forecast.catalogue import find_metric, find_statistic
from climbench.tasks.forecast.map_statistics import MapStatistic
from climbench.tasks.forecast.metrics import Metric
from climbench.tasks.forecast.physics_metrics import PHYSICS_METRICS
from climbench.tasks.forecast.profiles import Profile
from climbench.tasks.forecast.statistics import Statistic
from climbench.tasks.forecast.stores import Places
from climbench.tasks.forecast.targets import Target
from climbench.tasks.forecast.training_climatology import OWN

USUAL = ("rmse", "mae", "bias", "acc", "activity_ratio", "wind_vector_rmse", "seeps")
USUAL_OF_ENSEMBLES = ("crps_fair", "ensemble_mean_rmse_unbiased", "spread", "spread_skill")


def check_card(card: ForecastCard) -> None:
    """Raise `CardError` where a card names a metric or region that there is not."""
    if card.metrics is not None and not card.metrics:
        raise CardError("The task names no metric. Name one at least, such as --set 'metrics=[rmse]', or leave it out.")
    for name in (*(card.metrics or ()), *card.more_metrics):
        find_metric(name)
    if not card.regions:
        raise CardError("A forecast is scored in one region at least, such as --set 'regions=[global]'.")
    for name in card.regions:
        find_region(name)


@dataclass(frozen=True)
class Scorable:
    """What is known of a forecast before it is scored.

    Attributes
    ----------
    card : ForecastCard
        Which metrics are wanted.
    places : Places
        The stores.
    members : mapping of str to int
        Members by target.
    targets : sequence of Target
        All that are scored.
    """

    card: ForecastCard
    places: Places
    members: Mapping[str, int]
    targets: Sequence[Target]

    def metrics(self, target: Target, profile: Profile, notes: list[str]) -> dict[str, Metric]:
        """Return the metrics of a target by name as a profile has them; say in `notes` why others cannot be scored."""
        several = self.members[target.name] > 1
        named = self.card.metrics
        usual = (*USUAL, *(USUAL_OF_ENSEMBLES if several else ()), *self.card.more_metrics)
        names = tuple(dict.fromkeys(usual)) if named is None else named
        found = {}
        for name in (n for n in names if n not in PHYSICS_METRICS):
            metric = profile.metric(name)
            why = self._why_not(target, metric)
            if not why:
                found[name] = metric
            elif not target.is_vector and (named is not None or "climatology" in why):
                notes.append(f"{name} of {target.name}: {why}")
        return found

    def _why_not(self, target: Target, metric: Metric) -> str:
        parts = [find_statistic(name) for name in metric.statistics]
        if any(part.vector for part in parts) != target.is_vector:
            return "is for wind vectors" if not target.is_vector else "is for single variables"
        if any(part.members for part in parts) and self.members[target.name] < 2:
            return f"needs several members; the forecast has {self.members[target.name]}"
        if any(isinstance(part, MapStatistic) and part.globe for part in parts) and not self.global_grid:
            return "needs a grid all round the globe, from pole to pole"
        return self._lacking(target, [part for part in parts if isinstance(part, Statistic)])

    def _lacking(self, target: Target, parts: Sequence[Statistic]) -> str:
        """Return which field of a climatology, or which level of one, is missing."""
        if not any(part.climatology or part.extra for part in parts):
            return ""
        if any(part.extra for part in parts) and target.variable not in SEEPS_DRY:
            return f"is for {' and '.join(SEEPS_DRY)}"
        if self.places.climatology is None:
            return "needs a climatology; name one with --set climatology=STORE"
        if self.places.climatology == OWN:
            return ""  # not made yet; it will have what is needed
        needed = [target.variable + suffix for part in parts for suffix in part.extra]
        needed += [target.variable] * any(part.climatology for part in parts)
        climatology = self.places.open("climatology")
        missing = [name for name in needed if name not in climatology]
        if missing:
            return f"the climatology has no '{missing[0]}'"
        return next(filter(None, (self._lacking_level(target, climatology[name]) for name in needed)), "")

    def _lacking_level(self, target: Target, field: xr.DataArray) -> str:
        """Return why a field of a climatology has not the level of a target; empty where it has."""
        if "level" not in field.dims:
            several = sum(other.variable == target.variable for other in self.targets) > 1
            return f"the climatology has no level axis for '{field.name}', and several levels are scored" * several
        levels = [int(n) for n in field["level"].values]
        there = ", ".join(map(str, levels))
        if target.level is None and len(levels) > 1:
            example = f"{target.name}_{levels[0]}"
            return f"the climatology has '{field.name}' on levels {there}; name one, such as {example}"
        if target.level is not None and target.level not in levels:
            return f"the climatology has no level {target.level} of '{field.name}'; it has {there}"
        return ""

    @property
    def global_grid(self) -> bool:
        """Whether the cells of maps cover the globe."""
        truth = self.places.open("truth")
        return covers_globe(truth["latitude"].values, truth["longitude"].values)
