"""The transform against SciPy's harmonics, torch-harmonics, Parseval's theorem, and winds worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import sph_harm_y

from climbench.errors import DataError
from climbench.harmonics import SphericalHarmonics, spherical_harmonics
from climbench.quadrature import quadrature
from tests.example_grids import gaussian, grid, regular, with_poles

GRIDS = {
    "gaussian": gaussian(16),
    "regular": regular(16),
    "with_poles": with_poles(17),
    "even, with_poles": with_poles(16),
    "lobatto": grid(quadrature("lobatto", 16).latitude, np.arange(32) * 11.25),
    "odd, and from another meridian": grid(with_poles(13)["latitude"], 4.0 + np.arange(31) * 360.0 / 31.0),
}


@pytest.fixture(params=GRIDS.values(), ids=GRIDS)
def on(request):
    return request.param


def transform(on, degree=None):
    return spherical_harmonics(on["latitude"].values, on["longitude"].values, degree)


def angles(on):
    """Return colatitude and longitude in radians, of shape (latitude, longitude)."""
    return np.meshgrid(np.deg2rad(90.0 - on["latitude"].values), np.deg2rad(on["longitude"].values), indexing="ij")


def draw(degree, seed=0, maps=3):
    """Return coefficients of real fields."""
    rng = np.random.default_rng(seed)
    shape = (maps, degree + 1, degree + 1)
    values = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) * np.tri(degree + 1)
    values[..., 0] = values[..., 0].real
    return values


def test_each_harmonic_of_scipy_has_one_coefficient(on):
    """Re Y is (Y + conj Y) / 2: half of it at order m, and all of it at order 0."""
    sht = transform(on)
    for degree, order in ((0, 0), (1, 0), (1, 1), (4, 3), (sht.degree, 0), (sht.degree, 5), (sht.degree, sht.degree)):
        harmonic = sph_harm_y(degree, order, *angles(on))
        expected = np.zeros((sht.degree + 1, sht.degree + 1), complex)
        expected[degree, order] = 0.5 if order else 1.0
        np.testing.assert_allclose(sht.analysis(harmonic.real), expected, atol=1e-13)
        if order:
            expected[degree, order] = -0.5j
            np.testing.assert_allclose(sht.analysis(harmonic.imag), expected, atol=1e-13)


def test_synthesis_is_the_sum_of_harmonics(on):
    coefficients = draw(4, maps=1)[0]
    sht = transform(on, degree=4)
    expected = np.zeros((on.sizes["latitude"], on.sizes["longitude"]))
    for degree in range(5):
        for order in range(degree + 1):
            term = coefficients[degree, order] * sph_harm_y(degree, order, *angles(on))
            expected += (2.0 if order else 1.0) * term.real
    np.testing.assert_allclose(sht.synthesis(coefficients), expected, atol=1e-12)


def test_fields_come_back_from_a_round_trip(on):
    sht = transform(on)
    coefficients = draw(sht.degree)
    np.testing.assert_allclose(sht.analysis(sht.synthesis(coefficients)), coefficients, atol=1e-12)


def test_the_degree_is_the_highest_that_the_grid_resolves():
    assert transform(gaussian(32)).degree == 31
    assert transform(regular(32)).degree == 31
    assert transform(with_poles(121)).degree == 119
    assert transform(grid(with_poles(121)["latitude"], np.arange(100) * 3.6)).degree == 49


def test_parseval(on):
    """The integral of the square, by the grid's quadrature to half the degree, is the sum of squared coefficients."""
    half = transform(on).degree // 2
    sht, coefficients = transform(on, half), draw(half)
    square = transform(on).analysis(sht.synthesis(coefficients) ** 2)[:, 0, 0].real * np.sqrt(4.0 * np.pi)
    twice = np.where(np.arange(half + 1) > 0, 2.0, 1.0)
    np.testing.assert_allclose(square, (np.abs(coefficients) ** 2 * twice).sum((-1, -2)), rtol=1e-12)


