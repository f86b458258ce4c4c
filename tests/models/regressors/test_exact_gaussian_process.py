"""The exact process: against scikit-learn's kernels and regression, SciPy's density, and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from climbench.models.regressors.exact_gaussian_process import Kernel, Likelihood, fit_kernel

RNG = np.random.default_rng(0)
GROUPS = ((0,), (1,), (2, 3))
POINTS = RNG.standard_normal((30, 4))
OTHERS = RNG.standard_normal((7, 4))
VALUES = np.sin(POINTS[:, :1]) + POINTS[:, 2:3] + 0.3 * RNG.standard_normal((30, 6)) + 2.0
LOGS = 0.4 * RNG.standard_normal(8)


def kernel(logs=LOGS):
    return Likelihood(POINTS, VALUES, GROUPS).kernel(logs)


def theirs(ours, one, other):
    total = 0.0
    for variance, columns in zip(ours.variances, ours.groups, strict=True):
        matern = Matern(length_scale=ours.lengths[list(columns)], nu=1.5)
        total = total + variance * matern(one[:, columns], other[:, columns])
    return total


def test_the_covariance_is_a_sum_of_matern_kernels():
    ours = kernel()
    np.testing.assert_allclose(ours.covariance(POINTS, OTHERS), theirs(ours, POINTS, OTHERS), rtol=1e-10)


def test_the_objective_is_the_density_of_all_outputs_per_value():
    likelihood = Likelihood(POINTS, VALUES, GROUPS)
    objective, _ = likelihood(LOGS)
    ours = kernel()
    covariance = theirs(ours, POINTS, POINTS) + ours.noise * np.eye(30)
    density = sum(multivariate_normal(np.full(30, ours.mean), covariance).logpdf(y) for y in VALUES.T)
    assert objective == pytest.approx(-density / VALUES.size, rel=1e-9)


def test_the_mean_is_the_one_that_suits_best():
    ours = kernel()
    covariance = theirs(ours, POINTS, POINTS) + ours.noise * np.eye(30)

    def density(mean):
        return sum(multivariate_normal(np.full(30, mean), covariance).logpdf(y) for y in VALUES.T)

    assert density(ours.mean) > max(density(ours.mean - 0.01), density(ours.mean + 0.01))


def test_the_gradient_is_that_of_the_objective():
    likelihood = Likelihood(POINTS, VALUES, GROUPS)
    gradient = likelihood(LOGS)[1].copy()
    step = 1e-5
    for place, direction in enumerate(np.eye(8)):
        slope = (likelihood(LOGS + step * direction)[0] - likelihood(LOGS - step * direction)[0]) / (2.0 * step)
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_predictions_agree_with_scikit_learn_for_the_same_settings():
    ours, weights = fit_kernel(POINTS, VALUES, [[0, 1, 2, 3]], iterations=20)
    matern = float(ours.variances[0]) * Matern(length_scale=ours.lengths, nu=1.5)
    process = GaussianProcessRegressor(matern, alpha=ours.noise, optimizer=None).fit(POINTS, VALUES - ours.mean)
    prediction = ours.mean + ours.covariance(OTHERS, POINTS) @ weights
    np.testing.assert_allclose(prediction, ours.mean + process.predict(OTHERS), rtol=1e-6)


def test_fitting_raises_the_likelihood_and_finds_what_matters():
    likelihood = Likelihood(POINTS, VALUES, GROUPS)
    ours, _ = fit_kernel(POINTS, VALUES, GROUPS, iterations=100)
    found = np.log(np.concatenate([ours.variances, ours.lengths, [ours.noise]]))
    assert likelihood(found)[0] < likelihood(np.zeros(8))[0] - 0.1
    assert ours.noise == pytest.approx(0.09, rel=0.3)
    assert ours.variances[1] / ours.lengths[1] ** 2 < 0.1 * ours.variances[0] / ours.lengths[0] ** 2


def test_settings_can_be_found_on_some_of_the_points_and_all_are_predicted_from():
    ours, weights = fit_kernel(POINTS, VALUES, GROUPS, iterations=30, most=15)
    half, _ = fit_kernel(POINTS[::2], VALUES[::2], GROUPS, iterations=30)
    np.testing.assert_array_equal(ours.lengths, half.lengths)
    covariance = theirs(ours, POINTS, POINTS) + ours.noise * np.eye(30)
    np.testing.assert_allclose(covariance @ weights, VALUES - ours.mean, atol=1e-9)


def test_far_away_nothing_is_known():
    ours = Kernel(((0,),), np.array([2.0]), np.array([1.0]))
    assert ours.covariance(np.array([[0.0]]), np.array([[0.0], [100.0]])).tolist()[0] == pytest.approx([2.0, 0.0])
