"""The sea, where land is missing by nature: means are over columns that hold water."""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.constants import FREEZING_POINT
from climbench.physics.areas import area_sum
from climbench.physics.blocks import DEPTH
from climbench.physics.diagnosis import diagnose
from climbench.physics.opening import open_quantities

SEA_HEAT, WET = "ocean_heat", "wet"
SEA_VARIABLES = ("thetao", "thkcello")


def sea_means(block: xr.Dataset, weights: np.ndarray, missing: dict[str, tuple[str, ...]]) -> dict[str, np.ndarray]:
    """Return the heat of the sea at each time of a block, as a mean over its area, and the share of cells that are wet.

    Parameters
    ----------
    block : Dataset
        In memory, canonical.
    weights : ndarray of shape (latitude, longitude)
        Relative areas of cells.
    missing : dict of str to tuple of str
        Takes what is missing.

    Returns
    -------
    dict of str to ndarray of shape (time,)
        ``ocean_heat`` in J m-2 of sea and ``wet``; empty where there is no sea.
    """
    own = block[[v for v in SEA_VARIABLES if v in block]]
    quantities = open_quantities(own).quantities
    if {"ocean_temperature", "ocean_thickness"} <= set(quantities.data_vars):
        water = quantities["ocean_temperature"].notnull()
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