def test_truncated_coefficients_are_the_first_of_all(on):
    field = transform(on).synthesis(draw(transform(on).degree))
    whole, part = transform(on).analysis(field), transform(on, 5).analysis(field)
    np.testing.assert_allclose(part, whole[:, :6, :6], atol=1e-13)


@pytest.mark.parametrize(("name", "on"), [("legendre-gauss", gaussian(32)), ("equiangular", with_poles(33))])
def test_coefficients_are_those_of_torch_harmonics(name, on):
    """Its weights at equal steps are exact to half the degree only, and so is the field then."""
    theirs = pytest.importorskip("torch_harmonics", reason="torch-harmonics is an optional dependency")
    torch = pytest.importorskip("torch", reason="torch is an optional dependency")
    degree = 31 if name == "legendre-gauss" else 15
    sht = transform(on, degree)
    rows, columns = on.sizes["latitude"], on.sizes["longitude"]
    if name == "legendre-gauss":
        field = np.random.default_rng(3).standard_normal((2, rows, columns))
    else:
        field = sht.synthesis(draw(degree))
    other = theirs.RealSHT(rows, columns, lmax=degree + 1, mmax=degree + 1, grid=name).double()
    expected = other(torch.from_numpy(field[:, ::-1].copy())).numpy()
    np.testing.assert_allclose(sht.analysis(field), expected, atol=1e-12)


@pytest.mark.parametrize(("name", "on"), [("legendre-gauss", gaussian(32)), ("equiangular", with_poles(33))])
def test_vorticity_and_divergence_are_those_of_torch_harmonics(name, on):
    """It gives potentials on the unit sphere, with factors in float32, of winds southward and eastward.

    The Laplacian of the first is the divergence. Winds of the second are its gradient cross the radius, whose vorticity
    is minus its Laplacian.
    """
    theirs = pytest.importorskip("torch_harmonics", reason="torch-harmonics is an optional dependency")
    torch = pytest.importorskip("torch", reason="torch is an optional dependency")
    degree = 31 if name == "legendre-gauss" else 15
    sht = transform(on, degree)
    rows, columns = on.sizes["latitude"], on.sizes["longitude"]
    eastward, northward = sht.winds(draw(degree, 1), draw(degree, 2), radius=1.0)
    if name == "legendre-gauss":
        eastward, northward = np.random.default_rng(3).standard_normal((2, 3, rows, columns))
    other = theirs.RealVectorSHT(rows, columns, lmax=degree + 1, mmax=degree + 1, grid=name).double()
    winds = np.stack([-northward[:, ::-1], eastward[:, ::-1]], axis=1)
    potential, stream = np.moveaxis(other(torch.from_numpy(winds.copy())).numpy(), 1, 0)
    laplacian = (np.arange(degree + 1.0) * np.arange(1.0, degree + 2.0))[:, None]
    vorticity, divergence = sht.vorticity_divergence(eastward, northward, radius=1.0)
    np.testing.assert_allclose(divergence, -laplacian * potential, rtol=2e-7, atol=1e-12)
    np.testing.assert_allclose(vorticity, laplacian * stream, rtol=2e-7, atol=1e-12)


def test_solid_rotation_has_vorticity_of_degree_one(on):
    """At 20 m/s on the equator, u = U cos(latitude): vorticity is 2 U / a sin(latitude), divergence none.

    sin(latitude) is sqrt(4 pi / 3) Y_1^0.
    """
    sht, speed, radius = transform(on), 20.0, 6.0e6
    eastward = speed * np.sin(angles(on)[0])
    vorticity, divergence = sht.vorticity_divergence(eastward, np.zeros_like(eastward), radius=radius)
    expected = np.zeros_like(vorticity)
    expected[1, 0] = 2.0 * speed / radius * np.sqrt(4.0 * np.pi / 3.0)
    np.testing.assert_allclose(vorticity, expected, atol=1e-18)
    np.testing.assert_allclose(divergence, 0.0, atol=1e-18)


