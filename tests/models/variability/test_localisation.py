"""Localisation: known values of the function, distances, likelihoods against SciPy, and the radius of known fields."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from climbench.errors import ModelError
from climbench.models.variability.localisation import (
    LARGEST,
    choose_radius,
    gaspari_cohn,
    great_circle,
    localised_correlation,
)

LATITUDE, LONGITUDE = (a.ravel() for a in np.meshgrid([-60.0, -20.0, 20.0, 60.0], np.arange(0.0, 360.0, 40.0)))
DISTANCE = great_circle(LATITUDE, LONGITUDE)


def test_known_values_of_the_function():
    """Gaspari and Cohn's eq. 4.10 at 0, 1/2, 1, 3/2, 2: both branches give 5/24 where they meet."""
    half = -(1 / 4) / 32 + (1 / 2) / 16 + (5 / 8) / 8 - (5 / 3) / 4 + 1.0
    r = 1.5
    beyond = r**5 / 12 - r**4 / 2 + 5 * r**3 / 8 + 5 * r**2 / 3 - 5 * r + 4 - 2 / (3 * r)
    values = gaspari_cohn(np.array([0.0, 500.0, 1000.0, 1500.0, 2000.0, 9000.0]), 1000.0)
    np.testing.assert_allclose(values, [1.0, half, 5.0 / 24.0, beyond, 0.0, 0.0], atol=1e-12)


def test_the_function_falls_steadily():
    assert (np.diff(gaspari_cohn(np.linspace(0.0, 2.0, 500), 1.0)) < 0.0).all()


def test_distances_on_the_globe():
    """A quarter of the circumference to the pole and along the equator; half of it to the antipode."""
    distance = great_circle(np.array([0.0, 90.0, 0.0, 0.0]), np.array([0.0, 77.0, 90.0, 180.0]))
    quarter = 0.5 * np.pi * 6371.0
    np.testing.assert_allclose(distance[0], [0.0, quarter, quarter, 2.0 * quarter], rtol=1e-9)


@pytest.mark.parametrize("radius", [1000.0, 4500.0, LARGEST])
def test_the_function_is_a_correlation_on_the_sphere(radius):
    assert np.linalg.eigvalsh(gaspari_cohn(DISTANCE, radius)).min() > -1e-9


def test_a_localised_correlation_is_the_product_of_both():
    samples = np.random.default_rng(0).standard_normal((20, DISTANCE.shape[0]))
    raw = samples.T @ samples / 20
    spread = np.sqrt(np.diag(raw))
    expected = raw / np.outer(spread, spread) * gaspari_cohn(DISTANCE, 3000.0)
    np.testing.assert_allclose(localised_correlation(samples, DISTANCE, 3000.0), expected, atol=1e-12)
    assert np.linalg.eigvalsh(expected).min() > 0.0, "though twenty samples cannot fill 36 dimensions"


def test_likelihoods_are_those_of_the_normal_density():
    samples = np.random.default_rng(1).standard_normal((30, DISTANCE.shape[0]))
    _, likelihood = choose_radius(samples, DISTANCE, [3000.0], folds=3)
    expected = []
    for block in np.split(np.arange(30), 3):
        train = np.delete(samples, block, axis=0)
        spread = np.sqrt((train**2).mean(axis=0))
        correlation = localised_correlation(train, DISTANCE, 3000.0) + 1e-6 * np.eye(36)
        density = multivariate_normal(np.zeros(36), correlation * np.outer(spread, spread))
        expected.append(density.logpdf(samples[block]).mean() / 36)
    assert likelihood[3000.0] == pytest.approx(np.mean(expected), rel=1e-6)


@pytest.mark.parametrize(("true", "chosen"), [(1200.0, {1000.0, 2000.0}), (6000.0, {5000.0, 8000.0})])
def test_the_radius_follows_the_scale_of_the_fields(true, chosen):
    root = np.linalg.cholesky(gaspari_cohn(DISTANCE, true) + 1e-9 * np.eye(36))
    samples = np.random.default_rng(2).standard_normal((60, 36)) @ root.T
    radius, _ = choose_radius(samples, DISTANCE, [1000.0, 2000.0, 5000.0, 8000.0])
    assert radius in chosen


@pytest.mark.parametrize("radius", [0.0, -1.0, 1.1 * LARGEST])
def test_a_radius_beyond_reason_is_refused(radius):
    with pytest.raises(ModelError, match="A localisation radius lies between 0 and 10008 km"):
        localised_correlation(np.ones((3, 36)), DISTANCE, radius)


def test_a_place_that_never_varies_is_refused():
    with pytest.raises(ModelError, match="Some place has no variability"):
        localised_correlation(np.zeros((3, 36)), DISTANCE, 3000.0)
