"""Derivatives along an axis of a grid, by the parabola through three neighbours."""

from __future__ import annotations

import numpy as np

from climbench.errors import DataError
from climbench.physics.arrays import Array, along, double


def derivative(values: Array, points: np.ndarray, *, axis: int, period: float | None = None) -> Array:
    """Return the derivative along an axis, of second order: centred, and one-sided where there is no neighbour.

    Parameters
    ----------
    values : array
        With that axis.
    points : ndarray of shape (n,)
        Coordinates along it, ascending, in steps of any size; at least three.
    axis : int
        From the end.
    period : float, optional
        Where the axis goes round: the last point is then a neighbour of the first.

    Returns
    -------
    array of the same shape
        In the unit over that of the points, float64. Exact for parabolas.

    Raises
    ------
    DataError
        If there are fewer than three points.
    """
    points = np.asarray(points, "float64")
    count = points.size
    if count < 3:
        raise DataError(f"A derivative along an axis takes three points or more; found {count}.")
    first = np.arange(count) - 1
    if period is None:
        first = np.clip(first, 0, count - 3)
    around = [first + step for step in range(3)]
    a, b, c = (points[i % count] + (period or 0.0) * (i // count) for i in around)
    terms = [
        double(along(slope, axis), values) * values[(..., i % count, *(slice(None),) * (-axis - 1))]
        for slope, i in zip(_slopes(a, b, c, points), around, strict=True)
    ]
    return terms[0] + terms[1] + terms[2]


def _slopes(a: np.ndarray, b: np.ndarray, c: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the slopes of Lagrange's polynomials of three points."""
    return (
        (2.0 * at - b - c) / ((a - b) * (a - c)),
        (2.0 * at - a - c) / ((b - a) * (b - c)),
        (2.0 * at - a - b) / ((c - a) * (c - b)),
    )
