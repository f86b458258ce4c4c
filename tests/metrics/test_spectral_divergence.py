"""Divergence and residual of spectra by hand, and ChaosBench's rings against a slow loop over wavenumbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from scipy.special import rel_entr, sph_harm_y

from climbench.errors import DataError
from climbench.metrics.spectra import power_spectrum
from climbench.metrics.spectral_divergence import (
    chaosbench_divergence,
    chaosbench_smallest_scales,
    chaosbench_spectral_divergence,
    chaosbench_spectral_residual,
    divergence,
    spectral_divergence,
    spectral_residual,
)
from tests.example_grids import SPACE, random_maps, regular, with_poles


def spectrum(*values):
    return xr.DataArray(np.array(values, "float64"), dims="degree")


def forecasts(seed, n=3, on=None):
    return random_maps(with_poles(13) if on is None else on, n=n, seed=seed).rename(time="init_time")


def rings_one_by_one(field, quantile=0.9):
    """Sum power by its wavenumber, ring after ring, as the protocol has it."""
    rows, columns = field.shape
    power = np.abs(np.fft.fft2(field)) ** 2
    places = [
        (i if i <= (rows - 1) // 2 else i - rows, j if j <= (columns - 1) // 2 else j - columns)
        for i in range(rows)
        for j in range(columns)
    ]
    wavenumbers = [math.hypot(*place) for place in places]
    highest = max(wavenumbers)
    count = math.ceil(highest - 0.5)
    edges = np.linspace(0.5, highest, count + 1)
    means = []
    for n in range(int(quantile * count), count):
        inside = [
            p
            for k, p in zip(wavenumbers, power.ravel(), strict=True)
            if edges[n] <= k < edges[n + 1] or (n == count - 1 and k == highest)
        ]
        if inside:
            means.append(sum(inside) / len(inside))
    return np.array(means) / sum(means)


def test_by_hand():
    """Degrees 1 to 10: with a quantile of 0.8 the last two count. Target 1/4 and 3/4, prediction 1/2 each."""
    target = spectrum(*[9.0] * 9, 1.0, 3.0)
    prediction = spectrum(*[5.0] * 9, 20.0, 20.0)
    expected = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    assert float(spectral_divergence(prediction, target, quantile=0.8)) == pytest.approx(expected)
    assert float(spectral_residual(prediction, target, quantile=0.8)) == pytest.approx(0.25)


def test_of_all_degrees_it_is_the_relative_entropy_of_scipy():
    ours, theirs = np.random.default_rng(0).uniform(0.5, 2.0, (2, 40))
    found = spectral_divergence(spectrum(*ours), spectrum(*theirs), quantile=0.0)
    p, q = ours[1:] / ours[1:].sum(), theirs[1:] / theirs[1:].sum()
    assert float(found) == pytest.approx(rel_entr(q, p).sum())


def test_a_target_without_power_at_a_scale_adds_nothing_and_a_prediction_without_is_infinitely_far():
    some, none = spectrum(0.0, 1.0, 1.0), spectrum(0.0, 1.0, 0.0)
    assert float(spectral_divergence(some, none, quantile=0.0)) == pytest.approx(math.log(2.0))
    assert np.isinf(spectral_divergence(none, some, quantile=0.0))


@pytest.mark.parametrize("on", [with_poles(13), regular(8), with_poles(9)], ids=["13x24", "8x16", "9x16"])
def test_rings_are_those_of_a_slow_loop(on):
    for field in forecasts(0, on=on).values:
        for quantile in (0.9, 0.5, 0.0):
            expected = rings_one_by_one(field, quantile)
            np.testing.assert_allclose(chaosbench_smallest_scales(field, quantile=quantile), expected, rtol=1e-9)


def test_of_121_by_240_the_last_14_of_134_rings_count():
    """The highest wavenumber is hypot(60, 120) = 134.16: 134 rings, the first int(0.9 * 134) = 120 left out."""
    field = np.random.default_rng(0).standard_normal((121, 240))
    assert chaosbench_smallest_scales(field).shape == (14,)


def test_chaosbench_averages_the_maps_first():
    prediction, target = forecasts(1), forecasts(2)
    p, t = (rings_one_by_one(f.mean("init_time").values) for f in (prediction, target))
    found = chaosbench_spectral_divergence(prediction, target)
    assert float(found) == pytest.approx((t * np.log(t / p)).sum(), rel=1e-9)
    assert float(chaosbench_spectral_residual(prediction, target)) == pytest.approx(np.sqrt(np.mean((p - t) ** 2)))


def test_small_scales_that_cancel_over_inits_are_lost_to_chaosbench_only():
    """To one map a harmonic of degree 10 is added and taken off, of mean square 2: the mean of both is the map.

    Of degrees 1 to 11 the last two count.
    """
    map_ = forecasts(3, n=1).isel(init_time=0, drop=True)
    angles = np.meshgrid(np.deg2rad(90.0 - map_["latitude"]), np.deg2rad(map_["longitude"]), indexing="ij")
    harmonic = map_.copy(data=4.0 * np.sqrt(np.pi) * sph_harm_y(10, 3, *angles).real)
    alone, both = xr.concat([map_, map_], dim="init_time"), xr.concat([map_ + harmonic, map_ - harmonic], "init_time")
    assert float(chaosbench_spectral_divergence(alone, both)) == pytest.approx(0.0, abs=1e-9)
    found = spectral_divergence(*(power_spectrum(f).mean("init_time") for f in (alone, both)))
    power = power_spectrum(map_).values[10:]
    ours, theirs = power / power.sum(), (power + np.array([2.0, 0.0])) / (power.sum() + 2.0)
    assert float(found) == pytest.approx(rel_entr(theirs, ours).sum())
    assert float(found) > 0.1


def test_chaosbench_bounds_the_ratio():
    """A target with a ring of nearly no power: the bound shows where the logarithm would go below log(1e-9)."""
    target, prediction = np.array([1e-12, 1.0 - 1e-12]), np.array([0.5, 0.5])
    assert chaosbench_divergence(prediction, target) - divergence(prediction, target) == pytest.approx(
        1e-12 * (math.log(1e-9) - math.log(2e-12)), rel=1e-3
    )


@pytest.mark.parametrize("score", [chaosbench_spectral_divergence, chaosbench_spectral_residual])
def test_equal_maps_a_factor_and_a_mirror_make_no_difference(score):
    prediction, target = forecasts(1), forecasts(2)
    assert float(score(target, target)) == pytest.approx(0.0, abs=1e-12)
    assert float(score(3.0 * target, target)) == pytest.approx(0.0, abs=1e-12)
    mirrored = [f.copy(data=f.values[:, ::-1]) for f in (prediction, target)]
    assert float(score(*mirrored)) == pytest.approx(float(score(prediction, target)), rel=1e-9)


@pytest.mark.parametrize("score", [chaosbench_spectral_divergence, chaosbench_spectral_residual])
def test_order_of_dimensions_and_chunks_make_no_difference(score):
    levels = [xr.concat([forecasts(s), forecasts(s + 1)], dim="level") for s in (1, 5)]
    whole = score(*levels)
    assert whole.dims == ("level",)
    turned = score(levels[0].transpose(*SPACE, "init_time", "level"), levels[1])
    xr.testing.assert_allclose(turned, whole, rtol=1e-9)
    lazy = score(*(f.chunk(init_time=1, latitude=5, level=1) for f in levels))
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole, rtol=1e-9)


def test_wrong_quantiles_and_maps_without_inits_are_refused():
    field = forecasts(0)
    with pytest.raises(DataError, match="at least 0 and below 1; found 1"):
        chaosbench_spectral_divergence(field, field, quantile=1.0)
    with pytest.raises(DataError, match=r"at least 0 and below 1; found -0\.1"):
        spectral_divergence(spectrum(1.0, 1.0), spectrum(1.0, 1.0), quantile=-0.1)
    with pytest.raises(DataError, match="averaged over 'init_time'"):
        chaosbench_spectral_residual(field.isel(init_time=0), field.isel(init_time=0))
