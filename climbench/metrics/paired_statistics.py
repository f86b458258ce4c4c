r"""Two forecasts' statistics at the inits both have, and what each init contributes to the difference of the scores.

A score is a function g of statistics' means over inits: the root of a mean square, or a ratio of means. With
:math:`s_i` the statistics of init i and :math:`\bar s` their mean, init i contributes

.. math:: \psi_i = \nabla g(\bar s) \cdot (s_i - \bar s), \qquad
          \text{to a root mean square} \quad \psi_i = \frac{s_i - \bar s}{2 \sqrt{\bar s}},

to first order (the delta method). The contributions have mean zero, and the variance of their mean is that of the
score. The derivative is taken numerically, towards each init in turn, so that any score will do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Statistics = Mapping[str, np.ndarray]
Score = Callable[[Statistics], np.ndarray]

ROUNDING = 1e-12  # of a statistic: what is left between two copies of a forecast
STEP = 1e-4  # of the way from the mean towards one init; small enough for its square, large enough for rounding


@dataclass(frozen=True)
class Pair:
    """Two forecasts' statistics, with every axis between inits and the score's last axis laid out as one of series.

    Attributes
    ----------
    shape : tuple of int
        The score's.
    statistics, reference : mapping of str to ndarray of shape (init, series, *)
        Zero where an init is not present.
    functions : tuple of callable
        The scores of both.
    present : ndarray of bool, of shape (init, series)
        Where neither has a missing value.
    scores : tuple of ndarray of shape (series,)
        Of both, over the inits present.
    contributions : ndarray of shape (init, series)
        To the first score less those to the second; zero where an init is not present.
    identical : ndarray of bool, of shape (series,)
        Whether all statistics are the same but for rounding, and the scores are the same functions of them.
    """

    shape: tuple[int, ...]
    statistics: Statistics
    reference: Statistics
    functions: tuple[Score, Score]
    present: np.ndarray
    scores: tuple[np.ndarray, np.ndarray]
    contributions: np.ndarray
    identical: np.ndarray

    @property
    def count(self) -> np.ndarray:
        """Return the number of inits of each series."""
        return np.asarray(self.present.sum(axis=0))

    @property
    def difference(self) -> np.ndarray:
        """Return the difference of the scores of each series; none where the statistics are the same."""
        with np.errstate(invalid="ignore"):
            return np.where(self.identical, 0.0, self.scores[0] - self.scores[1])


def pair_up(statistics: Statistics, reference: Statistics, functions: tuple[Score, Score]) -> Pair:
    """Return two forecasts' statistics as far as both have them.

    Parameters
    ----------
    statistics, reference : mapping of str to ndarray of shape (init, ..., *)
        Of each init, NaN where there is none.
    functions : tuple of callable
        From mean statistics of shape (..., *) to the score of shape (...), for any leading axes.

    Returns
    -------
    Pair

    Raises
    ------
    ValueError
        If the two forecasts' statistics are not of the same names and shapes, or have no inits.
    """
    shapes = [{name: np.shape(values) for name, values in part.items()} for part in (statistics, reference)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"The forecasts' statistics must have the same names and shapes: {shapes[0]} and {shapes[1]}.")
    if not shapes[0] or any(size[:1] in ((), (0,)) for size in shapes[0].values()):
        raise ValueError(f"There are no statistics of any init: {shapes[0]}.")
    with np.errstate(invalid="ignore", divide="ignore"):
        shape = np.shape(functions[0]({name: np.asarray(values[0]) for name, values in statistics.items()}))
    parts = [{n: _in_series(v, shape) for n, v in part.items()} for part in (statistics, reference)]
    present = _present(parts)
    parts = [{n: np.where(_beside(present, v), v, 0.0) for n, v in part.items()} for part in parts]
    means = [_means(part, present) for part in parts]
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = [np.asarray(f(m)) for f, m in zip(functions, means, strict=True)]
        exchanged = np.asarray(functions[1](means[0]))  # the same statistics may be scored by two functions
    ours, theirs = (_linearised(*given, present) for given in zip(parts, means, functions, strict=True))
    with np.errstate(invalid="ignore"):
        contributions = np.where(present, ours - theirs, 0.0)
    identical = _same(parts[0], parts[1], present) & (exchanged == scores[0])
    return Pair(shape, parts[0], parts[1], functions, present, (scores[0], scores[1]), contributions, identical)


def _in_series(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a statistic as float64 with the score's axes laid out as one."""
    array = np.asarray(values, "float64")
    return array.reshape(len(array), -1, *array.shape[1 + len(shape) :])


def _present(parts: list[dict[str, np.ndarray]]) -> np.ndarray:
    whole = [~np.isnan(v).any(axis=tuple(range(2, v.ndim))) for part in parts for v in part.values()]
    return np.asarray(np.logical_and.reduce(whole))


def _beside(array: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return an array with axes of length one at the end, as many as a statistic has more."""
    return array.reshape(*array.shape, *(1,) * (values.ndim - 2))


def _same(statistics: Statistics, reference: Statistics, present: np.ndarray) -> np.ndarray:
    same = present.any(axis=0)
    for name, values in statistics.items():
        other = reference[name]
        size = (np.abs(values) + np.abs(other)).sum(axis=0) / _beside(np.maximum(present.sum(axis=0), 1), values)
        with np.errstate(invalid="ignore"):
            close = (np.abs(values - other) <= ROUNDING * size) & np.isfinite(size)
        same &= close.all(axis=(0, *range(2, values.ndim)))
    return np.asarray(same)


def _means(statistics: Statistics, present: np.ndarray) -> dict[str, np.ndarray]:
    count = present.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {name: values.sum(axis=0) / _beside(count, values) for name, values in statistics.items()}


def _linearised(statistics: Statistics, means: Statistics, score: Score, present: np.ndarray) -> np.ndarray:
    """Return what every init contributes to the score of the means."""
    with np.errstate(invalid="ignore", divide="ignore"):
        towards = {n: np.where(_beside(present, v), v - means[n], 0.0) for n, v in statistics.items()}
        ends = [np.asarray(score({n: means[n] + step * towards[n] for n in means})) for step in (STEP, -STEP)]
        return (ends[0] - ends[1]) / (2.0 * STEP)
