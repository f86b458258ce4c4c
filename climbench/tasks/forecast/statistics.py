r"""What is kept of every pair of initial and lead time: area means of point statistics.

Each statistic is a function of a `Tile` that gives one value a row and cell; scores are made from their means over
initial times (`climbench.tasks.forecast.metrics`). With the error :math:`e`, anomalies :math:`f'` and :math:`o'` from
the climatology, members :math:`x_i` and the truth :math:`y`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from climbench.metrics.ensemble_kernels import pair_coefficients
from climbench.metrics.seeps import Rule, penalties, scored_cells
from climbench.tasks.forecast.tiles import Tile

HEAVY, DRY_FRACTION = "_seeps_threshold", "_seeps_dry_fraction"  # suffixes in a climatology of precipitation


@dataclass(frozen=True)
class Statistic:
    """A point statistic.

    Attributes
    ----------
    values : callable
        Takes a `Tile`, gives an array of shape (row, cell), float64.
    climatology, members, vector : bool
        Whether it needs a climatology, several members, or both components of a wind.
    extra : tuple of str
        Suffixes of the climatology's further fields that it needs.
    """

    values: Callable[[Tile], np.ndarray]
    climatology: bool = False
    members: bool = False
    vector: bool = False
    extra: tuple[str, ...] = ()


def _pair_difference(tile: Tile) -> np.ndarray:
    """Return the mean absolute difference over all pairs of different members."""
    count = tile.count
    return tile.ordered @ (2.0 * pair_coefficients(count) / (count * (count - 1.0)))


def _member_error(tile: Tile) -> np.ndarray:
    """Return the mean over members of the absolute error."""
    return np.abs(tile.ordered) @ np.full(tile.count, 1.0 / tile.count)


def _variance(tile: Tile) -> np.ndarray:
    """Return the unbiased variance across members."""
    deviation = tile.ordered - tile.error[..., None]
    return np.einsum("...m,...m->...", deviation, deviation) / (tile.count - 1.0)


def _weighted(values: np.ndarray, tile: Tile) -> np.ndarray:
    return values * tile.weight


def _seeps(rule: Rule) -> Callable[[Tile], np.ndarray]:
    def values(tile: Tile) -> np.ndarray:
        forecast = tile.members[0].mean(axis=0)
        return penalties(
            forecast, tile.truth[0], tile.extra[HEAVY], tile.extra[DRY_FRACTION], dry_threshold=tile.dry, rule=rule
        )

    return values


def _seeps_cells(rule: Rule) -> Callable[[Tile], np.ndarray]:
    return lambda tile: scored_cells(tile.extra[DRY_FRACTION], rule=rule).astype("float64")


STATISTICS: dict[str, Statistic] = {
    "error": Statistic(lambda t: t.error),
    "squared_error": Statistic(lambda t: t.error**2),
    "absolute_error": Statistic(lambda t: np.abs(t.error)),
    "vector_squared_error": Statistic(lambda t: (t.vector_error**2).sum(axis=0), vector=True),
    "anomaly_product": Statistic(lambda t: t.forecast_anomaly * t.truth_anomaly, climatology=True),
    "forecast_anomaly_square": Statistic(lambda t: t.forecast_anomaly**2, climatology=True),
    "truth_anomaly_square": Statistic(lambda t: t.truth_anomaly**2, climatology=True),
    "member_absolute_error": Statistic(_member_error, members=True),
    "pair_difference": Statistic(_pair_difference, members=True),
    "variance": Statistic(_variance, members=True),
    "deviation": Statistic(lambda t: np.sqrt(_variance(t)), members=True),
    "seeps_penalty": Statistic(_seeps("weatherbench_x"), extra=(HEAVY, DRY_FRACTION)),
    "seeps_cells": Statistic(_seeps_cells("weatherbench_x"), extra=(HEAVY, DRY_FRACTION)),
    "seeps_penalty_wb2": Statistic(_seeps("weatherbench2"), extra=(HEAVY, DRY_FRACTION)),
    "seeps_cells_wb2": Statistic(_seeps_cells("weatherbench2"), extra=(HEAVY, DRY_FRACTION)),
    # ChaosBench weighs anomalies before it multiplies them, so that its weights enter squared.
    "weighted_anomaly_product": Statistic(
        lambda t: _weighted(t.forecast_anomaly * t.truth_anomaly, t), climatology=True
    ),
    "weighted_forecast_anomaly_square": Statistic(lambda t: _weighted(t.forecast_anomaly**2, t), climatology=True),
    "weighted_truth_anomaly_square": Statistic(lambda t: _weighted(t.truth_anomaly**2, t), climatology=True),
}
