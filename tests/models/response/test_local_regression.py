"""Local regressions: least squares against scikit-learn, the drawn-together ridge against the sum it minimises."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from climbench.errors import ModelError
from climbench.models.response.local_regression import regress, regress_about_common

RNG = np.random.default_rng(0)
PREDICTORS = RNG.standard_normal((40, 3)) * [1.0, 10.0, 0.1] + [0.0, 5.0, -2.0]
FIELDS = RNG.standard_normal((40, 2, 5)) + PREDICTORS[:, :1, None]


def test_least_squares_agrees_with_scikit_learn():
    intercept, slopes = regress(PREDICTORS, FIELDS)
    line = LinearRegression().fit(PREDICTORS, FIELDS.reshape(40, -1))
    np.testing.assert_allclose(intercept.ravel(), line.intercept_, rtol=1e-9)
    np.testing.assert_allclose(slopes.reshape(3, -1), line.coef_.T, rtol=1e-9)


def test_a_predictor_that_does_not_vary_gets_no_slope():
    constant = np.column_stack([PREDICTORS, np.full(40, 7.0)])
    intercept, slopes = regress(constant, FIELDS)
    expected = regress(PREDICTORS, FIELDS)
    assert not slopes[3].any()
    np.testing.assert_allclose(slopes[:3], expected[1])
    np.testing.assert_allclose(intercept, expected[0])


def test_predictors_that_are_alike_share_the_slope():
    _, slopes = regress(np.column_stack([PREDICTORS[:, 0]] * 2), FIELDS)
    np.testing.assert_allclose(slopes[0], slopes[1])
    np.testing.assert_allclose(slopes.sum(axis=0), regress(PREDICTORS[:, :1], FIELDS)[1][0])


@pytest.mark.parametrize("fit", [regress, lambda x, y: regress_about_common(x, y, 0.1)])
def test_predictors_that_never_vary_are_refused(fit):
    with pytest.raises(ModelError, match="Patterns cannot be fitted"):
        fit(np.ones((40, 2)), FIELDS)


@pytest.mark.parametrize("strength", [1e-3, 0.1, 5.0])
def test_the_drawn_together_slopes_minimise_what_they_should(strength):
    """The penalty as further rows of an ordinary least-squares problem in A, b and the d's."""
    flat, n = FIELDS.reshape(40, -1), 40
    common = PREDICTORS.sum(axis=1)
    design = np.column_stack([np.ones(n), common, PREDICTORS])
    penalty = np.sqrt(strength * n * common.var()) * np.column_stack([np.zeros((3, 2)), np.eye(3)])
    solved = np.linalg.lstsq(np.vstack([design, penalty]), np.vstack([flat, np.zeros((3, flat.shape[1]))]), rcond=None)[
        0
    ]
    intercept, slopes = regress_about_common(PREDICTORS, FIELDS, strength)
    np.testing.assert_allclose(intercept.ravel(), solved[0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(slopes.reshape(3, -1), solved[1] + solved[2:], rtol=1e-7, atol=1e-9)


def test_a_strong_penalty_leaves_one_slope_for_the_sum():
    _, slopes = regress_about_common(PREDICTORS, FIELDS, 1e9)
    _, one = regress(PREDICTORS.sum(axis=1, keepdims=True), FIELDS)
    np.testing.assert_allclose(slopes, np.repeat(one, 3, axis=0), rtol=1e-6, atol=1e-8)


def test_a_weak_penalty_is_least_squares():
    np.testing.assert_allclose(
        regress_about_common(PREDICTORS, FIELDS, 1e-12)[1], regress(PREDICTORS, FIELDS)[1], rtol=1e-6, atol=1e-8
    )
