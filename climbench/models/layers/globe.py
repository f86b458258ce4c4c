"""Whether a grid is what networks on the sphere need."""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.grids import describe_grid, goes_round, latitude_edges

POLE = 1e-6


def pole_rows_of(grid: xr.Dataset) -> bool | None:
    """Return whether a global grid has rows on the poles, or None for the grid of a region.

    Raises
    ------
    ModelError
        If a global grid has an odd number of columns.
    """
    edges = latitude_edges(grid["latitude"].values)
    whole = goes_round(grid["longitude"].values) and np.allclose(edges[[0, -1]], (-90.0, 90.0), atol=1.0)
    return require_globe(grid) if whole else None


def require_globe(grid: xr.Dataset) -> bool:
    """Return whether a global grid has rows on the poles.

    Parameters
    ----------
    grid : Dataset
        With coordinates ``latitude`` and ``longitude``, ascending.

    Returns
    -------
    bool

    Raises
    ------
    ModelError
        If the grid does not go round the globe from pole to pole, or has an odd number of columns, so that there is
        none half a turn further than another.
    """
    latitude, longitude = grid["latitude"].values, grid["longitude"].values
    edges = latitude_edges(latitude)
    if not goes_round(longitude) or longitude.size % 2 or not np.allclose(edges[[0, -1]], (-90.0, 90.0), atol=1.0):
        raise ModelError(
            f"This network is made for the whole globe and an even number of longitudes; found {describe_grid(grid)}. "
            "Regrid the data, or take an emulator that treats each cell alone, such as lps."
        )
    return bool(np.isclose(abs(latitude[[0, -1]]), 90.0, atol=POLE).all())
