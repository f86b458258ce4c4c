"""A slice of a data set: variables, years, levels, a box, and another grid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from climbench.data.splits import Split
from climbench.errors import DataError, did_you_mean

GRID = re.compile(r"(\d+)x(\d+)")


@dataclass(frozen=True)
class Selection:
    """Which part of a canonical data set is wanted.

    Attributes
    ----------
    variables : tuple of str
        None of them means all.
    period : tuple of str or None
        First and last time, inclusive; years or dates as text.
    levels : tuple of int
        In hPa; none of them means all.
    latitude, longitude : tuple of float or None
        Southern and northern, western and eastern end of a box in degrees; a box may cross the meridian of Greenwich.
    grid : str
        The grid to regrid to, columns by rows, such as ``"64x32"``: an odd number of rows has rows on the poles, as in
        WeatherBench. Empty keeps the grid.
    """

    variables: tuple[str, ...] = ()
    period: tuple[str, str] | None = None
    levels: tuple[int, ...] = ()
    latitude: tuple[float, float] | None = None
    longitude: tuple[float, float] | None = None
    grid: str = ""

    def apply(self, data: xr.Dataset) -> xr.Dataset:
        """Return the part, lazily.

        Parameters
        ----------
        data : Dataset
            Canonical.

        Returns
        -------
        Dataset

        Raises
        ------
        DataError
            If something asked for is not there.
        """
        if self.variables:
            data = data[[_there(name, [str(v) for v in data.data_vars], "variable") for name in self.variables]]
        if self.period is not None:
            data = _in_period(data, self.period)
        if self.levels:
            data = _at_levels(data, self.levels)
        data = _in_box(data, "latitude", self.latitude)
        data = _in_box(data, "longitude", self.longitude)
        return _regridded(data, self.grid) if self.grid else data


def _there(name: Any, known: list[Any], what: str) -> Any:
    if name not in known:
        raise DataError(f"There is no {what} '{name}'. {did_you_mean(str(name), map(str, known))}")
    return name


def _in_period(data: xr.Dataset, period: tuple[str, str]) -> xr.Dataset:
    dim = "init_time" if "init_time" in data.dims else "time"
    if dim not in data.dims:
        raise DataError(f"The data has no time, so no period {period[0]}:{period[1]} can be taken.")
    split = Split("data", (period,))
    split.require([data[dim]])
    return data.isel({dim: split.positions(data[dim])})


def _at_levels(data: xr.Dataset, levels: tuple[int, ...]) -> xr.Dataset:
    if "level" not in data.dims:
        raise DataError("The data has no levels to choose from.")
    known = data["level"].values.tolist()
    return data.sel(level=[_there(level, known, "level") for level in levels])


def _in_box(data: xr.Dataset, dim: str, ends: tuple[float, float] | None) -> xr.Dataset:
    if ends is None:
        return data
    values = data[dim].values
    low, high = ends
    if dim == "longitude":
        low, high = low % 360.0, high % 360.0
    inside = (values >= low) & (values <= high) if low <= high else (values >= low) | (values <= high)
    if not inside.any():
        raise DataError(f"No {dim} of the data lies in {ends[0]:g}:{ends[1]:g}; it has {values[0]:g}..{values[-1]:g}.")
    return data.isel({dim: np.flatnonzero(inside)})


def named_grid(name: str) -> xr.Dataset:
    """Return a global latitude-longitude grid by its size.

    Parameters
    ----------
    name : str
        Columns by rows, such as ``"64x32"`` (cell centres) or ``"240x121"`` (rows on the poles).

    Returns
    -------
    Dataset
        With coordinates ``latitude`` and ``longitude``.

    Raises
    ------
    DataError
        If the name is no size of a grid.
    """
    match = GRID.fullmatch(name)
    if not match or min(int(n) for n in match.groups()) < 2:
        raise DataError(f"'{name}' names no grid; write columns x rows, such as 64x32 or 240x121.")
    columns, rows = (int(n) for n in match.groups())
    edge = 90.0 if rows % 2 else 90.0 - 90.0 / rows
    return xr.Dataset(
        coords={
            "latitude": ("latitude", np.linspace(-edge, edge, rows), {"units": "degrees_north"}),
            "longitude": ("longitude", np.arange(columns) * 360.0 / columns, {"units": "degrees_east"}),
        }
    )


def _regridded(data: xr.Dataset, name: str) -> xr.Dataset:
    from climbench.regrid import regrid_conservative

    target = named_grid(name)
    maps = [str(v) for v in data.data_vars if {"latitude", "longitude"} <= set(data[v].dims)]
    lazily = data.chunk({}) if any(data[v].chunks is None for v in maps) else data
    moved = {v: regrid_conservative(lazily[v], target) for v in maps}
    return data.drop_vars([*maps, "latitude", "longitude"], errors="ignore").assign(moved)
