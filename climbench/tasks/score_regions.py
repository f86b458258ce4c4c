"""The regions a projection is scored in, as one stack of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import xarray as xr

from climbench.errors import DataError
from climbench.regions import find_region, region_weights
from climbench.tasks.score_rows import GLOBE


@dataclass(frozen=True)
class ScoreRegions:
    """Weights of cells in each region.

    Attributes
    ----------
    weights : DataArray of shape (region, latitude, longitude)
        The globe first; not normalised.
    shown : tuple of str
        The regions that have rows of their own; the globe first.
    left_out : dict of str to str
        Regions that this grid has no weights for, and why.
    """

    weights: xr.DataArray
    shown: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """All regions that have weights, those shown and those that ratios need."""
        return [str(name) for name in self.weights["region"].values]


def stack_regions(
    area: xr.DataArray,
    grid: xr.Dataset,
    shown: Sequence[str],
    needed: Sequence[str],
    land: Callable[[], xr.DataArray],
) -> ScoreRegions:
    """Return the weights of all regions.

    Parameters
    ----------
    area : DataArray of shape (latitude,)
        Area weights of the whole grid.
    grid : Dataset
        With coordinates ``latitude`` and ``longitude``.
    shown : sequence of str
        Names of regions that are to have rows; the globe has them in any case.
    needed : sequence of str
        Names of further regions that scores are made from.
    land : callable
        Returns the fraction of land; called once, if a region needs it.

    Returns
    -------
    ScoreRegions
        Without regions that no cell of the grid lies in, or for which land and sea cannot be told apart.

    Raises
    ------
    DataError
        If there is no region of a name.
    """
    found: dict[str, xr.DataArray] = {}
    left_out: dict[str, str] = {}
    fraction: xr.DataArray | None = None
    for name in dict.fromkeys((GLOBE, *shown, *needed)):
        region = find_region(name)
        try:
            if region.surface != "all" and fraction is None:
                fraction = land()
            found[name] = region_weights(area, grid, name, land_fraction=fraction)
        except DataError as error:
            left_out[name] = str(error)
    weights = xr.concat(list(found.values()), xr.DataArray(list(found), dims="region", name="region"))
    return ScoreRegions(weights, tuple(n for n in dict.fromkeys((GLOBE, *shown)) if n in found), left_out)
