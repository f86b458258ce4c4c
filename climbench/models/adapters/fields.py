"""Fields of a state, one variable at one level each: stacked for a model of another package, and laid out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.models.forecaster import in_forecast_order
from climbench.units import Conversion, conversion
from climbench.variables import LEXICON

SPACE = ("latitude", "longitude")
MOVING = {"time", "init_time"}


@dataclass(frozen=True)
class Field:
    """One variable at one level.

    Attributes
    ----------
    name : str
        The suite's name of the variable.
    level : float or None
        In hPa; None for a variable without levels.
    """

    name: str
    level: float | None = None

    def __str__(self) -> str:
        return self.name if self.level is None else f"{self.name} at {self.level:g} hPa"

    def within(self, data: xr.Dataset) -> bool:
        """Return whether a data set has it."""
        if self.name not in data:
            return False
        levels = data[self.name]["level"].values if "level" in data[self.name].dims else None
        return levels is None if self.level is None else levels is not None and bool(np.isin(self.level, levels))

    def of(self, data: xr.Dataset) -> xr.DataArray:
        """Return it from a data set that has it."""
        return data[self.name] if self.level is None else data[self.name].sel(level=self.level, drop=True)


def fields_of(data: xr.Dataset) -> tuple[Field, ...]:
    """Return the fields of a state that change with time."""
    found: list[Field] = []
    for name in (str(n) for n in data if MOVING & set(data[n].dims)):
        levels = data[name]["level"].values if "level" in data[name].dims else (None,)
        found += [Field(name, None if level is None else float(level)) for level in levels]
    return tuple(found)


def require_fields(data: xr.Dataset, needed: Sequence[Field], given: Sequence[Field], model: str) -> None:
    """Check that a task has what a model starts from, and a model forecasts what the task has.

    Parameters
    ----------
    data : Dataset
        The task's states.
    needed, given : sequence of Field
        What the model starts from, and what it forecasts.
    model : str
        What to call it.

    Raises
    ------
    ModelError
        If either lacks a field (it names all), or a unit cannot be turned into the lexicon's.
    """
    lacking = [str(field) for field in needed if not field.within(data)]
    if lacking:
        raise ModelError(
            f"{model} starts from {len(lacking)} of {len(needed)} fields that the task does not have: "
            f"{', '.join(lacking)}. A task gives the variables and levels of its targets; choose one that has them."
        )
    beyond = [str(field) for field in fields_of(data) if field not in given]
    if beyond:
        raise ModelError(f"{model} does not forecast {', '.join(beyond)}. Choose a task without, or another model.")
    for field in given:
        if field.within(data):
            to_lexicon(field.of(data), field.name)


def to_lexicon(array: xr.DataArray, name: str) -> Conversion:
    """Return what turns an array into the lexicon's unit.

    Raises
    ------
    ModelError
        If the array states no unit.
    DataError
        If the units measure different things.
    """
    units = array.attrs.get("units")
    if units is None:
        raise ModelError(f"'{name}' states no unit; the model wants {LEXICON[name].units}. Give it one on its card.")
    known = LEXICON[name]
    return conversion(str(units), known.units, kind=known.kind, window=known.window)


def stacked(states: xr.Dataset, fields: Sequence[Field]) -> np.ndarray:
    """Return fields in the lexicon's units.

    Parameters
    ----------
    states : Dataset of shape (init_time, history, [level,] latitude, longitude)
        What a forecaster is given.
    fields : sequence of Field
        Which.

    Returns
    -------
    ndarray of float32 of shape (init_time, history, field, latitude, longitude)
    """
    maps = []
    for field in fields:
        array, how = field.of(states), to_lexicon(field.of(states), field.name)
        maps.append(array.transpose("init_time", "history", *SPACE).values * how.factor + how.offset)
    return np.stack(maps, axis=2).astype("float32")


def laid_out(values: np.ndarray, fields: Sequence[Field], like: xr.Dataset, leads: xr.DataArray) -> xr.Dataset:
    """Return a forecast in the names, levels and units of the states it started from.

    Parameters
    ----------
    values : ndarray of shape (init_time, lead_time, field, latitude, longitude)
        In the lexicon's units.
    fields : sequence of Field
        What stands along ``field``; all that change with time in `like` must be there.
    like : Dataset of shape (init_time, history, [level,] latitude, longitude)
        The states.
    leads : DataArray of shape (lead_time,)
        Lead times.
    """
    dims = ("init_time", "lead_time", *SPACE)
    coords = {"init_time": like["init_time"].values, "lead_time": leads.values, **{d: like[d].values for d in SPACE}}
    position = {field: number for number, field in enumerate(fields)}
    made: dict[str, Any] = {}
    for name in dict.fromkeys(field.name for field in fields_of(like)):
        how = to_lexicon(like[name], name)
        own = [field for field in fields_of(like) if field.name == name]
        maps = [(values[:, :, position[f]] - how.offset) / how.factor for f in own]
        layers = [xr.DataArray(m.astype("float32"), coords, dims) for m in maps]
        whole = layers[0] if own[0].level is None else xr.concat(layers, like[name]["level"])
        made[name] = whole.assign_attrs(like[name].attrs)
    return in_forecast_order(xr.Dataset(made))
