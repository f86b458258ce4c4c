"""Structural similarity against scikit-image, SciPy's convolution and torch's own pooling, and identities."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import scipy.signal
import xarray as xr
from skimage.metrics import structural_similarity

from climbench.errors import DataError
from climbench.metrics.structural_similarity import (
    WEIGHTS,
    chaosbench_ms_ssim,
    chaosbench_ms_ssim_of_maps,
    ms_ssim,
    ms_ssim_of_maps,
)
from tests.example_grids import SPACE, random_maps, regular, with_poles

ONE_SCALE = (1.0,)


def pair(on, n=2, seed=0):
    """Return smooth maps about 280 and others like them."""
    one, noise = random_maps(on, n=n, seed=seed), random_maps(on, n=n, seed=seed + 1)
    smooth = 280.0 + one.cumsum("longitude").cumsum("latitude")
    return smooth + 2.0 * noise, smooth


def limits(*fields):
    return min(float(f.min()) for f in fields), max(float(f.max()) for f in fields)


def by_skimage(ours, theirs, data_range=1.0):
    """Its mean leaves out the points whose window does not fit, as ours does."""
    return structural_similarity(
        ours, theirs, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=data_range
    )


def torch_and(name):
    return pytest.importorskip("torch", reason="torch is an optional dependency"), pytest.importorskip(
        name, reason=f"{name} comes with an optional dependency"
    )


def test_one_scale_is_that_of_scikit_image():
    ours, theirs = pair(regular(24))
    low, high = limits(ours, theirs)
    found = ms_ssim(ours, theirs, low=low, high=high, wrap=False, weights=ONE_SCALE)
    expected = [
        by_skimage((a - low) / (high - low), (b - low) / (high - low))
        for a, b in zip(ours.values, theirs.values, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert 0.05 < float(found[0]) < 0.95


def test_windows_that_go_round_see_the_map_as_if_it_were_repeated():
    ours, theirs = pair(regular(24), n=1)
    low, high = limits(ours, theirs)
    found = ms_ssim(ours, theirs, low=low, high=high, weights=ONE_SCALE)
    wide = [np.pad((f.values[0] - low) / (high - low), ((0, 0), (5, 5)), mode="wrap") for f in (ours, theirs)]
    assert float(found[0]) == pytest.approx(by_skimage(*wide), rel=1e-10)
    turned = ms_ssim(ours.roll(longitude=9), theirs.roll(longitude=9), low=low, high=high, weights=ONE_SCALE)
    xr.testing.assert_allclose(turned, found, rtol=1e-10)


def test_a_regional_map_does_not_wrap():
    ours, theirs = (f.isel(longitude=slice(30)) for f in pair(regular(24)))
    low, high = limits(ours, theirs)
    xr.testing.assert_identical(
        ms_ssim(ours, theirs, low=low, high=high), ms_ssim(ours, theirs, low=low, high=high, wrap=False)
    )
    assert not np.allclose(
        ms_ssim(ours, theirs, low=low, high=high, wrap=True), ms_ssim(ours, theirs, low=low, high=high)
    )


def five_scales(ours, theirs):
    """Wang et al. (2003) of one map in [0, 1] by SciPy's convolution, only where windows lie wholly within."""
    line = np.exp(-(((np.arange(11) - 5) / 1.5) ** 2) / 2)
    window = np.outer(line, line) / line.sum() ** 2
    smooth = partial(scipy.signal.convolve2d, in2=window, mode="valid")
    c1, c2, result = 0.01**2, 0.03**2, 1.0
    for scale, weight in enumerate(WEIGHTS):
        mx, my = smooth(ours), smooth(theirs)
        vx, vy, cov = smooth(ours**2) - mx**2, smooth(theirs**2) - my**2, smooth(ours * theirs) - mx * my
        likeness = (2 * cov + c2) / (vx + vy + c2)
        if scale == 4:
            likeness = likeness * (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        else:
            ours, theirs = (f.reshape(f.shape[0] // 2, 2, -1, 2).mean((1, 3)) for f in (ours, theirs))
        result *= max(likeness.mean(), 0.0) ** weight
    return result


def test_five_scales_are_those_of_their_formula():
    """Of maps so large that windows fit at every scale, and even at each."""
    rng = np.random.default_rng(0)
    theirs = np.cumsum(np.cumsum(rng.standard_normal((2, 176, 192)), -1), -2)
    theirs = (theirs - theirs.min()) / np.ptp(theirs)
    ours = np.clip(theirs + 0.1 * rng.standard_normal(theirs.shape), 0.0, 1.0)
    found = ms_ssim_of_maps(ours, theirs, 0.0, 1.0, wrap=False)
    np.testing.assert_allclose(found, [five_scales(a, b) for a, b in zip(ours, theirs, strict=True)], rtol=1e-9)
    assert 0.2 < found[0] < 0.98


def chaosbench_one_by_one(ours, theirs):
    """The protocol in torch, from the north: own range of 0 to 255, odd sides padded with zeros, short ones as is."""
    torch, functional = torch_and("torch.nn.functional")
    window = torch.exp(-0.5 * (torch.arange(-5.0, 6.0, dtype=torch.float64) / 1.5) ** 2)
    window = window / window.sum()

    def smooth(image):
        if image.shape[-2] >= 11:
            image = functional.conv2d(image, window.reshape(1, 1, 11, 1))
        if image.shape[-1] >= 11:
            image = functional.conv2d(image, window.reshape(1, 1, 1, 11))
        return image

    x, y = (torch.from_numpy(255.0 * (f[::-1] - f.min()) / np.ptp(f))[None, None] for f in (ours, theirs))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    result = 1.0
    for scale, weight in enumerate(WEIGHTS):
        mx, my = smooth(x), smooth(y)
        vx, vy, cov = smooth(x * x) - mx**2, smooth(y * y) - my**2, smooth(x * y) - mx * my
        structure = (2 * cov + c2) / (vx + vy + c2)
        if scale == 4:
            structure = structure * (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        result *= max(float(structure.mean()), 0.0) ** weight
        padding = [side % 2 for side in x.shape[-2:]]
        x, y = (functional.avg_pool2d(f, 2, padding=padding) for f in (x, y))
    return result


@pytest.mark.parametrize("on", [with_poles(121), regular(32), with_poles(45)], ids=["121x240", "32x64", "45x88"])
def test_chaosbench_is_its_protocol_step_by_step(on):
    ours, theirs = pair(on)
    expected = [chaosbench_one_by_one(a, b) for a, b in zip(ours.values, theirs.values, strict=True)]
    np.testing.assert_allclose(chaosbench_ms_ssim(ours, theirs), expected, rtol=1e-9)
    assert 0.05 < expected[0] < 0.999


def test_equal_maps_are_perfectly_alike():
    _, field = pair(with_poles(33))
    low, high = limits(field)
    np.testing.assert_allclose(ms_ssim(field, field, low=low, high=high), 1.0, rtol=1e-9)
    np.testing.assert_allclose(chaosbench_ms_ssim(field, field), 1.0, rtol=1e-9)


def test_half_the_amplitude_is_perfect_for_chaosbench_only():
    _, field = pair(regular(32))
    low, high = limits(field)
    damped = 280.0 + 0.5 * (field - 280.0)
    np.testing.assert_allclose(chaosbench_ms_ssim(damped, field), 1.0, rtol=1e-9)
    assert (ms_ssim(damped, field, low=low, high=high) < 0.95).all()


def test_opposite_patterns_are_not_alike():
    _, field = pair(regular(32))
    low, high = limits(field)
    assert (ms_ssim(low + high - field, field, low=low, high=high) == 0.0).all()


def test_the_order_of_prediction_and_target_makes_no_difference():
    ours, theirs = pair(regular(32))
    low, high = limits(ours, theirs)
    xr.testing.assert_allclose(
        ms_ssim(ours, theirs, low=low, high=high), ms_ssim(theirs, ours, low=low, high=high), rtol=1e-12
    )


def test_a_range_at_each_level():
    ours, theirs = (xr.concat([f, 10.0 * f], dim="level") for f in pair(regular(16)))
    low, high = (xr.DataArray([limit, 10.0 * limit], dims="level") for limit in limits(ours[0], theirs[0]))
    found = ms_ssim(ours, theirs, low=low, high=high)
    assert found.dims == ("level", "time")
    xr.testing.assert_allclose(found[1], found[0], rtol=1e-9)


def test_order_of_dimensions_chunks_and_blocks_make_no_difference(monkeypatch):
    ours, theirs = pair(regular(16), n=5)
    low, high = limits(ours, theirs)
    whole, chaotic = ms_ssim(ours, theirs, low=low, high=high), chaosbench_ms_ssim(ours, theirs)
    lazy = ms_ssim(ours.chunk(time=2, latitude=5), theirs.chunk(time=3), low=low, high=high)
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole, rtol=1e-12)
    xr.testing.assert_allclose(chaosbench_ms_ssim(ours.transpose(*SPACE, "time"), theirs), chaotic, rtol=1e-12)
    monkeypatch.setattr("climbench.metrics.structural_similarity.POINTS_AT_ONCE", 1)
    xr.testing.assert_allclose(ms_ssim(ours, theirs, low=low, high=high), whole, rtol=1e-12)
    xr.testing.assert_allclose(chaosbench_ms_ssim(ours, theirs), chaotic, rtol=1e-12)


def test_nan_is_passed_on_and_a_constant_map_has_no_range():
    ours, theirs = pair(regular(16), n=3)
    low, high = limits(ours, theirs)
    ours[0, 3, 4] = np.nan
    np.testing.assert_array_equal(np.isnan(ms_ssim(ours, theirs, low=low, high=high)), [True, False, False])
    ours[1] = 5.0
    np.testing.assert_array_equal(np.isnan(chaosbench_ms_ssim_of_maps(ours.values, theirs.values)), [True, True, False])


def test_an_empty_range_is_refused():
    ours, theirs = pair(regular(16))
    with pytest.raises(DataError, match="range of data must not be empty"):
        ms_ssim(ours, theirs, low=1.0, high=1.0)
