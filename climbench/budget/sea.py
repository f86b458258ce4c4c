"""The sea, where land is missing by nature: means are over columns that hold water."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.constants import FREEZING_POINT
from climbench.physics.areas import area_sum
from climbench.physics.blocks import DEPTH
from climbench.physics.diagnosis import diagnose
from climbench.physics.opening import open_quantities

SEA_HEAT, WET = "ocean_heat", "wet"
SEA_VARIABLES = ("thetao", "thkcello")


@dataclass
class Sea:
    """Where water is by the temperature that is given, cell by cell at every depth, and what would make a mean partial.

    Attributes
    ----------
    water : ndarray of shape (depth, latitude, longitude) or None
        Whether there is water at the first time.
    changed : int
        Cells and times with water where there was none at the first time, or none where there was.
    without_thickness : int
        Cells and times with water of unknown thickness.
    size : int
        All cells and times.
    """

    water: np.ndarray | None = None
    changed: int = 0
    without_thickness: int = 0
    size: int = 0

    def see(self, water: xr.DataArray, thickness: xr.DataArray) -> None:
        """Take the cells of a block of times into account."""
        cells = water.transpose(..., DEPTH, "latitude", "longitude").values
        self.water = cells.reshape(-1, *cells.shape[-3:])[0] if self.water is None else self.water
        self.changed += int((cells != self.water).sum())
        self.without_thickness += int((water & thickness.isnull()).sum())
        self.size += cells.size

    def lacking(self) -> list[str]:
        """Return in words what a mean over the sea lacks: part of it at some times, or of its depth."""
        found = []
        if self.changed:
            found.append(
                f"the same sea at all times: {self.changed} of {self.size} values of 'thetao' are missing (NaN) and "
                "were there at the first time, or the other way round, so that means would be of another part of it at "
                "another time"
            )
        if self.without_thickness:
            found.append(
                f"the thickness of all water: 'thkcello' is missing (NaN) for {self.without_thickness} of {self.size} "
                "values of 'thetao', which would count for nothing"
            )
        return found


def sea_means(
    block: xr.Dataset, weights: np.ndarray, missing: dict[str, tuple[str, ...]], sea: Sea
) -> dict[str, np.ndarray]:
    """Return the heat of the sea at each time of a block, as a mean over its area, and the share of cells that are wet.

    Parameters
    ----------
    block : Dataset
        In memory, canonical.
    weights : ndarray of shape (latitude, longitude)
        Relative areas of cells.
    missing : dict of str to tuple of str
        Takes what is missing.
    sea : Sea
        Takes where water is.

    Returns
    -------
    dict of str to ndarray of shape (time,)
        ``ocean_heat`` in J m-2 of sea and ``wet``; empty where there is no sea.
    """
    own = block[[v for v in SEA_VARIABLES if v in block]]
    quantities = open_quantities(own).quantities
    if {"ocean_temperature", "ocean_thickness"} <= set(quantities.data_vars):
        water = quantities["ocean_temperature"].notnull()
        sea.see(water, quantities["ocean_thickness"])
        quantities["ocean_thickness"] = quantities["ocean_thickness"].where(water, 0.0).fillna(0.0)
        quantities["ocean_temperature"] = quantities["ocean_temperature"].fillna(FREEZING_POINT)
    diagnosis = diagnose(quantities, wanted=[SEA_HEAT])
    missing.update(diagnosis.missing)
    if SEA_HEAT not in diagnosis.fields:
        return {}
    space = ("latitude", "longitude")
    heat = diagnosis.fields[SEA_HEAT].transpose(..., *space).values
    wet = (quantities["ocean_thickness"] > 0.0).any(DEPTH).transpose(..., *space).values
    wet = np.broadcast_to(wet, heat.shape)
    area = area_sum(wet.astype("float64"), weights)
    # A globe without sea has no mean: NaN says so, and is refused as missing values are.
    mean = np.divide(area_sum(heat, weights), area, out=np.full_like(area, np.nan), where=area > 0.0)
    return {SEA_HEAT: mean, WET: wet.mean(axis=(-2, -1))}
