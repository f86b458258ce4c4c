"""The one door: whatever a file calls its dimensions and however it orders them, it leaves here in canonical form.

Canonical: ``time`` (integer years for annual data), ``member``, ``latitude`` ascending, ``longitude`` ascending in
[0, 360). What the door changed, it says.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.units import conversion_factor
from climbench.variables import is_water, known_name

DIMENSIONS = {
    "lat": "latitude",
    "lon": "longitude",
    "year": "time",
    "realization": "member",
    "ensemble": "member",
    "number": "member",
}
ORDER = ("member", "time", "latitude", "longitude")


def open_file(path: Path) -> xr.Dataset:
    """Open a netCDF file or zarr store lazily, without running anything it brings.

    Parameters
    ----------
    path : Path
        A file or a store.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If there is nothing at the path, or it is damaged or of another format.
    """
    if not path.exists():
        raise DataError(f"There is no file or store {path}.")
    try:
        if path.is_dir():
            return xr.open_zarr(path, chunks=None, consolidated=None)
        return xr.open_dataset(path, decode_times=xr.coders.CFDatetimeCoder(use_cftime=None))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        what = "zarr store" if path.is_dir() else f"netCDF file ({path.stat().st_size} bytes)"
        raise DataError(f"The {what} {path} cannot be opened; it may be cut short or damaged: {error}") from error


def canonical(data: xr.Dataset, where: str) -> tuple[xr.Dataset, list[str]]:
    """Return a data set in canonical form, and what had to be changed.

    Parameters
    ----------
    data : Dataset
        As opened.
    where : str
        What to call it in messages.

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
    notes: list[str] = []
    renames = {old: new for old, new in DIMENSIONS.items() if old in data.dims or old in data.coords}
    clashes = [new for new in renames.values() if new in data.dims and new not in renames]
    if clashes or len(set(renames.values())) < len(renames):
        raise DataError(f"{where} names a dimension twice: {sorted(renames)} beside {list(map(str, data.dims))}.")
    names = {str(v): known_name(str(v)) for v in data.data_vars if known_name(str(v)) != v}
    data = data.rename({**renames, **names})
    notes += [f"{where}: '{old}' read as '{new}'" for old, new in names.items()]
    data = data.drop_vars([c for c in data.coords if c not in data.dims])
    for name in ("latitude", "longitude", "time"):
        if name in data.dims and name not in data.coords:
            raise DataError(f"{where} has a dimension '{name}' without coordinate values; write them to the file.")
    data = _ordered_latitude(data, where, notes)
    data = _ordered_longitude(data, where, notes)
    data = _years(data, where, notes)
    return data.transpose(*(d for d in ORDER if d in data.dims), ...), notes


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
        return data.sortby("latitude")
    return data


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
        data = data.assign_coords(longitude=("longitude", turned, attrs)).sortby("longitude")
    return data


def _years(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Turn annual dates into integer years; leave other time axes alone."""
    if "time" not in data.dims:
        return data
    time = data["time"]
    if np.issubdtype(time.dtype, np.datetime64) or time.dtype == object:
        years = time.dt.year.values.astype("int64")
        if np.unique(years).size != years.size:
            return data
        notes.append(f"{where}: dates, one a year, read as the years {years.min()}..{years.max()}")
    else:
        values = _finite_unique(data, "time", where)
        if not np.array_equal(values, np.round(values)):
            return data
        years = values.astype("int64")
    data = data.assign_coords(time=("time", years))
    return data if (np.diff(years) > 0).all() else data.sortby("time")


def with_units(data: xr.DataArray, wanted: str, *, assumed: str | None, where: str) -> tuple[xr.DataArray, list[str]]:
    """Return a variable in the wanted unit.

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
        factor = conversion_factor(str(found), wanted, water=is_water(str(data.name)))
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    converted = data if factor == 1.0 else data * np.asarray(factor, data.dtype if data.dtype.kind == "f" else "f8")
    return converted.assign_attrs({**data.attrs, "units": wanted}), notes
