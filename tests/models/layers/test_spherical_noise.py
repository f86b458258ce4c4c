"""Noise on the sphere against its covariance in theory, coefficient by coefficient, and its memory by draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import eval_legendre

from climbench.errors import ModelError
from climbench.harmonics.transform import spherical_harmonics
from climbench.models.layers.spherical_noise import SphericalNoise, resolved_scales
from climbench.quadrature import quadrature

COLUMNS = 16
GAUSSIAN = quadrature("legendre-gauss", 8).latitude
GRIDS = {"gaussian": GAUSSIAN, "centres": np.arange(-78.75, 90.0, 22.5), "poles": np.linspace(-90.0, 90.0, 9)}
SCALES = (3.0806e-5, 0.03, 0.5)


def covariance(noise, process):
    """Return the covariance between all pairs of cells: of maps that are sums of independent coefficients."""
    spread = noise.spread[process]
    one_each = torch.zeros(spread.numel(), *noise.spread.shape)
    one_each[:, process] = torch.eye(spread.numel()).view(-1, *spread.shape) * spread
    maps = noise.maps(one_each)[:, process].flatten(1).double().numpy()
    return maps.T @ maps


def theory(kt, degree, cosine):
    degrees = np.arange(1, degree + 1)
    power = np.exp(-kt * degrees * (degrees + 1))
    share = (2 * degrees + 1) * power / ((2 * degrees + 1) * power).sum()
    return sum(s * eval_legendre(n, cosine) for s, n in zip(share, degrees, strict=True))


@pytest.mark.parametrize("latitude", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("process", range(len(SCALES)))
def test_the_covariance_is_that_of_the_spectrum_and_depends_on_the_distance_alone(latitude, process):
    """So variance is 1 at every place, and no rotation changes anything."""
    noise = SphericalNoise(latitude, COLUMNS, SCALES)
    phi, lam = np.meshgrid(np.deg2rad(latitude), 2 * np.pi * np.arange(COLUMNS) / COLUMNS, indexing="ij")
    places = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)]).reshape(3, -1)
    degree = min(latitude.size - 1, COLUMNS // 2 - 1)
    found = covariance(noise, process)
    np.testing.assert_allclose(found, theory(SCALES[process], degree, places.T @ places), atol=2e-6)
    np.testing.assert_allclose(np.diag(found), 1.0, atol=2e-6)


def test_the_power_of_draws_falls_with_the_degree_as_it_should():
    torch.manual_seed(0)
    noise = SphericalNoise(GAUSSIAN, COLUMNS, SCALES)
    maps = noise.maps(noise.start(4000)).double().numpy()
    found = spherical_harmonics(GAUSSIAN, np.arange(0.0, 360.0, 22.5), 7).analysis(maps)
    squares = (np.abs(found) ** 2).mean(0)
    power = squares[..., 0] + 2 * squares[..., 1:].sum(-1)  # sum over orders of both signs
    degrees = np.arange(8)
    for kt, of_degree in zip(SCALES, power, strict=True):
        expected = (2 * degrees + 1) * np.exp(-kt * degrees * (degrees + 1.0))
        expected[0] = 0.0
        np.testing.assert_allclose(of_degree, 4 * np.pi * expected / expected.sum(), rtol=0.06, atol=1e-6)


@pytest.mark.parametrize("rate", [0.25, 1.0])
def test_a_step_keeps_the_variance_and_forgets_at_the_rate(rate):
    torch.manual_seed(0)
    noise = SphericalNoise(GAUSSIAN, COLUMNS, SCALES, rate)
    first = noise.start(3000)
    later = first
    for _ in range(3):
        before, later = later, noise.onward(later)
    for one, other, expected in ((before, later, np.exp(-rate)), (first, later, np.exp(-3 * rate))):
        both = torch.stack([noise.maps(one), noise.maps(other)]).flatten(1)
        assert float(torch.corrcoef(both)[0, 1]) == pytest.approx(expected, abs=0.01)
    assert float(noise.maps(later).var()) == pytest.approx(1.0, abs=0.01)


def test_a_grid_takes_the_scales_that_it_resolves():
    fourcastnet3 = [3.0806e-5 * 4**k for k in range(8)]
    np.testing.assert_allclose(resolved_scales(721, 1440), fourcastnet3)
    np.testing.assert_allclose(resolved_scales(32, 64), fourcastnet3[3:])  # 31 x 32 x 1.97e-3 = 1.96, and 0.49 before


@pytest.mark.parametrize(("scales", "rate"), [((), 1.0), ((0.1, -0.1), 1.0), ((0.1,), 0.0)])
def test_noise_without_scale_or_rate_is_refused(scales, rate):
    with pytest.raises(ModelError, match="positive"):
        SphericalNoise(GAUSSIAN, COLUMNS, scales, rate)
