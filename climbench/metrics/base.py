"""The additive statistic: a weighted sum and the sum of its weights.

Scores are means first and roots or ratios last. A mean over a large field is kept as total and weight, which add up
over chunks, tiles and workers; only a whole statistic is turned into a mean.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import xarray as xr

SPACE = ("latitude", "longitude")


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
        Broadcasts against `values`.
    dim : sequence of hashable
        The dimensions to reduce.

    Returns
    -------
    WeightedSum
        In float64.
    """
    values = values.astype("float64")
    spread = weights.astype("float64").broadcast_like(values)
    return WeightedSum((values * spread).sum(dim, skipna=False), spread.sum(dim, skipna=False))


def area_mean(field: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    """Return the weighted mean over latitude and longitude.

    Parameters
    ----------
    field : DataArray of shape (..., latitude, longitude)
        Any unit.
    weights : DataArray of shape (latitude,) or (latitude, longitude)
        Area weights; they need not be normalised.

    Returns
    -------
    DataArray of shape (...)
        In the unit of `field`.
    """
    weights = weights.astype("float64")
    dims = [d for d in SPACE if d in weights.dims]
    rest = [d for d in SPACE if d not in dims]
    inner = field.astype("float64").mean(rest, skipna=False) if rest else field.astype("float64")
    return weighted_sum(inner, weights, dims).mean()
