"""The stationary bootstrap: block lengths against arch, resamples against their exact variance."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length

from climbench.metrics.stationary_bootstrap import block_lengths, resampling_weights
from tests.metrics.autocorrelated import series


def test_block_lengths_are_those_of_arch():
    values = series(732, 200)
    expected = optimal_block_length(values)["stationary"].to_numpy()
    found = block_lengths(values)
    same = np.isclose(found, expected, rtol=1e-9)
    # Its autocorrelations have other denominators, so that the first quiet lag is now and then another.
    assert same.mean() > 0.95
    assert np.median(found) == pytest.approx(np.median(expected), rel=0.02)


@pytest.mark.parametrize("values", [np.arange(90.0), np.repeat([0.0, 1.0], 45), np.cos(np.arange(90.0) / 9.0)])
def test_block_lengths_of_certain_series_are_those_of_arch(values):
    expected = optimal_block_length(values)["stationary"].to_numpy()
    np.testing.assert_allclose(block_lengths(values[:, None]), expected, rtol=1e-9)


def test_independent_values_need_no_blocks():
    assert np.median(block_lengths(series(732, 100, first=0.0, second=0.0))) < 3.0


def test_block_lengths_have_a_limit():
    found = block_lengths(series(90, 400, first=0.9, second=0.08))
    assert found.max() == 29.0  # 3 sqrt(90) = 28.5 rounded up


def test_a_constant_series_has_no_block_length():
    assert block_lengths(np.full((50, 1), 2.5)) == [0.0]


def test_missing_values_count_as_the_mean():
    values = series(300, 1)
    values[7] = np.nan
    filled = values.copy()
    filled[7] = np.nanmean(values)
    assert block_lengths(values) == pytest.approx(block_lengths(filled), rel=1e-9)


@pytest.mark.parametrize("length", [1.0, 6.0])
def test_resampled_means_vary_as_they_must(length):
    values = series(60, 1)[:, 0]
    weights = resampling_weights(60, length, 40_000, np.random.default_rng(0))
    anomalies = values - values.mean()
    # Exact (Politis and Romano 1994): circular autocovariances, each lag surviving with probability (1 - 1/L)^k.
    lags = np.arange(1, 60)
    circular = np.array([anomalies @ np.roll(anomalies, k) for k in range(60)]) / 60
    exact = (circular[0] + 2.0 * ((1.0 - lags / 60) * (1.0 - 1.0 / length) ** lags * circular[1:]).sum()) / 60
    assert (weights @ values / 60).var() == pytest.approx(exact, rel=0.03)


def test_every_resample_has_as_many_values():
    weights = resampling_weights(50, 5.0, 30, np.random.default_rng(0))
    assert weights.shape == (30, 50)
    assert (weights.sum(axis=1) == 50.0).all()
    assert weights.sum(axis=0).min() > 0.0


def test_an_endless_block_is_the_whole_series():
    weights = resampling_weights(20, 1e12, 5, np.random.default_rng(0))
    assert (weights == 1.0).all()
