"""The dialects of the Climate Data Store: what its netCDF and GRIB files of reanalyses say in more than one way.

Times are ``time``, ``valid_time``, or a forecast's start and step; levels ``level``, ``pressure_level`` or
``isobaricInhPa``, or a coordinate of no dimension where there is one; preliminary data (ERA5T) stand beside final ones
along ``expver``, or are marked by it.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.calendars import label
from climbench.data.stores import in_own_chunks
from climbench.errors import DataError

TIMES = ("time", "valid_time")
LEVELS = ("level", "pressure_level", "isobaricInhPa")
MAKERS = ("ecmwf", "ecmf", "european centre for medium-range weather forecasts", "grib_to_netcdf")
FINAL, PRELIMINARY = 1, 5
LONGEST_STEP = 24  # times looked at on either side for those that lie outside what was asked for
# Short names that mean something else in other archives, and so are no aliases of the lexicon.
SHORT_NAMES = {
    "sd": "snow_depth",
    "ci": "sea_ice_cover",
    "siconc": "sea_ice_cover",
    "cc": "fraction_of_cloud_cover",
    "d": "divergence",
    "vo": "vorticity",
    "o3": "ozone_mass_mixing_ratio",
}
FIXED = {"lsm", "slt", "sdor", "isor", "anor", "slor", "cvh", "cvl", "tvh", "tvl"}
ON_LEVELS = {"z", "t", "u", "v", "w", "q", "r", "d", "vo", "pv", "o3", "cc", "clwc", "ciwc", "crwc", "cswc"}


def is_from_cds(data: xr.Dataset) -> bool:
    """Return whether a data set says that it was made by ECMWF, on a grid of latitude and longitude.

    Parameters
    ----------
    data : Dataset
        As opened.

    Returns
    -------
    bool
    """
    words = " ".join(str(v) for k, v in data.attrs.items() if k.lower() in ("institution", "history", "grib_centre"))
    words += "".join(" ecmf" for v in data.data_vars if "GRIB_paramId" in data[v].attrs)
    on_grid = {"latitude", "longitude"} <= set(data.dims)
    return on_grid and any(maker in words.lower() for maker in MAKERS)


def in_one_dialect(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return a data set with its times along ``time`` and its levels along ``level``, final data before preliminary.

    Parameters
    ----------
    data : Dataset
        As opened.
    where : str
        What to call it in messages.
    notes : list of str
        Takes a line on each choice.

    Returns
    -------
    Dataset
        Lazy; what has to be joined is in dask arrays.

    Raises
    ------
    DataError
        If forecasts overlap, so that a time has two values.
    """
    data = _combined_versions(data, where, notes)
    data = _along_valid_time(data, where, notes)
    data = _with_level(data)
    return _named(data, where, notes)


