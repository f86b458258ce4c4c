"""The additive statistic: a weighted sum and the sum of its weights.

Scores are means first and roots or ratios last. A mean over a large field is kept as total and weight, which add up
over chunks, tiles and workers; only a whole statistic is turned into a mean.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import xarray as xr

from climbench.errors import DataError

SPACE = ("latitude", "longitude")
INITS = "init_time"


@dataclass(frozen=True)
class WeightedSum:
    """A weighted sum and the sum of its weights.

    Attributes
    ----------
    total : DataArray
        Sum of weight times value over the dimensions reduced so far.
    weight : DataArray
        Sum of the weights over the same elements.
    """

    total: xr.DataArray
    weight: xr.DataArray

    def __add__(self, other: WeightedSum) -> WeightedSum:
        """Return the statistic over the elements of both."""
        return WeightedSum(self.total + other.total, self.weight + other.weight)

    def mean(self) -> xr.DataArray:
        """Return the weighted mean; NaN where no element counted."""
        return self.total / self.weight.where(self.weight > 0)


def weighted_sum(values: xr.DataArray, weights: xr.DataArray, dim: Sequence[Hashable]) -> WeightedSum:
    """Return the statistic of a field over some of its dimensions.

    Parameters
    ----------
    values : DataArray
        Any dimensions. A NaN is passed on to the sum, so that it is noticed: mask by a weight of zero and a finite
        value instead.
    weights : DataArray
        Along some of `dim`, and along further dimensions such as regions: sums for all of these are one matrix product.
    dim : sequence of hashable
        The dimensions to reduce.

    Returns
    -------
    WeightedSum
        In float64; its weight has the dimensions of the weights that are left.

    Raises
    ------
    DataError
        If values and weights have different coordinates, in whatever order.
    """
    _check_coordinates(values, weights)
    values, weights = (array.astype("float64", copy=False) for array in (values, weights))
    weighted = [d for d in dim if d in weights.dims]
    alike = [d for d in dim if d not in weights.dims]
    inner = values.sum(alike, skipna=False) if alike else values
    count = math.prod(values.sizes[d] for d in alike)
    total = xr.dot(inner, weights, dim=weighted, optimize=True)
    return WeightedSum(total, count * weights.sum(weighted, skipna=False))


def _check_coordinates(values: xr.DataArray, weights: xr.DataArray) -> None:
    """Raise `DataError` where xarray, which joins by coordinates, would drop cells that only one of two has."""
    joined = xr.align(values, weights, join="inner", copy=False)
    for one, other in zip((values, weights), joined, strict=True):
        lost = [str(dim) for dim in one.dims if other.sizes[dim] < one.sizes[dim]]
        if lost:
            raise DataError(
                f"Values and their weights have different coordinates along {', '.join(lost)}. Make the weights from "
                "the values' own coordinates; those that differ only by rounding differ."
            )


def area_mean(field: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    """Return the weighted mean over latitude and longitude.

    Parameters
    ----------
    field : DataArray of shape (..., latitude, longitude)
        Any unit.
    weights : DataArray of shape (latitude,), (latitude, longitude) or (region, latitude, longitude)
        Area weights; they need not be normalised. Over several regions there is a mean for each.

    Returns
    -------
    DataArray of shape (...) or (..., region)
        In the unit of `field`, float64.
    """
    return weighted_sum(field, weights, [d for d in SPACE if d in field.dims]).mean()


def mean_over_inits(means: xr.DataArray, *, inits: str = INITS) -> xr.DataArray:
    """Return the mean over the times forecasts start at, each of the same weight.

    Parameters
    ----------
    means : DataArray of shape (..., init_time, ...)
        One value a forecast, such as an area mean. A NaN is passed on.
    inits : str
        The name of the dimension of initial times.

    Returns
    -------
    DataArray
        Without that dimension.

    Raises
    ------
    DataError
        If there is no such dimension.
    """
    if inits not in means.dims:
        there = ", ".join(map(str, means.dims)) or "none"
        raise DataError(f"Forecasts are averaged over '{inits}', and there is no such dimension; there is {there}.")
    return means.mean(inits, skipna=False)
