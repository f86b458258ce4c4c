"""Statistics that are counts in bins: ranks of the truth among members, and forecast probabilities of an event.

Each gives, for the cells of a tile, weighted sums of shape (row, region, bin), which add up over tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from climbench.metrics.exceedance import share_above
from climbench.metrics.reliability import TENTHS, reliability_sums
from climbench.tasks.forecast.tiles import Tile


@dataclass(frozen=True)
class BinnedStatistic:
    """Counts in bins.

    Attributes
    ----------
    sums : callable
        Takes a `Tile` and weights of shape (cell, region), gives an array of shape (row, region, bin).
    axis : str
        What the bins are along.
    members, vector : bool
        Whether it needs several members, or both components of a wind.
    """

    sums: Callable[[Tile, np.ndarray], np.ndarray]
    axis: str
    members: bool = False
    vector: bool = False


def rank_sums(tile: Tile, weights: np.ndarray) -> np.ndarray:
    """Return the weight of cells in which so many members lie below the truth; a tie is shared among its places."""
    below = (tile.ordered < 0.0).sum(axis=-1)
    ties = (tile.ordered == 0.0).sum(axis=-1)
    result = np.zeros((below.shape[0], weights.shape[1], tile.count + 1))
    for rank in range(tile.count + 1):
        share = ((below <= rank) & (rank <= below + ties)) / (1.0 + ties)
        result[..., rank] = share @ weights
    return result


def probability_sums(threshold: float) -> Callable[[Tile, np.ndarray], np.ndarray]:
    """Return a function that gives weights, probabilities and occurrences, by tenths of probability."""

    def sums(tile: Tile, weights: np.ndarray) -> np.ndarray:
        probability = share_above(np.moveaxis(tile.members[0], 0, -1), np.asarray(threshold))
        occurred = (tile.truth[0] > threshold).astype("float64")
        parts = [
            reliability_sums(probability, occurred, weights[:, region], TENTHS) for region in range(weights.shape[1])
        ]
        return np.stack([np.concatenate(part, axis=-1) for part in parts], axis=1)

    return sums
