"""From a data set in canonical form to what the physics asks for: quantities by role, and the vertical coordinate."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from climbench.errors import DataError
from climbench.physics.blocks import DEPTH, LEVEL
from climbench.physics.columns import Column
from climbench.physics.quantities import OF_THE_SEA, QUANTITIES, Quantity, Source, source_of
from climbench.physics.vertical_coordinates import hybrid_layers, pressure_levels
from climbench.units import conversion, is_amount
from climbench.variables import LEXICON, kind_of

LAYER, INTERFACE = "layer", "interface"
SEA_LEVELS = ("lev", "olevel", "level")  # as files of the sea name them
OFFSET, SLOPE = "ak", "bk"
PASCALS_IN = {"Pa": 1.0, "hPa": 100.0, "mb": 100.0, "millibar": 100.0, "millibars": 100.0}
BELOW_GROUND = (
    "columns are integrated over the pressure levels there are: air above the first and below the last is not counted, "
    "and what stands below the ground is"
)


@dataclass(frozen=True)
class Opened:
    """What a data set gives the physics.

    Attributes
    ----------
    quantities : Dataset of shape (..., [level,] latitude, longitude)
        By role, in the units of `QUANTITIES`; lazy where the data was. Levels stand from the top down.
    column : Column or None
        The vertical coordinate, where there is one.
    sources : dict of str to str
        By role, the variable it was taken from.
    notes : tuple of str
        What was assumed.
    """

    quantities: xr.Dataset
    column: Column | None
    sources: dict[str, str]
    notes: tuple[str, ...] = field(default=())


def open_quantities(
    data: xr.Dataset,
    *,
    wanted: Collection[str] | None = None,
    window: float | Mapping[str, float] | None = None,
    step: float | None = None,
) -> Opened:
    """Return the quantities of a data set.

    Parameters
    ----------
    data : Dataset
        Canonical (`climbench.data.canonical`): levels in hPa ascending, or layers from the top down with ``ak`` and
        ``bk`` along ``interface``.
    wanted : collection of str, optional
        Roles; all that there are without.
    window : float or mapping of str to float, optional
        Hours over which amounts are accumulated, of all or by variable; without it those that the lexicon knows for a
        variable.
    step : float, optional
        Hours that fluxes are wanted over, where they are not those between the data's own times: of several
        accumulations that of so many hours is taken.

    Returns
    -------
    Opened

    Raises
    ------
    DataError
        If a unit cannot be turned into that of the quantity, amounts are of unknown hours, or the vertical coordinate
        is none.
    """
    notes: list[str] = []
    found, sources = {}, {}
    step = step_of(data) if step is None else step
    for name, quantity in QUANTITIES.items():
        if wanted is not None and name not in wanted:
            continue
        source = source_of(name, list(map(str, data.data_vars)), step=step)
        if source is not None:
            values = _converted(data[source.variable], quantity, source, window, notes)
            found[name] = values.rename(_own_levels(name, values))
            sources[name] = source.variable
            _compare_hours(data[source.variable], source.variable, _said(window, source.variable), step, notes)
    quantities = xr.Dataset(found)
    of_air = data if LEVEL in quantities.dims else data.drop_dims(LEVEL, errors="ignore")
    return Opened(quantities, column_of(of_air, notes), sources, tuple(notes))


def step_of(data: xr.Dataset) -> float | None:
    """Return the hours between the times of a data set; None where there are not two, or steps differ."""
    if "time" not in data.indexes or data.sizes["time"] < 2:
        return None
    steps = np.unique(np.diff(data["time"].values))
    if steps.size > 1 or steps.dtype.kind not in "mO":
        return None
    return float(pd.Timedelta(steps[0]) / pd.Timedelta(1, "h"))


def _compare_hours(
    values: xr.DataArray, variable: str, window: float | None, step: float | None, notes: list[str]
) -> None:
    """Note a flux that is not the mean over the step that ends at its time."""
    hours = hours_of(values, variable, window)
    if step is not None and hours not in (None, step):
        notes.append(
            f"'{variable}' counts {hours:g} h and times are {step:g} h apart, so it is no mean over the step that ends "
            "then: what it leaves unexplained is not to be trusted"
        )


def hours_of(values: xr.DataArray, variable: str, window: float | None = None) -> float | None:
    """Return the hours that a flux counts over.

    Parameters
    ----------
    values : DataArray
        The variable, with its ``units``.
    variable : str
        Its name in the lexicon.
    window : float, optional
        What was said of it, which tells where it is an amount.

    Returns
    -------
    float or None
        None where nothing tells: a rate is taken as the mean over the step.
    """
    known = LEXICON[variable]
    amount = is_amount(str(values.attrs.get("units", known.units)), known.kind)
    return window if amount and window is not None else known.window


def _said(window: float | Mapping[str, float] | None, variable: str) -> float | None:
    """Return the hours that were said for a variable."""
    return window.get(variable) if isinstance(window, Mapping) else window


def _own_levels(name: str, values: xr.DataArray) -> dict[str, str]:
    """Return new names for dimensions: layers of air are levels, and the sea's levels its own."""
    if name in OF_THE_SEA:
        return {d: DEPTH for d in SEA_LEVELS if d in values.dims}
    return {LAYER: LEVEL} if LAYER in values.dims else {}


