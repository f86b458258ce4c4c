"""First-order autoregression: variance and memory of what is drawn, and memory found again."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.models.variability.red_noise import lag_one, red_noise

MEMORY = np.array([-0.4, 0.0, 0.5, 0.8])


def drawn(members=400, years=100):
    return red_noise(np.random.default_rng(0).standard_normal((members, years, 4)), MEMORY)


def test_the_variance_is_that_of_the_white_noise_from_the_first_year():
    series = drawn()
    np.testing.assert_allclose(series[:, [0, 1, 50, 99]].std(axis=0), 1.0, atol=0.12)
    np.testing.assert_allclose(series.std(axis=(0, 1)), 1.0, atol=0.04)


@pytest.mark.parametrize("lag", [1, 2, 3])
def test_the_correlation_falls_geometrically(lag):
    series = drawn()
    product = (series[:, lag:] * series[:, :-lag]).mean(axis=(0, 1))
    np.testing.assert_allclose(product, MEMORY**lag, atol=0.03)


def test_memory_is_found_again_over_series_that_are_not_joined():
    np.testing.assert_allclose(lag_one(list(drawn(members=60))), MEMORY, atol=0.03)


def test_memory_by_hand():
    """1, 2, 0 and 1, -1: products 2 + 0 - 1 = 1; mean squares 5/3 and 1, times 2 and 1 pairs: 13/3."""
    assert lag_one([np.array([1.0, 2.0, 0.0]), np.array([1.0, -1.0])]) == pytest.approx(3.0 / 13.0)


def test_what_does_not_vary_has_no_memory_and_what_drifts_not_too_much():
    assert lag_one([np.zeros(5)]) == 0.0
    assert lag_one([np.full(50, 2.0)]) == 0.9
