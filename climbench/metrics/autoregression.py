r"""What successive values of a series are worth: an AR(2) process fitted to it, and its effective sample size.

Forecasts started twelve hours apart meet the same weather, so their scores are alike and the mean of n of them varies
more than that of n independent ones. With :math:`\rho_k` the autocorrelation at lag k and :math:`N_k` the number of
pairs of values k steps apart,

.. math:: \mathrm{var}(\bar d) = \frac{\sigma^2}{n} V, \qquad V = 1 + \frac{2}{n} \sum_{k \ge 1} N_k \rho_k,
          \qquad n_\mathrm{eff} = n / V .

This is exact for every n and, through :math:`N_k`, for series with gaps. For an AR(2) process,
:math:`\rho_1 = \phi_1 / (1 - \phi_2)` and :math:`\rho_k = \phi_1 \rho_{k-1} + \phi_2 \rho_{k-2}`; for long series V
then tends to the square of the factor that Geer (2016) inflates standard errors with,

.. math:: V \to \frac{1 - \rho_1 \phi_1 - \rho_2 \phi_2}{(1 - \phi_1 - \phi_2)^2} .

Autocorrelations of a series about its own mean come out too low, which would find differences where there are none. So
the coefficients are Burg's (1975: never beyond stationarity, less biased than Yule and Walker's), freed of the bias
that least squares and Burg share to order 1/n when the mean is estimated (Shaman and Stine 1988,
doi:10.1080/01621459.1988.10478672):

.. math:: \mathrm{E}\,\hat\phi_1 = \phi_1 - (1 + \phi_1 + \phi_2) / n, \qquad
          \mathrm{E}\,\hat\phi_2 = \phi_2 - (2 + 4 \phi_2) / n .

References
----------
Geer, A. J. (2016), Significance of changes in medium-range forecast scores, Tellus A 68, 30229,
doi:10.3402/tellusa.v68.30229.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LONGEST_GAP = 100  # steps: correlations do not reach further, and the years between two seasons need no rows
NEGLIGIBLE = 1e-9
FEWEST_TRIPLES = 8  # of successive values: an AR(2) process fitted to fewer says nothing


class Autoregression(NamedTuple):
    """An AR(2) process: x[t] = first x[t-1] + second x[t-2] + noise.

    Attributes
    ----------
    first, second : ndarray of shape (series,)
        Coefficients.
    """

    first: np.ndarray
    second: np.ndarray


def steps_between(times: np.ndarray) -> np.ndarray:
    """Return the places of ascending times on an even grid whose step is the most common interval.

    Every interval is rounded to whole steps, to one at least: Mondays and Thursdays, three and four days apart, count
    as evenly spaced.

    Parameters
    ----------
    times : ndarray of datetime64 or numbers, of shape (time,)
        Strictly ascending.

    Returns
    -------
    ndarray of int, of shape (time,)
        From 0 on. Gaps of more than `LONGEST_GAP` steps are shortened to that.

    Raises
    ------
    ValueError
        If times do not ascend.
    """
    intervals = np.diff(times)
    if intervals.size == 0:
        return np.zeros(len(times), "int64")
    if not (intervals > intervals[0] * 0).all():
        raise ValueError("Times must be given once each, in ascending order.")
    lengths, counts = np.unique(intervals, return_counts=True)
    steps = np.rint(intervals / lengths[counts.argmax()])
    return np.concatenate([[0], np.cumsum(np.clip(steps, 1, LONGEST_GAP).astype("int64"))])


def on_even_grid(values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return series with a row for every step, NaN where there is no value.

    Parameters
    ----------
    values : ndarray of shape (time, series)
        NaN where a series has no value.
    steps : ndarray of int, of shape (time,)
        From `steps_between`.

    Returns
    -------
    ndarray of shape (steps[-1] + 1, series)
    """
    if len(steps) == steps[-1] + 1:
        return values
    grid = np.full((int(steps[-1]) + 1, values.shape[1]), np.nan)
    grid[steps] = values
    return grid