def scaling_of(
    values: xr.DataArray,
    quantity: Quantity,
    source: Source,
    window: float | Mapping[str, float] | None,
    notes: list[str],
) -> tuple[float, float]:
    """Return factor and offset that make a quantity of a variable.

    Parameters
    ----------
    values : DataArray
        The variable, with its ``units``.
    quantity : Quantity
        What is to be made of it.
    source : Source
        Which says that it can be.
    window : float, mapping of str to float, or None
        Hours over which amounts are accumulated, of all or by variable; those of the lexicon where None.
    notes : list of str
        Is added to where something is assumed.

    Returns
    -------
    tuple of float
        The quantity is the variable times the first plus the second.

    Raises
    ------
    DataError
        If its unit cannot be turned into that of the quantity, or amounts are of unknown hours.
    """
    goal, known = source.units or quantity.units, LEXICON[source.variable]
    units = values.attrs.get("units")
    if units is None:
        units = known.units
        notes.append(f"'{source.variable}' states no units; taken as {units}")
    said = _said(window, source.variable)
    hours = said if said is not None else known.window
    try:
        change = conversion(str(units), goal, kind=kind_of(source.variable), window=hours)
    except DataError as error:
        raise DataError(f"'{source.variable}': {error}") from None
    if change.how:
        notes.append(f"'{source.variable}' turned from {units} into {goal}: {change.how}")
    return change.factor * source.factor, change.offset * source.factor


def _converted(
    values: xr.DataArray,
    quantity: Quantity,
    source: Source,
    window: float | Mapping[str, float] | None,
    notes: list[str],
) -> xr.DataArray:
    """Return a variable as a quantity."""
    factor, offset = scaling_of(values, quantity, source, window, notes)
    scaled = values
    if offset or abs(factor) != 1.0:  # which the stored float32 would round; a sign it keeps
        scaled = values.astype("float64") * factor + offset
    elif factor == -1.0:
        scaled = -values
    return scaled.assign_attrs(units=quantity.units, long_name=quantity.words)


def column_of(data: xr.Dataset, notes: list[str]) -> Column | None:
    """Return the vertical coordinate of a data set.

    Parameters
    ----------
    data : Dataset
        With ``ak`` and ``bk``, or levels in hPa from the top down.
    notes : list of str
        Is added to where something is assumed.

    Returns
    -------
    Column or None
        None where there is none, or one level alone.

    Raises
    ------
    DataError
        If the coordinate is none of air.
    """
    if OFFSET in data and SLOPE in data:
        stated = bool(data[OFFSET].attrs.get("units"))
        slope = np.asarray(data[SLOPE].values, "float64")
        return hybrid_layers(_in_pascals(data[OFFSET], notes), slope, stated=stated)
    if data.sizes.get(LEVEL, 1) > 1:
        notes.append(BELOW_GROUND)
        return pressure_levels(np.asarray(data[LEVEL].values, "float64") * 100.0)
    return None


def _in_pascals(offset: xr.DataArray, notes: list[str]) -> np.ndarray:
    values = np.asarray(offset.values, "float64")
    units = str(offset.attrs.get("units", ""))
    if units and units not in PASCALS_IN:
        raise DataError(f"The hybrid coefficients '{OFFSET}' are in '{units}'; give them in Pa or hPa.")
    if PASCALS_IN.get(units, 1.0) != 1.0:
        notes.append(f"'{OFFSET}' turned from {units} into Pa")
    return values * PASCALS_IN.get(units, 1.0)
