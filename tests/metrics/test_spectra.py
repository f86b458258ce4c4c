"""Spectra against harmonics of known power, Parseval's theorem, torch-harmonics and winds worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.special import sph_harm_y

from climbench.constants import EARTH_RADIUS
from climbench.errors import DataError
from climbench.harmonics import spherical_harmonics
from climbench.metrics.base import area_mean
from climbench.metrics.spectra import (
    effective_resolution,
    kinetic_energy_spectrum,
    power_spectrum,
    spectral_slope,
    zonal_energy_between,
    zonal_energy_spectrum,
)
from tests.example_grids import SPACE, gaussian, random_maps, regular, with_poles

GRIDS = {"gaussian": gaussian(24), "regular": regular(24), "with_poles": with_poles(25)}


@pytest.fixture(params=GRIDS.values(), ids=GRIDS)
def on(request):
    return request.param


def on_sphere(on, values):
    return xr.DataArray(values, coords=on.coords, dims=SPACE)


def angles(on):
    return np.meshgrid(np.deg2rad(90.0 - on["latitude"].values), np.deg2rad(on["longitude"].values), indexing="ij")


def spectrum(*values):
    return xr.DataArray(np.array(values, "float64"), dims="degree")


@pytest.mark.parametrize(("degree", "order"), [(0, 0), (3, 0), (3, 2), (7, 7), (20, 1)])
def test_a_harmonic_has_power_at_its_degree(on, degree, order):
    """The area mean of the square of 2 Re Y is 4 / 8 pi, as cos^2 is a half on average; of 2 Y_l^0 it is 4 / 4 pi."""
    found = power_spectrum(on_sphere(on, 2.0 * sph_harm_y(degree, order, *angles(on)).real))
    expected = np.zeros(found.sizes["degree"])
    expected[degree] = 1.0 / np.pi / (2.0 if order else 1.0)
    np.testing.assert_allclose(found.values, expected, atol=1e-14)
    np.testing.assert_array_equal(found["degree"], np.arange(found.sizes["degree"]))


def test_power_adds_up_to_the_mean_square():
    """On a Gaussian grid the row weights of the mean are the quadrature's own, exact for the square."""
    on = gaussian(24)
    sht = spherical_harmonics(on["latitude"].values, on["longitude"].values)
    smooth = sht.synthesis(sht.analysis(random_maps(on).values))
    field = xr.DataArray(smooth, coords={"time": np.arange(3), **on.coords}, dims=("time", *SPACE))
    weights = xr.DataArray(np.polynomial.legendre.leggauss(24)[1], dims="latitude", coords={"latitude": on["latitude"]})
    xr.testing.assert_allclose(power_spectrum(field).sum("degree"), area_mean(field**2, weights), rtol=1e-12)


def test_power_is_that_of_torch_harmonics():
    """Which adds up to the integral, 4 pi times the mean."""
    theirs = pytest.importorskip("torch_harmonics", reason="torch-harmonics is an optional dependency")
    torch = pytest.importorskip("torch", reason="torch is an optional dependency")
    field = random_maps(gaussian(24))
    sht = theirs.RealSHT(24, 48, lmax=24, mmax=24, grid="legendre-gauss").double()
    squares = sht(torch.from_numpy(field.values[:, ::-1].copy())).abs().numpy() ** 2
    expected = 2.0 * squares.sum(-1) - squares[..., 0]
    np.testing.assert_allclose(4.0 * np.pi * power_spectrum(field).values, expected, rtol=1e-10)


def test_the_spectrum_does_not_change_with_a_turn_or_a_mirror(on):
    field = random_maps(on)
    whole = power_spectrum(field)
    xr.testing.assert_allclose(power_spectrum(field.roll(longitude=7)), whole, rtol=1e-10)
    xr.testing.assert_allclose(power_spectrum(field.copy(data=field.values[:, ::-1])), whole, rtol=1e-10)


def test_order_of_dimensions_chunks_and_precision_make_no_difference(on):
    field = random_maps(on, n=5).astype("float32")
    whole = power_spectrum(field)
    assert whole.dims == ("time", "degree")
    xr.testing.assert_allclose(power_spectrum(field.astype("float64")), whole, rtol=1e-12)
    turned = power_spectrum(field.transpose("longitude", "time", "latitude"))
    xr.testing.assert_allclose(turned, whole, rtol=1e-12)
    lazy = power_spectrum(field.chunk(time=2, latitude=5))
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole, rtol=1e-12)


def test_many_maps_are_taken_in_parts(on, monkeypatch):
    field = random_maps(on, n=5)
    whole = power_spectrum(field)
    monkeypatch.setattr("climbench.metrics.spectral_kernels.MAPS_AT_ONCE", 2)
    xr.testing.assert_allclose(power_spectrum(field), whole, rtol=1e-12)


