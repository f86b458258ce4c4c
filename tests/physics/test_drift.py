"""Drift of lines that are known, against SciPy, and of too few times."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from climbench.errors import DataError
from climbench.physics import drift


def test_a_line_has_its_slope():
    """0.01 a day, 365.25 a century; steps of half a day are 0.005 each."""
    days = 1000.0 + 0.5 * np.arange(40)
    found = drift(5.0 + 0.01 * days, days)
    assert found.per_day == pytest.approx(0.01, rel=1e-10)
    assert found.per_century == pytest.approx(365.25, rel=1e-10)
    assert found.rms_step == pytest.approx(0.005, rel=1e-10)


def test_scipy_agrees():
    rng = np.random.default_rng(0)
    days, series = np.cumsum(rng.uniform(0.5, 2.0, 30)), rng.normal(0.0, 1.0, 30)
    assert drift(series, days).per_day == pytest.approx(stats.linregress(days, series).slope, rel=1e-10)


def test_drift_of_too_few_times():
    with pytest.raises(DataError, match=r"two times or more.*found 1 and 1"):
        drift(np.array([1.0]), np.array([0.0]))
