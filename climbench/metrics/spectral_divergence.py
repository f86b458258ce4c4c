r"""How far the distribution of power over the smallest scales lies from the target's: divergence and residual.

The power of the shortest tenth of wavelengths is divided by its sum, for prediction and target each. The divergence is
:math:`\sum_k p_o(k) \log(p_o(k) / p_f(k))`, the residual :math:`\sqrt{\langle (p_f(k) - p_o(k))^2 \rangle_k}`. Neither
sees how much power there is in all.

`spectral_divergence` and `spectral_residual` take spectra of spherical harmonics, one of each map, averaged over inits.
ChaosBench's, under its name, take the Fourier transform over latitude and longitude of maps averaged over inits, in
which the small scales of different inits have cancelled: they are for comparison with its published numbers.

References
----------
Nathaniel et al. (2024), ChaosBench: a multi-channel, physics-based benchmark for subseasonal-to-seasonal climate
prediction, arXiv:2402.00712.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import xarray as xr
from scipy.sparse import csr_array

from climbench.errors import DataError
from climbench.metrics.base import INITS, SPACE, mean_over_inits
from climbench.metrics.spectra import of_spectra

QUANTILE = 0.9
# ChaosBench bounds the ratio before its logarithm is taken.
LEAST_RATIO = 1e-9


def smallest_scales(spectrum: np.ndarray, *, quantile: float = QUANTILE) -> np.ndarray:
    """Return the distribution of power over the highest degrees.

    Parameters
    ----------
    spectrum : ndarray of shape (..., degree + 1)
        Mean power of each degree over inits, from 0.
    quantile : float
        The share of degrees, from 1 up, that is left out.

    Returns
    -------
    ndarray of shape (..., n)
        Of each row the sum is 1.

    Raises
    ------
    DataError
        If the quantile is not at least 0 and below 1.
    """
    return _normalised(spectrum[..., 1 + _left_out(spectrum.shape[-1] - 1, quantile) :])


def divergence(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the divergence of the prediction's distribution from the target's.

    Parameters
    ----------
    prediction, target : ndarray of shape (..., n)
        Distributions, as `smallest_scales` returns them.

    Returns
    -------
    ndarray of shape (...)
        0 where they are equal; infinite where the prediction has no power and the target some.
    """
    return _relative_entropy(prediction, target, 0.0)


