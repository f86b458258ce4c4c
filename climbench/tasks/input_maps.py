"""Forcing maps on the grid of the climate they drive."""

from __future__ import annotations

from collections.abc import Callable

import xarray as xr

from climbench.errors import DataError
from climbench.grids import describe_grid, goes_round, grid_offset, latitude_edges
from climbench.regrid import regrid_conservative

SAME_GRID = 0.01  # cells apart
COARSER = 2.0  # times the rows or columns that one of two global grids may have more


def on_grid(forcing: xr.Dataset, grid: xr.Dataset, scenario: str, note: Callable[[str], None]) -> xr.Dataset:
    """Return forcings with their maps on a grid.

    Parameters
    ----------
    forcing : Dataset
        Variables of shape (time,) or (time, latitude, longitude), in memory.
    grid : Dataset
        Has the grid maps are brought to.
    scenario : str
        What to call it in messages.
    note : callable
        Takes a line where maps are regridded.

    Returns
    -------
    Dataset
        Maps are regridded conservatively, unless they lie on the grid already.

    Raises
    ------
    DataError
        If the grids are a cell or more apart and do not both cover the globe with similar spacing, or maps have
        missing values on the new grid.
    """
    maps = [str(n) for n in forcing if "latitude" in forcing[n].dims]
    if not maps:
        return forcing
    offset = grid_offset(forcing, grid)
    if offset <= SAME_GRID:
        return forcing.assign_coords(latitude=grid["latitude"], longitude=grid["longitude"])
    if offset >= 1.0 and not _both_global(forcing, grid):
        raise DataError(
            f"The input maps of {scenario} lie on another grid than the outputs: {describe_grid(forcing)} against "
            f"{describe_grid(grid)}. Regrid them, or run an emulator that uses only global totals, such as lps."
        )
    how = f"by {offset:.2g} of a cell" if offset < 1.0 else f"from {_size(forcing)} to {_size(grid)} cells"
    note(f"{', '.join(maps)} regridded conservatively {how} onto the outputs' grid")
    moved = {str(n): _moved(forcing[n], grid, scenario) if n in maps else forcing[n] for n in forcing}
    return xr.Dataset(moved)


def _moved(field: xr.DataArray, grid: xr.Dataset, scenario: str) -> xr.DataArray:
    moved = regrid_conservative(field, grid, min_valid=1.0)
    if bool(moved.isnull().any()):
        raise DataError(
            f"The input maps of {scenario} have missing values, or do not cover the outputs' grid: {field.name} on "
            f"{describe_grid(field)} against {describe_grid(grid)}. Complete them, or regrid them yourself."
        )
    return moved


def _both_global(one: xr.Dataset, other: xr.Dataset) -> bool:
    """Return whether two grids cover the globe with similar spacing, so that regridding is no mistake."""
    sizes = [max(one.sizes[d], other.sizes[d]) / min(one.sizes[d], other.sizes[d]) for d in ("latitude", "longitude")]
    return max(sizes) <= COARSER and _is_global(one) and _is_global(other)


def _is_global(grid: xr.Dataset) -> bool:
    edges = latitude_edges(grid["latitude"].values)
    return bool(edges[0] <= -89.9 and edges[-1] >= 89.9 and goes_round(grid["longitude"].values))


def _size(grid: xr.Dataset) -> str:
    return f"{grid.sizes['latitude']} x {grid.sizes['longitude']}"
