"""Pooling samples: any way of cutting a sample into parts gives the moments of the whole."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from climbench.data.moments import Moments, pooled, spread, stacked


def moments_of(values, shift):
    count, offset, squares = spread(values - shift)
    return Moments(*map(np.array, (count, shift, offset, squares)))


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 40),
    cuts=st.lists(st.integers(0, 40), max_size=6),
    mean=st.sampled_from([0.0, 1.0, -300.0, 1e6]),
    scale=st.sampled_from([1e-3, 1.0, 1e4]),
)
def test_parts_pool_to_the_whole(seed, size, cuts, mean, scale):
    around = scale * np.random.default_rng(seed).standard_normal(size)
    parts = [moments_of(mean + part, mean) for part in np.split(around, sorted(cuts))]
    whole = pooled(stacked(parts))
    exact = (mean + around) - mean
    assert whole.count == size
    np.testing.assert_allclose(whole.mean, mean + exact.mean(), rtol=1e-14, atol=1e-14 * scale)
    np.testing.assert_allclose(whole.standard_deviation, exact.std(), rtol=1e-11, atol=1e-14 * (abs(mean) + scale))


def test_nothing_pools_to_nothing():
    nothing = moments_of(np.empty(0), 5.0)
    both = pooled(stacked([nothing, nothing]))
    assert both.count == 0
    assert np.isnan(both.mean)
    assert np.isnan(both.standard_deviation)


def test_weights_count_like_repeated_values():
    values, weights = np.array([1.0, 2.0, 7.0]), np.array([3.0, 1.0, 2.0])
    repeated = np.repeat(values, weights.astype(int))
    count, mean, squares = spread(values.copy(), weights)
    np.testing.assert_allclose([count, mean, squares], [6.0, repeated.mean(), 6.0 * repeated.var()], rtol=1e-14)


def test_equal_values_have_no_spread():
    count, mean, squares = spread(np.full(1000, 0.1))
    np.testing.assert_allclose([count, mean], [1000.0, 0.1], rtol=1e-15)
    assert squares < 1e-28  # two roundings of 0.1, squared, a thousand times
