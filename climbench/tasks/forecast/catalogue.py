"""Finds statistics and metrics by name; those of an event carry its threshold, such as ``brier_above_273.15``."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from climbench.errors import CardError, did_you_mean
from climbench.metrics.exceedance import brier_at_points, ranked_probability_at_points
from climbench.metrics.fractions import fractions_skill
from climbench.metrics.reliability import calibration_error_of_sums
from climbench.tasks.forecast.binned_statistics import BinnedStatistic, probability_sums, rank_sums
from climbench.tasks.forecast.map_statistics import MAP_STATISTICS, MapStatistic, fraction_sums
from climbench.tasks.forecast.metrics import METRICS, Metric
from climbench.tasks.forecast.physics_metrics import PHYSICS_METRICS
from climbench.tasks.forecast.statistics import STATISTICS, Statistic
from climbench.tasks.forecast.tiles import Tile

AnyStatistic = Statistic | BinnedStatistic | MapStatistic
NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
BRIER = re.compile(rf"brier(_debiased)?_above_({NUMBER})")
RPS = re.compile(rf"rps(_fair)?_above_({NUMBER}(?:_{NUMBER})+)")
CALIBRATION = re.compile(rf"calibration_error_above_({NUMBER})")
PROBABILITIES = re.compile(rf"probabilities_above_({NUMBER})")
FSS = re.compile(rf"fss_above_({NUMBER})_window_(\d+)")
FORMS = ("brier_above_X", "rps_above_X_Y", "calibration_error_above_X", "fss_above_X_window_N")


@lru_cache(maxsize=256)
def find_statistic(name: str) -> AnyStatistic:
    """Return the statistic of a name; raise `KeyError` where there is none."""
    for known in (STATISTICS, BINNED_STATISTICS, MAP_STATISTICS):
        if name in known:
            return known[name]
    if match := BRIER.fullmatch(name):
        return _brier(float(match[2]), debiased=bool(match[1]))
    if match := RPS.fullmatch(name):
        return _rps([float(n) for n in match[2].split("_")], fair=bool(match[1]))
    if match := PROBABILITIES.fullmatch(name):
        return BinnedStatistic(probability_sums(float(match[1])), "probability")
    if match := FSS.fullmatch(name):
        return MapStatistic(fraction_sums(float(match[1]), int(match[2])), "difference_and_most")
    raise KeyError(name)


def _at_points(tile: Tile) -> tuple[np.ndarray, np.ndarray]:
    return np.moveaxis(tile.members[0], 0, -1), tile.truth[0]


def _brier(threshold: float, *, debiased: bool) -> Statistic:
    def values(tile: Tile) -> np.ndarray:
        members, truth = _at_points(tile)
        return brier_at_points(members, truth, np.asarray(threshold), debiased=debiased)

    return Statistic(values, members=debiased)


def _rps(thresholds: list[float], *, fair: bool) -> Statistic:
    limits = np.array(thresholds)

    def values(tile: Tile) -> np.ndarray:
        members, truth = _at_points(tile)
        return ranked_probability_at_points(members, truth, limits, fair=fair)

    return Statistic(values, members=fair)


def find_metric(name: str) -> Metric:
    """Return the metric of a name.

    Raises
    ------
    CardError
        If there is none; the closest match is offered.
    """
    for known in (METRICS, PHYSICS_METRICS):
        if name in known:
            return known[name]
    if match := BRIER.fullmatch(name):
        less = ", less what the finite number of members adds" if match[1] else ""
        return Metric(
            (name,),
            lambda s, m: s[name],
            units="1",
            definition=f"mean squared error of the forecast probability of more than {match[2]}{less}",
        )
    if RPS.fullmatch(name):
        return Metric((name,), lambda s, m: s[name], units="1", definition="sum of Brier scores over the thresholds")
    if match := CALIBRATION.fullmatch(name):
        part = f"probabilities_above_{match[1]}"
        return Metric(
            (part,),
            lambda s, m: calibration_error_of_sums(*np.split(s[part], 3, axis=-1)),
            units="1",
            definition="mean distance of observed frequencies from forecast probabilities, over tenths of probability",
        )
    if match := FSS.fullmatch(name):
        return Metric(
            (name,),
            lambda s, m: fractions_skill(s[name][..., 0], s[name][..., 1]),
            units="1",
            best="high",
            definition=f"fractions skill score of more than {match[1]} over {match[2]} x {match[2]} cells",
        )
    offered = did_you_mean(name, [*METRICS, *PHYSICS_METRICS])
    raise CardError(f"There is no metric '{name}' for forecasts. {offered} Of events: {', '.join(FORMS)}.")


BINNED_STATISTICS: dict[str, BinnedStatistic] = {"rank_histogram": BinnedStatistic(rank_sums, "rank", members=True)}
