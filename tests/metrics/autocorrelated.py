"""Series of AR(2) processes with known coefficients, for tests of significance."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

STEADY = (0.5, 0.2)  # what differences of forecasts twelve hours apart look like: worth a sixth of their number
START = 500  # steps, after which the series has forgotten how it began


def series(length, count, *, first=STEADY[0], second=STEADY[1], seed=0):
    """Return series of mean zero, of shape (time, series), with unit variance of the noise."""
    noise = np.random.default_rng(seed).standard_normal((length + START, count))
    return lfilter([1.0], [1.0, -first, -second], noise, axis=0)[START:]
