"""Rows of ensembles: how well a prediction's members stand for the target's, at each cell and as whole fields.

Every score here is of annual values and against each member of the target, on average; what a perfect ensemble of the
target's own distribution would score is its floor.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import xarray as xr
from scipy.special import stdtrit

from climbench.metrics import crps, ensembles
from climbench.metrics.base import SPACE, area_mean
from climbench.metrics.energy_score import energy_distance_within, energy_score
from climbench.metrics.fields import boxes
from climbench.metrics.rank_histogram import ranks
from climbench.metrics.variogram_score import variogram_score, variogram_variance
from climbench.tasks.comparison import Comparison
from climbench.tasks.error_parts import Parts
from climbench.tasks.reductions import by_region, member_variance
from climbench.tasks.score_rows import ModelScores, root

BOX_DEGREES = 20.0


def append_ensemble(
    scores: ModelScores, c: Comparison, spatial: Parts, wanted: Collection[str], *, seed: int = 0
) -> None:
    """Append the rows of an ensemble that are wanted, and keep its rank histograms.

    Parameters
    ----------
    scores : ModelScores
        Takes rows and statistics.
    c : Comparison
        Prediction and target; nothing is appended where the prediction has no members.
    spatial : mapping of str to Part
        The errors of time means, by region.
    wanted : collection of str
        Names of metrics.
    seed : int
        Of the ranks where members equal the target.
    """
    if c.ensemble is None:
        return
    if "crps_fair" in wanted:
        _append_crps(scores, c, c.ensemble)
    if {"spread", "spread_error"} & set(wanted):
        _append_spread(scores, c, c.ensemble, wanted)
    if "rmse_spatial_debiased_both" in wanted:
        _append_debiased(scores, c, c.ensemble, spatial)
    if "energy_score_fair" in wanted:
        _append_energy(scores, c, c.ensemble)
    if "variogram_score_fair" in wanted:
        _append_variogram(scores, c, c.ensemble)
    histogram = _rank_histogram(c, c.ensemble, seed)
    scores.statistics[f"{c.variable}_rank_histogram"] = histogram


def _over_years(c: Comparison, field: xr.DataArray) -> xr.DataArray:
    """Return the mean over years and each region, of shape (region,)."""
    return area_mean(field, c.weights).mean("time", skipna=False)


def _add(scores: ModelScores, c: Comparison, metric: str, values: Mapping[str, xr.DataArray], units: str) -> None:
    """Append a row a region from numbers of shape (region,)."""
    numbers = {key: by_region(value) for key, value in values.items()}
    for region in c.regions.shown:
        row = {key: float(number[region]) for key, number in numbers.items()}
        scores.add(c.model, c.variable, metric, units, row, region=region)


def _append_crps(scores: ModelScores, c: Comparison, ensemble: xr.DataArray) -> None:
    """Append the fair CRPS, with Student's interval over the target's members."""
    within = _over_years(c, crps.half_mean_difference(ensemble))
    each = _over_years(c, crps.absolute_error(ensemble, c.target.field)) - within
    values = {"value": each.mean("member")}
    if c.members > 1:
        half = stdtrit(c.members - 1, 0.975) * each.std("member", ddof=1) / np.sqrt(c.members)
        values |= {"low": values["value"] - half, "high": values["value"] + half}
        values["floor"] = _over_years(c, crps.half_mean_difference(c.target.field))
    _add(scores, c, "crps_fair", values, c.units)


def _append_spread(scores: ModelScores, c: Comparison, ensemble: xr.DataArray, wanted: Collection[str]) -> None:
    """Append the spread, and its ratio to the error against single members of the target."""
    variance = _over_years(c, ensembles.ensemble_variance(ensemble))
    if "spread" in wanted:
        floor = _over_years(c, member_variance(c.target.field)) ** 0.5
        _add(scores, c, "spread", {"value": variance**0.5, "floor": floor}, c.units)
    if "spread_error" in wanted:
        # Against each member: what finite numbers of predicted members add to the square is the same for all.
        squares = ((c.prediction.field - c.target.field) ** 2).mean("member", skipna=False)
        error = _over_years(c, squares) - variance / ensemble.sizes["member"]
        _add(scores, c, "spread_error", {"value": (variance / error.where(error > 0.0)) ** 0.5}, "1")


def _append_debiased(scores: ModelScores, c: Comparison, ensemble: xr.DataArray, spatial: Parts) -> None:
    """Append the error of the ensemble mean's time mean less what both finite numbers of members add to its square."""
    noise = area_mean(member_variance(ensemble.mean("time", skipna=False)), c.weights) / ensemble.sizes["member"]
    noises = by_region(noise)
    for region in c.regions.shown:
        square = spatial[region].mean_square - spatial[region].floor_square - float(noises[region])
        value = root(square) if np.isfinite(square) else None
        scores.add(c.model, c.variable, "rmse_spatial_debiased_both", c.units, {"value": value}, region=region)


def _append_energy(scores: ModelScores, c: Comparison, ensemble: xr.DataArray) -> None:
    values = {"value": float(energy_score(ensemble, c.target.field, c.globe).mean())}
    if c.members > 1:
        values["floor"] = float(energy_distance_within(c.target.field, c.globe).mean())
    scores.add(c.model, c.variable, "energy_score_fair", c.units, values)


def _append_variogram(scores: ModelScores, c: Comparison, ensemble: xr.DataArray) -> None:
    """Append the variogram score of order 1/2 between means over boxes: all pairs of cells would be too many."""
    places = {d: c.regions.weights[d] for d in SPACE}
    fields = (field.assign_coords(places) for field in (ensemble, c.target.field))
    (ours, sizes), (theirs, _) = (boxes(field, c.globe, degrees=BOX_DEGREES) for field in fields)
    values = {"value": float(variogram_score(ours, theirs, sizes, dim=("box",)).mean())}
    if c.members > 1:
        values["floor"] = float(variogram_variance(theirs, sizes, dim=("box",)).mean())
    scores.add(c.model, c.variable, "variogram_score_fair", c.units, values)


def _rank_histogram(c: Comparison, ensemble: xr.DataArray, seed: int) -> xr.DataArray:
    """Return the share of each rank in each region, of shape (region, rank); regions are named in an attribute."""
    found = ranks(ensemble, c.target.field, seed=seed).transpose(..., *SPACE).values
    ranked, cells = ensemble.sizes["member"] + 1, found[0, 0].size
    places = found.reshape(-1, cells).astype(int) * cells + np.arange(cells)
    counts = np.bincount(places.ravel(), minlength=ranked * cells).reshape(ranked, cells)
    sizes = by_region(c.weights)
    shares = [counts @ (sizes[region].ravel() / sizes[region].sum()) / len(places) for region in c.regions.shown]
    return xr.DataArray(np.stack(shares), dims=("region", "rank"), attrs={"regions": list(c.regions.shown)})
