"""Sanity ranges: values that no absolute field on Earth has, and what unit they look like instead."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import xarray as xr

from climbench.cards import DatasetCard, VariableEntry
from climbench.constants import GRAVITY, SECONDS_PER_DAY
from climbench.errors import DataError
from climbench.units import conversion
from climbench.variables import LEXICON, kind_of, known_name

# What values look like that are in another unit than their attribute says: by kind, the unit and the straight line
# that would bring them into the stated one.
MISTAKES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "temperature": (("degC", 1.0, 273.15), ("degF", 5.0 / 9.0, 255.3722)),
    "pressure": (("hPa", 100.0, 0.0), ("kPa", 1000.0, 0.0)),
    "geopotential": (("gpm", GRAVITY, 0.0), ("m2 s-2", 1.0 / GRAVITY, 0.0), ("km", 1000.0, 0.0)),
    "humidity": (("g kg-1", 1e-3, 0.0),),
    "fraction": (("1", 100.0, 0.0), ("%", 0.01, 0.0)),
    "energy": (("J m-2 over one hour", 1.0 / 3600.0, 0.0),),
    "water": (("mm", 1e-3, 0.0), ("mm/day", 1.0 / SECONDS_PER_DAY, 0.0)),
}


TIMES = ("time", "init_time", "lead_time", "hour", "dayofyear", "month")
LOOKS = 8


def declared(card: DatasetCard | None, names: Collection[str]) -> dict[str, VariableEntry]:
    """Return what a card says on some variables, whichever of a quantity's names the card uses.

    Parameters
    ----------
    card : DatasetCard, optional
        Its variables and inputs are taken.
    names : collection of str
        The variables as they are called here.

    Returns
    -------
    dict of str to VariableEntry
    """
    entries = {} if card is None else {**card.variables, **card.inputs}
    exact_last = sorted(entries, key=lambda name: name in names)
    return {known_name(name, names): entries[name] for name in exact_last}


def sane_range(name: str, units: str, entry: VariableEntry | None = None) -> tuple[float, float] | None:
    """Return lowest and highest sane value of a variable in a unit, or None where there is no such range.

    Parameters
    ----------
    name : str
        A variable.
    units : str
        The unit of the range returned.
    entry : VariableEntry, optional
        The card's word on it: its own range, or that values are anomalies.

    Returns
    -------
    tuple of float or None
    """
    if entry is not None and entry.sane is not None:
        return entry.sane
    known = LEXICON.get(name)
    if known is None or known.sane is None or (entry is not None and entry.anomaly):
        return None
    window = entry.window if entry is not None and entry.window else known.window
    try:
        change = conversion(known.units, units, kind=known.kind, window=window)
    except DataError:  # an amount over unstated hours, of which nothing can be said
        return None
    low, high = (limit * change.factor + change.offset for limit in known.sane)
    return low, high


def complaint(
    low: float, high: float, name: str, units: str, where: str, entry: VariableEntry | None = None
) -> str | None:
    """Return what is wrong with the extremes of a variable, or None.

    Parameters
    ----------
    low, high : float
        Lowest and highest value found.
    name, units : str
        The variable and its unit.
    where : str
        What to call it in messages.
    entry : VariableEntry, optional
        The card's word on it.

    Returns
    -------
    str or None
    """
    sane = sane_range(name, units, entry)
    if sane is None or not np.isfinite([low, high]).all() or (sane[0] <= low and high <= sane[1]):
        return None
    hint = next(
        (
            f" They look like {unit}: declare that on the card (stored_units: {unit})."
            for unit, factor, offset in MISTAKES.get(kind_of(name), ())
            if unit != units and sane[0] <= low * factor + offset and high * factor + offset <= sane[1]
        ),
        "",
    )
    return (
        f"{where}: {name} runs from {low:.4g} to {high:.4g} {units}, outside {sane[0]:.4g} to {sane[1]:.4g}.{hint} "
        "If the values are right, declare on the card what they are (anomaly: true, or sane: [low, high])."
    )


def verify(data: xr.Dataset, where: str, card: DatasetCard | None, notes: list[str]) -> None:
    """Look at the first time of each variable that has a value, and refuse what cannot be true.

    Parameters
    ----------
    data : Dataset
        Canonical, in its final units; one time of it is read, or a few where the first are empty.
    where : str
        What to call it in messages.
    card : DatasetCard, optional
        Declares anomalies, ranges and meant gaps.
    notes : list of str
        Takes a line on missing values.

    Raises
    ------
    DataError
        If values are all missing or lie outside the sane range.
    """
    entries = declared(card, [str(v) for v in data.data_vars])
    for name in map(str, data.data_vars):
        array, entry = data[name], entries.get(name)
        if not np.issubdtype(array.dtype, np.number):
            continue
        values, empty = _first_values(array)
        missing = float(np.isnan(values).mean()) if values.dtype.kind == "f" else 0.0
        meant = entry is not None and entry.missing
        if missing == 1.0 and not meant:
            others = f", nor at {empty - 1} others that were looked at" if empty > 1 else ""
            raise DataError(
                f"{where}: {name} has no value at its first time{others}. Look at the store; if gaps are meant, "
                "declare them on the card (missing: true)."
            )
        if empty and not meant:
            notes.append(f"{where}: {name} has no value at its first time")
        if missing > 0.0 and not meant:
            at = "a later time" if empty else "the first time"
            notes.append(f"{where}: {name} lacks {missing:.0%} of its values at {at}")
        if missing < 1.0:
            units = str(array.attrs.get("units", ""))
            problem = complaint(float(np.nanmin(values)), float(np.nanmax(values)), name, units, where, entry)
            if problem:
                raise DataError(problem)


def _first_values(array: xr.DataArray) -> tuple[np.ndarray, int]:
    """Return the first time with a value among the first few, the middle and the last; and how many were empty.

    Lead 0 of an accumulation is empty, and so are days without a forecast: neither says that all is.
    """
    sizes = {d: array.sizes[d] for d in TIMES if d in array.dims}
    places = [{d: min(look, n - 1) for d, n in sizes.items()} for look in range(LOOKS)]
    places += [{d: n // 2 for d, n in sizes.items()}, {d: n - 1 for d, n in sizes.items()}]
    places = [place for i, place in enumerate(places) if place not in places[:i]]
    for empty, place in enumerate(places):
        values = array.isel({**place, **({"member": 0} if "member" in array.dims else {})}).values
        if values.dtype.kind != "f" or not np.isnan(values).all():
            return values, empty
    return values, len(places)
