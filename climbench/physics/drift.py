"""The drift of a series, and how much it changes from one time to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from climbench.constants import DAYS_PER_CENTURY
from climbench.errors import DataError


@dataclass(frozen=True)
class Drift:
    """How fast a series goes away, by the straight line of least squares.

    Attributes
    ----------
    per_day, per_century : float
        In the unit of the series; a century has 36525 days.
    rms_step : float
        Root of the mean square of changes from one time to the next, in the unit of the series.
    """

    per_day: float
    per_century: float
    rms_step: float


def drift(series: np.ndarray, days: np.ndarray) -> Drift:
    """Return the drift of a series.

    Parameters
    ----------
    series : ndarray of shape (time,)
        For example global means.
    days : ndarray of shape (time,)
        Times in days since any date, ascending.

    Returns
    -------
    Drift

    Raises
    ------
    DataError
        If there are fewer than two times.
    """
    series, days = np.asarray(series, "float64"), np.asarray(days, "float64")
    if series.size < 2 or series.size != days.size:
        raise DataError(f"A drift needs two times or more, each with a value; found {days.size} and {series.size}.")
    moments = days - days.mean()
    slope = float(moments @ (series - series.mean()) / (moments @ moments))
    return Drift(slope, slope * DAYS_PER_CENTURY, float(np.sqrt(np.mean(np.diff(series) ** 2))))