def test_rotation_about_an_axis_in_the_equator(on):
    """About the x axis: u = -sin(lat) cos(lon), v = sin(lon), which blows across the poles.

    Vorticity is twice the x coordinate, cos(lat) cos(lon) = -sqrt(8 pi / 3) Re Y_1^1.
    """
    colatitude, longitude = angles(on)
    vorticity, divergence = transform(on).vorticity_divergence(
        -np.cos(colatitude) * np.cos(longitude), np.sin(longitude), radius=1.0
    )
    expected = np.zeros_like(vorticity)
    expected[1, 1] = -np.sqrt(8.0 * np.pi / 3.0)
    np.testing.assert_allclose(vorticity, expected, atol=1e-13)
    np.testing.assert_allclose(divergence, 0.0, atol=1e-13)


def test_gradient_wind_has_divergence_only(on):
    """Of the potential Re Y_2^1 = -c sin(lat) cos(lat) cos(lon), c = sqrt(15 / 8 pi), the Laplacian is -6 times it.

    Its gradient: u = c sin(lat) sin(lon), v = -c cos(2 lat) cos(lon).
    """
    colatitude, longitude = angles(on)
    latitude, c = np.pi / 2 - colatitude, np.sqrt(15.0 / (8.0 * np.pi))
    vorticity, divergence = transform(on).vorticity_divergence(
        c * np.sin(latitude) * np.sin(longitude), -c * np.cos(2.0 * latitude) * np.cos(longitude), radius=1.0
    )
    expected = np.zeros_like(divergence)
    expected[2, 1] = -6.0 * 0.5
    np.testing.assert_allclose(divergence, expected, atol=1e-13)
    np.testing.assert_allclose(vorticity, 0.0, atol=1e-13)


def test_winds_come_back_from_a_round_trip(on):
    sht = transform(on)
    given = [np.where(np.arange(sht.degree + 1)[:, None] > 0, draw(sht.degree, seed), 0.0) for seed in (4, 5)]
    found = sht.vorticity_divergence(*sht.winds(*given))
    for ours, theirs in zip(found, given, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-11)


def test_leading_axes_blocks_and_precision_make_no_difference(monkeypatch):
    sht = transform(with_poles(33))
    field = np.random.default_rng(0).standard_normal((2, 3, 33, 64)).astype("float32")
    whole = sht.analysis(field)
    assert whole.shape == (2, 3, 32, 32)
    monkeypatch.setattr("climbench.harmonics.transform.BLOCK_BYTES", 1)
    np.testing.assert_allclose(sht.analysis(field.astype("float64")), whole, atol=1e-13)
    np.testing.assert_allclose(sht.synthesis(whole)[1, 2], sht.synthesis(whole[1, 2]), atol=1e-12)


def test_matrices_are_kept_for_the_next_call():
    on = regular(8)
    assert transform(on) is transform(on)
    assert transform(on) is not transform(on, 3)


def test_other_grids_degrees_and_shapes_are_refused():
    rows, columns = regular(8)["latitude"].values, regular(8)["longitude"].values
    with pytest.raises(DataError, match="longitudes in equal steps all round the globe; found 12 of them"):
        SphericalHarmonics(rows, columns[:12])
    with pytest.raises(DataError, match="degrees from 1 to 7, and 8 was asked for"):
        SphericalHarmonics(rows, columns, 8)
    sht = SphericalHarmonics(rows, columns)
    with pytest.raises(DataError, match=r"maps of shape \(8, 16\); the arrays have shape \(16, 8\)"):
        sht.analysis(np.zeros((16, 8)))
    with pytest.raises(DataError, match=r"\(2, 8, 16\) and \(8, 16\)"):
        sht.vorticity_divergence(np.zeros((2, 8, 16)), np.zeros((8, 16)))
    with pytest.raises(DataError, match=r"end in shape \(8, 8\)"):
        sht.synthesis(np.zeros((7, 7)))
