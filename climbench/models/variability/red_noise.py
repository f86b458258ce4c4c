"""First-order autoregression: its coefficient from series, and series from white noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LARGEST = 0.9  # what a few hundred years cannot tell from a trend is not taken for memory


def lag_one(series: Sequence[np.ndarray]) -> np.ndarray:
    """Return the correlation from year to year, over several series that are not joined.

    Parameters
    ----------
    series : sequence of ndarray of shape (n_i, ...)
        With mean zero.

    Returns
    -------
    ndarray of shape (...)
        Within -0.9 and 0.9; zero where nothing varies.
    """
    square = sum((s**2).mean(axis=0) * (len(s) - 1) for s in series)
    product = sum((s[1:] * s[:-1]).sum(axis=0) for s in series)
    ratio = np.divide(product, square, out=np.zeros_like(np.asarray(product)), where=np.asarray(square) > 0.0)
    return np.clip(ratio, -LARGEST, LARGEST)


def red_noise(white: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Return stationary first-order series of the variance of the white noise they are made of.

    Parameters
    ----------
    white : ndarray of shape (member, year, ...)
        Uncorrelated from year to year.
    correlation : ndarray that broadcasts against (...)
        From one year to the next.

    Returns
    -------
    ndarray of shape (member, year, ...)
    """
    series = np.empty_like(white)
    series[:, 0] = white[:, 0]
    fresh = np.sqrt(1.0 - correlation**2)
    for year in range(1, white.shape[1]):
        series[:, year] = correlation * series[:, year - 1] + fresh * white[:, year]
    return series
