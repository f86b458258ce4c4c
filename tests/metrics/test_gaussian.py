"""Scores of normal distributions against tabulated numbers, other libraries, quadrature and many members."""

from __future__ import annotations

import numpy as np
import properscoring
import pytest
import xarray as xr
import xskillscore
from scipy.special import ndtri
from scipy.stats import norm

from climbench.metrics.crps import fair_crps
from climbench.metrics.gaussian import gaussian_crps, gaussian_ignorance
from tests.metrics.ensemble_examples import draw, line, target


def example():
    """Return means, deviations and targets."""
    like = target()
    return like, like.copy(data=np.random.default_rng(4).uniform(0.2, 3.0, like.shape)), draw(member=0, seed=2)


def test_the_crps_by_hand():
    """Of the standard normal at 0.5 it is 0.33140353; at 0, 2 phi(0) - 1 / sqrt(pi) = 0.23369498."""
    mean, deviation = xr.DataArray(0.0), xr.DataArray(1.0)
    assert float(gaussian_crps(mean, deviation, xr.DataArray(0.5))) == pytest.approx(0.33140353, abs=5e-9)
    assert float(gaussian_crps(mean, deviation, xr.DataArray(0.0))) == pytest.approx(0.23369498, abs=5e-9)
    assert float(gaussian_crps(mean + 3.0, 2.0 * deviation, xr.DataArray(4.0))) == pytest.approx(0.66280706, abs=1e-8)


def test_other_libraries_agree_about_the_crps():
    mean, deviation, value = example()
    found = gaussian_crps(mean, deviation, value)
    theirs = properscoring.crps_gaussian(value.values, mean.values, deviation.values)
    np.testing.assert_allclose(found, theirs, rtol=1e-10)
    xr.testing.assert_allclose(found, xskillscore.crps_gaussian(value, mean, deviation, dim=[]), rtol=1e-10)


def test_many_members_reach_the_crps():
    members = 2.0 + 1.5 * line(*ndtri((np.arange(20000) + 0.5) / 20000))
    value = xr.DataArray(3.1)
    found = gaussian_crps(xr.DataArray(2.0), xr.DataArray(1.5), value)
    assert float(found) == pytest.approx(float(fair_crps(members, value)), abs=1e-4)


def test_the_ignorance_is_the_logarithm_of_the_density():
    mean, deviation, value = example()
    expected = -norm.logpdf(value, mean, deviation)
    np.testing.assert_allclose(gaussian_ignorance(mean, deviation, value), expected, rtol=1e-12)
    np.testing.assert_allclose(gaussian_ignorance(mean, deviation, value, bits=True), expected / np.log(2), rtol=1e-12)


def test_the_ignorance_is_least_for_the_right_deviation():
    rng = np.random.default_rng(5)
    value = xr.DataArray(2.0 * rng.standard_normal(50_000), dims="x")
    scores = [float(gaussian_ignorance(xr.DataArray(0.0), xr.DataArray(s), value).mean()) for s in (1.6, 2.0, 2.5)]
    assert scores[1] == min(scores)
    assert scores[1] == pytest.approx(0.5 * np.log(2 * np.pi * np.e) + np.log(2.0), abs=0.02)


def test_without_deviation_the_crps_is_the_absolute_error_and_the_ignorance_infinite():
    mean, deviation, value = line(1, 1, 1, np.nan), line(0, 0, -1, 0), line(3, 1, 1, 1)
    np.testing.assert_array_equal(gaussian_crps(mean, deviation, value), [2.0, 0.0, np.nan, np.nan])
    np.testing.assert_array_equal(gaussian_ignorance(mean, deviation, value), [np.inf, -np.inf, np.nan, np.nan])


@pytest.mark.parametrize("score", [gaussian_crps, gaussian_ignorance])
def test_chunks_make_no_difference_and_missing_values_are_passed_on(score):
    mean, deviation, value = example()
    value[3, 1, 2] = np.nan
    deviation[0, 0, 0] = np.nan
    whole = score(mean, deviation, value)
    assert int(whole.isnull().sum()) == 2
    lazy = score(mean.chunk(time=2), deviation.chunk(latitude=3), value.transpose("longitude", ...).chunk(time=3))
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute().transpose(*whole.dims), whole, rtol=1e-13)


def test_single_precision_is_computed_in_double():
    mean, deviation, value = (array.astype("float32") for array in example())
    exact = gaussian_crps(*(array.astype("float64") for array in (mean, deviation, value)))
    xr.testing.assert_identical(gaussian_crps(mean, deviation, value), exact)