def test_solid_rotation_has_its_energy_at_degree_one(on):
    """The mean of u^2 / 2 with u = 20 cos(latitude) is 200 * 2 / 3."""
    eastward = on_sphere(on, 20.0 * np.sin(angles(on)[0]))
    found = kinetic_energy_spectrum(eastward, xr.zeros_like(eastward))
    expected = np.zeros(found.sizes["degree"])
    expected[1] = 400.0 / 3.0
    np.testing.assert_allclose(found.values, expected, atol=1e-11)


def test_a_gradient_wind_has_its_energy_at_its_degree(on):
    """Of the potential Re Y_2^1 on the unit sphere the mean of |grad|^2 is 6 times that of its square, 1 / 8 pi."""
    colatitude, longitude = angles(on)
    latitude, c = np.pi / 2 - colatitude, np.sqrt(15.0 / (8.0 * np.pi))
    eastward = on_sphere(on, c * np.sin(latitude) * np.sin(longitude))
    northward = on_sphere(on, -c * np.cos(2.0 * latitude) * np.cos(longitude))
    found = kinetic_energy_spectrum(eastward, northward)
    assert float(found[2]) == pytest.approx(0.5 * 6.0 / (8.0 * np.pi))
    assert float(found.sum()) == pytest.approx(float(found[2]))


def test_kinetic_energy_adds_up_to_the_mean():
    on = gaussian(24)
    sht = spherical_harmonics(on["latitude"].values, on["longitude"].values)
    u, v = sht.winds(*sht.vorticity_divergence(*(random_maps(on, seed=s).values for s in (1, 2))))
    winds = [xr.DataArray(w, coords={"time": np.arange(3), **on.coords}, dims=("time", *SPACE)) for w in (u, v)]
    weights = xr.DataArray(np.polynomial.legendre.leggauss(24)[1], dims="latitude", coords={"latitude": on["latitude"]})
    energy = area_mean((winds[0] ** 2 + winds[1] ** 2) / 2.0, weights)
    xr.testing.assert_allclose(kinetic_energy_spectrum(*winds).sum("degree"), energy, rtol=1e-12)


def test_effective_resolution_is_the_scale_down_to_which_all_larger_ones_pass():
    """Degrees 1 to 3 have half of the power or more, 4 has not, and that 5 has again does not count."""
    target = spectrum(9.0, 8.0, 4.0, 2.0, 1.0, 1.0)
    prediction = spectrum(0.0, 8.0, 3.0, 1.0, 0.4, 2.0)
    found = effective_resolution(prediction, target)
    assert float(found) == pytest.approx(2.0 * np.pi * EARTH_RADIUS / 3.0)
    assert float(effective_resolution(prediction, target, threshold=0.7, radius=1.0)) == pytest.approx(np.pi)
    assert float(effective_resolution(target, target, radius=1.0)) == pytest.approx(2.0 * np.pi / 5.0)


def test_effective_resolution_is_nan_where_nothing_is_resolved_or_known():
    target = spectrum(1.0, 1.0, 1.0)
    assert np.isnan(effective_resolution(spectrum(1.0, 0.4, 1.0), target))
    assert float(effective_resolution(spectrum(1.0, 0.4, 1.0), target, first=2, radius=1.0)) == pytest.approx(np.pi)
    assert np.isnan(effective_resolution(spectrum(1.0, 1.0, np.nan), target))


def test_slope_of_a_power_law():
    """Fitted to degrees 10 to 40; what lies outside does not count."""
    degrees = np.arange(61.0)
    powers = np.stack([7.0 * np.maximum(degrees, 1.0) ** p for p in (-3.0, -5.0 / 3.0)])
    powers[:, :10] = powers[:, 41:] = 1.0
    found = spectral_slope(xr.DataArray(powers, dims=("time", "degree")))
    np.testing.assert_allclose(found, [-3.0, -5.0 / 3.0], rtol=1e-12)


def test_slope_is_that_of_a_least_squares_line():
    powers = np.exp(np.random.default_rng(0).standard_normal(30))
    expected = np.polyfit(np.log(np.arange(5, 21)), np.log(powers[5:21]), 1)[0]
    assert float(spectral_slope(spectrum(*powers), degrees=(5, 20))) == pytest.approx(expected, rel=1e-10)
    powers[7] = 0.0
    assert np.isnan(spectral_slope(spectrum(*powers), degrees=(5, 20)))


def test_zonal_spectrum_of_a_wave():
    """3 + 4 cos(5 lon) at 60 degrees: F_0 = 3, |F_5| = 2, and the circle is half as long as the equator."""
    on = regular(3)
    field = on_sphere(on, np.ones((3, 1)) * (3.0 + 4.0 * np.cos(2 * np.deg2rad(on["longitude"].values))))
    found = zonal_energy_spectrum(field, radius=1.0)
    expected = np.array([9.0, 0.0, 8.0, 0.0]) * np.pi
    np.testing.assert_allclose(found.sel(latitude=60.0), expected, atol=1e-13)
    np.testing.assert_allclose(found.sel(latitude=0.0), 2.0 * expected, atol=1e-13)
    assert found.dims == ("latitude", "zonal_wavenumber")


