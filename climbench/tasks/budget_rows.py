r"""Rows of budgets that annual maps allow: the balance at the top, and whether fluxes close water and energy.

Of a mean over a year and the globe, what a column stores is neglected:

.. math:: \langle E - P \rangle \approx 0, \qquad \langle N_\mathrm{top} - N_\mathrm{surface} \rangle \approx 0

Where targets are changes from a control climate, so are these. What the target leaves open by the same sums stands
beside a prediction's number, and its own spread over members is the noise of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import xarray as xr

from climbench.constants import SECONDS_PER_DAY
from climbench.errors import DataError
from climbench.grids import covers_globe, latitude_weights
from climbench.metrics.base import area_mean
from climbench.metrics.consistency import against_members
from climbench.physics.diagnosis import diagnose
from climbench.physics.opening import open_quantities
from climbench.tasks.comparison import Comparison
from climbench.tasks.score_rows import ModelScores

SPACE = ("latitude", "longitude")
NEGLECTED = "; what the air stores in a year is neglected"
PART_OF_GLOBE = "the whole globe: the grid covers a part of it, whose budget is not closed"


@dataclass(frozen=True)
class AnnualBudget:
    """A budget of annual maps.

    Attributes
    ----------
    fields : tuple of str
        Of `climbench.physics.diagnosis.FIELDS`: one, or two whose difference should be 0.
    definition : str
        In words.
    units : str
        Of its row.
    factor : float
        From the unit of the fields to that.
    """

    fields: tuple[str, ...]
    definition: str
    units: str
    factor: float = 1.0


BUDGETS = {
    "toa_net": AnnualBudget(("toa_net",), "global mean of the net downward flux at the top of the atmosphere", "W m-2"),
    "surface_net": AnnualBudget(("surface_net",), "global mean of the net downward flux at the surface", "W m-2"),
    "water_closure": AnnualBudget(
        ("evaporation", "precipitation"),
        f"global mean of evaporation less precipitation{NEGLECTED}",
        "mm/day",
        SECONDS_PER_DAY,
    ),
    "energy_closure": AnnualBudget(
        ("toa_net", "surface_net"),
        f"global mean of the net flux at the top less that at the surface{NEGLECTED}",
        "W m-2",
    ),
}


def append_budgets(scores: ModelScores, compared: Mapping[str, Comparison], grid: xr.Dataset) -> None:
    """Append the rows of the budgets that targets allow, and say what is missing for the others.

    Every projection has these where its targets allow them: a card's list of metrics is of those beside.

    Parameters
    ----------
    scores : ModelScores
        Takes the rows, and what is missing.
    compared : mapping of str to Comparison
        By variable.
    grid : Dataset
        Has the latitudes and longitudes.
    """
    first = next(iter(compared.values()))
    globe = covers_globe(*(grid[axis].values for axis in ("latitude", "longitude")))
    ours = _maps(compared, {v: _fields(c) for v, c in compared.items()})
    theirs = _maps(compared, {v: c.target.field for v, c in compared.items()})
    for name in BUDGETS:
        lacking = [text for field in BUDGETS[name].fields for text in ours[1].get(field, ())]
        lacking += [] if globe else [PART_OF_GLOBE]
        if lacking:
            scores.impossible[name] = tuple(dict.fromkeys(lacking))
        else:
            _append(scores, first, name, (ours[0], theirs[0]), latitude_weights(grid["latitude"], "cell_area"))


def _fields(c: Comparison) -> xr.DataArray:
    return c.prediction.field if c.ensemble is None else c.ensemble


def _maps(
    compared: Mapping[str, Comparison], arrays: Mapping[str, xr.DataArray]
) -> tuple[xr.Dataset, dict[str, tuple[str, ...]]]:
    """Return the fields of all budgets, and what is missing for others."""
    wanted = {field for budget in BUDGETS.values() for field in budget.fields}
    data = {v: a.assign_attrs(units=compared[v].units) for v, a in arrays.items()}
    shared = xr.merge(
        [array.rename(v) for v, array in data.items()], join="inner", compat="override", combine_attrs="drop"
    )
    try:
        opened = open_quantities(shared)
    except DataError as error:
        return xr.Dataset(), dict.fromkeys(wanted, (str(error),))
    found = diagnose(opened.quantities, opened.column, wanted=wanted)
    return found.fields, dict(found.missing)


def _append(
    scores: ModelScores, first: Comparison, name: str, fields: tuple[xr.Dataset, xr.Dataset], area: xr.DataArray
) -> None:
    """Append a prediction's budget, and its difference from the target's with the target's noise as its floor."""
    budget = BUDGETS[name]
    ours, theirs = (_mean(budget, part, area) for part in fields)
    value = float(ours.mean())
    found = against_members(value, theirs.mean("time").values)
    variable = first.variable
    scores.add(first.model, variable, name, budget.units, {"value": value})
    values = {"value": found.error, "floor": found.floor, "low": found.interval.low, "high": found.interval.high}
    scores.add(first.model, variable, f"{name}_error", budget.units, values)
    scores.add_reason(f"{name}_error", found.interval.reason)


def _mean(budget: AnnualBudget, fields: xr.Dataset, area: xr.DataArray) -> xr.DataArray:
    """Return the mean over the globe of a field, or of the difference of two, by year and member.

    Weights are exact areas of cells, whatever errors are weighed by.
    """
    parts = [fields[name] for name in budget.fields]
    whole = parts[0] - parts[1] if len(parts) == 2 else parts[0]
    # fields bear no coordinates here: they stand as the target's do
    weights = area.drop_vars("latitude").broadcast_like(whole.isel({d: 0 for d in whole.dims if d not in SPACE}))
    return budget.factor * area_mean(whole, weights)
