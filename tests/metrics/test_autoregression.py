"""AR(2) processes: coefficients against statsmodels, effective sizes against hand-worked and exact variances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import toeplitz
from statsmodels.regression.linear_model import burg
from statsmodels.tsa.arima_process import arma_acf

from climbench.metrics.autoregression import (
    LONGEST_GAP,
    Autoregression,
    effective_sizes,
    fit_ar2,
    on_even_grid,
    steps_between,
    variance_inflation,
)
from tests.metrics.autocorrelated import series

DAY = np.timedelta64(1, "D")


def process(first, second=0.0):
    return Autoregression(np.array([first]), np.array([second]))


def biased(fit, count):
    """What Burg and least squares give on average where the coefficients are these (Shaman and Stine 1988)."""
    first, second = fit
    return first - (1.0 + first + second) / count, second - (2.0 + 4.0 * second) / count


def test_inflation_of_three_values():
    # 1 + 2/3 (2 * 0.5 + 1 * 0.25)
    assert variance_inflation(process(0.5), np.ones((3, 1), bool)) == pytest.approx([11.0 / 6.0], rel=1e-12)


def test_a_gap_puts_values_further_apart():
    # Values at 0, 1 and 3: one pair each at lags 1, 2 and 3. 1 + 2/3 (0.5 + 0.25 + 0.125)
    present = np.array([True, True, False, True])[:, None]
    assert variance_inflation(process(0.5), present) == pytest.approx([19.0 / 12.0], rel=1e-12)


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.2), (0.9, -0.3), (0.6, 0.25)])
def test_inflation_is_the_exact_variance_of_the_mean(first, second):
    length = 40
    correlations = toeplitz(arma_acf([1.0, -first, -second], [1.0], lags=length))
    exact = correlations.sum() / length  # of the mean of n values, over that of n independent ones
    assert variance_inflation(process(first, second), np.ones((length, 1), bool)) == pytest.approx([exact], rel=1e-9)


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.2), (0.7, 0.1)])
def test_inflation_of_long_series_is_the_square_of_geers_factor(first, second):
    r1 = first / (1.0 - second)
    r2 = first * r1 + second
    limit = (1.0 - r1 * first - r2 * second) / (1.0 - first - second) ** 2
    found = variance_inflation(process(first, second), np.ones((100_000, 1), bool))
    assert found == pytest.approx([limit], rel=1e-3)


def test_series_that_swing_are_worth_no_more_than_independent_values():
    assert variance_inflation(process(-0.8), np.ones((50, 1), bool)) == [1.0]


def test_series_with_other_gaps_keep_their_own_inflation():
    both = np.array([[True, True], [True, True], [True, False], [True, True]])
    alone = [variance_inflation(process(0.5), both[:, i : i + 1])[0] for i in range(2)]
    together = variance_inflation(Autoregression(np.full(2, 0.5), np.zeros(2)), both)
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_coefficients_are_burgs_freed_of_their_bias():
    values = series(80, 5)
    expected = np.array([burg(values[:, i], 2)[0] for i in range(5)]).T
    np.testing.assert_allclose(biased(fit_ar2(values), 80), expected, rtol=1e-9)


def test_pairs_across_a_gap_are_not_neighbours():
    once = series(40, 3)
    twice = np.concatenate([once, np.full((1, 3), np.nan), once])
    expected = np.array([burg(once[:, i], 2)[0] for i in range(3)]).T
    np.testing.assert_allclose(biased(fit_ar2(twice), 2 * 38 + 2), expected, rtol=1e-9)


def test_coefficients_of_short_series_are_right_on_average():
    values = series(60, 4000)
    found = np.mean(fit_ar2(values), axis=1)
    raw = np.mean([burg(values[:, i], 2)[0] for i in range(500)], axis=0)
    np.testing.assert_allclose(found, (0.5, 0.2), atol=0.015)
    assert (raw < (0.48, 0.17)).all()  # what is corrected is no trifle


def test_fits_do_not_leave_stationarity():
    first, second = fit_ar2(np.linspace(0.0, 1.0, 60)[:, None] ** np.arange(1, 4))
    assert (np.abs(second) <= 1.0).all()
    assert (first + second <= 1.0).all()


def test_independent_values_are_worth_nearly_their_number():
    found = effective_sizes(series(400, 500, first=0.0, second=0.0))
    assert found.max() <= 400.0
    assert np.median(found) > 350.0


def test_effective_size_is_what_fixes_the_variance_of_the_mean():
    values = series(400, 4000)
    exact = values.var() / values.mean(axis=0).var()
    assert np.median(effective_sizes(values)) == pytest.approx(exact, rel=0.1)


def test_too_few_values_in_a_row_have_no_effective_size():
    values = series(60, 2)
    values[::3, 1] = np.nan  # two in a row at most
    found = effective_sizes(values)
    assert found[0] > 1.0
    assert np.isnan(found[1])


def test_missing_values_do_not_count():
    values = series(200, 1, first=0.0, second=0.0)
    values[150:] = np.nan
    assert effective_sizes(values) == pytest.approx(effective_sizes(values[:150]), rel=1e-12)


def test_steps_of_twelve_hours_with_a_gap():
    times = np.datetime64("2020-01-01T00") + np.array([0, 12, 24, 60, 72]) * np.timedelta64(1, "h")
    assert steps_between(times).tolist() == [0, 1, 2, 5, 6]


def test_mondays_and_thursdays_are_evenly_spaced():
    times = np.datetime64("2020-01-06") + np.array([0, 3, 7, 10, 14, 17]) * DAY
    assert steps_between(times).tolist() == [0, 1, 2, 3, 4, 5]


def test_long_gaps_are_shortened():
    times = np.datetime64("2018-01-01") + np.array([0, 1, 2, 800, 801]) * DAY
    assert steps_between(times).tolist() == [0, 1, 2, 2 + LONGEST_GAP, 3 + LONGEST_GAP]


def test_one_time_is_one_step():
    assert steps_between(np.array(["2020-01-01"], "datetime64[D]")).tolist() == [0]


def test_times_given_twice_are_refused():
    with pytest.raises(ValueError, match="once each, in ascending order"):
        steps_between(np.datetime64("2020-01-01") + np.array([0, 1, 1]) * DAY)


def test_the_grid_has_rows_for_what_is_missing():
    grid = on_even_grid(np.array([[1.0], [2.0], [3.0]]), np.array([0, 1, 3]))
    np.testing.assert_array_equal(grid[:, 0], [1.0, 2.0, np.nan, 3.0])
