"""Smoothing: lines stay, an interior weight worked by hand, and white noise keeps its variance."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.errors import ModelError
from climbench.models.variability.smoothing import smoother, variability


@pytest.mark.parametrize(
    "years", [np.arange(2015, 2101), np.array([1, 2, 3, 5, 8, 13, 21, 34, 55, 56, 57]), np.arange(10)]
)
def test_straight_lines_are_left_as_they_are(years):
    line = 3.0 - 0.2 * years
    np.testing.assert_allclose(smoother(years) @ line, line, atol=1e-10)
    np.testing.assert_allclose(variability(line, years), 0.0, atol=1e-10)


def test_in_the_middle_it_is_a_tricube_mean():
    """By hand: five neighbours lie 0, 1, 1, 2, 2 away, the width is 2 + 1, so weights are (1 - (d/3)^3)^3."""
    weights = (1.0 - (np.array([2.0, 1.0, 0.0, 1.0, 2.0]) / 3.0) ** 3) ** 3
    row = smoother(np.arange(21), span=5)[10]
    np.testing.assert_allclose(row[8:13], weights / weights.sum(), rtol=1e-12)
    assert not row[:8].any()
    assert not row[13:].any()


def test_white_noise_keeps_its_variance():
    noise = np.random.default_rng(0).standard_normal((86, 4000))
    assert variability(noise, np.arange(86)).var() == pytest.approx(1.0, rel=0.01)


def test_a_slow_rise_is_taken_away_and_a_fast_swing_is_not():
    years = np.arange(2015, 2101)
    slow, fast = 2.0 * ((years - 2015) / 85.0) ** 2, np.where(years % 2, 0.1, -0.1)
    left = variability(slow + fast, years)
    np.testing.assert_allclose(left, fast, atol=0.02 + 0.05 * 2.0)
    assert np.abs(variability(slow, years)).max() < 0.1


def test_too_few_years_are_refused():
    with pytest.raises(ModelError, match="in 9 years; at least 10 are needed"):
        smoother(np.arange(9))