def fit_ar2(series: np.ndarray) -> Autoregression:
    """Return the AR(2) processes that series show: Burg's coefficients, freed of their bias.

    Parameters
    ----------
    series : ndarray of shape (step, series)
        On an even grid, NaN where there is no value; only unbroken stretches count.

    Returns
    -------
    Autoregression
        Stationary, or at the very edge of it; NaN where a series has fewer than `FEWEST_TRIPLES` unbroken stretches of
        three, or does not vary.
    """
    present = ~np.isnan(series)
    count = present.sum(axis=0)
    anomalies = np.where(present, series, 0.0)
    anomalies = np.where(present, anomalies - anomalies.sum(axis=0) / np.maximum(count, 1), 0.0)
    pairs = present[1:] & present[:-1]
    triples = pairs[1:] & pairs[:-1]
    found = triples.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        once = _reflection(anomalies[1:], anomalies[:-1], pairs)
        ahead, behind = anomalies[2:] - once * anomalies[1:-1], anomalies[:-2] - once * anomalies[1:-1]
        twice = _reflection(ahead, behind, triples)
        fitted = _unbiased(once * (1.0 - twice), twice, found + 2)
    enough = found >= FEWEST_TRIPLES
    return Autoregression(*(np.where(enough, part, np.nan) for part in fitted))


def _reflection(ahead: np.ndarray, behind: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the coefficient that predicts ahead from behind and behind from ahead with the least squared error."""
    products, squares = 2.0 * ahead * behind, ahead**2 + behind**2
    return (products * chosen).sum(axis=0) / (squares * chosen).sum(axis=0)


def _unbiased(first: np.ndarray, second: np.ndarray, count: np.ndarray) -> Autoregression:
    """Return the coefficients whose expected estimates these are, held within stationarity."""
    second = np.clip((count * second + 2.0) / (count - 4.0), -1.0, 1.0)
    first = (count * first + 1.0 + second) / (count - 1.0)
    return Autoregression(np.clip(first, second - 1.0, 1.0 - second), second)


def variance_inflation(process: Autoregression, present: np.ndarray) -> np.ndarray:
    """Return the variance of the mean over that of as many independent values.

    Parameters
    ----------
    process : Autoregression
        Of shape (series,).
    present : ndarray of bool, of shape (step, series) or (step, 1)
        Where there are values.

    Returns
    -------
    ndarray of shape (series,)
        At least 1: series that swing about their mean are not taken to be worth more than independent ones.
    """
    if (present == present[:, :1]).all():
        present = present[:, :1]
    there = present.astype("float64")
    with np.errstate(invalid="ignore", divide="ignore"):
        before, now = np.ones_like(process.first), process.first / (1.0 - process.second)
    now = np.where(process.second >= 1.0, 0.0, now)  # an undying swing of two steps: (1, 0, 1, 0 ...) at even lags
    total = np.zeros_like(now)
    for lag in range(1, len(there)):
        total += np.einsum("ts,ts->s", there[lag:], there[:-lag]) * now
        before, now = now, process.first * now + process.second * before
        if not (np.maximum(np.abs(before), np.abs(now)) > NEGLIGIBLE).any():
            break
    return np.maximum(1.0 + 2.0 * total / there.sum(axis=0), 1.0)


def effective_sizes(series: np.ndarray) -> np.ndarray:
    """Return how many independent values would fix the mean as well as each series does.

    Parameters
    ----------
    series : ndarray of shape (step, series)
        On an even grid (`on_even_grid`), NaN where there is no value.

    Returns
    -------
    ndarray of shape (series,)
        Between 0 and the number of values; NaN where no AR(2) process can be fitted (`fit_ar2`).
    """
    present = ~np.isnan(series)
    return present.sum(axis=0) / variance_inflation(fit_ar2(series), present)
