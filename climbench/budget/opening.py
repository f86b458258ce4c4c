"""From many files to one canonical data set: variables split over files, and times split over files, joined.

Every file goes through the one door (`climbench.data.canonical`). What the door drops and budgets need is taken before:
the bounds of times and of hybrid coefficients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from climbench.budget.places import open_all
from climbench.budget.times import DAYS, with_lengths
from climbench.budget.vertical import with_hybrid_layers
from climbench.data.canonical import BOUNDS, canonical, split_levels
from climbench.data.readers.ace import FIRST, GRID, with_layers
from climbench.data.readers.joining import join_in_time, side_by_side
from climbench.errors import DataError
from climbench.physics.blocks import DEPTH, LEVEL
from climbench.physics.opening import INTERFACE, LAYER, OFFSET, SLOPE
from climbench.physics.quantities import QUANTITIES

AREAS_OF_AIR, AREAS_OF_SEA = AREAS = ("areacella", "areacello")
READ = {s.variable for q in QUANTITIES.values() for s in q.sources} | {*AREAS, OFFSET, SLOPE}
PLACES = {"time", LEVEL, LAYER, INTERFACE, DEPTH, "latitude", "longitude"}
BLOCK = 2**25  # bytes of a dask chunk where files are joined along time


@dataclass(frozen=True)
class Joined:
    """Files as one data set.

    Attributes
    ----------
    data : Dataset of shape ([time,] [level,] [layer,] latitude, longitude)
        Canonical, with what budgets can use of it; lazy.
    files : list of str
        What was read.
    notes : list of str
        What was changed or left out.
    """

    data: xr.Dataset
    files: list[str]
    notes: list[str]


def open_joined(paths: Sequence[str | Path]) -> Joined:
    """Return the files that paths name as one data set.

    Parameters
    ----------
    paths : sequence of str or Path
        Files, zarr stores, folders, or URLs of stores.

    Returns
    -------
    Joined

    Raises
    ------
    DataError
        If files cannot be read, do not fit together, have no grid of latitudes and longitudes, or have nothing that a
        budget could be made of.
    """
    notes: list[str] = []
    opened = open_all(paths)
    names = _names(opened)
    pieces = {names[place]: _canonical(data, names[place], notes) for place, data in opened.items()}
    variables = {}
    for variable in dict.fromkeys(str(v) for piece in pieces.values() for v in piece.data_vars):
        own = {name: piece[[variable]] for name, piece in pieces.items() if variable in piece.data_vars}
        variables[variable] = _one_variable(own, variable, notes)
    if not set(variables) - {*AREAS, OFFSET, SLOPE}:
        found = sorted({str(v) for d in opened.values() for v in d.data_vars if not set(d[v].dims) & set(BOUNDS)})
        raise DataError(
            f"There is nothing in {', '.join(names.values())} that a budget could be made of; found "
            f"{', '.join(found) or 'no variables'}. Give fluxes at the top or the surface, water, or humidity on "
            "levels (climbench budget --help has names)."
        )
    data = side_by_side(variables, "the files together", notes)
    return Joined(_without_strays(data, notes), list(opened), _of_all(notes, list(names.values())))


def _names(opened: Mapping[str, object]) -> dict[str, str]:
    """Return short names of places: the last part of each, or all of it where that is not unique."""
    short = {place: place.rstrip("/").rpartition("/")[2] for place in opened}
    return short if len(set(short.values())) == len(short) else {place: place for place in opened}


def _of_all(notes: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return notes, of which those that several files share stand once."""
    shared: dict[str, list[str]] = {}
    for note in dict.fromkeys(notes):
        name, _, text = note.partition(": ")
        shared.setdefault(text if name in names else note, []).append(name)
    own = {text: places[0] if len(places) == 1 else f"{len(places)} files" for text, places in shared.items()}
    return [text if text in notes else f"{own[text]}: {text}" for text in shared]


