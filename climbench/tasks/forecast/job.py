"""What pieces of a forecast's scoring share, and the sums that each gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from climbench.tasks.forecast.stores import Places

WEIGHT = "weight"


@dataclass(frozen=True)
class Job:
    """Everything that all pieces of one scoring share.

    Attributes
    ----------
    places : Places
        The stores.
    statistics : mapping of str to tuple of str
        By target, the statistics that are wanted, of whatever kind.
    regions : ndarray of shape (cell, region)
        Area weights within each region, of mean 1 over the grid where a region is the globe.
    weight : ndarray of shape (cell,)
        Area weights of the grid, of mean 1.
    init_positions, lead_positions : ndarray of int
        Where the scored times are in the forecast.
    truth_positions : ndarray of shape (init, lead)
        Where valid times are in the truth; -1 where they are not.
    grid : tuple of ndarray
        Latitudes and longitudes in degrees.
    climatology_positions : tuple of ndarray of shape (init, lead)
        Where valid times are in the climatology, an array an axis; empty without climatology.
    mask : bool
        Whether cells with missing values are left out; an error otherwise.
    may_miss : tuple of str
        Targets whose truth may have missing values (the land in a sea surface temperature).
    """

    places: Places
    statistics: Mapping[str, tuple[str, ...]]
    regions: np.ndarray
    weight: np.ndarray
    init_positions: np.ndarray
    lead_positions: np.ndarray
    truth_positions: np.ndarray
    grid: tuple[np.ndarray, np.ndarray]
    climatology_positions: tuple[np.ndarray, ...] = ()
    mask: bool = False
    may_miss: tuple[str, ...] = ()


@dataclass
class Sums:
    """Area-weighted sums of one target: for each statistic an array of shape (init, lead, region).

    Attributes
    ----------
    totals : dict of str to ndarray
        Sums of weight times value; under ``weight`` the sum of the weights, zero for pairs without truth. Counts
        in bins are of shape (init, lead, region, bin).
    maps : dict of str to ndarray of shape (init, lead, n)
        Statistics of whole maps; NaN for pairs that have none.
    masked : ndarray of int of shape (init, lead)
        Cells left out.
    """

    totals: dict[str, np.ndarray] = field(default_factory=dict)
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    masked: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), int))

    def means(self) -> dict[str, np.ndarray]:
        """Return area means of shape (init, lead, region[, bin]), NaN where nothing counted, and statistics of maps."""
        weight = self.totals[WEIGHT]
        with np.errstate(invalid="ignore", divide="ignore"):
            means = {
                name: total / weight.reshape(*weight.shape, *[1] * (total.ndim - weight.ndim))
                for name, total in self.totals.items()
                if name != WEIGHT
            }
        return {**means, **self.maps}
