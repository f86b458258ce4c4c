"""Intervals: their parts against algebra, and their coverage over drawn ensembles with red, correlated noise."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.metrics import errors, noise_floor, resampling, significance

YEARS, CELLS = 21, 120


def ensemble(rng, members, error=0.0):
    """Errors (member, time, lat, lon) with red time series, a steep spectrum in space, and a known mean error."""
    scale = 1.0 / np.arange(1, CELLS + 1)
    red = np.where(np.arange(CELLS) < 10, 0.6, 0.3)
    state = rng.standard_normal((members, CELLS))
    series = np.empty((members, YEARS, CELLS))
    for year in range(YEARS):
        state = red * state + np.sqrt(1 - red**2) * rng.standard_normal((members, CELLS))
        series[:, year] = state * np.sqrt(scale)
    direction = rng.standard_normal(CELLS) * np.sqrt(scale)
    series += error * direction / np.sqrt((direction**2).mean())
    coords = {"member": range(members), "time": range(YEARS), "latitude": np.zeros(1), "longitude": range(CELLS)}
    return xr.DataArray(series[:, :, None, :], coords=coords, dims=("member", "time", "latitude", "longitude"))


WEIGHTS = xr.DataArray([1.0], dims="latitude")


@pytest.mark.parametrize("members", [2, 3, 7])
def test_helmert_contrasts_are_orthonormal_and_remove_what_members_share(members):
    rows = resampling.helmert(members)
    np.testing.assert_allclose(rows @ rows.T, np.eye(members - 1), atol=1e-12)
    np.testing.assert_allclose(rows.sum(axis=1), 0.0, atol=1e-12)


def test_gram_gives_the_debiased_mean_square():
    errors_ = ensemble(np.random.default_rng(0), 4, error=0.5)
    units = resampling.resampling_spatial(resampling.error_gram(errors_, WEIGHTS))
    square = float(errors.rmse_spatial(errors_.mean("member"), 0 * errors_.mean("member"), WEIGHTS)) ** 2
    floor = float(noise_floor.floor_square_spatial(errors_, WEIGHTS))
    assert units.mean_square == pytest.approx(square, rel=1e-10)
    assert units.estimate == pytest.approx(square - floor, rel=1e-9)


def test_global_units_give_the_debiased_mean_square():
    errors_ = ensemble(np.random.default_rng(0), 5).isel(latitude=0, longitude=0)
    units = resampling.resampling_global(errors_)
    floor = float(errors_.var("member", ddof=1).mean("time")) / 5
    assert units.estimate == pytest.approx(float((errors_.mean("member") ** 2).mean()) - floor, rel=1e-9)


@pytest.mark.parametrize(("members", "error"), [(3, 0.0), (3, 0.3), (6, 0.2), (10, 0.0), (20, 0.0), (20, 0.3)])
def test_coverage(members, error):
    rng, hits = np.random.default_rng(members), 0
    for _ in range(200):
        gram = resampling.error_gram(ensemble(rng, members, error), WEIGHTS)
        interval = significance.debiased_interval(resampling.resampling_spatial(gram))
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= error**2 <= interval.high
    assert 0.90 <= hits / 200 <= 0.985


def test_global_coverage_with_ten_members():
    rng, hits = np.random.default_rng(3), 0
    for _ in range(200):
        errors_ = ensemble(rng, 10, 0.0).isel(latitude=0, longitude=slice(0, 1)).squeeze("longitude")
        interval = significance.debiased_interval(resampling.resampling_global(errors_ + 0.4))
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= 0.16 <= interval.high
    assert 0.90 <= hits / 200 <= 0.985


def test_too_few_units_give_no_interval_but_a_reason():
    errors_ = ensemble(np.random.default_rng(0), 3).isel(latitude=0, longitude=0)
    interval = significance.debiased_interval(resampling.resampling_global(errors_))
    assert interval.low is None
    assert interval.high is None
    assert "3 target members" in interval.reason


def test_paired_difference_needs_no_floor_and_covers():
    rng, hits = np.random.default_rng(5), 0
    for _ in range(300):
        base = ensemble(rng, 3)
        gap = xr.DataArray(np.linspace(-0.2, 0.2, CELLS), dims="longitude")
        difference, interval = significance.paired_interval(base + gap, base, WEIGHTS)
        direct = float(
            ((base + gap).mean(("member", "time")) ** 2).mean() - (base.mean(("member", "time")) ** 2).mean()
        )
        assert difference == pytest.approx(direct, rel=1e-9)
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= float((gap**2).mean()) <= interval.high
    assert 0.88 <= hits / 300 <= 0.99


def test_the_same_seed_gives_the_same_interval():
    gram = resampling.error_gram(ensemble(np.random.default_rng(1), 3), WEIGHTS)
    one, two = (significance.debiased_interval(resampling.resampling_spatial(gram)) for _ in range(2))
    assert one == two
