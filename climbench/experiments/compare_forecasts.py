"""Whether one forecast scores better than another: paired over the inits that both runs have, from kept statistics.

Both runs keep the area means of point statistics for every init, lead time and region. Scores are made from their means
over the inits where both have values, so that both meet the same weather.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import xarray as xr

from climbench.errors import RunError
from climbench.experiments.shared_forecasts import DIMS, ForecastStatistics, hours, shared_part, shared_variables
from climbench.metrics.autoregression import steps_between
from climbench.metrics.paired import LEVEL, PairedTest, paired_t_test
from climbench.metrics.paired_bootstrap import paired_bootstrap
from climbench.metrics.verdicts import BETTER, WORSE, benjamini_hochberg, verdicts

DIFFERENT = "different"  # of scores of which neither more nor less is better
COLUMNS = (
    *("variable", "metric", "region", "lead_time", "value", "against_value", "difference", "low", "high", "p"),
    *("p_adjusted", "verdict", "inits", "effective_inits", "units", "reason"),
)
Means = Mapping[str, np.ndarray]
Method = Literal["t-test", "bootstrap"]


class ForecastMetric(Protocol):
    """What a comparison needs of a score (`climbench.tasks.forecast.metrics.Metric`)."""

    @property
    def statistics(self) -> tuple[str, ...]:
        """Return the statistics that it is made from."""

    @property
    def score(self) -> Callable[[Means, int], np.ndarray]:
        """Return what makes it from means over inits and the number of members."""

    @property
    def units(self) -> str:
        """Return ``own`` or ``1``."""

    @property
    def best(self) -> str:
        """Return which value is best: ``low``, ``high``, ``zero``, ``one`` or ``none`` of them."""

    def prepared(self, statistics: Means, members: int) -> Means:
        """Return what is averaged over inits, of shape (init or batch, ...)."""


@dataclass(frozen=True)
class ForecastComparison:
    """What two models' forecasts differ by.

    Attributes
    ----------
    rows : list of dict
        Of `COLUMNS`; numbers are numbers, what is not known is None.
    notes : list of str
        What was left out because only one of the two has it.
    """

    rows: list[dict[str, Any]]
    notes: list[str]


@dataclass(frozen=True)
class _How:
    """How differences are tested."""

    method: Method
    level: float
    seed: int

    def test(self, prepared: Sequence[Means], scores: Sequence[Any], steps: np.ndarray | None) -> PairedTest:
        """Return the test of what is averaged over inits, with the scores of both."""
        options: dict[str, Any] = {"reference_score": scores[1], "steps": steps, "level": self.level}
        if self.method == "bootstrap":
            return paired_bootstrap(prepared[0], prepared[1], scores[0], seed=self.seed, **options)
        return paired_t_test(prepared[0], prepared[1], scores[0], **options)


def compare_forecasts(
    ours: ForecastStatistics,
    theirs: ForecastStatistics,
    metrics: Mapping[str, ForecastMetric],
    *,
    method: Method = "t-test",
    level: float = LEVEL,
    false_discovery: bool = False,
    seed: int = 0,
) -> ForecastComparison:
    """Return which of two models' forecasts is better, for each variable, metric, region and lead time.

    Parameters
    ----------
    ours, theirs : ForecastStatistics
        Of the two models, the verdict being on the first.
    metrics : mapping of str to ForecastMetric
        Those to compare; left out where either has not the statistics.
    method : {"t-test", "bootstrap"}
        The AR(2)-corrected t-test, or the stationary block bootstrap.
    level : float
        Of the tests.
    false_discovery : bool
        Whether verdicts go by p values adjusted for all rows of the table together (Benjamini and Hochberg); intervals
        stay those of single rows.
    seed : int
        Of the bootstrap.

    Returns
    -------
    ForecastComparison
        ``difference`` is ``value`` less ``against_value``; where the best value is zero or one (bias, spread over
        skill), that of their distances from it.

    Raises
    ------
    RunError
        If the two have no init, lead time, region or metric in common, or were not scored against the same truth.
    """
    notes: list[str] = []
    rows: list[dict[str, Any]] = []
    how = _How(method, level, seed)
    for variable in shared_variables(ours, theirs, notes):
        parts = shared_part(variable, ours, theirs, notes)
        for name, metric in metrics.items():
            if all(s in part for s in metric.statistics for part in parts):
                units = ours.units.get(variable, "") if metric.units == "own" else metric.units
                names = {"variable": variable, "metric": name, "units": units}
                members = (ours.members.get(variable, 1), theirs.members.get(variable, 1))
                rows += _rows(names, metric, parts, members, how)
    if not rows:
        raise RunError(f"{ours.name} and {theirs.name} have no variable and metric in common, so nothing compares.")
    _decide(rows, metrics, level, false_discovery)
    return ForecastComparison(rows, list(dict.fromkeys(notes)))


def _rows(
    names: Mapping[str, str],
    metric: ForecastMetric,
    parts: tuple[xr.Dataset, xr.Dataset],
    members: tuple[int, int],
    how: _How,
) -> list[dict[str, Any]]:
    """Return the rows of one variable and metric, a region at a time; verdicts come last."""
    arrays, missing = _where_both_are(metric, parts)
    prepared = [metric.prepared(a, m) for a, m in zip(arrays, members, strict=True)]
    inits = parts[0]["init_time"].values
    batched = len(next(iter(prepared[0].values()))) != len(inits)
    scores = [_distance(metric, m) for m in members]
    test = how.test(prepared, scores, None if batched else steps_between(inits))
    values = [_over_inits(p, metric, m) for p, m in zip(prepared, members, strict=True)]
    reasons = np.char.replace(test.reason, "inits", "batches of inits") if batched else test.reason
    leads, regions = (parts[0][d].values for d in DIMS[1:])
    return [
        {
            **names,
            **{"region": str(region), "lead_time": hours(lead)},
            **{"value": _known(values[0][i, j]), "against_value": _known(values[1][i, j])},
            **_numbers(test, i, j),
            **{"inits": int((~missing[:, i, j]).sum()), "reason": str(reasons[i, j])},
        }
        for j, region in enumerate(regions)
        for i, lead in enumerate(leads)
    ]


def _where_both_are(
    metric: ForecastMetric, parts: tuple[xr.Dataset, xr.Dataset]
) -> tuple[list[dict[str, np.ndarray]], np.ndarray]:
    """Return the statistics of a metric, missing in both where they are in either: batches then have the same inits."""
    arrays = [{s: part[s].transpose(*DIMS).values.astype("float64") for s in metric.statistics} for part in parts]
    missing = np.logical_or.reduce([np.isnan(v) for a in arrays for v in a.values()])
    return [{s: np.where(missing, np.nan, v) for s, v in a.items()} for a in arrays], missing


def _distance(metric: ForecastMetric, members: int) -> Callable[[Means], np.ndarray]:
    """Return the score, or how far it is from its best value where that is neither the lowest nor the highest."""
    best = {"zero": 0.0, "one": 1.0}.get(metric.best)
    if best is None:
        return lambda means: metric.score(means, members)
    return lambda means: np.abs(metric.score(means, members) - best)


def _over_inits(prepared: Means, metric: ForecastMetric, members: int) -> np.ndarray:
    """Return the score of the means over inits, or batches, of what is there."""
    there = {s: ~np.isnan(v) for s, v in prepared.items()}
    with np.errstate(invalid="ignore", divide="ignore"):
        means = {s: np.where(there[s], v, 0.0).sum(axis=0) / there[s].sum(axis=0) for s, v in prepared.items()}
        return metric.score(means, members)


def _known(number: Any) -> float | None:
    return float(number) if np.isfinite(number) else None


def _numbers(test: PairedTest, i: int, j: int) -> dict[str, float | None]:
    names = {"difference": "difference", "low": "low", "high": "high", "p": "p", "effective_inits": "effective"}
    return {name: _known(getattr(test, attribute)[i, j]) for name, attribute in names.items()}


def _decide(
    rows: list[dict[str, Any]], metrics: Mapping[str, ForecastMetric], level: float, false_discovery: bool
) -> None:
    """Add the verdicts, and adjusted p values where they are asked for, and put the columns in order."""
    p = np.array([np.nan if row["p"] is None else row["p"] for row in rows])
    difference = np.array([np.nan if row["difference"] is None else row["difference"] for row in rows])
    sign = np.array([-1.0 if metrics[row["metric"]].best == "high" else 1.0 for row in rows])
    counted = benjamini_hochberg(p) if false_discovery else p
    for row, number, verdict in zip(rows, counted, verdicts(difference * sign, counted, level=level), strict=True):
        row["p_adjusted"] = _known(number) if false_discovery else None
        neither = metrics[row["metric"]].best == "none" and verdict in (BETTER, WORSE)
        row["verdict"] = DIFFERENT if neither else str(verdict) or None
        row.update({column: row.pop(column) for column in COLUMNS})
