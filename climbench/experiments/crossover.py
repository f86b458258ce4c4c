"""From how many members on one emulator's error lies below another's, with an interval over the draws of members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


@dataclass(frozen=True)
class Crossover:
    """Where two curves of error against the number of members cross.

    Attributes
    ----------
    n : int or None
        The smallest number of members at which the mean over draws is below the other's; None where it never is.
    low, high : int or None
        95 % interval by bootstrap over draws; None stands for none of the sizes, beyond the largest.
    share : float
        In what part of the resamples there is a crossing at all.
    stays : bool
        Whether it stays below at all larger sizes too.
    """

    n: int | None
    low: int | None
    high: int | None
    share: float
    stays: bool


def crossover(sizes: Sequence[int], ours: np.ndarray, theirs: np.ndarray, *, seed: int = 0) -> Crossover:
    """Return the smallest number of members at which our error is below theirs.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of members, ascending.
    ours, theirs : ndarray of shape (draw, size)
        Errors by draw; draw for draw both were trained on the same members, and are resampled together.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Crossover
        It describes the spread over draws of training members and seeds. Whether the emulators differ at a given size
        is a question to the target, and is answered by the paired test over its members and years.
    """
    draws = len(ours)
    picks = np.random.default_rng(seed).integers(draws, size=(RESAMPLES, draws))
    below = (ours[picks].mean(axis=1) < theirs[picks].mean(axis=1)).astype(bool)
    first = np.where(below.any(axis=1), below.argmax(axis=1), len(sizes))
    found = ours.mean(axis=0) < theirs.mean(axis=0)
    place = int(found.argmax()) if found.any() else len(sizes)
    low, high = np.quantile(first, [0.025, 0.975], method="inverted_cdf").astype(int)
    named = [*map(int, sizes), None]
    return Crossover(
        named[place],
        named[low],
        named[high],
        float(below.any(axis=1).mean()),
        bool(found[place:].all()) and place < len(sizes),
    )
