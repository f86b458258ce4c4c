r"""NumPy kernels of ensemble scores: members contiguous, blocks that fit the cache, sums in float64.

Each takes members along the last axis, in whatever memory order they come, and copies one block of points at a time.
Differences between members are taken by the sorted form, in O(M log M): for sorted values
:math:`\sum_{i<j} |x_i - x_j| = \sum_i (2i - M - 1) x_{(i)}`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

BLOCK_BYTES = 2**19


def blocks(shape: tuple[int, ...], size: int) -> Iterator[tuple[slice, ...]]:
    """Give indices that cut an array into parts.

    Parameters
    ----------
    shape : tuple of int
        The array's.
    size : int
        The most elements of one part; a part has one element at least.

    Yields
    ------
    tuple of slice
        Of leading axes, in C order.
    """
    if math.prod(shape) <= size or not shape:
        yield ()
        return
    inner = math.prod(shape[1:])
    step = max(1, size // inner)
    for start in range(0, shape[0], step):
        rest = blocks(shape[1:], size) if inner > size else [()]
        yield from ((slice(start, start + step), *part) for part in rest)


def _together(members: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return views of both on the points of both."""
    shape = np.broadcast_shapes(members.shape[:-1], target.shape)
    return np.broadcast_to(members, (*shape, members.shape[-1])), np.broadcast_to(target, shape)


