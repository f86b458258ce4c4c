"""One variable of a prediction beside its target, on the same cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.metrics.base import SPACE
from climbench.tasks.reductions import Reductions
from climbench.tasks.score_regions import ScoreRegions


@dataclass(frozen=True)
class Comparison:
    """What the scores of one variable are made from.

    Attributes
    ----------
    model, variable, units : str
        For the rows.
    prediction : Reductions of shape (time, latitude, longitude)
        The mean over its members.
    target : Reductions of shape (member, time, latitude, longitude)
        The target's members.
    regions : ScoreRegions
        Where scores are made; cells that lack any value weigh nothing in them.
    ensemble : DataArray of shape (member, time, latitude, longitude) or None
        The prediction's members, where there are two or more.
    masked : int
        How many cells lack a value.
    """

    model: str
    variable: str
    units: str
    prediction: Reductions
    target: Reductions
    regions: ScoreRegions
    ensemble: xr.DataArray | None = None
    masked: int = 0

    @property
    def members(self) -> int:
        """The number of the target's members."""
        return int(self.target.field.sizes["member"])

    @property
    def years(self) -> int:
        """The number of years."""
        return int(self.target.field.sizes["time"])

    @property
    def weights(self) -> xr.DataArray:
        """Weights of shape (region, latitude, longitude)."""
        return self.target.weights

    @property
    def globe(self) -> xr.DataArray:
        """Weights of shape (latitude, longitude) of the whole globe."""
        return self.weights.isel(region=0, drop=True)


def aligned(prediction: xr.DataArray, target: Reductions, regions: ScoreRegions) -> xr.DataArray:
    """Return a prediction in float64, in order in memory, if it is on the target's years and cells.

    Products of matrices round differently for values that lie differently, and slowly for some.

    Parameters
    ----------
    prediction : DataArray of shape ([member,] time, latitude, longitude)
        Any prediction.
    target : Reductions
        Its years are to be the prediction's.
    regions : ScoreRegions
        Their cells are to be the prediction's.

    Returns
    -------
    DataArray of shape ([member,] time, latitude, longitude)
        Without the coordinates of cells.

    Raises
    ------
    ValueError
        If years or cells differ.
    """
    wanted = {"time": target.field["time"], **{d: regions.weights[d] for d in SPACE}}
    xr.align(prediction, xr.Dataset(coords=wanted), join="exact", copy=False)
    field = prediction.drop_vars(SPACE).transpose(*(d for d in ("member", "time", *SPACE) if d in prediction.dims))
    return field.copy(data=np.ascontiguousarray(field.values, "float64"))


def compare(
    model: str, variable: str, units: str, prediction: xr.DataArray, target: Reductions, regions: ScoreRegions
) -> Comparison:
    """Return a prediction beside its target.

    Parameters
    ----------
    model, variable, units : str
        For the rows.
    prediction : DataArray of shape ([member,] time, latitude, longitude)
        In the target's unit.
    target : Reductions of shape (member, time, latitude, longitude)
        The members that have the variable, with the weights of all regions.
    regions : ScoreRegions
        Where scores are made.

    Returns
    -------
    Comparison
        Where values are missing, the cells that lack any are zero in both and weigh nothing.

    Raises
    ------
    ValueError
        If prediction and target differ in years or cells.
    """
    field = aligned(prediction, target, regions)
    masked = 0
    if not np.isfinite(field.values).all() or not np.isfinite(target.field.values).all():
        bad = _missing(field) | _missing(target.field)
        masked = int(bad.sum())
        field = field.where(~bad, 0.0)
        target = Reductions(target.field.where(~bad, 0.0), target.weights * (~bad).astype("float64"), target.members)
    several = "member" in field.dims and field.sizes["member"] > 1
    mean = field.mean("member", skipna=False) if "member" in field.dims else field
    return Comparison(
        model,
        variable,
        units,
        Reductions(mean, target.weights, target.members),
        target,
        regions,
        field if several else None,
        masked,
    )


def _missing(field: xr.DataArray) -> xr.DataArray:
    return field.isnull().any([d for d in field.dims if d in ("member", "time")])
