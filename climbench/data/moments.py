"""Count, mean and squared deviations of parts of a sample, and how parts are pooled without losing digits.

References
----------
Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance: analysis and recommendations, The American
Statistician 37, 242-247: the update that pools two samples, here in its form for any number of samples, and the
corrected two-pass algorithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

# Below this share of the raw sum of squares, what is left after the mean's part is taken off has lost digits.
CANCELLED = 0.01
ROW = 2**13  # OpenBLAS shares an inner product out to threads from 10000 numbers on


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squared deviations from the mean, for a number of cells at once.

    The mean is kept as a shift and a small offset: differences of means then keep the offsets' digits even where the
    mean is 1e9 times the spread, because the shifts of alike samples are subtracted exactly.

    Attributes
    ----------
    count : ndarray
        Number of values, or their weight; float64.
    shift, offset : ndarray
        The mean is their sum.
    squares : ndarray
        Sum of squared deviations from the mean.
    """

    count: np.ndarray
    shift: np.ndarray
    offset: np.ndarray
    squares: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """The mean; NaN where there is no value."""
        return np.where(self.count > 0, self.shift + self.offset, np.nan)

    @property
    def standard_deviation(self) -> np.ndarray:
        """The root of the mean squared deviation (divided by the count, not one less); NaN where there is no value."""
        return np.sqrt(self.squares / np.where(self.count > 0, self.count, np.nan))


def pooled(parts: Moments) -> Moments:
    """Return the moments of several samples together.

    Parameters
    ----------
    parts : Moments
        Arrays of shape (parts, ...): the samples in a fixed order. A sample without values changes nothing.

    Returns
    -------
    Moments
        Arrays of shape (...).
    """
    count = parts.count.sum(0)
    first = np.argmax(parts.count > 0, axis=0)[None]
    shift = np.take_along_axis(parts.shift, first, 0)[0]
    means = np.where(parts.count > 0, parts.shift - shift + parts.offset, 0.0)
    offset = (parts.count * means).sum(0) / np.where(count > 0, count, 1.0)
    squares = (parts.squares + parts.count * (means - offset) ** 2).sum(0)
    return Moments(count, shift, offset, squares)


def stacked(parts: Sequence[Moments]) -> Moments:
    """Return samples of the same cells as one, with the samples along a new first axis."""
    return Moments(*(np.stack([getattr(part, field.name) for part in parts]) for field in fields(Moments)))


def spread(values: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float, float]:
    """Return count, mean and sum of squared deviations of one piece that fits the processor's cache.

    One pass suffices where the mean is not much larger than the spread; otherwise the mean is taken off and the sums
    are taken again (Chan et al.'s corrected two-pass algorithm).

    Parameters
    ----------
    values : ndarray of shape (n,)
        float64, contiguous, finite; used as scratch space.
    weights : ndarray of shape (n,), optional
        float64; the count is then their sum.

    Returns
    -------
    tuple of float
        Count, mean, sum of squared deviations.
    """
    count = float(values.size if weights is None else weights.sum())
    if not count:
        return 0.0, 0.0, 0.0
    total, square = _sums(values, weights)
    mean = total / count
    squares = square - total * mean
    if squares < CANCELLED * square:
        values -= mean
        total, square = _sums(values, weights)
        mean += total / count
        squares = square - total * total / count
    return count, mean, max(squares, 0.0)


def _sums(values: np.ndarray, weights: np.ndarray | None) -> tuple[float, float]:
    """Return the sum and the sum of squares."""
    if weights is None:
        return float(np.einsum("i->", values)), _dot(values, values)
    weighted = weights * values
    return float(np.einsum("i->", weighted)), _dot(weighted, values)


def _dot(one: np.ndarray, other: np.ndarray) -> float:
    """Return the inner product in rows so short that a BLAS library does not share one out to its threads."""
    whole = one.size - one.size % ROW
    rows = float(np.vecdot(one[:whole].reshape(-1, ROW), other[:whole].reshape(-1, ROW)).sum())
    return rows if whole == one.size else rows + float(np.vecdot(one[whole:], other[whole:]))
