"""Members to means: which members can be used, the mean over those that are there, and what scenarios must share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.grids import describe_grid, grid_offset

Note = Callable[[str], None]


def refuse_empty(field: xr.DataArray, what: str) -> None:
    """Raise `DataError` where a field is NaN throughout, has infinite values, or a member is zero throughout."""
    if _sound(field):
        return
    missing = field.isnull()
    rest = [d for d in field.dims if d != "member"]
    zero = ((field == 0.0) | missing).all(rest) & ~missing.all(rest)
    if bool(missing.all()):
        problem = "is NaN throughout"
    elif bool(zero.any()):
        problem = "is zero throughout" + ("" if bool(zero.all()) else f" in member {_names(zero)}")
    elif bool(np.isinf(field).any()):
        problem = f"has {int(np.isinf(field).sum())} infinite values"
    else:
        return
    raise DataError(f"{what} {problem}; it cannot be used. Look at the file it was read from.")


def _sound(field: xr.DataArray) -> bool:
    """Return whether all values are finite and no member is zero throughout: one pass, all that most fields need."""
    members = field.transpose("member", ...).values
    return bool(np.isfinite(members).all()) and all(any(part.any() for part in member) for member in members)


def usable_members(field: xr.DataArray, what: str, nan: str, note: Note) -> xr.DataArray:
    """Return the members of a target that have the variable, all of them complete.

    Parameters
    ----------
    field : DataArray of shape (member, time, latitude, longitude)
        In memory.
    what : str
        What to call it in messages.
    nan : {"error", "mask"}
        Whether missing values within a member are an error, or left for the scores to mask.
    note : callable
        Takes a line for the record.

    Returns
    -------
    DataArray of shape (member, time, latitude, longitude)
        A member that is NaN throughout stays as NaN, so that variables keep one member axis; see `present_members`.

    Raises
    ------
    DataError
        If the field is empty, or a member has missing values here and there.
    """
    refuse_empty(field, what)
    missing = field.isnull()
    absent = missing.all([d for d in field.dims if d != "member"])
    partial = missing.any([d for d in field.dims if d != "member"]) & ~absent
    if bool(absent.any()):
        note(f"{what}: no values in member {_names(absent)}; the mean is over the other members")
    if bool(partial.any()):
        count = int(missing.sum() - missing.where(absent, False).sum())
        if nan == "error":
            raise DataError(
                f"{what} has {count} missing values in member {_names(partial)}. Choose other members with "
                "--set test.members=[...], or leave out those cells with --set nan=mask."
            )
        note(f"{what}: {count} missing values; cells with any are left out of the scores")
    return field


def present_members(field: xr.DataArray) -> xr.DataArray:
    """Return a target without the members that are NaN throughout.

    Parameters
    ----------
    field : DataArray of shape (member, time, latitude, longitude)
        From `usable_members`.

    Returns
    -------
    DataArray of shape (member, time, latitude, longitude)
    """
    absent = field.isnull().all([d for d in field.dims if d != "member"])
    return field.isel(member=np.flatnonzero(~absent.values)) if bool(absent.any()) else field


def _names(chosen: xr.DataArray) -> str:
    return ", ".join(str(m) for m in chosen["member"].values[chosen.values])


def ensemble_mean(field: xr.DataArray, what: str, note: Note) -> xr.DataArray:
    """Return the mean over the members that are there, in each year and cell.

    Parameters
    ----------
    field : DataArray of shape (member, time, latitude, longitude)
        In memory; gaps of members are NaN.
    what : str
        What to call it in messages.
    note : callable
        Takes a line for the record.

    Returns
    -------
    DataArray of shape (time, latitude, longitude)
        In float64.

    Raises
    ------
    DataError
        If the field is empty, or no member has a value somewhere.
    """
    refuse_empty(field, what)
    mean = field.mean("member", dtype="float64", skipna=False)
    if np.isfinite(mean.values).all():
        return mean
    mean = field.astype("float64").mean("member", skipna=True)
    gaps = mean.isnull().any(["latitude", "longitude"])
    if bool(gaps.any()):
        years = mean["time"].values[gaps.values]
        raise DataError(f"{what} has missing values in every member in {years.size} years, first {years[0]}.")
    short = [str(m) for m in field["member"].values if bool(field.sel(member=m).isnull().any())]
    note(f"{what}: member {', '.join(short)} has gaps; the mean is over the members that are there")
    return mean


def common_years(forcing: xr.Dataset, climate: xr.Dataset, scenario: str, note: Note) -> np.ndarray:
    """Return the years both inputs and outputs of a scenario have, with a note about the others.

    Parameters
    ----------
    forcing, climate : Dataset
        With a ``time`` coordinate of integer years.
    scenario : str
        What to call it in messages.
    note : callable
        Takes a line for the record.

    Returns
    -------
    ndarray of shape (time,)

    Raises
    ------
    DataError
        If they have no year in common, or outputs have years that inputs lack.
    """
    ours, theirs = climate["time"].values, forcing["time"].values
    lacking = np.setdiff1d(ours, theirs)
    if lacking.size:
        raise DataError(
            f"{scenario}: outputs have the years {ours[0]}..{ours[-1]}, but inputs only {theirs[0]}..{theirs[-1]}; "
            f"{lacking.size} are missing, first {lacking[0]}."
        )
    extra = np.setdiff1d(theirs, ours)
    if extra.size:
        named = ", ".join(map(str, extra[:3])) + (" ..." if extra.size > 3 else "")
        years = "year" if extra.size == 1 else "years"
        note(f"{scenario}: inputs have {extra.size} {years} that outputs lack ({named}), unused")
    return np.asarray(ours)


def on_one_grid(fields: xr.Dataset, scenario: str, others: Mapping[str, xr.Dataset], *, tolerance: float) -> xr.Dataset:
    """Return a scenario's climate on exactly the coordinates of the scenarios before it.

    Parameters
    ----------
    fields : Dataset of shape (time, latitude, longitude)
        The scenario's climate.
    scenario : str
        What to call it in messages.
    others : mapping of str to Dataset
        The scenarios before it, all on one grid.
    tolerance : float
        How many cells apart still counts as the same grid.

    Returns
    -------
    Dataset of shape (time, latitude, longitude)

    Raises
    ------
    DataError
        If it lies on another grid. Left alone, xarray would keep only the rows that both have.
    """
    if not others:
        return fields
    name, first = next(iter(others.items()))
    if grid_offset(fields, first) > tolerance:
        raise DataError(
            f"The outputs of {scenario} lie on another grid than those of {name}: {describe_grid(fields)} against "
            f"{describe_grid(first)}. Regrid them, or leave one out with --set train=[...]."
        )
    return fields.assign_coords(latitude=first["latitude"], longitude=first["longitude"])
