"""Means over years and areas that several scores of a field share, each made once and when it is asked for."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import xarray as xr

from climbench.metrics.base import SPACE, area_mean
from climbench.metrics.resampling import slow_components
from climbench.metrics.trends import slope_coefficients
from climbench.metrics.variability import variance_from_sums


class Reductions:
    """A field and what is made of it.

    Parameters
    ----------
    field : DataArray of shape ([member,] time, latitude, longitude)
        In float64. Cells are matched by place: coordinates are compared once, before (`climbench.tasks.comparison`),
        and left out, as xarray would compare them in every step.
    weights : DataArray of shape (region, latitude, longitude)
        Of cells in each region.
    members : int
        Of the target: they decide how many slow components of the years a spatial interval needs.
    """

    def __init__(self, field: xr.DataArray, weights: xr.DataArray, members: int) -> None:
        self.field = field.drop_vars(SPACE, errors="ignore")
        self.weights = weights.drop_vars(SPACE, errors="ignore")
        self.members = members

    @cached_property
    def _along_years(self) -> xr.DataArray:
        """The mean over years, slow cosines, and the slope per decade, in one product."""
        years = self.field["time"]
        basis = slow_components(years.size, self.members)
        if years.size > 1:
            basis = np.vstack([basis, slope_coefficients(years.values)])
        product = xr.DataArray(basis, dims=("component", "time"), coords={"time": years})
        found = xr.dot(self.field, product, dim="time", optimize=True)
        return found.transpose(*(d for d in ("member", "component", *SPACE) if d in found.dims))

    @property
    def components(self) -> xr.DataArray:
        """The mean over years and the slowest cosines, of shape ([member,] component, latitude, longitude)."""
        several = self.field.sizes["time"] > 1
        return self._along_years.isel(component=slice(None, -1 if several else None))

    @property
    def time_mean(self) -> xr.DataArray:
        """The mean over years, of shape ([member,] latitude, longitude)."""
        return self._along_years.isel(component=0)

    @property
    def trend(self) -> xr.DataArray:
        """The slope over two years or more at each cell, per decade, of shape ([member,] latitude, longitude)."""
        return self._along_years.isel(component=-1)

    @cached_property
    def series(self) -> xr.DataArray:
        """The mean over each region, of shape ([member,] time, region)."""
        return area_mean(self.field, self.weights)

    @cached_property
    def variance(self) -> xr.DataArray:
        """The mean over each region of the variance about the trend, of shape ([member,] region)."""
        squares = xr.dot(self.field, self.field, dim="time")
        years = self.field["time"].values
        return area_mean(variance_from_sums(squares, self.time_mean, self.trend, years), self.weights)

    @cached_property
    def internal_variance(self) -> xr.DataArray:
        """The mean over each region of the variance of time means across members, of shape (region,)."""
        return area_mean(member_variance(self.time_mean), self.weights)

    def mean_of(self, region: str) -> np.ndarray:
        """Return the mean over years and a region, of shape (member,) or ()."""
        return by_region(self.series.mean("time", skipna=False))[region]


def by_region(values: xr.DataArray) -> dict[str, np.ndarray]:
    """Return numbers by region.

    Parameters
    ----------
    values : DataArray of shape (..., region)
        Any number of further dimensions.

    Returns
    -------
    dict of str to ndarray of shape (...)
    """
    arrays = values.transpose("region", ...)
    return dict(zip(map(str, arrays["region"].values), arrays.values, strict=True))


def member_variance(members: xr.DataArray) -> xr.DataArray:
    """Return the unbiased variance across members; NaN with a single one.

    Parameters
    ----------
    members : DataArray of shape (member, ...)
        Any unit.

    Returns
    -------
    DataArray of shape (...)
        In the unit squared.
    """
    if members.sizes["member"] < 2:
        return xr.full_like(members.isel(member=0, drop=True), np.nan)
    return members.var("member", ddof=1, skipna=False)
