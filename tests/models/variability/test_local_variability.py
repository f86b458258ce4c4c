"""Local variability: covariance, memory and global mean of draws against what the definition says, in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.models.variability import local_variability
from climbench.models.variability.local_variability import LocalVariability
from climbench.models.variability.localisation import great_circle, localised_correlation

LATITUDE, LONGITUDE = np.array([-70.0, -35.0, 0.0, 35.0, 70.0]), np.arange(0.0, 360.0, 60.0)
GRID = xr.Dataset(coords={"latitude": LATITUDE, "longitude": LONGITUDE})
WEIGHTS = np.repeat(np.cos(np.deg2rad(LATITUDE)), 6) / (6.0 * np.cos(np.deg2rad(LATITUDE)).sum())
DISTANCE = great_circle(np.repeat(LATITUDE, 6), np.tile(LONGITUDE, 5))


def scenarios(quiet=False):
    """Two scenarios of red noise; its size and memory differ from place to place."""
    rng = np.random.default_rng(0)
    memory, size = np.linspace(-0.2, 0.7, 30), np.linspace(0.5, 2.0, 30)
    made = []
    for years in (86, 120):
        white = rng.standard_normal((years, 30)) + 0.8 * rng.standard_normal((years, 1))
        series = white.copy()
        for year in range(1, years):
            series[year] = memory * series[year - 1] + np.sqrt(1.0 - memory**2) * white[year]
        series = series * size
        if quiet:
            series = series - (series @ WEIGHTS)[:, None]
        made.append(series.reshape(years, 5, 6))
    return made


def expected_covariance(fitted, samples):
    """The covariance that the docstring states, before the global mean is quietened."""
    memory, spread = fitted.grid["memory"].values.ravel(), fitted.grid["spread"].values.ravel()
    correlation = localised_correlation(samples, DISTANCE, fitted.radius)
    fresh = np.sqrt(1.0 - memory**2)
    return correlation * np.outer(spread * fresh, spread * fresh) / (1.0 - np.outer(memory, memory))


@pytest.mark.parametrize("quiet", [False, True])
def test_draws_have_the_covariance_that_was_fitted(quiet):
    data = scenarios(quiet)
    samples = np.concatenate(data).reshape(-1, 30)
    fitted = LocalVariability.fitted(data, GRID)
    covariance = expected_covariance(fitted, samples)
    with_mean = covariance @ WEIGHTS
    drawn, sampled = WEIGHTS @ with_mean, ((samples @ WEIGHTS) ** 2).mean()
    share = min(sampled / drawn, 1.0)
    expected = covariance - (1.0 - share) * np.outer(with_mean, with_mean) / drawn
    found = fitted.draw(np.random.default_rng(1), 300, 20).reshape(-1, 30)
    found = found.T @ found / len(found)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(found / scale, expected / scale, atol=0.08)
    assert WEIGHTS @ found @ WEIGHTS == pytest.approx(share * drawn, rel=0.1, abs=1e-9)


def test_size_and_memory_are_those_of_the_samples():
    data = scenarios()
    fitted = LocalVariability.fitted(data, GRID)
    together = np.concatenate(data)
    np.testing.assert_allclose(fitted.grid["spread"], np.sqrt((together**2).mean(axis=0)))
    np.testing.assert_allclose(fitted.grid["memory"].values.ravel(), np.linspace(-0.2, 0.7, 30), atol=0.25)
    draws = fitted.draw(np.random.default_rng(1), 300, 20)
    lag = (draws[:, 1:] * draws[:, :-1]).mean(axis=(0, 1)) / (draws**2).mean(axis=(0, 1))
    np.testing.assert_allclose(lag, fitted.grid["memory"], atol=0.08)


def test_draws_are_the_same_from_the_same_seed_only():
    fitted = LocalVariability.fitted(scenarios(), GRID)
    one, again, other = (fitted.draw(np.random.default_rng(seed), 2, 3) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()
    assert (one[0] != one[1]).all()


def test_a_member_does_not_depend_on_how_many_there_are():
    fitted = LocalVariability.fitted(scenarios(), GRID)
    few, many = (fitted.draw(np.random.default_rng(4), members, 3) for members in (1, 3))
    np.testing.assert_array_equal(few[0], many[0])


def test_on_large_grids_draws_are_interpolated_and_keep_their_size(monkeypatch):
    monkeypatch.setattr(local_variability, "MOST_NODES", 20)
    data = scenarios()
    fitted = LocalVariability.fitted(data, GRID)
    assert fitted.samples.shape == (206, 3, 3)
    draws = fitted.draw(np.random.default_rng(1), 200, 20)
    assert draws.shape == (200, 20, 5, 6)
    ratio = draws.std(axis=(0, 1)) / fitted.grid["spread"].values
    np.testing.assert_allclose(ratio, 1.0, atol=0.12)
