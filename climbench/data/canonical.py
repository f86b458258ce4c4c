"""The one door: whatever a file calls its dimensions and however it orders them, it leaves here in canonical form.

Canonical: ``time`` (integer years for annual data), or ``init_time`` and ``lead_time`` for forecasts; ``member``;
``level`` in hPa, ascending; ``latitude`` ascending; ``longitude`` ascending in [0, 360). Nothing is read that is not
needed for that. What the door changed, it says, in the notes it returns and in the attribute ``climbench_changes``.
Where a file leaves the truth open, it does not guess: the error says what to declare on the data set's card.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import xarray as xr

from climbench.calendars import time_axis, years_of
from climbench.cards import DatasetCard
from climbench.data.lead_times import as_durations
from climbench.data.stores import in_own_chunks
from climbench.data.turned import turned
from climbench.errors import DataError
from climbench.units import Conversion, conversion
from climbench.variables import LEXICON, kind_of, known_name

DIMENSIONS = {
    "lat": "latitude",
    "lon": "longitude",
    "year": "time",
    "valid_time": "time",
    "realization": "member",
    "ensemble": "member",
    "number": "member",
    "sample": "member",
    "isobaricInhPa": "level",
    "pressure_level": "level",
    "plev": "level",
    "prediction_timedelta": "lead_time",
    "step": "lead_time",
}
ORDER = (
    *("scenario", "member", "init_time", "lead_time", "time", "hour", "dayofyear", "month"),
    *("level", "layer", "interface", "latitude", "longitude"),
)
CHANGES = "climbench_changes"
BOUNDS = ("bnds", "bounds", "nv", "axis_nbounds", "nbnds")
SUFFIX = re.compile(r"(.+)_(\d{1,4})")
PASCALS = 2000.0  # a pressure above it is in Pa, not hPa
KEPT_ENCODING = ("chunks", "preferred_chunks", "source")


def canonical(
    data: xr.Dataset, where: str, card: DatasetCard | None = None, *, wanted: Collection[str] = (), annual: bool = False
) -> tuple[xr.Dataset, list[str]]:
    """Return a data set in canonical form, and what had to be changed.

    Parameters
    ----------
    data : Dataset
        As opened.
    where : str
        What to call it in messages.
    card : DatasetCard, optional
        Declares what files leave open: repeated or unordered times.
    wanted : collection of str
        Names that are asked for: of two names of one quantity the one that is wanted is given.
    annual : bool
        Whether there is one time a year; without it dates become years only where they lie about a year apart.

    Returns
    -------
    Dataset
        Variables and dimensions by their canonical names and orders; lazy where it was lazy.
    list of str
        One line for each change that alters order or names of what a user wrote.

    Raises
    ------
    DataError
        If coordinates are missing, repeated, out of range, or cannot be told apart.
    """
    notes: list[str] = list(data.encoding.get("climbench_notes", ()))
    data = _named(data, where, wanted, notes)
    for name in ("latitude", "longitude", "time"):
        if name in data.dims and name not in data.coords:
            raise DataError(f"{where} has a dimension '{name}' without coordinate values; write them to the file.")
        if data.sizes.get(name) == 0:
            raise DataError(f"{where} is empty: its dimension '{name}' has no values.")
    data = _ordered_latitude(data, where, notes)
    data = _ordered_longitude(data, where, notes)
    data = _ordered_level(data, where, notes)
    data = _ordered_lead(data, where, notes)
    data = _ordered_time(data, where, card, notes, annual=annual)
    data = _in_order(data)
    return data.assign_attrs({CHANGES: [*data.attrs.get(CHANGES, []), *notes]}), notes


def _in_order(data: xr.Dataset) -> xr.Dataset:
    """Return variables with their dimensions in canonical order, whatever others they have at the end."""
    ordered = {}
    for name in map(str, data.data_vars):
        dims = data[name].dims
        ordered[name] = turned(data[name], [*(d for d in ORDER if d in dims), *(d for d in dims if d not in ORDER)])
    return data.assign(ordered)


def _named(data: xr.Dataset, where: str, wanted: Collection[str], notes: list[str]) -> xr.Dataset:
    """Return dimensions and variables by canonical names, without bounds and coordinates of no dimension."""
    data = data.drop_vars([str(v) for v in data.variables if set(data[v].dims) & set(BOUNDS)])
    renames = {old: new for old, new in DIMENSIONS.items() if old in data.dims}
    clashes = [new for new in renames.values() if new in data.dims and new not in renames]
    if clashes or len(set(renames.values())) < len(renames):
        raise DataError(f"{where} names a dimension twice: {sorted(renames)} beside {list(map(str, data.dims))}.")
    data = data.drop_vars([c for c in data.coords if c not in data.dims and data[c].ndim < 2])
    data = data.drop_vars([new for new in renames.values() if new in data.variables and new not in renames])
    names = {str(v): known_name(str(v), wanted) for v in data.data_vars if known_name(str(v), wanted) != v}
    data = data.rename({**renames, **names})
    if "lead_time" in data.dims and "time" in data.dims:
        data = data.rename(time="init_time")
    notes += [f"{where}: '{old}' read as '{new}'" for old, new in names.items()]
    return data


def _finite_unique(data: xr.Dataset, name: str, where: str) -> np.ndarray:
    values = data[name].values.astype("float64")
    if not np.isfinite(values).all() or np.unique(values).size != values.size:
        raise DataError(f"{where}: the coordinate '{name}' has repeated or missing values.")
    return values


def _ordered_latitude(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    if "latitude" not in data.dims:
        return data
    values = _finite_unique(data, "latitude", where)
    if np.abs(values).max() > 90.0 + 1e-6:
        raise DataError(
            f"{where}: latitude runs from {values.min():g} to {values.max():g}, outside [-90, 90]. "
            "Are latitude and longitude swapped?"
        )
    if values.size > 1 and not (np.diff(values) > 0).all():
        notes.append(f"{where}: latitude was not ascending and was put in order, values with it")
        return _sorted(data, "latitude", values)
    return data


def _sorted(data: xr.Dataset, name: str, values: np.ndarray) -> xr.Dataset:
    """Return data sorted along a dimension; one that merely runs backwards is turned by a slice, which stays cheap."""
    backwards = values.size > 1 and (np.diff(values) < 0).all()
    return data.isel({name: slice(None, None, -1)}) if backwards else data.isel({name: np.argsort(values)})


def _ordered_longitude(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    if "longitude" not in data.dims:
        return data
    values = _finite_unique(data, "longitude", where)
    turned = np.mod(values, 360.0)
    if np.unique(turned).size != turned.size:
        raise DataError(f"{where}: longitude names the same meridian twice (such as 0 and 360); drop one.")
    if not np.array_equal(turned, values) or (values.size > 1 and not (np.diff(values) > 0).all()):
        notes.append(f"{where}: longitude was put in [0, 360) and ascending order, values with it")
        attrs = data["longitude"].attrs
        data = _sorted(data.assign_coords(longitude=("longitude", turned, attrs)), "longitude", turned)
    return data


def _ordered_level(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    if "level" not in data.dims or "level" not in data.coords:
        return data
    values = _finite_unique(data, "level", where)
    units = str(data["level"].attrs.get("units", ""))
    if units == "Pa" or (not units and values.max() > PASCALS):
        notes.append(f"{where}: levels in Pa, given in hPa")
        values = values / 100.0
    if np.array_equal(values, np.round(values)):
        values = values.astype("int64")
    data = data.assign_coords(level=("level", values, {"units": "hPa"}))
    if values.size > 1 and not (np.diff(values) > 0).all():
        notes.append(f"{where}: levels were put in ascending order, values with them")
        data = _sorted(data, "level", values)
    return data


def _ordered_lead(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    if "lead_time" not in data.dims:
        return data
    if "lead_time" not in data.coords:
        raise DataError(f"{where} has a dimension of lead times without coordinate values; write them to the file.")
    lead = as_durations(data["lead_time"].reset_coords(drop=True), where, notes)
    data = data.assign_coords(lead_time=("lead_time", lead.values, lead.attrs))
    values = _finite_unique(data, "lead_time", where)
    if values.size > 1 and not (np.diff(values) > 0).all():
        notes.append(f"{where}: lead times were put in ascending order, values with them")
        data = _sorted(data, "lead_time", values)
    return data


def _ordered_time(
    data: xr.Dataset, where: str, card: DatasetCard | None, notes: list[str], *, annual: bool
) -> xr.Dataset:
    """Turn annual dates into integer years; put times in order, or say why that cannot be done unasked."""
    name = "init_time" if "init_time" in data.dims else "time"
    if name not in data.dims:
        return data
    time = data[name]
    years = years_of(time, annual=annual) if name == "time" else None
    if years is not None:
        if time.dtype.kind not in "iuf":
            notes.append(f"{where}: dates, one a year, read as the years {years.min()}..{years.max()}")
        data = data.assign_coords({name: (name, years)})
    elif time.dtype.kind in "iuf":
        _finite_unique(data, name, where)
        return data
    return _without_disorder(data, name, where, card, notes)


def _without_disorder(
    data: xr.Dataset, name: str, where: str, card: DatasetCard | None, notes: list[str]
) -> xr.Dataset:
    axis = time_axis(data[name])
    if axis.disorder:
        if axis.calendar != "years" and (card is None or card.unordered_times == "error"):
            raise DataError(
                f"{where}: the time axis is out of order: {axis.disorder} stands after a later time. Sort the store, "
                "or declare on the card that the labels are right (unordered_times: sort)."
            )
        notes.append(f"{where}: times were put in order, values with them")
        data = data.sortby(name)
    if axis.duplicates:
        keep = "error" if card is None else card.duplicate_times
        if keep == "error":
            raise DataError(
                f"{where}: {len(axis.duplicates)} times occur twice, first {axis.duplicates[0]}. Mend the store, or "
                "declare on the card which to keep (duplicate_times: first, or last)."
            )
        notes.append(f"{where}: {len(axis.duplicates)} repeated times left out, the {keep} of each kept")
        data = data.drop_duplicates(name, keep=keep)
    if axis.gaps:
        notes.append(f"{where}: {len(axis.gaps)} gaps in time, first after {axis.gaps[0]}")
    return data


def split_levels(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return variables whose names end in a pressure (``temperature_850``) joined along ``level``.

    Parameters
    ----------
    data : Dataset
        Canonical.
    where : str
        What to call it in messages.
    notes : list of str
        Takes a line on what was joined.

    Returns
    -------
    Dataset
        Joined variables are dask arrays in the chunks of the store.
    """
    found: dict[str, dict[int, str]] = {}
    for name in map(str, data.data_vars):
        match = SUFFIX.fullmatch(name)
        base = known_name(match[1]) if match else ""
        if match and base in LEXICON and "level" not in data[name].dims:
            found.setdefault(base, {})[int(match[2])] = name
    found = {base: names for base, names in found.items() if min(names) > 0}  # from 0 on, layers are counted
    renamed = {**DIMENSIONS, "time": "init_time"} if "init_time" in data.dims else DIMENSIONS
    for base, names in found.items():
        levels = sorted(names)
        chunked = in_own_chunks(data[[names[level] for level in levels]], renamed)
        parts = [chunked[names[level]].rename(base) for level in levels]
        joined = xr.concat(parts, xr.DataArray(levels, dims="level", name="level"), coords="minimal", compat="override")
        data = data.drop_vars(list(names.values())).assign_coords({}).merge(joined.to_dataset(), join="outer")
        notes.append(f"{where}: {', '.join(names[level] for level in levels)} read as levels of '{base}'")
    return _in_order(data) if found else data


