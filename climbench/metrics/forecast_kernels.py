r"""NumPy kernels of deterministic forecast scores: point statistics whose means over area and inits make the scores.

Each works on arrays of any shapes that broadcast, such as (..., latitude, longitude) or (..., cell), and returns
float64: the difference of two float32 values is taken in float64. A NaN is passed on. `anomaly_correlation` takes the
last step, on means.
"""

from __future__ import annotations

import numpy as np


def error(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the error at each point.

    Parameters
    ----------
    prediction, target : ndarray of shape (...)
        In the same unit.

    Returns
    -------
    ndarray of shape (...)
        Prediction less target, in float64.
    """
    return np.asarray(np.subtract(prediction, target, dtype="float64"))


def squared_error(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the squared error at each point.

    Parameters
    ----------
    prediction, target : ndarray of shape (...)
        In the same unit.

    Returns
    -------
    ndarray of shape (...)
        In the unit squared, float64.
    """
    difference = error(prediction, target)
    return np.multiply(difference, difference, out=difference)


def absolute_error(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the absolute error at each point.

    Parameters
    ----------
    prediction, target : ndarray of shape (...)
        In the same unit.

    Returns
    -------
    ndarray of shape (...)
        In float64.
    """
    difference = error(prediction, target)
    return np.abs(difference, out=difference)


def vector_squared_error(
    eastward: np.ndarray, northward: np.ndarray, target_eastward: np.ndarray, target_northward: np.ndarray
) -> np.ndarray:
    """Return the squared length of the difference of two winds at each point.

    Parameters
    ----------
    eastward, northward : ndarray of shape (...)
        Components of the predicted wind.
    target_eastward, target_northward : ndarray of shape (...)
        Those of the target, in the same unit.

    Returns
    -------
    ndarray of shape (...)
        In the unit squared, float64.
    """
    square = squared_error(eastward, target_eastward)
    return np.add(square, squared_error(northward, target_northward), out=square)


def squared_anomaly(field: np.ndarray, climatology: np.ndarray) -> np.ndarray:
    """Return the squared anomaly at each point.

    Parameters
    ----------
    field, climatology : ndarray of shape (...)
        In the same unit; the climatology at the valid time.

    Returns
    -------
    ndarray of shape (...)
        In the unit squared, float64.
    """
    return squared_error(field, climatology)


def anomaly_products(
    prediction: np.ndarray, target: np.ndarray, climatology: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the products that an anomaly correlation is made from at each point.

    Parameters
    ----------
    prediction, target, climatology : ndarray of shape (...)
        In the same unit; the climatology at the valid time.

    Returns
    -------
    ndarray of shape (...)
        The prediction's anomaly times the target's, in the unit squared, float64.
    ndarray of shape (...)
        The prediction's anomaly squared.
    ndarray of shape (...)
        The target's anomaly squared.
    """
    ours, theirs = error(prediction, climatology), error(target, climatology)
    product = ours * theirs
    squares = (np.multiply(values, values, out=values) for values in (ours, theirs))
    square, target_square = (np.broadcast_to(values, product.shape) for values in squares)
    return product, square, target_square


def anomaly_correlation(product: np.ndarray, square: np.ndarray, target_square: np.ndarray) -> np.ndarray:
    """Return the correlation of anomalies from means of their products, not centred: anomalies keep their own means.

    Parameters
    ----------
    product, square, target_square : ndarray of shape (...)
        Means of what `anomaly_products` returns, over the same points.

    Returns
    -------
    ndarray of shape (...)
        From -1 to 1; NaN where all anomalies of the prediction or the target are zero.
    """
    scale = np.sqrt(square) * np.sqrt(target_square)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(scale > 0.0, product / scale, np.nan))
