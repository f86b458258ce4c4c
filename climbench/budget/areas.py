"""How much each cell counts, and whether the cells make a globe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.budget.opening import AREAS_OF_AIR, AREAS_OF_SEA
from climbench.budget.sea import SEA_VARIABLES
from climbench.constants import EARTH_RADIUS
from climbench.errors import DataError
from climbench.grids import covers_globe, describe_grid
from climbench.physics.areas import exact_cell_areas

SPHERE = 4.0 * np.pi * EARTH_RADIUS**2


@dataclass(frozen=True)
class Areas:
    """Weights of cells.

    Attributes
    ----------
    weights : ndarray of shape (latitude, longitude)
        Relative.
    words : str
        Where they come from.
    region : str or None
        What the cells cover, where that is no globe.
    """

    weights: np.ndarray
    words: str
    region: str | None


def read_areas(data: xr.Dataset) -> Areas:
    """Return the weights of a data set's cells.

    Parameters
    ----------
    data : Dataset
        Canonical; areas of its own are taken as relative weights, and exact ones of its cells where there are none.

    Returns
    -------
    Areas

    Raises
    ------
    DataError
        If its own areas are not all there and positive.
    """
    grid = data["latitude"].values, data["longitude"].values
    exact = exact_cell_areas(*grid)
    share = float(exact.sum()) / SPHERE
    whole = f"{share:.1%}" if share < 0.99 else f"{share:.3%}"  # not to be read as all of it
    region = None if covers_globe(*grid) else f"{describe_grid(data)}, {whole} of the globe"
    own = _own(data)
    if own is None:
        return Areas(exact, "exact areas of cells", region)
    weights = np.asarray(data[own].transpose("latitude", "longitude").values, "float64")
    if own == AREAS_OF_SEA:
        weights = np.nan_to_num(weights)  # land has none
    wrong = int((~np.isfinite(weights) | (weights < 0.0)).sum())
    if wrong or not weights.sum():
        raise DataError(f"'{own}' lacks {wrong} of {weights.size} cells. Leave it out to weigh by exact areas.")
    words = f"'{own}' of the files as relative weights; it adds up to {weights.sum() / SPHERE:.1%} of the sphere"
    return Areas(weights, words, region)


def _own(data: xr.Dataset) -> str | None:
    """Return the name of the areas that a data set has of its own; those of the sea serve where all else is of it."""
    if AREAS_OF_AIR in data:
        return AREAS_OF_AIR
    only_sea = set(map(str, data.data_vars)) <= {AREAS_OF_SEA, *SEA_VARIABLES}
    return AREAS_OF_SEA if AREAS_OF_SEA in data and only_sea else None
