"""Compares models' forecasts for scorecards: relative differences of the main scores, and whether they are certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from climbench.evaluate.forecasts import ScoredForecast
from climbench.forecast_report.headlines import MAIN, headline_hours
from climbench.forecast_report.scorecard import Scorecard
from climbench.metrics.autoregression import steps_between
from climbench.metrics.paired import LEVEL, PairedTest, paired_t_test
from climbench.tasks.forecast.metrics import Metric
from climbench.tasks.forecast.profiles import PROFILES

MOST_HOURS = 20  # columns of a scorecard


def scorecards(scored: Mapping[str, ScoredForecast]) -> list[Scorecard]:
    """Return each model's scorecard against the task's reference; none where that was not scored."""
    task = next(iter(scored.values())).task
    against = task.card.skill_against
    if against not in scored:
        return []
    found = [_scorecard(model, part, scored[against]) for model, part in scored.items() if model != against]
    return [card for card in found if card.rows]


def _scorecard(model: str, ours: ScoredForecast, theirs: ScoredForecast) -> Scorecard:
    shared = [float(hour) for hour in ours.scores.matched.leads if hour in theirs.scores.matched.leads and hour > 0.0]
    hours = shared if len(shared) <= MOST_HOURS else headline_hours(shared)
    tests = {}
    for target in ours.scores.matched.targets:
        name = main_metric(target.name, ours, theirs)
        if name is not None and hours:
            tests[f"{target.name}  {name}"] = _compared(target.name, name, ours, theirs, hours)
    relative = [_relative(test, _metric(name.split()[-1], ours)) for name, test in tests.items()]
    shape = (len(tests), len(hours))
    return Scorecard(
        model,
        theirs.model,
        list(tests),
        hours,
        np.array(relative, dtype="float64").reshape(shape),
        np.array([test.p <= LEVEL for test in tests.values()], dtype=bool).reshape(shape),
        list(dict.fromkeys(str(reason) for test in tests.values() for reason in test.reason.ravel() if reason)),
    )


def main_metric(target: str, *models: ScoredForecast) -> str | None:
    """Return the first of the main metrics that all models keep the statistics of."""
    for name in MAIN:
        keys = [f"{target}.{s}" for s in _metric(name, models[0]).statistics]
        if all(key in model.scores.statistics for key in keys for model in models):
            return name
    return None


def _metric(name: str, model: ScoredForecast) -> Metric:
    return PROFILES[model.task.card.profile].metric(name)


def _compared(
    target: str, name: str, ours: ScoredForecast, theirs: ScoredForecast, hours: Sequence[float]
) -> PairedTest:
    """Return the paired test of one score in the first region, of shape (lead,), over the initial times of both."""
    metric = _metric(name, ours)
    keys = [f"{target}.{s}" for s in metric.statistics]
    chosen = [model.scores.statistics[keys].sel(lead_time=list(hours)).isel(region=0) for model in (ours, theirs)]
    parts = xr.align(*chosen, join="inner")
    arrays = [{s: part[f"{target}.{s}"].values for s in metric.statistics} for part in parts]
    missing = np.logical_or.reduce([np.isnan(values) for array in arrays for values in array.values()])
    members = [model.scores.members.get(target, 1) for model in (ours, theirs)]
    mine, other = (  # what either lacks is missing in both: batches then hold the same initial times
        metric.prepared({s: np.where(missing, np.nan, values) for s, values in array.items()}, count)
        for array, count in zip(arrays, members, strict=True)
    )
    inits = parts[0]["init_time"].values
    batched = len(next(iter(mine.values()))) != inits.size
    return paired_t_test(
        mine,
        other,
        lambda means: metric.score(means, members[0]),
        reference_score=lambda means: metric.score(means, members[1]),
        steps=None if batched else steps_between(inits),
    )


def _relative(test: PairedTest, metric: Metric) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = test.score / test.reference_score - 1.0
    return np.where(np.isfinite(relative), -relative if metric.best == "high" else relative, np.nan)