def _combined_versions(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return final values, with preliminary ones where there are none yet."""
    if "expver" not in data.variables:
        return data
    if "expver" not in data.dims:
        return _marked_versions(data, where, notes)
    versions = [int(v) for v in data["expver"].values]
    if not set(versions) <= {FINAL, PRELIMINARY}:
        raise DataError(f"{where}: expver has the values {versions}; {FINAL} is final and {PRELIMINARY} preliminary.")
    if len(versions) == 1:
        return data.isel(expver=0, drop=True)
    data = data.chunk("auto")
    final, preliminary = (data.isel(expver=versions.index(v), drop=True) for v in (FINAL, PRELIMINARY))
    notes.append(f"{where}: preliminary data (ERA5T, expver {PRELIMINARY}) taken where final data is missing")
    return final.where(final.notnull(), preliminary)


def _marked_versions(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    versions = np.atleast_1d(data["expver"].values).astype("str")
    early = np.array([v.strip().lstrip("0") == str(PRELIMINARY) for v in versions.flat])
    if early.any() and data["expver"].ndim == 1:
        first = label(data[data["expver"].dims[0]].values[int(np.argmax(early))])
        notes.append(f"{where}: {early.sum()} times are preliminary (ERA5T), first {first}")
    elif early.any():
        notes.append(f"{where}: all times are preliminary (ERA5T)")
    return data.drop_vars("expver")


def _along_valid_time(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return a data set whose one dimension of time is when values hold."""
    if "step" in data.dims:
        return _unrolled(data, where, notes)
    if "valid_time" in data.dims:
        data = data.drop_vars([c for c in ("time",) if c in data.variables]).rename(valid_time="time")
    elif "time" in data.dims and "valid_time" in data.coords and data["valid_time"].dims == ("time",):
        data = data.assign_coords(time=data["valid_time"].values)
    elif "time" not in data.dims:
        single = next((c for c in ("valid_time", "time") if c in data.coords and not data[c].dims), None)
        if single is not None:
            value = data[single].values
            data = data.drop_vars([c for c in TIMES if c in data.coords])
            data = in_own_chunks(data).expand_dims(time=[value])
    return data


def _unrolled(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return forecasts that follow one another (ERA5's accumulations: two starts a day) as one series in time."""
    data = data.drop_vars([c for c in ("valid_time",) if c in data.coords])
    if "time" not in data.dims:
        data = data.expand_dims("time")
    data = data.chunk("auto")
    pieces = []
    for i, step in enumerate(data["step"].values):
        piece = data.isel(step=i, drop=True)
        pieces.append(piece.assign_coords(time=piece["time"].values + step))
    joined = xr.concat(pieces, "time", data_vars="minimal", coords="minimal", compat="override", join="override")
    times = joined["time"].values
    if np.unique(times).size < times.size:
        raise DataError(
            f"{where} has forecasts that overlap: a time has values from two starts, so it is no reanalysis. Open it "
            "by initial and lead time instead (--reader plain)."
        )
    return _without_empty_ends(joined.sortby("time"), where, notes)


def _without_empty_ends(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return a series without the steps at its ends that were not asked for and have no value."""
    first = next(str(v) for v in data.data_vars if "time" in data[v].dims)
    size = data.sizes["time"]
    order = [range(min(size, LONGEST_STEP)), range(size - 1, max(-1, size - 1 - LONGEST_STEP), -1)]
    begin, end = (next((i for i in side if _has_values(data[first], i)), None) for side in order)
    if begin is None or end is None or (begin == 0 and end == size - 1):
        return data
    notes.append(f"{where}: {size - (end - begin + 1)} steps without values at the ends left out")
    return data.isel(time=slice(begin, end + 1))


def _has_values(array: xr.DataArray, i: int) -> bool:
    return bool(np.isfinite(array.isel(time=i).values).any())


def _with_level(data: xr.Dataset) -> xr.Dataset:
    """Return a data set with its levels along ``level``, also where there is one, a coordinate of no dimension."""
    single = next((c for c in LEVELS if c in data.coords and not data[c].dims), None)
    data = data if single is None else in_own_chunks(data).expand_dims(single)
    return data.rename({name: "level" for name in LEVELS[1:] if name in data.dims})


def _named(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return fixed fields without their time, and names that mean other things elsewhere in full."""
    full = {**SHORT_NAMES, **({"z": "geopotential_at_surface"} if _has_surface_height(data) else {})}
    names = {old: new for old, new in full.items() if old in data.data_vars and new not in data.variables}
    notes += [f"{where}: '{old}' read as '{new}'" for old, new in names.items()]
    data = data.rename(names)
    fixed = FIXED | {"geopotential_at_surface"}
    if data.sizes.get("time") == 1 and data.data_vars and set(map(str, data.data_vars)) <= fixed:
        data = data.isel(time=0, drop=True)
    return data


def _has_surface_height(data: xr.Dataset) -> bool:
    """Return whether ``z`` is that of the surface: it says so, or stands beside fields that exist on one level only."""
    if "z" not in data.data_vars or "level" in data["z"].dims:
        return False
    stated = data["z"].attrs.get("GRIB_typeOfLevel")
    return stated == "surface" if stated is not None else not set(map(str, data.data_vars)) <= ON_LEVELS
