r"""Spectra of whole maps, and what is read from them: effective resolution and slope.

A spectrum is a statistic of each map: take means over inits first, and ratios of the means afterwards. Maps may be dask
arrays; nothing is computed then, and a map is put in one chunk.

References
----------
Lambert (1984), A global available potential energy-kinetic energy budget in terms of the two-dimensional wavenumber,
Atmos.-Ocean 22, doi:10.1080/07055900.1984.9649200 (kinetic energy by degree).
Rasp et al. (2024), WeatherBench 2: a benchmark for the next generation of data-driven global weather models, J. Adv.
Model. Earth Syst. 16, doi:10.1029/2023MS004019 (zonal spectra).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import xarray as xr

from climbench.constants import EARTH_RADIUS
from climbench.errors import DataError
from climbench.harmonics import SphericalHarmonics, spherical_harmonics
from climbench.harmonics.rows import equally_spaced
from climbench.metrics import spectral_kernels as kernels
from climbench.metrics.base import SPACE
from climbench.metrics.spectral_kernels import WEATHERBENCH_RADIUS, Nyquist

DEGREE = "degree"


def power_spectrum(field: xr.DataArray, *, degree: int | None = None) -> xr.DataArray:
    r"""Return the power of each degree of spherical harmonics.

    .. math:: P(l) = \frac{1}{4 \pi} \sum_{m=-l}^{l} |a_l^m|^2, \quad a_l^m = \int f\, \overline{Y_l^m}\, d\Omega

    Parameters
    ----------
    field : DataArray of shape (..., latitude, longitude)
        On a global grid: Gaussian, or with equal steps of latitude, with or without poles.
    degree : int or None
        The highest; None is the highest that the grid resolves exactly.

    Returns
    -------
    DataArray of shape (..., degree)
        In the square of the unit, float64; over all degrees it adds up to the area mean of the square.

    Raises
    ------
    DataError
        If the grid has no exact transform, or not to this degree.
    """
    transform = _transform(field, degree)
    return _spectra(lambda f: kernels.power(f, transform), [field], transform.degree)


def kinetic_energy_spectrum(
    eastward: xr.DataArray, northward: xr.DataArray, *, degree: int | None = None
) -> xr.DataArray:
    r"""Return the kinetic energy of each degree of spherical harmonics, from vorticity and divergence.

    .. math:: E(l) = \frac{1}{8 \pi} \frac{a^2}{l (l + 1)} \sum_{m=-l}^{l} (|\zeta_l^m|^2 + |\delta_l^m|^2)

    With Legendre functions whose square integrates to 1 over sin(latitude) the factor is 1/4 instead, as often printed.

    Parameters
    ----------
    eastward, northward : DataArray of shape (..., latitude, longitude)
        Winds in m s-1, on a global grid as for `power_spectrum`.
    degree : int or None
        The highest; None is the highest that the grid resolves exactly.

    Returns
    -------
    DataArray of shape (..., degree)
        In m2 s-2, float64; over all degrees it adds up to the area mean of :math:`(u^2 + v^2) / 2`.

    Raises
    ------
    DataError
        If the grid has no exact transform, or not to this degree.
    """
    transform = _transform(eastward, degree)
    return _spectra(lambda u, v: kernels.kinetic_energy(u, v, transform), [eastward, northward], transform.degree)


def effective_resolution(
    prediction: xr.DataArray,
    target: xr.DataArray,
    *,
    threshold: float = 0.5,
    first: int = 1,
    radius: float = EARTH_RADIUS,
) -> xr.DataArray:
    r"""Return the wavelength down to which the prediction has enough power at all larger scales.

    It is :math:`2 \pi a / l` for the highest degree l such that every degree from the first to l has at least a given
    share of the target's power.

    Parameters
    ----------
    prediction, target : DataArray of shape (..., degree)
        Means over inits of `power_spectrum` or `kinetic_energy_spectrum`.
    threshold : float
        The share.
    first : int
        The degree to begin at: 0 is the area mean.
    radius : float
        a, in m.

    Returns
    -------
    DataArray of shape (...)
        In m, float64. NaN where already the first degree fails. Where none does it is the shortest wavelength of the
        spectrum, and the truth may be shorter.

    Raises
    ------
    DataError
        If the spectra have no dimension of degrees, or not the same ones.
    """
    highest = of_spectra(
        lambda p, t: kernels.effective_degree(p, t, threshold=threshold, first=first), prediction, target
    )
    return 2.0 * np.pi * radius / highest


def spectral_slope(spectrum: xr.DataArray, *, degrees: tuple[int, int] = (10, 40)) -> xr.DataArray:
    """Return the slope of a spectrum in logarithms, from a least-squares line over degrees.

    Parameters
    ----------
    spectrum : DataArray of shape (..., degree)
        Mean over inits of `power_spectrum` or `kinetic_energy_spectrum`.
    degrees : tuple of int
        The first and the last that count, each the same.

    Returns
    -------
    DataArray of shape (...)
        Without unit, float64: about -3 for the kinetic energy of the atmosphere at these degrees. NaN where a power is
        not positive.

    Raises
    ------
    DataError
        If the spectrum has no dimension of degrees, or does not reach so far.
    """
    return of_spectra(lambda s: kernels.slope(s, degrees=degrees), spectrum)


def zonal_energy_spectrum(
    field: xr.DataArray, *, radius: float = WEATHERBENCH_RADIUS, nyquist: Nyquist = "doubled"
) -> xr.DataArray:
    r"""Return WeatherBench 2's energy spectrum along each circle of latitude.

    .. math:: S_0 = C |F_0|^2, \quad S_k = 2 C |F_k|^2, \quad F_k = \frac{1}{L} \sum_j f_j e^{-2 \pi i j k / L}, \quad
              C = 2 \pi a \cos\varphi

    Parameters
    ----------
    field : DataArray of shape (..., latitude, longitude)
        Longitudes in equal steps all round.
    radius : float
        a, in m; by default WeatherBench 2's.
    nyquist : {"doubled", "once"}
        Whether the last wavenumber of an even number of longitudes counts twice, as WeatherBench 2 has it, or once, so
        that the spectrum adds up to :math:`C / L \sum_j f_j^2`.

    Returns
    -------
    DataArray of shape (..., latitude, zonal_wavenumber)
        In m times the square of the unit, float64.

    Raises
    ------
    DataError
        If the longitudes are not in equal steps all round.
    """
    columns = equally_spaced(field["longitude"].values).size
    latitude = field["latitude"].values.astype("float64")
    result = _of_maps(
        lambda f: kernels.zonal_energy(f, latitude, radius=radius, nyquist=nyquist),
        [field],
        {"latitude": latitude.size, "zonal_wavenumber": columns // 2 + 1},
    )
    return result.assign_coords(zonal_wavenumber=np.arange(columns // 2 + 1), latitude=field["latitude"])


def zonal_energy_between(
    field: xr.DataArray,
    *,
    latitudes: tuple[float, float] = (30.0, 60.0),
    radius: float = WEATHERBENCH_RADIUS,
    nyquist: Nyquist = "doubled",
) -> xr.DataArray:
    """Return the mean of zonal energy spectra between two latitudes of both hemispheres, at common frequencies.

    Parameters
    ----------
    field : DataArray of shape (..., latitude, longitude)
        Longitudes in equal steps all round.
    latitudes : tuple of float
        The least and the greatest distance from the equator, in degrees, both included; the greatest below 90.
    radius, nyquist : float, {"doubled", "once"}
        As for `zonal_energy_spectrum`.

    Returns
    -------
    DataArray of shape (..., frequency)
        In m times the square of the unit, float64; each circle of latitude counts the same. The coordinate
        ``frequency`` is in m-1 and ``wavelength`` its inverse.

    Raises
    ------
    DataError
        If no row lies there, one lies at a pole, or the longitudes are not in equal steps all round.
    """
    distance = abs(field["latitude"])
    low, high = latitudes
    part = field.sel(latitude=(distance >= low) & (distance <= high))
    if part.sizes["latitude"] == 0 or high >= 90.0:
        raise DataError(
            f"A mean over circles {low:g} to {high:g} degrees from the equator takes a row there, and none at a pole; "
            f"there are {part.sizes['latitude']}."
        )
    latitude, columns = part["latitude"].values.astype("float64"), equally_spaced(field["longitude"].values).size
    frequency = kernels.zonal_frequencies(latitude, columns, radius=radius)

    def mean(maps: np.ndarray) -> np.ndarray:
        energy = kernels.zonal_energy(maps, latitude, radius=radius, nyquist=nyquist)
        return kernels.mean_over_circles(energy, latitude, frequency, radius=radius)

    result = _of_maps(mean, [part], {"frequency": frequency.size})
    return result.assign_coords(frequency=frequency, wavelength=("frequency", 1.0 / frequency))


def _transform(field: xr.DataArray, degree: int | None) -> SphericalHarmonics:
    return spherical_harmonics(field["latitude"].values, field["longitude"].values, degree)


def _spectra(kernel: Callable[..., np.ndarray], fields: Sequence[xr.DataArray], degree: int) -> xr.DataArray:
    return _of_maps(kernel, fields, {DEGREE: degree + 1}).assign_coords({DEGREE: np.arange(degree + 1)})


def _of_maps(
    kernel: Callable[..., np.ndarray], fields: Sequence[xr.DataArray], sizes: dict[Hashable, int]
) -> xr.DataArray:
    """Return what a kernel makes of maps, lazily under dask: axes of the given names and sizes in place of a map's."""
    # A latitude among the results has another place than that of the maps, so it goes by another name on the way.
    inner = {f"spectrum_{name}": size for name, size in sizes.items()}
    result = xr.apply_ufunc(
        kernel,
        *fields,
        input_core_dims=[list(SPACE)] * len(fields),
        output_core_dims=[list(inner)],
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True, "output_sizes": inner},
        output_dtypes=[np.float64],
        join="exact",
    )
    return result.rename(dict(zip(inner, sizes, strict=True)))


def of_spectra(kernel: Callable[..., np.ndarray], *spectra: xr.DataArray) -> xr.DataArray:
    """Return what a kernel makes of spectra, lazily under dask.

    Parameters
    ----------
    kernel : callable
        Takes arrays with degrees along the last axis, and returns one without.
    *spectra : DataArray of shape (..., degree)
        Its arguments.

    Returns
    -------
    DataArray of shape (...)
        In float64.

    Raises
    ------
    DataError
        If the spectra have no dimension of degrees, or not the same ones.
    """
    for spectrum in spectra:
        if DEGREE not in spectrum.dims:
            there = ", ".join(map(str, spectrum.dims)) or "none"
            raise DataError(f"A spectrum has a dimension '{DEGREE}'; found {there}. Take power_spectrum of maps first.")
        if spectrum.sizes[DEGREE] != spectra[0].sizes[DEGREE]:
            sizes = " and ".join(str(s.sizes[DEGREE] - 1) for s in spectra)
            raise DataError(f"The spectra go to different degrees, {sizes}. Take both to the lower one.")
    return xr.apply_ufunc(
        kernel,
        *spectra,
        input_core_dims=[[DEGREE]] * len(spectra),
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True},
        output_dtypes=[np.float64],
    )