@pytest.mark.parametrize("columns", [12, 13])
def test_zonal_spectrum_obeys_parseval(columns):
    """With an even number of longitudes only if the last wavenumber counts once."""
    on = regular(6).assign_coords(longitude=np.arange(columns) * 360.0 / columns)
    field = random_maps(on)
    length = 2.0 * np.pi * 6.3675e6 * np.cos(np.deg2rad(on["latitude"]))
    mean = length * (field**2).mean("longitude")
    once = zonal_energy_spectrum(field, nyquist="once")
    xr.testing.assert_allclose(once.sum("zonal_wavenumber"), mean.transpose("time", "latitude"), rtol=1e-12)
    doubled = zonal_energy_spectrum(field)
    last = np.abs(np.fft.fft(field.values, axis=-1)[..., columns // 2] / columns) ** 2 * length.values
    extra = (doubled - once).sum("zonal_wavenumber")
    np.testing.assert_allclose(extra, last if columns == 12 else 0.0 * last, rtol=1e-6, atol=1e-6)


def test_zonal_spectra_are_averaged_at_common_frequencies():
    """At 60 degrees, where circles are half as long, the wave of wavenumber 4 has the frequency of 8 on the equator."""
    on = regular(3).assign_coords(longitude=np.arange(24) * 15.0)
    wave = np.stack([np.cos(k * np.deg2rad(on["longitude"].values)) for k in (4, 8, 4)])
    found = zonal_energy_between(on_sphere(on, wave), latitudes=(0.0, 60.0), radius=1.0 / (2.0 * np.pi))
    circles = np.cos(np.deg2rad(on["latitude"].values))
    assert found.sizes["frequency"] == 12
    np.testing.assert_allclose(found["frequency"][[0, -1]], [1.0 / 0.5, 12.0 / 1.0])
    np.testing.assert_allclose(found["wavelength"], 1.0 / found["frequency"])
    spectra = [2.0 * c * np.abs(np.fft.rfft(w) / 24) ** 2 for c, w in zip(circles, wave, strict=True)]
    expected = np.mean(
        [np.interp(found["frequency"], np.arange(13) / c, s) for c, s in zip(circles, spectra, strict=True)], axis=0
    )
    np.testing.assert_allclose(found.values, expected, atol=1e-14)
    assert float(found["frequency"][found.argmax("frequency")]) == pytest.approx(8.0, abs=0.5)


def test_real_winds_have_falling_spectra(shared_data):
    """ERA-Interim, monthly means: kinetic energy falls about with the third power of the degree, or faster."""
    with xr.open_dataset(shared_data / "era5" / "eraint_uvz.nc", drop_variables="z", mask_and_scale=False) as source:
        packed = source.sel(level=500).isel(month=0).sortby("latitude").load()
    # Unpacked by hand, as xarray warns of a fill value that integers cannot have.
    winds = {name: packed[name] * packed[name].scale_factor + packed[name].add_offset for name in ("u", "v")}
    energy = kinetic_energy_spectrum(winds["u"], winds["v"], degree=60)
    assert -6.0 < float(spectral_slope(energy)) < -2.5
    weights = np.cos(np.deg2rad(packed["latitude"]))
    mean = float(area_mean((winds["u"] ** 2 + winds["v"] ** 2) / 2.0, weights))
    assert float(energy.sum()) == pytest.approx(mean, rel=0.01)


def test_what_has_no_spectrum_is_refused():
    field = random_maps(regular(12))
    with pytest.raises(DataError, match="no exact spherical-harmonic transform"):
        power_spectrum(field.isel(latitude=slice(2, None)))
    with pytest.raises(DataError, match="degrees from 1 to 11, and 12"):
        power_spectrum(field, degree=12)
    with pytest.raises(DataError, match="equal steps all round"):
        zonal_energy_spectrum(field.isel(longitude=slice(5)))
    with pytest.raises(DataError, match="there are 0"):
        zonal_energy_between(field, latitudes=(83.0, 84.0))
    with pytest.raises(DataError, match="degree 10 to 40 was asked for; the spectrum has degrees 0 to 11"):
        spectral_slope(power_spectrum(field))
    with pytest.raises(DataError, match="different degrees, 11 and 5"):
        effective_resolution(power_spectrum(field), power_spectrum(field, degree=5))
    with pytest.raises(DataError, match="dimension 'degree'; found time, latitude, longitude"):
        spectral_slope(field)
