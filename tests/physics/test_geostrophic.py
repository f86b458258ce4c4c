"""The geostrophic wind of geopotentials whose slope is known, and how much of a wind is not geostrophic."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from climbench.constants import EARTH_RADIUS, ROTATION_RATE
from climbench.errors import DataError
from climbench.physics.ageostrophic import ageostrophic_mean_squares, ageostrophic_ratio
from climbench.physics.areas import exact_cell_areas
from climbench.physics.differences import derivative
from climbench.physics.geostrophic import coriolis, geostrophic_wind

SCALE = 2.0 * ROTATION_RATE * EARTH_RADIUS


def grid(rows, columns=None, *, poles=False):
    step = 180.0 / (rows - 1 if poles else rows)
    latitude = np.linspace(-90.0, 90.0, rows) if poles else (np.arange(rows) + 0.5) * step - 90.0
    columns = columns or 2 * rows
    return latitude, np.arange(columns) * 360.0 / columns


def rotation(latitude, longitude, speed=20.0):
    """Return geopotential and winds of a rotation: Phi = -a Omega U sin(lat)^2 balances u = U cos(lat)."""
    phi, _ = np.meshgrid(np.deg2rad(latitude), longitude, indexing="ij")
    return -0.5 * SCALE * speed * np.sin(phi) ** 2, speed * np.cos(phi), np.zeros_like(phi)


def wave(latitude, longitude, speed=10.0):
    """Return geopotential of a harmonic of degree 3 and order 2, and its winds worked by hand."""
    phi, lam = np.meshgrid(np.deg2rad(latitude), np.deg2rad(longitude), indexing="ij")
    sine, cosine = np.sin(phi), np.cos(phi)
    u = -speed * np.cos(2 * lam) * (cosine**3 - 2.0 * cosine * sine**2) / sine
    return SCALE * speed * cosine**2 * sine * np.cos(2 * lam), u, -2.0 * speed * cosine * np.sin(2 * lam)


def test_the_coriolis_parameter_at_45_degrees_is_about_1e_minus_4():
    assert coriolis(np.array([-45.0, 0.0, 45.0])) == pytest.approx([-1.0312e-4, 0.0, 1.0312e-4], rel=1e-4)


@pytest.mark.parametrize("flow", [rotation, wave])
def test_harmonics_give_the_wind_exactly(flow):
    at = grid(32)
    phi, u, v = flow(*at)
    found = geostrophic_wind(phi, *at, derivatives="harmonics")
    assert found[0] == pytest.approx(u, abs=1e-8 * np.abs(u).max())
    assert found[1] == pytest.approx(v, abs=1e-7)


@pytest.mark.parametrize("flow", [rotation, wave])
def test_differences_give_the_wind_to_second_order(flow):
    errors = []
    for rows in (44, 132):
        at = grid(rows)
        phi, u, v = flow(*at)
        band = (np.abs(at[0]) > 25.0) & (np.abs(at[0]) < 65.0)
        ug, vg = geostrophic_wind(phi, *at)
        errors.append(np.abs(np.stack([ug - u, vg - v])[:, band]).max())
    assert errors[0] / errors[1] == pytest.approx(9.0, rel=0.15)  # steps a third as long
    assert errors[1] < 0.05


def test_it_is_undefined_on_the_equator_and_at_the_poles_only():
    at = grid(19, poles=True)
    phi, _, _ = rotation(*at)
    for derivatives in ("differences", "harmonics"):
        for component in geostrophic_wind(phi, *at, derivatives=derivatives):
            assert np.isnan(component).all(axis=1).nonzero()[0].tolist() == [0, 9, 18]
            assert np.isnan(component).sum() == 3 * at[1].size


def test_a_turn_of_the_globe_turns_the_wind_and_a_mirror_turns_it_back():
    at = grid(24, 40)
    phi = wave(*at)[0]
    ug, vg = geostrophic_wind(phi, *at)
    turned = geostrophic_wind(np.roll(phi, 7, axis=-1), *at)
    for found, component in zip(turned, (ug, vg), strict=True):
        assert found == pytest.approx(np.roll(component, 7, axis=-1), abs=1e-9)
    mirrored = geostrophic_wind(phi[::-1], *at)
    assert mirrored[0] == pytest.approx(ug[::-1], abs=1e-9)
    assert mirrored[1] == pytest.approx(-vg[::-1], abs=1e-9)


def test_a_region_has_the_wind_of_the_globe_except_at_its_edge_where_it_is_one_sided():
    latitude, longitude = grid(60)
    phi, u, v = wave(latitude, longitude)
    rows, columns = slice(38, 52), slice(30, 60)
    whole = geostrophic_wind(phi, latitude, longitude)
    region = geostrophic_wind(phi[rows, columns], latitude[rows], longitude[columns])
    for ours, theirs, exact in zip(region, whole, (u, v), strict=True):
        assert ours[1:-1, 1:-1] == pytest.approx(theirs[rows, columns][1:-1, 1:-1], abs=1e-9)
        assert ours == pytest.approx(exact[rows, columns], abs=0.5)


def test_a_parabola_over_uneven_steps_has_its_slope():
    points = np.array([0.0, 1.0, 1.5, 4.0, 4.5])
    values = 2.0 * points**2 - 3.0 * points
    assert derivative(values, points, axis=-1) == pytest.approx(4.0 * points - 3.0)
    with pytest.raises(DataError, match="three points"):
        derivative(values[:2], points[:2], axis=-1)


def test_libraries_and_precision_make_no_difference():
    torch = pytest.importorskip("torch")
    at = grid(18)
    phi = np.stack([rotation(*at)[0], wave(*at)[0]])
    expected = geostrophic_wind(phi, *at)
    lazy = geostrophic_wind(da.from_array(phi, chunks=(1, 5, 9)), *at)
    tensors = geostrophic_wind(torch.as_tensor(phi), *at)
    single = geostrophic_wind(phi.astype("float32"), *at)
    for found, wanted in zip(zip(lazy, tensors, single, strict=True), zip(*[expected] * 3, strict=True), strict=True):
        assert found[0].compute() == pytest.approx(wanted[0], abs=1e-9)
        assert found[1].numpy() == pytest.approx(wanted[1], abs=1e-9)
        assert found[2] == pytest.approx(wanted[2], abs=0.01)


def test_gradients_are_those_of_finite_differences():
    torch = pytest.importorskip("torch")
    latitude, longitude = np.array([30.0, 40.0, 50.0]), np.arange(4) * 90.0
    phi = torch.tensor(np.random.default_rng(0).standard_normal((3, 4)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: geostrophic_wind(SCALE * p, latitude, longitude), (phi,))


def test_rows_that_are_used_have_gradients_beside_the_equator():
    torch = pytest.importorskip("torch")
    at = grid(13, poles=True)
    phi, u, v = (torch.as_tensor(x) for x in wave(at[0] + 1e-3, at[1]))
    phi.requires_grad_()
    parts = ageostrophic_mean_squares((u, v), geostrophic_wind(phi, *at), np.ones(phi.shape), at[0], bands=[(15, 75)])
    parts[0].backward()
    assert torch.isfinite(phi.grad).all()
    assert phi.grad.abs().max() > 0.0


def test_the_ratio_by_hand():
    """A tenth of the wind across it in the bands, any wind elsewhere; then rows of unlike areas and winds."""
    latitude, longitude = grid(36)
    areas = exact_cell_areas(latitude, longitude)
    rng = np.random.default_rng(0)
    u, v = rng.standard_normal((2, 3, *areas.shape))
    outside = (np.abs(latitude) < 30.0) | (np.abs(latitude) > 60.0)
    ug, vg = u - 0.1 * v, v + 0.1 * u
    ug[:, outside] = np.nan
    parts = ageostrophic_mean_squares((u, v), (ug, vg), areas, latitude)
    assert ageostrophic_ratio(*parts) == pytest.approx(np.full(3, 0.1))
    # Rows at 40 and 50 degrees of areas 1 and 3; |v|^2 of 4 and 1, |v - vg|^2 of 1 and 1: sqrt(4 / 7).
    wind = (np.array([[2.0], [0.0]]), np.array([[0.0], [1.0]]))
    other = (np.array([[1.0], [1.0]]), np.array([[0.0], [1.0]]))
    parts = ageostrophic_mean_squares(wind, other, np.array([[1.0], [3.0]]), np.array([40.0, 50.0]))
    assert [float(p) for p in parts] == pytest.approx([1.0, 7.0 / 4.0])
    assert float(ageostrophic_ratio(*parts)) == pytest.approx((4.0 / 7.0) ** 0.5)


def test_what_has_no_geostrophic_wind_is_refused():
    torch = pytest.importorskip("torch")
    at = grid(19, poles=True)
    phi, u, v = rotation(*at)
    with pytest.raises(DataError, match="arrays of NumPy; found torch"):
        geostrophic_wind(torch.as_tensor(phi), *at, derivatives="harmonics")
    with pytest.raises(DataError, match="no exact spherical-harmonic transform"):
        geostrophic_wind(phi[:9], at[0][:9], at[1], derivatives="harmonics")
    areas = exact_cell_areas(*at)
    for band, says in (((-10.0, 10.0), "equator"), ((60.0, 90.0), "row at 90"), ((41.0, 42.0), "No row")):
        with pytest.raises(DataError, match=says):
            ageostrophic_mean_squares((u, v), (u, v), areas, at[0], bands=[band])