def with_units(
    data: xr.DataArray,
    wanted: str,
    *,
    assumed: str | None,
    where: str,
    difference: bool = True,
    window: float | None = None,
) -> tuple[xr.DataArray, list[str]]:
    """Return a variable in the wanted unit, lazily where it is lazy.

    Parameters
    ----------
    data : DataArray
        Its ``units`` attribute says what it is in.
    wanted : str
        The unit to give it in.
    assumed : str or None
        The unit it is in where the attribute is missing; None makes a missing attribute an error.
    where : str
        What to call it in messages.
    difference : bool
        Whether values are differences or anomalies, for which 1 degree Celsius equals 1 kelvin.
    window : float, optional
        Hours that amounts are accumulated over.

    Returns
    -------
    DataArray
        Converted, with the attribute set.
    list of str
        What was assumed.

    Raises
    ------
    DataError
        If the unit is missing or cannot be converted.
    """
    notes = []
    found = data.attrs.get("units")
    if found is None:
        if assumed is None:
            raise DataError(f"{where} has no 'units' attribute; write one, such as units='{wanted}'.")
        found = assumed
        notes.append(f"{where} states no units; taken as {assumed}")
    try:
        change = conversion(str(found), wanted, kind=kind_of(str(data.name)), difference=difference, window=window)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if change.factor != 1.0 or change.offset:
        notes.append(f"{where} turned from {found} into {wanted}" + (f": {change.how}" if change.how else ""))
    return _rescaled(data, change).assign_attrs({**data.attrs, "units": wanted}), notes


def _rescaled(data: xr.DataArray, change: Conversion) -> xr.DataArray:
    """Return values on a straight line of the old without reading them: xarray decodes lazily, its arithmetic reads."""
    if change.factor == 1.0 and change.offset == 0.0:
        return data
    kind = data.dtype if data.dtype.kind == "f" else np.dtype("float64")
    packed = data.variable.astype(kind) if data.dtype.kind != "f" else data.variable.copy(deep=False)
    packed.encoding = {}
    packed.attrs = {"scale_factor": kind.type(change.factor), "add_offset": kind.type(change.offset)}
    decoded = xr.decode_cf(xr.Dataset({"x": packed}), decode_times=False, decode_coords=False)["x"].variable
    rescaled = xr.DataArray(decoded, coords=data.coords, name=data.name)
    rescaled.encoding = {k: v for k, v in data.encoding.items() if k in KEPT_ENCODING}
    return rescaled
