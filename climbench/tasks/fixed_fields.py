"""Fields that do not change with time and belong to a data set: its land, and its control climate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from climbench.data.canonical import canonical, with_units
from climbench.data.stores import open_store
from climbench.errors import DataError
from climbench.grids import grid_offset
from climbench.land import land_fraction
from climbench.regrid import regrid_conservative
from climbench.variables import LEXICON

if TYPE_CHECKING:
    from climbench.tasks.projection import ProjectionTask

LAND_FILE, CONTROL_FILE = "sftlf.nc", "control_climatology.nc"
SAME_GRID = 0.01


def fixed_files(task: ProjectionTask) -> list[Path]:
    """Return the files with fixed fields that a task's scores use: those its card names, or that lie with the data.

    Parameters
    ----------
    task : ProjectionTask
        The task.

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        If the card names a file that is not there.
    """
    found = [_file(task, task.card.land_fraction, LAND_FILE), _file(task, task.card.control_climatology, CONTROL_FILE)]
    return [path for path in found if path is not None]


def _file(task: ProjectionTask, named: str | None, usual: str) -> Path | None:
    """Return the file that a card names, by its own path or within the data's folder, or else the usual one."""
    folder = getattr(task.reader, "directory", None)
    within = [] if folder is None else [Path(folder) / (named or usual)]
    for path in [*([] if named is None else [Path(named)]), *within]:
        if path.exists():
            return path
    if named is not None:
        raise DataError(f"There is no file {named}" + (f", nor {within[0]}." if within else "."))
    return None


def land_of(task: ProjectionTask, grid: xr.Dataset) -> xr.DataArray:
    """Return the fraction of land in each cell: the data set's own, or else that of a global mask.

    Parameters
    ----------
    task : ProjectionTask
        The task.
    grid : Dataset
        With coordinates ``latitude`` and ``longitude``.

    Returns
    -------
    DataArray of shape (latitude, longitude)
        From 0 to 1.

    Raises
    ------
    DataError
        If the file has no ``sftlf``, or it does not fit.
    """
    path = _file(task, task.card.land_fraction, LAND_FILE)
    if path is None:
        return land_fraction(grid)
    data, _ = canonical(open_store(path), path.name)
    if "sftlf" not in data:
        raise DataError(f"{path} has no variable 'sftlf' (land area fraction); it has {', '.join(map(str, data))}.")
    return land_fraction(grid, data["sftlf"].load())


def control_climatology(task: ProjectionTask, grid: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the control's mean of amounts of water that it is known of, by which changes become absolute values.

    Parameters
    ----------
    task : ProjectionTask
        The task.
    grid : Dataset
        With coordinates ``latitude`` and ``longitude``.

    Returns
    -------
    dict of str to DataArray of shape (latitude, longitude)
        Of the task's targets, in scoring units, on the grid. For a variable that the data set gives in absolute values
        zero, or what its reader took changes from. Empty where nothing is known.

    Raises
    ------
    DataError
        If the file does not fit.
    """
    amounts = [name for name in task.card.targets if name in LEXICON and LEXICON[name].kind == "water"]
    found = _without_file(task, grid, [name for name in amounts if not task.dataset.variables[name].anomaly])
    path = _file(task, task.card.control_climatology, CONTROL_FILE)
    if path is None:
        return found
    data, _ = canonical(open_store(path), path.name, wanted=task.card.targets)
    for name in amounts:
        if name in data and name not in found:
            field, _ = with_units(data[name].load(), task.units(name), assumed=None, where=f"{path.name}: {name}")
            found[name] = _on_grid(field, grid, path)
    return found


def _without_file(task: ProjectionTask, grid: xr.Dataset, names: Sequence[str]) -> dict[str, xr.DataArray]:
    """Return what makes variables absolute that a data set gives in absolute values."""
    if not hasattr(task.reader, "reference"):
        return dict.fromkeys(names, xr.zeros_like(grid["latitude"] * grid["longitude"]))
    taken = task.reader.reference(names) if names else xr.Dataset()
    made = {name: with_units(taken[name], task.units(name), assumed=None, where=name)[0] for name in names}
    return {name: _on_grid(field, grid, task.reader.directory) for name, field in made.items()}


def _on_grid(field: xr.DataArray, grid: xr.Dataset, path: Path) -> xr.DataArray:
    if set(field.dims) != {"latitude", "longitude"}:
        raise DataError(f"{path}: {field.name} has the dimensions {field.dims}; wanted are (latitude, longitude).")
    if grid_offset(field, grid) > SAME_GRID:
        field = regrid_conservative(field, grid, min_valid=1.0, dtype="float64")
    field = field.assign_coords(latitude=grid["latitude"], longitude=grid["longitude"])
    if bool(field.isnull().any()):
        raise DataError(f"{path}: {field.name} has missing values, or does not cover the grid.")
    return field.transpose("latitude", "longitude").drop_attrs().astype("float64")
