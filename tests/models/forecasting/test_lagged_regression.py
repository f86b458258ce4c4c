"""Ridge regression on lags: the closed form, iteration by hand, and cross-validation against refitting."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge

from climbench.models.forecasting.lagged_regression import Amplitudes, Choice, CrossValidation, Ridge, iterated

DAY = np.timedelta64(24, "h")


def amplitudes(count=120, modes=3, gap=None):
    values = np.random.default_rng(0).normal(size=(count, modes)).cumsum(0)
    times = np.datetime64("2001-01-01") + np.arange(count) * DAY
    if gap is not None:
        times = np.delete(times, gap)
        values = np.delete(values, gap, 0)
    return Amplitudes(values, times, DAY)


def test_ridge_is_that_of_another_library():
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(50, 6)), draw.normal(size=(50, 2))
    alpha = 0.3 * np.trace(x.T @ x) / 6
    expected = SklearnRidge(alpha=alpha, fit_intercept=False).fit(x, y).coef_.T
    np.testing.assert_allclose(Ridge(x.T @ x).solve(x.T @ y, 0.3), expected, rtol=1e-9)


def test_iteration_puts_each_state_behind_the_next():
    """x(t+1) = 0.5 x(t) + 0.25 x(t-1): from 4 and 8 follow 4, 3 and 2.5."""
    one = np.array([[0.5], [0.25]])
    start = np.array([4.0, 8.0])
    assert [float(start @ iterated(one, n)[:, 0]) for n in (1, 2, 3)] == [4.0, 3.0, 2.5]


def test_no_sample_spans_a_gap():
    found = amplitudes(12, gap=5).samples(lags=2, steps=1)  # positions 4 and 5 are two days apart
    assert found.tolist() == [1, 2, 3, 6, 7, 8, 9]


@pytest.mark.parametrize("operator", ["direct", "iterated"])
def test_cross_validation_is_refitting_without_a_stretch(operator):
    series, lags, lead, ridge = amplitudes(), 2, 2, 0.1
    judge = CrossValidation(series, lags, (1, lead), 3, variance=2.0)
    found = judge.best([2], [lags], [operator], [ridge])
    errors = []
    for held in range(3):
        stretches = [slice(40 * n, 40 * n + 40) for n in range(3)]
        samples = [series.samples(lags, lead, stretch) for stretch in stretches]
        rest = np.concatenate([now for n, now in enumerate(samples) if n != held])
        past, test = series.past(rest, 2, lags), series.past(samples[held], 2, lags)
        for steps in (1, lead):
            fitted = steps if operator == "direct" else 1
            alpha = ridge * np.trace(past.T @ past) / past.shape[1]
            matrix = SklearnRidge(alpha=alpha, fit_intercept=False).fit(past, series.values[rest + fitted, :2]).coef_.T
            matrix = matrix if operator == "direct" else iterated(matrix, steps)
            truth = series.values[samples[held] + steps, :2]
            loss = ((test @ matrix - truth) ** 2).sum() - (truth**2).sum()
            errors.append(1.0 + loss / len(truth) / 2.0)
    assert found.error == pytest.approx(np.mean(errors), rel=1e-9)


def test_leads_between_those_judged_take_the_nearest_ridge():
    choice = Choice(1, 1, "direct", {1: 0.1, 2: 0.2, 8: 0.8})
    assert [choice.ridge(n) for n in (1, 2, 3, 5, 40)] == [0.1, 0.2, 0.2, 0.8, 0.8]