def residual(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the root mean square difference of two distributions.

    Parameters
    ----------
    prediction, target : ndarray of shape (..., n)
        As for `divergence`.

    Returns
    -------
    ndarray of shape (...)
        0 where they are equal.
    """
    return np.sqrt(((prediction - target) ** 2).mean(-1))


def chaosbench_smallest_scales(mean_field: np.ndarray, *, quantile: float = QUANTILE) -> np.ndarray:
    r"""Return ChaosBench's distribution of power over the highest total wavenumbers of a map.

    The wavenumber is :math:`\sqrt{k_x^2 + k_y^2}` of the Fourier transform over latitude and longitude, as if the map
    were a torus. Its range from 0.5 to the highest is cut into rings, as many as there are numbers 0.5, 1.5, ... below
    the highest, and of equal width; power is averaged over each.

    Parameters
    ----------
    mean_field : ndarray of shape (..., latitude, longitude)
        The mean over inits of the maps.
    quantile : float
        The share of rings that is left out.

    Returns
    -------
    ndarray of shape (..., ring)
        Of each row the sum is 1.

    Raises
    ------
    DataError
        If the quantile is not at least 0 and below 1.
    """
    shape = mean_field.shape[-2:]
    _left_out(1, quantile)
    power = np.abs(np.fft.fft2(mean_field.astype("float64", copy=False))) ** 2
    rings = _rings(shape, quantile) @ power.reshape(-1, shape[0] * shape[1]).T
    return _normalised(rings.T.reshape(*mean_field.shape[:-2], -1))


def chaosbench_divergence(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return ChaosBench's divergence, in which the ratio of powers is at least 1e-9.

    Parameters
    ----------
    prediction, target : ndarray of shape (..., ring)
        Distributions, as `chaosbench_smallest_scales` returns them.

    Returns
    -------
    ndarray of shape (...)
        0 where they are equal.
    """
    return _relative_entropy(prediction, target, LEAST_RATIO)


def _relative_entropy(prediction: np.ndarray, target: np.ndarray, least: float) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.maximum(target / prediction, least)
        # A scale at which the target has no power adds nothing, in the limit.
        return np.where(target == 0.0, 0.0, target * np.log(ratio)).sum(-1)


def _left_out(scales: int, quantile: float) -> int:
    if not 0.0 <= quantile < 1.0:
        raise DataError(f"The share of scales left out must be at least 0 and below 1; found {quantile:g}.")
    return int(scales * quantile)


def _normalised(power: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return power / power.sum(-1, keepdims=True)


@lru_cache(maxsize=8)
def _rings(shape: tuple[int, int], quantile: float) -> csr_array:
    """Return the matrix, of shape (ring, cell), that averages over the rings that count; empty ones are left out."""
    waves = [np.fft.fftfreq(n, 1.0 / n) for n in shape]
    total = np.hypot(waves[0][:, None], waves[1]).ravel()
    highest = total.max()
    count = np.arange(0.5, highest).size
    place = np.floor((total - 0.5) / (highest - 0.5) * count)
    ring = np.minimum(place, count - 1).astype(int)
    cell = np.flatnonzero((total >= 0.5) & (ring >= _left_out(count, quantile)))
    number, row, size = np.unique(ring[cell], return_inverse=True, return_counts=True)
    return csr_array((1.0 / size[row], (row, cell)), shape=(number.size, total.size))


def spectral_divergence(prediction: xr.DataArray, target: xr.DataArray, *, quantile: float = QUANTILE) -> xr.DataArray:
    """Return the divergence of the prediction's distribution of power over the highest degrees from the target's.

    Parameters
    ----------
    prediction, target : DataArray of shape (..., degree)
        Means over inits of `climbench.metrics.spectra.power_spectrum`.
    quantile : float
        The share of degrees, from 1 up, that is left out.

    Returns
    -------
    DataArray of shape (...)
        Without unit, float64; 0 where the distributions are equal.

    Raises
    ------
    DataError
        If the spectra have no dimension of degrees, or not the same ones, or the quantile is out of range.
    """
    return of_spectra(
        lambda p, t: divergence(smallest_scales(p, quantile=quantile), smallest_scales(t, quantile=quantile)),
        prediction,
        target,
    )


def spectral_residual(prediction: xr.DataArray, target: xr.DataArray, *, quantile: float = QUANTILE) -> xr.DataArray:
    """Return the root mean square difference of the distributions of power over the highest degrees.

    Parameters
    ----------
    prediction, target : DataArray of shape (..., degree)
        Means over inits of `climbench.metrics.spectra.power_spectrum`.
    quantile : float
        The share of degrees, from 1 up, that is left out.

    Returns
    -------
    DataArray of shape (...)
        Without unit, float64; 0 where the distributions are equal.

    Raises
    ------
    DataError
        If the spectra have no dimension of degrees, or not the same ones, or the quantile is out of range.
    """
    return of_spectra(
        lambda p, t: residual(smallest_scales(p, quantile=quantile), smallest_scales(t, quantile=quantile)),
        prediction,
        target,
    )


def chaosbench_spectral_divergence(
    prediction: xr.DataArray, target: xr.DataArray, *, quantile: float = QUANTILE, inits: str = INITS
) -> xr.DataArray:
    """Return ChaosBench's SpecDiv, of maps averaged over inits.

    Parameters
    ----------
    prediction, target : DataArray of shape (..., init_time, ..., latitude, longitude)
        In the same unit: the target at the valid times.
    quantile : float
        The share of wavenumbers that is left out.
    inits : str
        The name of the dimension of initial times. All of them make one batch: ChaosBench has batches of 32, and takes
        the mean over these.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, float64.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the quantile is out of range.
    """
    return _of_mean_maps(chaosbench_divergence, prediction, target, quantile, inits)


def chaosbench_spectral_residual(
    prediction: xr.DataArray, target: xr.DataArray, *, quantile: float = QUANTILE, inits: str = INITS
) -> xr.DataArray:
    """Return ChaosBench's SpecRes, of maps averaged over inits.

    Parameters
    ----------
    prediction, target : DataArray of shape (..., init_time, ..., latitude, longitude)
        In the same unit: the target at the valid times.
    quantile, inits : float, str
        As for `chaosbench_spectral_divergence`.

    Returns
    -------
    DataArray
        Without latitude, longitude and inits, float64.

    Raises
    ------
    DataError
        If there is no dimension of inits, or the quantile is out of range.
    """
    return _of_mean_maps(residual, prediction, target, quantile, inits)


def _of_mean_maps(
    compare: Callable[[np.ndarray, np.ndarray], np.ndarray],
    prediction: xr.DataArray,
    target: xr.DataArray,
    quantile: float,
    inits: str,
) -> xr.DataArray:
    means = [mean_over_inits(field.astype("float64"), inits=inits) for field in (prediction, target)]
    return xr.apply_ufunc(
        lambda p, t: compare(*(chaosbench_smallest_scales(f, quantile=quantile) for f in (p, t))),
        *means,
        input_core_dims=[list(SPACE)] * 2,
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True},
        output_dtypes=[np.float64],
        join="exact",
    )
