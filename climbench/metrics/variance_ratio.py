r"""How much a forecast varies in time beside the truth, over a region: in the tropics, where emulators smooth first.

.. math:: \frac{\langle V_f \rangle_w}{\langle V_t \rangle_w}, \quad
          V = \frac{1}{n} \sum_t x_t^2 - \Big( \frac{1}{n} \sum_t x_t \Big)^2

Sums over times add up over chunks and files; the variance of each cell, its mean over the area and the ratio come last.
For the tropics take weights of `climbench.regions.region_weights(..., "tropics")`: 20 degrees south to 20 north.
"""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from climbench.errors import DataError
from climbench.metrics.base import area_mean


@dataclass(frozen=True)
class TimeSums:
    """Sums over times of a field and of its square.

    Attributes
    ----------
    count : int
        How many times.
    total, squares : DataArray of shape (..., latitude, longitude)
        In the unit and its square, float64.
    """

    count: int
    total: xr.DataArray
    squares: xr.DataArray

    def __add__(self, other: TimeSums) -> TimeSums:
        """Return the sums over the times of both."""
        return TimeSums(self.count + other.count, self.total + other.total, self.squares + other.squares)

    def variance(self) -> xr.DataArray:
        """Return the variance over times, in the square of the unit; the sum of squares is divided by their number.

        Raises
        ------
        DataError
            If there are fewer than two times.
        """
        if self.count < 2:
            raise DataError(f"A variance in time needs two times or more; there are {self.count}.")
        variance: xr.DataArray = self.squares / self.count - (self.total / self.count) ** 2
        return variance.clip(min=0.0)


def time_sums(field: xr.DataArray, *, dim: str = "time") -> TimeSums:
    """Return the sums of a field over some times.

    Parameters
    ----------
    field : DataArray of shape (..., time, ..., latitude, longitude)
        May be a dask array. A NaN is passed on.
    dim : str
        The dimension of times: ``time``, or ``init_time`` of forecasts at one lead.

    Returns
    -------
    TimeSums

    Raises
    ------
    DataError
        If there is no such dimension.
    """
    if dim not in field.dims:
        there = ", ".join(map(str, field.dims)) or "none"
        raise DataError(f"A variance in time is taken over '{dim}', and there is no such dimension; there is {there}.")
    values = field.astype("float64", copy=False)
    return TimeSums(field.sizes[dim], values.sum(dim, skipna=False), xr.dot(values, values, dim=dim))


def variance_ratio(prediction: TimeSums, target: TimeSums, weights: xr.DataArray) -> xr.DataArray:
    """Return the area mean of the variance in time over that of the target.

    Parameters
    ----------
    prediction, target : TimeSums
        Over the same times.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights, 0 outside a region.

    Returns
    -------
    DataArray
        Without unit: 1 where the prediction varies as the target does; NaN where the target does not vary.

    Raises
    ------
    DataError
        If there are fewer than two times, not as many of both, or the weights have other coordinates.
    """
    if prediction.count != target.count:
        raise DataError(
            f"The variances are of {prediction.count} and {target.count} times; take both over the same ones."
        )
    ours, theirs = (area_mean(sums.variance(), weights) for sums in (prediction, target))
    ratio: xr.DataArray = ours / theirs.where(theirs > 0.0)
    return ratio
