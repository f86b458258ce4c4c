"""Crossovers by hand."""

from __future__ import annotations

import numpy as np

from climbench.experiments.crossover import crossover

SIZES = [1, 3, 10]
FLAT = np.ones((4, 3))


def curve(*values, draws=4):
    return np.tile(values, (draws, 1)).astype("float64")


def test_the_first_size_below_is_found():
    found = crossover(SIZES, curve(2.0, 0.9, 0.5), FLAT)
    assert (found.n, found.low, found.high, found.share, found.stays) == (3, 3, 3, 1.0, True)


def test_equal_is_not_below():
    assert crossover(SIZES, FLAT, FLAT).n is None


def test_never_below_is_no_crossover():
    found = crossover(SIZES, curve(2.0, 2.0, 1.5), FLAT)
    assert (found.n, found.low, found.high, found.share, found.stays) == (None, None, None, 0.0, False)


def test_below_once_and_above_again_is_said():
    found = crossover(SIZES, curve(0.9, 1.1, 0.9), FLAT)
    assert (found.n, found.stays) == (1, False)


def test_the_interval_is_that_of_resampled_draws():
    """Two draws, below from n = 1 in one and from n = 10 in the other: the mean of a resample is below at 1 where the
    first is drawn twice (chance 1/4), at 3 never before 1, at 10 always."""
    ours = np.array([[0.8, 0.8, 0.8], [1.3, 1.3, 0.8]])
    found = crossover(SIZES, ours, np.ones((2, 3)))
    assert (found.n, found.low, found.high) == (10, 1, 10)


def test_draws_are_resampled_together():
    """Ours is below theirs in every draw, though draws differ by more than the emulators do."""
    level = np.array([[1.0], [5.0], [9.0], [2.0]]) * np.ones((1, 3))
    found = crossover(SIZES, level - 0.1, level)
    assert (found.n, found.low, found.high, found.share) == (1, 1, 1, 1.0)


def test_a_share_without_crossing_reaches_beyond_the_largest_size():
    ours = np.array([[2.0, 2.0, 0.4], [2.0, 2.0, 1.5]])
    found = crossover(SIZES, ours, np.ones((2, 3)))
    assert (found.n, found.low, found.high) == (10, 10, None)
    assert 0.70 < found.share < 0.80