def _parts(points: tuple[int, ...], members: int) -> Iterator[tuple[slice, ...]]:
    return blocks(points, max(1, BLOCK_BYTES // (8 * max(members, 1))))


def _copied(members: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Return a block's own copy of its members less an origin, members contiguous, of shape (point, member)."""
    dtype = np.result_type(members, origin, np.float32)
    sample = np.array(members, dtype=dtype, order="C").reshape(-1, members.shape[-1])
    sample -= origin.reshape(-1, 1)
    return sample


def pair_coefficients(count: int) -> np.ndarray:
    """Return what sorted values are multiplied by to get the sum of all differences, of shape (count,)."""
    return 2.0 * np.arange(1, count + 1) - count - 1.0


def difference_share(count: int, alpha: float) -> float:
    r"""Return what the sum over pairs :math:`\sum_{i<j} |x_i - x_j|` counts with in a CRPS.

    :math:`\alpha / (M (M - 1)) + (1 - \alpha) / M^2`: fair with :math:`\alpha = 1`, classical with 0.
    """
    fair = alpha / (count * (count - 1)) if alpha else 0.0
    return fair + (1.0 - alpha) / count**2


def crps(members: np.ndarray, target: np.ndarray, alpha: float) -> np.ndarray:
    """Return the CRPS at every point.

    Parameters
    ----------
    members : ndarray of shape (..., member)
        The ensemble; its points broadcast against the target's.
    target : ndarray of shape (...)
        One value a point.
    alpha : float
        1 fair, 0 classical, between them almost fair.

    Returns
    -------
    ndarray of shape (...)
        In float64; NaN where a value is.
    """
    members, target = _together(members, target)
    count = members.shape[-1]
    differences = difference_share(count, alpha) * pair_coefficients(count)
    result = np.empty(target.shape)
    for part in _parts(target.shape, count):
        sample = _copied(members[part], target[part])
        sample.sort(axis=-1)
        sample = sample.astype("float64", copy=False)
        within = sample @ differences
        result[part] = (_mean_size(sample) - within).reshape(target[part].shape)
    return result


def _mean_size(sample: np.ndarray) -> np.ndarray:
    """Return the mean absolute value over members, and spoil them."""
    np.abs(sample, out=sample)
    return sample @ np.full(sample.shape[-1], 1.0 / sample.shape[-1])


def crps_between(members: np.ndarray, targets: np.ndarray, alpha: float) -> np.ndarray:
    """Return the CRPS averaged over the members of a target.

    Differences across the two ensembles are those within both together less those within each, so that three sorts do
    for all pairs.

    Parameters
    ----------
    members : ndarray of shape (..., member)
        The ensemble.
    targets : ndarray of shape (..., target member)
        The target's members at the same points.
    alpha : float
        1 fair, 0 classical, between them almost fair.

    Returns
    -------
    ndarray of shape (...)
        In float64; NaN where a value is.
    """
    shape = np.broadcast_shapes(members.shape[:-1], targets.shape[:-1])
    m, n = members.shape[-1], targets.shape[-1]
    members, targets = np.broadcast_to(members, (*shape, m)), np.broadcast_to(targets, (*shape, n))
    result = np.empty(shape)
    for part in _parts(shape, m + n):
        origin = targets[part][..., 0]
        ours, theirs = _copied(members[part], origin), _copied(targets[part], origin)
        within, beyond, all_pairs = (_pair_sum(s) for s in (ours, theirs, np.concatenate([ours, theirs], axis=-1)))
        across = (all_pairs - within - beyond) / (m * n)
        result[part] = (across - difference_share(m, alpha) * within).reshape(origin.shape)
    return result


def _pair_sum(sample: np.ndarray) -> np.ndarray:
    """Return the sum of differences over all pairs of members, which are sorted for it."""
    sample.sort(axis=-1)
    return sample.astype("float64", copy=False) @ pair_coefficients(sample.shape[-1])


def half_mean_difference(members: np.ndarray, alpha: float) -> np.ndarray:
    """Return half the mean difference between two members at every point.

    Parameters
    ----------
    members : ndarray of shape (..., member)
        The ensemble.
    alpha : float
        1 over different members, 0 over all pairs, each with itself as well.

    Returns
    -------
    ndarray of shape (...)
        In float64.
    """
    shape, count = members.shape[:-1], members.shape[-1]
    result = np.empty(shape)
    for part in _parts(shape, count):
        origin = members[part][..., 0]
        within = _pair_sum(_copied(members[part], origin))
        result[part] = (difference_share(count, alpha) * within).reshape(origin.shape)
    return result


def absolute_error(members: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the mean over members of the absolute difference from each of the target's values at a point.

    Parameters
    ----------
    members : ndarray of shape (..., member)
        The ensemble.
    targets : ndarray of shape (..., target member)
        One value or more at the same points.

    Returns
    -------
    ndarray of shape (..., target member)
        In float64.
    """
    shape = np.broadcast_shapes(members.shape[:-1], targets.shape[:-1])
    count, several = members.shape[-1], targets.shape[-1]
    members, targets = np.broadcast_to(members, (*shape, count)), np.broadcast_to(targets, (*shape, several))
    result = np.empty((*shape, several))
    for part in _parts(shape, count):
        sample = np.array(members[part], "float64", order="C").reshape(-1, count)
        values = np.array(targets[part], "float64", order="C").reshape(-1, several)
        means = [_mean_size(sample - values[:, n, None]) for n in range(several)]
        result[part] = np.stack(means, axis=-1).reshape(targets[part].shape)
    return result


def mean_and_variance(members: np.ndarray, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of members less an origin, and their unbiased variance.

    Parameters
    ----------
    members : ndarray of shape (..., member)
        The ensemble; its points broadcast against the origin's.
    origin : ndarray of shape (...)
        For example the target.

    Returns
    -------
    ndarray of shape (...)
        Ensemble mean less origin, in float64.
    ndarray of shape (...)
        Variance with one degree of freedom taken by the mean, in float64; NaN with one member.
    """
    members, origin = _together(members, origin)
    mean, variance = np.empty(origin.shape), np.full(origin.shape, np.nan)
    count = members.shape[-1]
    for part in _parts(origin.shape, count):
        sample = _copied(members[part], origin[part]).astype("float64", copy=False)
        centre = sample @ np.full(count, 1.0 / count)
        mean[part] = centre.reshape(origin[part].shape)
        if count > 1:
            sample -= centre[:, None]
            squares = np.einsum("pm,pm->p", sample, sample) / (count - 1)
            variance[part] = squares.reshape(origin[part].shape)
    return mean, variance
