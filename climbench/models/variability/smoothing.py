"""What is slow in a series and what is left: local linear regression in time, as a matrix.

References
----------
Cleveland (1979), Robust locally weighted regression and smoothing scatterplots, J. Am. Stat. Assoc. 74, section 2
(without the robustness steps), doi:10.1080/01621459.1979.10481038.
"""

from __future__ import annotations

import numpy as np

from climbench.errors import ModelError

FEWEST = 10


def smoother(years: np.ndarray, span: int = 50) -> np.ndarray:
    """Return the matrix that smooths a series: at each year a line fitted to its neighbours, with tricube weights.

    Parameters
    ----------
    years : ndarray of shape (n,)
        Ascending.
    span : int
        How many neighbours have a weight.

    Returns
    -------
    ndarray of shape (n, n)
        It leaves straight lines as they are.

    Raises
    ------
    ModelError
        If there are fewer than ten years.
    """
    if years.size < FEWEST:
        raise ModelError(f"Variability cannot be told from change in {years.size} years; at least {FEWEST} are needed.")
    apart = np.abs(np.subtract.outer(years, years)).astype("float64")
    width = np.sort(apart, axis=1)[:, min(span, years.size) - 1] + 1.0
    weights = np.clip(1.0 - (apart / width[:, None]) ** 3, 0.0, None) ** 3
    rows = []
    for year, weight in zip(years, weights, strict=True):
        x = years - year
        total, first, second = weight.sum(), weight @ x, weight @ x**2
        rows.append(weight * (second - first * x) / (total * second - first**2))
    return np.stack(rows)


def variability(series: np.ndarray, years: np.ndarray, span: int = 50) -> np.ndarray:
    """Return what smoothing takes away from a series, scaled so that white noise keeps its variance.

    Parameters
    ----------
    series : ndarray of shape (n, ...)
        Values a year.
    years : ndarray of shape (n,)
        Ascending.
    span : int
        As for `smoother`.

    Returns
    -------
    ndarray of shape (n, ...)

    Raises
    ------
    ModelError
        As `smoother`.
    """
    rest = np.eye(years.size) - smoother(years, span)
    kept = float((rest**2).sum()) / years.size
    return np.tensordot(rest, series, axes=1) / np.sqrt(kept)
