r"""Structural similarity of maps over several scales (MS-SSIM): how like two maps look in mean, contrast and pattern.

At each scale the means :math:`\mu`, variances :math:`\sigma^2` and covariance :math:`\sigma_{xy}` of both maps within a
Gaussian window make

.. math:: c = \frac{2 \sigma_{xy} + C_2}{\sigma_x^2 + \sigma_y^2 + C_2}, \quad
          s = c\, \frac{2 \mu_x \mu_y + C_1}{\mu_x^2 + \mu_y^2 + C_1}

of which area means over the map are taken, c at every scale but the coarsest and s there; negative ones count as 0. The
score is the product of their powers; between scales maps are averaged over boxes of 2 by 2 points. It is 1 for equal
maps. All rows count the same, those near the poles as well.

References
----------
Wang, Simoncelli and Bovik (2003), Multiscale structural similarity for image quality assessment, 37th Asilomar
Conference, doi:10.1109/ACSSC.2003.1292216.
Nathaniel et al. (2024), ChaosBench: a multi-channel, physics-based benchmark for subseasonal-to-seasonal climate
prediction, arXiv:2402.00712.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from scipy.ndimage import correlate1d

from climbench.errors import DataError
from climbench.grids import goes_round
from climbench.metrics.base import SPACE
from climbench.metrics.ensemble_kernels import blocks

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
REACH, SIGMA = 5, 1.5  # points: a window of 11
C1, C2 = 0.01**2, 0.03**2  # of maps scaled to the range from 0 to 1
POINTS_AT_ONCE = 2**19

Smooth = Callable[[np.ndarray], np.ndarray]
Pool = Callable[[np.ndarray], np.ndarray]


def ms_ssim_of_maps(
    prediction: np.ndarray,
    target: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    wrap: bool,
    weights: Sequence[float] = WEIGHTS,
) -> np.ndarray:
    """Return the similarity of maps under a range of data common to both.

    Parameters
    ----------
    prediction, target : ndarray of shape (..., latitude, longitude)
        In the same unit.
    low, high : ndarray of shape (...)
        The range of data, in the same unit: broadcast against the maps. Values may lie outside.
    wrap : bool
        Whether windows go round the globe. Otherwise they stay within the map, as they do at its first and last row.
    weights : sequence of float
        The exponent of each scale, from the finest; their number is that of the scales.

    Returns
    -------
    ndarray of shape (...)
        Float64, from 0 to 1; NaN where a value is. Means over inits are means of it.

    Raises
    ------
    DataError
        If the range is empty anywhere.

    Notes
    -----
    Along an axis shorter than the window nothing is smoothed. Of an odd number of points the last stands alone in its
    box.
    """
    low, high = np.asarray(low, "float64"), np.asarray(high, "float64")
    if not (high > low).all():
        raise DataError("The range of data must not be empty: give a 'high' that is above 'low' everywhere.")

    def smooth(maps: np.ndarray) -> np.ndarray:
        return _smoothed(_smoothed(maps, -2, wrap=False), -1, wrap=wrap)

    ours, theirs = ((f - low[..., None, None]) / (high - low)[..., None, None] for f in (prediction, target))
    return _by_blocks(ours, theirs, smooth, _boxes, weights)


def chaosbench_ms_ssim_of_maps(
    prediction: np.ndarray, target: np.ndarray, *, weights: Sequence[float] = WEIGHTS
) -> np.ndarray:
    """Return the similarity of maps as ChaosBench has it.

    Each map is stretched to the same range by its own extremes, so that a forecast of the right pattern and half the
    amplitude is perfect; windows stay within the map, also at the meridian where it is cut open; and an odd number of
    rows gets one of zeros in the north before boxes are averaged (of columns in the west).

    Parameters
    ----------
    prediction, target : ndarray of shape (..., latitude, longitude)
        Latitude ascending.
    weights : sequence of float
        As for `ms_ssim_of_maps`.

    Returns
    -------
    ndarray of shape (...)
        Float64, from 0 to 1; NaN where a value is, or a map is constant.
    """
    # Its maps begin in the north, where they are padded.
    ours, theirs = (_stretched(f[..., ::-1, :]) for f in (prediction, target))
    return _by_blocks(ours, theirs, lambda f: _smoothed(_smoothed(f, -2), -1), _boxes_after_zeros, weights)


def _stretched(field: np.ndarray) -> np.ndarray:
    field = field.astype("float64")
    low, high = (extreme(axis=(-2, -1), keepdims=True) for extreme in (field.min, field.max))
    with np.errstate(invalid="ignore"):
        return (field - low) / (high - low)


def _by_blocks(
    ours: np.ndarray, theirs: np.ndarray, smooth: Smooth, pool: Pool, weights: Sequence[float]
) -> np.ndarray:
    ours, theirs = np.broadcast_arrays(ours, theirs)
    lead, size = ours.shape[:-2], ours.shape[-2] * ours.shape[-1]
    result = np.empty(lead)
    for part in blocks(lead, max(1, POINTS_AT_ONCE // size)):
        result[part] = _similarity(ours[part], theirs[part], smooth, pool, weights)
    return result


def _similarity(
    ours: np.ndarray, theirs: np.ndarray, smooth: Smooth, pool: Pool, weights: Sequence[float]
) -> np.ndarray:
    result = np.ones(ours.shape[:-2])
    for scale, weight in enumerate(weights):
        coarsest = scale == len(weights) - 1
        result *= np.maximum(_mean_of_windows(ours, theirs, smooth, luminance=coarsest), 0.0) ** weight
        if not coarsest:
            ours, theirs = pool(ours), pool(theirs)
    return result


def _mean_of_windows(ours: np.ndarray, theirs: np.ndarray, smooth: Smooth, *, luminance: bool) -> np.ndarray:
    """Return the mean over a map of the likeness in contrast and pattern, times that in the mean if asked."""
    mean, other = smooth(ours), smooth(theirs)
    both, squares = mean * other, mean**2 + other**2
    covariance = smooth(ours * theirs) - both
    variances = smooth(ours**2 + theirs**2) - squares
    likeness = (2.0 * covariance + C2) / (variances + C2)
    if luminance:
        likeness *= (2.0 * both + C1) / (squares + C1)
    return likeness.mean((-2, -1))


def _smoothed(maps: np.ndarray, axis: int, *, wrap: bool = False) -> np.ndarray:
    """Smooth along an axis; where it does not wrap, only the middles of whole windows are left."""
    if maps.shape[axis] <= 2 * REACH:
        return maps
    window = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / SIGMA) ** 2)
    result = correlate1d(maps, window / window.sum(), axis=axis, mode="wrap" if wrap else "nearest")
    if wrap:
        return result
    return result[..., REACH:-REACH] if axis == -1 else result[..., REACH:-REACH, :]


def _boxes(maps: np.ndarray) -> np.ndarray:
    odd = [(0, n % 2) for n in maps.shape[-2:]]
    return _pairs(np.pad(maps, [(0, 0)] * (maps.ndim - 2) + odd, mode="edge"))


def _boxes_after_zeros(maps: np.ndarray) -> np.ndarray:
    odd = [(n % 2, 0) for n in maps.shape[-2:]]
    return _pairs(np.pad(maps, [(0, 0)] * (maps.ndim - 2) + odd))


def _pairs(maps: np.ndarray) -> np.ndarray:
    rows = maps[..., ::2, :] + maps[..., 1::2, :]
    return 0.25 * (rows[..., ::2] + rows[..., 1::2])


def ms_ssim(
    prediction: xr.DataArray,
    target: xr.DataArray,
    *,
    low: xr.DataArray | float,
    high: xr.DataArray | float,
    wrap: bool | None = None,
    weights: Sequence[float] = WEIGHTS,
) -> xr.DataArray:
    """Return the multi-scale structural similarity of each map, under a range of data common to both.

    Parameters
    ----------
    prediction, target : DataArray of shape (..., latitude, longitude)
        In the same unit, on the same coordinates.
    low, high : float or DataArray of shape (...)
        The range of data in the same unit, for example the extremes of a climatology at each level.
    wrap : bool or None
        Whether windows go round the globe; None takes it from the longitudes.
    weights : sequence of float
        The exponent of each scale, from the finest; their number is that of the scales.

    Returns
    -------
    DataArray of shape (...)
        Without unit, float64, from 0 to 1; of several inits the score is the mean.

    Raises
    ------
    DataError
        If the range is empty anywhere.
    """
    around = goes_round(prediction["longitude"].values) if wrap is None else wrap
    limits = [xr.DataArray(limit) if np.isscalar(limit) else limit for limit in (low, high)]
    return _of_maps(
        lambda p, t, a, b: ms_ssim_of_maps(p, t, a, b, wrap=around, weights=weights), prediction, target, *limits
    )


def chaosbench_ms_ssim(
    prediction: xr.DataArray, target: xr.DataArray, *, weights: Sequence[float] = WEIGHTS
) -> xr.DataArray:
    """Return ChaosBench's multi-scale structural similarity of each map, each stretched by its own extremes.

    Parameters
    ----------
    prediction, target : DataArray of shape (..., latitude, longitude)
        On the same coordinates, latitude ascending.
    weights : sequence of float
        As for `ms_ssim`.

    Returns
    -------
    DataArray of shape (...)
        Without unit, float64, from 0 to 1; NaN for a constant map. Of several inits the score is the mean.
    """
    return _of_maps(lambda p, t: chaosbench_ms_ssim_of_maps(p, t, weights=weights), prediction, target)


def _of_maps(
    kernel: Callable[..., np.ndarray], prediction: xr.DataArray, target: xr.DataArray, *limits: xr.DataArray | float
) -> xr.DataArray:
    return xr.apply_ufunc(
        kernel,
        prediction,
        target,
        *limits,
        input_core_dims=[list(SPACE)] * 2 + [[]] * len(limits),
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True},
        output_dtypes=[np.float64],
        join="exact",
    )