def _canonical(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return one file in canonical form, with what budgets can use of it."""
    own = list(data.encoding.get("climbench_notes", ()))
    data, days = with_lengths(data, where, own)
    if set(FIRST) <= set(map(str, data.variables)):
        data = with_layers(data, where, own)
        data = data.rename({old: new for old, new in GRID.items() if old in data.dims})
    data = with_hybrid_layers(data, where, own)
    data.encoding["climbench_notes"] = own
    data, said = canonical(data, where)
    data = split_levels(data, where, said)
    data = _one_run(data[[v for v in map(str, data.data_vars) if v in READ]], where)
    notes += said
    return data if days is None or "time" not in data.dims else data.assign_coords({DAYS: ("time", days)})


def _one_run(data: xr.Dataset, where: str) -> xr.Dataset:
    """Return a data set along one axis of times: neither members nor starts of forecasts beside it."""
    data = data.squeeze([d for d in data.dims if d not in PLACES | {"lead_time"} and data.sizes[d] == 1], drop=False)
    if "lead_time" in data.dims and "init_time" in data.coords and data["init_time"].ndim == 0:
        data = data.assign_coords(lead_time=data["init_time"] + data["lead_time"]).rename(lead_time="time")
    several = [f"{d} ({data.sizes[d]})" for d in ("member", "scenario", "init_time", "lead_time") if d in data.dims]
    if several:
        raise DataError(
            f"{where} holds more than one run, along {' and '.join(several)}. Budgets are of one: write the one to "
            "look at to a file of its own."
        )
    data = data.drop_vars([c for c in data.coords if c not in data.dims and data[c].ndim == 0])
    if "time" in data.coords and data["time"].dtype.kind == "f":
        raise DataError(f"{where}: times are numbers without a calendar. Write their units ('days since ...').")
    return data


def _one_variable(pieces: dict[str, xr.Dataset], variable: str, notes: list[str]) -> xr.Dataset:
    """Return a variable of several files, joined along time; what several files repeat is taken once."""
    kept: dict[str, xr.Dataset] = {}
    for name, piece in pieces.items():
        same = next((k for k, other in kept.items() if _same_times(other, piece)), None)
        if same is None:
            kept[name] = piece
        elif not _repeats(kept[same][variable], piece[variable]):
            raise DataError(f"'{variable}' is in {same} and in {name}, with other values or on another grid. Name one.")
        else:
            notes.append(f"'{variable}' is in {same} and {name}; it is taken from {same}")
    if len(kept) > 1:
        kept = {name: piece.chunk(_times_a_chunk(piece)) for name, piece in kept.items()}
    return join_in_time(kept, f"'{variable}'")


def _same_times(one: xr.Dataset, other: xr.Dataset) -> bool:
    if "time" not in one.dims or "time" not in other.dims:
        return "time" not in one.dims and "time" not in other.dims
    return np.array_equal(one["time"].values, other["time"].values)


def _repeats(one: xr.DataArray, other: xr.DataArray) -> bool:
    """Return whether two files hold the same values: all of what has no time, the first and last of what has."""
    if one.shape != other.shape:
        return False
    if "time" in one.dims:
        one, other = (values.isel(time=[0, -1]) for values in (one, other))
    return bool(np.allclose(one.values, other.values, rtol=1e-5, atol=0.0, equal_nan=True))


def _times_a_chunk(piece: xr.Dataset) -> dict[str, int]:
    each = max(1, sum(v.nbytes for v in piece.data_vars.values()) // max(1, piece.sizes.get("time", 1)))
    return {"time": max(1, BLOCK // each)} if "time" in piece.dims else {}


def _without_strays(data: xr.Dataset, notes: list[str]) -> xr.Dataset:
    """Return variables on a grid of latitudes and longitudes; others are left out, and said."""
    if "latitude" not in data.dims or "longitude" not in data.dims:
        raise DataError(
            f"Budgets need latitude and longitude as dimensions; these files have {', '.join(map(str, data.dims))}. "
            "Put curved or unstructured grids on a regular one first."
        )
    for name in map(str, data.data_vars):
        other = set(map(str, data[name].dims)) - PLACES
        flat = name not in (OFFSET, SLOPE) and not {"latitude", "longitude"} <= set(data[name].dims)
        both = {LEVEL, LAYER} <= set(data.dims) and LEVEL in data[name].dims and SLOPE in data
        if other or flat or both:
            why = "beside hybrid layers" if both else f"along {', '.join(map(str, data[name].dims)) or 'nothing'}"
            notes.append(f"'{name}' is left out: it stands {why}")
            data = data.drop_vars(name)
    return data.drop_vars([d for d in (LAYER, INTERFACE) if d in data.coords])
