"""The paired block bootstrap: against arch, its size where nothing differs, and what does not change its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap

from climbench.metrics.paired import paired_t_test
from climbench.metrics.paired_bootstrap import paired_bootstrap
from climbench.metrics.paired_statistics import pair_up
from climbench.metrics.stationary_bootstrap import block_lengths
from tests.metrics.autocorrelated import series
from tests.metrics.test_paired import correlation, mean, moments, root, squares


def test_percentiles_are_those_of_arch():
    ours, theirs = (part[:, 0] for part in squares(200, 1))
    length = np.ceil(block_lengths(pair_up({"s": ours}, {"s": theirs}, (root, root)).contributions))[0]
    other = StationaryBootstrap(length, ours, theirs, seed=3)
    expected = other.conf_int(
        lambda x, y: np.sqrt(x.mean()) - np.sqrt(y.mean()), reps=20_000, method="percentile", size=0.95
    )[:, 0]
    test = paired_bootstrap({"s": ours}, {"s": theirs}, root, draws=19_999, widen=False)
    width = expected[1] - expected[0]
    assert (test.low, test.high) == (
        pytest.approx(expected[0], abs=0.03 * width),
        pytest.approx(expected[1], abs=0.03 * width),
    )


def test_where_nothing_differs_one_test_in_twenty_finds_something():
    values = series(120, 3000)
    test = paired_bootstrap({"s": values}, {"s": np.zeros_like(values)}, mean, draws=399)
    assert 0.03 < np.mean(test.p <= 0.05) < 0.075


def test_blocks_alone_find_something_too_often():
    values = series(120, 1000)
    test = paired_bootstrap({"s": values}, {"s": np.zeros_like(values)}, mean, draws=399, widen=False)
    assert np.mean(test.p <= 0.05) > 0.1


def test_it_agrees_with_the_t_test_on_many_inits():
    ours, theirs = squares(732, 40)
    fast, slow = (f({"s": ours}, {"s": theirs}, root) for f in (paired_t_test, paired_bootstrap))
    np.testing.assert_allclose(slow.difference, fast.difference, rtol=1e-12)
    np.testing.assert_allclose(np.median((slow.high - slow.low) / (fast.high - fast.low)), 1.0, atol=0.1)


def test_ratios_are_made_of_resampled_means():
    ours, theirs = moments(0), moments(1)
    test = paired_bootstrap(ours, theirs, correlation, widen=False)
    fast = paired_t_test(ours, theirs, correlation)
    means = [{name: v.mean(axis=0) for name, v in part.items()} for part in (ours, theirs)]
    np.testing.assert_allclose(test.difference, correlation(means[0]) - correlation(means[1]), rtol=1e-12)
    np.testing.assert_allclose(test.high - test.low, fast.high - fast.low, rtol=0.3)


def test_p_values_and_intervals_agree_to_the_draw():
    values = series(60, 300)
    test = paired_bootstrap({"s": values}, {"s": np.zeros_like(values)}, mean)
    told = test.reason == ""
    outside = (test.low > 0.0) | (test.high < 0.0)
    assert ((test.p <= 0.05) == outside)[told].all()
    assert told.mean() > 0.9


def test_the_seed_decides_and_other_series_do_not():
    ours, theirs = squares(80, 6)
    all_of_them = paired_bootstrap({"s": ours}, {"s": theirs}, root, draws=199)
    alone = paired_bootstrap({"s": ours[:, 2:3]}, {"s": theirs[:, 2:3]}, root, draws=199)
    other = paired_bootstrap({"s": ours}, {"s": theirs}, root, draws=199, seed=1)
    assert alone.low[0] == pytest.approx(all_of_them.low[2], rel=1e-8)
    assert (other.low != all_of_them.low).all()


def test_missing_inits_count_in_neither():
    ours, theirs = (part.copy() for part in squares(120, 2))
    ours[50:, 1] = np.nan
    test = paired_bootstrap({"s": ours}, {"s": theirs}, root, draws=399)
    assert test.inits.tolist() == [120, 50]
    assert test.score[1] == pytest.approx(np.sqrt(ours[:50, 1].mean()))
    assert test.low[1] < test.difference[1] < test.high[1]


def test_statistics_may_have_axes_that_the_score_sums_over():
    ours, theirs = (part.reshape(60, 2, 5) for part in squares(60, 10))
    summed = paired_bootstrap({"s": ours}, {"s": theirs}, lambda m: np.sqrt(m["s"].sum(axis=-1)), draws=199)
    plain = paired_bootstrap({"s": ours.sum(axis=-1)}, {"s": theirs.sum(axis=-1)}, root, draws=199)
    np.testing.assert_allclose(summed.low, plain.low, rtol=1e-6)


def test_the_same_forecast_twice_is_a_tie():
    ours, _ = squares(40, 3)
    test = paired_bootstrap({"s": ours}, {"s": ours}, root, draws=199)
    assert (test.p == 1.0).all()
    assert (test.difference == 0.0).all()


@pytest.mark.parametrize("inits", [1, 2, 10])
def test_too_few_inits_give_no_verdict(inits):
    ours, theirs = squares(inits, 1)
    test = paired_bootstrap({"s": ours}, {"s": theirs}, root, draws=199)
    assert np.isnan(test.p).all()
    assert f"{inits} inits are too few" in str(test.reason[0])


def test_too_few_draws_are_refused():
    with pytest.raises(ValueError, match=r"19 draws are too few for a level of 0\.05: 39 are needed"):
        paired_bootstrap({"s": np.ones((30, 1))}, {"s": np.ones((30, 1))}, mean, draws=19)
