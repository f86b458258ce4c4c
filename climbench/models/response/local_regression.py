r"""Every cell of a field as a linear function of a few global series, by closed form."""

from __future__ import annotations

import numpy as np

from climbench.errors import ModelError

ROUNDING = 1e-12


def regress(predictors: np.ndarray, fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return intercept and slopes of least squares, :math:`y = A + \sum_k B_k x_k`.

    Parameters
    ----------
    predictors : ndarray of shape (n, k)
        A column a predictor. Where some are alike, slopes are those of least norm in units of standard deviations;
        one that does not vary gets the slope zero.
    fields : ndarray of shape (n, ...)
        The dependent variables.

    Returns
    -------
    intercept : ndarray of shape (...)
    slopes : ndarray of shape (k, ...)
        In float64.

    Raises
    ------
    ModelError
        If no predictor varies.
    """
    predictors, flat = predictors.astype("float64"), _flat(fields)
    mean, spread = predictors.mean(axis=0), predictors.std(axis=0)
    varies = spread > ROUNDING * np.abs(predictors).max(axis=0)
    if not varies.any():
        raise ModelError("Patterns cannot be fitted: every predictor is the same in all training years.")
    scale = np.where(varies, spread, np.inf)
    slopes = _damped_slopes((predictors - mean) / scale, flat, 0.0) / scale[:, None]
    return _shaped(flat.mean(axis=0) - mean @ slopes, slopes, fields.shape[1:])


def regress_about_common(predictors: np.ndarray, fields: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Return intercept and slopes of a ridge regression that draws the slopes to one another instead of to zero.

    With :math:`B_k = b + d_k` it minimises
    :math:`\frac{1}{n} \sum_t (y - A - \sum_k B_k x_k)^2 + s \sigma^2 \sum_k d_k^2`, where :math:`\sigma^2` is the
    variance of the sum of the predictors: b, what they have in common, is not penalised.

    Parameters
    ----------
    predictors : ndarray of shape (n, k)
        A column a predictor, all in one unit.
    fields : ndarray of shape (n, ...)
        The dependent variables.
    strength : float
        s, positive, without unit. The larger, the more alike are the slopes.

    Returns
    -------
    intercept : ndarray of shape (...)
    slopes : ndarray of shape (k, ...)
        In float64.

    Raises
    ------
    ModelError
        If the sum of the predictors does not vary.
    """
    predictors, flat = predictors.astype("float64"), _flat(fields)
    mean, middle = predictors.mean(axis=0), flat.mean(axis=0)
    own, common = predictors - mean, (predictors - mean).sum(axis=1)
    scatter = float(common @ common)
    if not np.ptp(common) > ROUNDING * np.abs(predictors).max():
        raise ModelError("Patterns cannot be fitted: the sum of predictors is the same in all training years.")
    # The common slope is free, so that it takes all it can: what is left decides on the others (Frisch and Waugh).
    shared, explained = common @ own / scatter, common @ (flat - middle) / scatter
    rest = flat - middle - np.outer(common, explained)
    apart = _damped_slopes(own - np.outer(common, shared), rest, strength * scatter)
    slopes = explained - shared @ apart + apart
    return _shaped(middle - mean @ slopes, slopes, fields.shape[1:])


def _damped_slopes(predictors: np.ndarray, fields: np.ndarray, penalty: float) -> np.ndarray:
    """Return the slopes that minimise the sum of squares plus a penalty times their squares, of shape (k, cells)."""
    left, values, right = np.linalg.svd(predictors, full_matrices=False)
    kept = values > ROUNDING * values[0]
    damped = np.divide(values, values**2 + penalty, out=np.zeros_like(values), where=kept)
    slopes: np.ndarray = (right.T * damped) @ (left.T @ fields)
    return slopes


def _flat(fields: np.ndarray) -> np.ndarray:
    return fields.reshape(len(fields), -1).astype("float64", copy=False)


def _shaped(intercept: np.ndarray, slopes: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    return intercept.reshape(shape), slopes.reshape(-1, *shape)
