"""The AR(2)-corrected t-test: hand-worked and scipy's cases, its size where nothing differs, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from climbench.metrics.paired import FEWEST_INITS, paired_t_test
from climbench.metrics.paired_statistics import pair_up
from climbench.metrics.verdicts import verdicts
from tests.metrics.autocorrelated import STEADY, series

INITS = 120


def mean(means):
    return means["s"]


def root(means):
    return np.sqrt(means["s"])


def correlation(means):
    return means["fo"] / np.sqrt(means["ff"] * means["oo"])


def squares(length, count, seed=0):
    """Mean square errors of two equally good forecasts that meet the same weather, each with a life of its own."""
    shared, own = series(length, count, seed=seed), series(length, 2 * count, seed=seed + 1)
    return (np.exp(0.3 * shared + 0.1 * part) for part in (own[:, :count], own[:, count:]))


def against_zero(values, **options):
    return paired_t_test({"s": values}, {"s": np.zeros_like(values)}, mean, **options)


def moments(seed):
    rng = np.random.default_rng(seed)
    forecast, truth = rng.standard_normal((2, 60, 3, 50))
    forecast += truth
    products = {"fo": forecast * truth, "ff": forecast**2, "oo": truth**2}
    return {name: values.mean(axis=-1) for name, values in products.items()}


def test_the_root_mean_square_is_made_linear_as_by_hand():
    ours, theirs = squares(60, 4)
    found = pair_up({"s": ours}, {"s": theirs}, (root, root)).contributions
    parts = [(s - s.mean(axis=0)) / (2.0 * np.sqrt(s.mean(axis=0))) for s in (ours, theirs)]
    np.testing.assert_allclose(found, parts[0] - parts[1], rtol=1e-5, atol=1e-8)


def test_a_ratio_is_made_linear_as_by_hand():
    ours, theirs = moments(0), moments(1)
    parts = []
    for s in (ours, theirs):
        means = {name: values.mean(axis=0) for name, values in s.items()}
        scaled = {name: (s[name] - means[name]) / means[name] for name in s}
        parts.append(correlation(means) * (scaled["fo"] - 0.5 * scaled["ff"] - 0.5 * scaled["oo"]))
    found = pair_up(ours, theirs, (correlation, correlation)).contributions
    np.testing.assert_allclose(found, parts[0] - parts[1], rtol=1e-5, atol=1e-8)


def test_without_autocorrelation_it_is_the_paired_t_test():
    rng = np.random.default_rng(0)
    swing = np.where(np.arange(40) % 2, 1.0, -1.0)  # never taken to be worth more than independent values
    ours = 5.0 + 0.2 + swing + 0.1 * rng.standard_normal(40)
    theirs = np.full(40, 5.0)
    test = paired_t_test({"s": ours}, {"s": theirs}, mean)
    known = ttest_rel(ours, theirs)
    assert test.effective == 40.0
    assert test.p == pytest.approx(known.pvalue, rel=1e-8)
    interval = known.confidence_interval(0.95)
    assert (test.low, test.high) == pytest.approx((interval.low, interval.high), rel=1e-8)


@pytest.mark.parametrize("process", [(0.0, 0.0), (0.5, 0.0), STEADY, (0.9, -0.3)])
def test_where_nothing_differs_one_test_in_twenty_finds_something(process):
    values = series(INITS, 6000, first=process[0], second=process[1])
    assert 0.03 < np.mean(against_zero(values).p <= 0.05) < 0.075


def test_the_uncorrected_test_finds_something_far_too_often():
    values = series(INITS, 6000)
    uncorrected = ttest_rel(values, np.zeros_like(values)).pvalue
    assert np.mean(uncorrected <= 0.05) > 0.35


def test_roots_of_equally_good_forecasts_differ_as_seldom_as_they_should():
    ours, theirs = squares(240, 4000)
    test = paired_t_test({"s": ours}, {"s": theirs}, root)
    assert 0.03 < np.mean(test.p <= 0.05) < 0.075


def test_intervals_cover_the_true_difference():
    values = 3.0 + series(240, 4000)
    test = against_zero(values)
    assert 0.925 < np.mean((test.low <= 3.0) & (test.high >= 3.0)) < 0.97


def test_a_gap_does_not_upset_the_test():
    values = series(2 * INITS, 4000)
    steps = np.concatenate([np.arange(INITS // 2), 3 * INITS // 2 + np.arange(INITS // 2)])
    test = against_zero(values[steps], steps=steps)
    assert 0.03 < np.mean(test.p <= 0.05) < 0.075


def test_a_real_difference_is_found_and_named():
    ours, theirs = squares(INITS, 50)
    test = paired_t_test({"s": 0.6 * ours}, {"s": theirs}, root)
    assert (verdicts(test.difference, test.p) == "better").all()
    back = paired_t_test({"s": theirs}, {"s": 0.6 * ours}, root)
    assert (verdicts(back.difference, back.p) == "worse").all()
    np.testing.assert_allclose(back.low, -test.high, rtol=1e-9)


def test_p_values_and_intervals_agree():
    test = against_zero(series(INITS, 500), level=0.2)
    outside = (test.low > 0.0) | (test.high < 0.0)
    assert ((test.p < 0.2) == outside).all()
    assert 0.1 < outside.mean() < 0.3


def test_scores_are_roots_of_means_in_their_own_shape():
    ours, theirs = (part.reshape(40, 2, 3) for part in squares(40, 6))
    test = paired_t_test({"s": ours}, {"s": theirs}, root)
    np.testing.assert_allclose(test.score, np.sqrt(ours.mean(axis=0)), rtol=1e-12)
    np.testing.assert_allclose(test.difference, np.sqrt(ours.mean(axis=0)) - np.sqrt(theirs.mean(axis=0)), rtol=1e-9)
    assert test.p.shape == test.reason.shape == (2, 3)


def test_statistics_may_have_axes_that_the_score_sums_over():
    ours, theirs = (part.reshape(40, 2, 5) for part in squares(40, 10))
    summed = paired_t_test({"s": ours}, {"s": theirs}, lambda m: np.sqrt(m["s"].sum(axis=-1)))
    plain = paired_t_test({"s": ours.sum(axis=-1)}, {"s": theirs.sum(axis=-1)}, root)
    np.testing.assert_allclose(summed.p, plain.p, rtol=1e-6)
    assert summed.p.shape == (2,)


def test_the_two_forecasts_may_be_scored_by_functions_of_their_own():
    ours, _ = squares(40, 2)
    test = paired_t_test({"s": ours}, {"s": ours}, mean, reference_score=lambda m: 2.0 * m["s"])
    np.testing.assert_allclose(test.difference, -ours.mean(axis=0), rtol=1e-12)


def test_missing_inits_count_in_neither():
    ours, theirs = (part.copy() for part in squares(60, 1))
    kept = np.delete(np.arange(60), [10, 30])
    short = paired_t_test({"s": ours[kept]}, {"s": theirs[kept]}, root, steps=kept)
    ours[10], theirs[30] = np.nan, np.nan
    whole = paired_t_test({"s": ours}, {"s": theirs}, root)
    assert whole.inits == 58
    assert (whole.difference, whole.p) == (pytest.approx(short.difference), pytest.approx(short.p))


def test_the_same_forecast_twice_is_a_tie():
    ours, _ = squares(40, 3)
    test = paired_t_test({"s": ours}, {"s": ours * (1.0 + 1e-15)}, root)
    assert (test.difference == 0.0).all()
    assert (test.p == 1.0).all()
    assert (test.low == 0.0).all()
    assert (verdicts(test.difference, test.p) == "tie").all()


def test_forecasts_without_error_are_a_tie():
    test = paired_t_test({"s": np.zeros((30, 1))}, {"s": np.zeros((30, 1))}, root)
    assert (test.difference, test.p, test.reason) == (0.0, 1.0, "")


def test_a_difference_that_never_varies_is_certain():
    ours, _ = squares(40, 1)
    test = paired_t_test({"s": ours}, {"s": ours + 0.5}, mean)
    assert (test.low, test.high) == (pytest.approx(-0.5), pytest.approx(-0.5))
    assert (test.p, test.reason) == (0.0, "")


@pytest.mark.parametrize("inits", [1, 2, 3, FEWEST_INITS - 1])
def test_too_few_inits_give_no_verdict(inits):
    ours, theirs = squares(inits, 1)
    test = paired_t_test({"s": ours}, {"s": theirs}, root)
    assert np.isnan([test.p, test.low, test.high]).all()
    assert np.isfinite(test.difference)
    assert test.reason == f"{inits} inits are too few to tell: {FEWEST_INITS} are needed"


def test_scattered_inits_give_no_verdict():
    ours, theirs = squares(60, 1)
    pairs = np.arange(60) + 20 * (np.arange(60) // 2)
    test = paired_t_test({"s": ours}, {"s": theirs}, root, steps=pairs)
    assert test.reason == "too few inits follow one another to tell what they have in common"


def test_a_drift_gives_no_verdict():
    drift = np.linspace(0.0, 1.0, 60)[:, None]
    assert "independent ones" in str(against_zero(drift).reason[0])


def test_scores_that_are_no_numbers_give_no_verdict():
    test = paired_t_test({"s": np.full((30, 1), -1.0)}, {"s": np.ones((30, 1))}, root)
    assert test.reason == "a score is not a number"


@pytest.mark.parametrize("place", [[0], [0, 1]])
def test_an_infinite_error_gives_no_verdict(place):
    both = [part.copy() for part in squares(40, 1)]
    for i in place:
        both[i][7] = np.inf
    test = paired_t_test({"s": both[0]}, {"s": both[1]}, root)
    assert test.reason == "a score is not a number"


def test_one_series_without_values_does_not_harm_the_others():
    ours, theirs = (part.copy() for part in squares(60, 2))
    alone = paired_t_test({"s": ours[:, :1]}, {"s": theirs[:, :1]}, root)
    ours[:, 1] = np.nan
    test = paired_t_test({"s": ours}, {"s": theirs}, root)
    assert test.p[0] == pytest.approx(alone.p[0], rel=1e-9)
    assert test.reason.tolist() == ["", f"0 inits are too few to tell: {FEWEST_INITS} are needed"]


def test_statistics_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="same names and shapes"):
        paired_t_test({"s": np.ones((30, 2))}, {"s": np.ones((29, 2))}, mean)
    with pytest.raises(ValueError, match="no statistics of any init"):
        paired_t_test({"s": np.ones((0, 2))}, {"s": np.ones((0, 2))}, mean)
