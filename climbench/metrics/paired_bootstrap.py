"""Whether one forecast scores better than another, by resampling blocks of inits: the same for both forecasts.

Scores are recomputed from resampled means of statistics, never averaged, so roots and ratios need no linear form. All
resampled sums come from one product of matrices for all series with the same block length.

Resampled differences vary too little (`climbench.metrics.stationary_bootstrap`), and with few inits their quantiles are
not those of Student's t. So they are moved away from the observed difference, all by one factor, until their standard
deviation is at least the standard error of the t-test and their tails as long as Student's: the blocks give the shape,
skewness and all, and no less width than the AR(2) process.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtri, stdtrit

from climbench.metrics.paired import LEVEL, PairedTest, settled, standard_error
from climbench.metrics.paired_statistics import Pair, Score, Statistics, pair_up
from climbench.metrics.stationary_bootstrap import block_lengths, resampling_weights

DRAWS = 1999  # (draws + 1) times 2.5 % is whole, so that intervals and p values agree to the draw
SERIES = 256  # resampled at a time: bounds the memory


def paired_bootstrap(
    statistics: Statistics,
    reference: Statistics,
    score: Score,
    *,
    reference_score: Score | None = None,
    steps: np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    widen: bool = True,
    level: float = LEVEL,
) -> PairedTest:
    """Return the difference of two forecasts' scores with its stationary block bootstrap.

    Every series has its own block length (`climbench.metrics.stationary_bootstrap.block_lengths`, of what inits
    contribute to the difference), rounded up so that series with the same share their resamples; inits follow one
    another in order, over gaps as well. A series gives the same numbers whatever others come with it.

    Parameters
    ----------
    statistics, reference, score, reference_score, steps
        As for `climbench.metrics.paired.paired_t_test`.
    draws : int
        Number of resamples.
    seed : int
        Seed of the resampling.
    widen : bool
        Whether to make up for what blocks miss; without, intervals are the resampled differences' percentiles.
    level : float
        Of the test; the interval covers 1 less that.

    Returns
    -------
    PairedTest
        With percentile intervals, and p values that agree with them: at least 2 / (draws + 1). ``effective`` is the
        variance of the contributions over that of the resampled differences, or less where the AR(2) process says so.

    Raises
    ------
    ValueError
        If the two forecasts' statistics are not of the same names and shapes, or there are too few draws for the
        level.
    """
    tail = int(level / 2.0 * (draws + 1) + 1e-9)
    if tail < 1:
        needed = np.ceil(2.0 / level) - 1
        raise ValueError(f"{draws} draws are too few for a level of {level:g}: {needed:.0f} are needed.")
    pair = pair_up(statistics, reference, (score, reference_score or score))
    deviation, worth = standard_error(pair, steps)
    low, high, p, effective = (np.full(deviation.shape, np.nan) for _ in range(4))
    for part, resampled in _resamples(pair, draws, seed):
        spread = resampled.std(axis=0)
        effective[part] = _worth(pair, part, spread)
        if widen:
            effective[part] = np.minimum(effective[part], worth[part])
            factor = _factor(deviation[part], spread, worth[part], level)
            with np.errstate(invalid="ignore"):
                resampled = pair.difference[part] + factor * (resampled - pair.difference[part])
        low[part], high[part] = resampled[tail - 1], resampled[draws - tail]
        beyond = np.minimum((resampled <= 0.0).sum(axis=0), (resampled >= 0.0).sum(axis=0))
        p[part] = np.minimum(2.0 * (beyond + 1) / (draws + 1), 1.0)
    return settled(pair, (low, high), p, effective)


def _resamples(pair: Pair, draws: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give places of series with the same block length, and their resampled differences in ascending order."""
    lengths = np.maximum(np.ceil(block_lengths(np.where(pair.present, pair.contributions, np.nan))), 1.0)
    for length in np.unique(lengths):
        rng = np.random.default_rng((seed, int(length)))
        weights = resampling_weights(len(pair.present), float(length), draws, rng)
        chosen = np.flatnonzero(lengths == length)
        for part in np.array_split(chosen, -(-chosen.size // SERIES)):
            yield part, np.sort(_differences(pair, weights, part), axis=0)


def _worth(pair: Pair, part: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the effective sample sizes that resampled differences show; the number of inits at most."""
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = (pair.contributions[:, part] ** 2).sum(axis=0) / pair.count[part] / spread**2
    return np.where(spread > 0.0, np.minimum(effective, pair.count[part]), np.nan)


def _factor(deviation: np.ndarray, spread: np.ndarray, worth: np.ndarray, level: float) -> np.ndarray:
    """Return what resampled differences' distances from the observed one are multiplied by."""
    freedom = np.where(worth > 1.0, worth - 1.0, 1.0)
    tails = stdtrit(freedom, 1.0 - level / 2.0) / ndtri(1.0 - level / 2.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(tails * np.maximum(deviation / spread, 1.0))


def _differences(pair: Pair, weights: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the difference of the scores of resampled means, of shape (draw, chosen series)."""
    present = pair.present[:, chosen]
    counts = np.array([[float(len(present))]]) if present.all() else weights @ present.astype("float64")
    with np.errstate(invalid="ignore", divide="ignore"):
        ours, theirs = (
            np.asarray(score({n: _means(weights, v[:, chosen], counts) for n, v in statistics.items()}))
            for statistics, score in zip((pair.statistics, pair.reference), pair.functions, strict=True)
        )
        return ours - theirs


def _means(weights: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return resampled means of shape (draw, series, *)."""
    sums = (weights @ values.reshape(len(values), -1)).reshape(len(weights), *values.shape[1:])
    return np.asarray(sums / counts.reshape(*counts.shape, *(1,) * (values.ndim - 2)))
