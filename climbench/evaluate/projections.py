"""Scores projections made anywhere: any netCDF file or zarr store that answers a task, from whatever framework.

`inspect` names everything that is wrong with a store at once; `score` refuses a store with anything wrong, and
otherwise scores it from the target's files alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

from climbench.cards import ProjectionCard
from climbench.data.canonical import canonical, with_units
from climbench.data.stores import open_store
from climbench.errors import ClimbenchError, PredictionError, did_you_mean
from climbench.evaluate.opening import OpenTask
from climbench.grids import describe_grid, grid_offset
from climbench.records import ZERO_ATTRIBUTE, Data, Predictions, Result
from climbench.tasks.model_scores import scorer_of
from climbench.tasks.projection import SAME_GRID, ProjectionTask
from climbench.tasks.projection_scores import ModelScores

IMPLAUSIBLE = 1e3


@dataclass
class Inspection:
    """What is wrong with predictions, what was put right, and the predictions where nothing is wrong.

    Attributes
    ----------
    problems : list of str
        Everything that keeps them from being scored.
    notes : list of str
        What was put right or left aside, and what looks odd.
    prediction : Dataset or None
        Canonical, in scoring units; None where there are problems.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    prediction: xr.Dataset | None = None


def inspect(path: Path, task: ProjectionTask, target: xr.Dataset) -> Inspection:
    """Return everything that is wrong with a store of predictions, at once.

    Parameters
    ----------
    path : Path
        A netCDF file or zarr store.
    task : ProjectionTask
        What it should answer.
    target : Dataset
        From ``task.target()``.

    Returns
    -------
    Inspection
    """
    found = Inspection()
    try:
        data, found.notes = canonical(open_store(path), path.name, wanted=task.card.targets, annual=True)
    except ClimbenchError as error:
        found.problems.append(str(error))
        return found
    by_design = bool(data.attrs.get(ZERO_ATTRIBUTE))
    arrays = {}
    for name in task.card.targets:
        if name not in data:
            found.problems.append(f"variable '{name}' is missing. {did_you_mean(name, map(str, data))}")
        else:
            array = _inspect_array(data[name], task, target[name], found, by_design=by_design)
            if array is not None:
                arrays[name] = array
    extra = [str(v) for v in data if v not in task.card.targets]
    if extra:
        found.notes.append(f"variables that the task does not score are ignored: {', '.join(extra)}")
    if not found.problems:
        found.prediction = xr.Dataset(arrays)
    return found


def _inspect_array(
    array: xr.DataArray, task: ProjectionTask, target: xr.DataArray, found: Inspection, *, by_design: bool
) -> xr.DataArray | None:
    """Check one variable; return it on the target's coordinates and in its units where it passes."""
    before = len(found.problems)
    name = str(array.name)
    wanted = {"time", "latitude", "longitude"}
    if not wanted <= set(array.dims) <= wanted | {"member"}:
        found.problems.append(
            f"{name} has dimensions ({', '.join(map(str, array.dims))}); "
            "wanted are ([member,] time, latitude, longitude)"
        )
        return None
    _inspect_members(array, task.card, found)
    _inspect_grid(array, target, found)
    years = _inspect_years(array, target, found)
    if len(found.problems) > before:
        return None
    try:
        array = array.sel(time=years).load()
    except (OSError, RuntimeError, ValueError) as error:
        found.problems.append(f"{name} cannot be read; the file may be cut short: {error}")
        return None
    _inspect_values(array, task.card, found, by_design=by_design)
    try:
        array, notes = with_units(array, task.units(name), assumed=task.units(name), where=name)
        found.notes += notes
    except ClimbenchError as error:
        found.problems.append(str(error))
    if len(found.problems) > before:
        return None
    array = array.assign_coords({d: target[d] for d in ("latitude", "longitude")})
    _inspect_likeness(array, target, found, by_design=by_design)
    return array


def _inspect_members(array: xr.DataArray, card: ProjectionCard, found: Inspection) -> None:
    members = array.sizes.get("member", 1)
    if members < card.scoring.min_prediction_members:
        found.problems.append(
            f"{array.name} has {members} member{'s' if members != 1 else ''}; "
            f"the task wants at least {card.scoring.min_prediction_members}"
        )


def _inspect_grid(array: xr.DataArray, target: xr.DataArray, found: Inspection) -> None:
    offset = grid_offset(array, target)
    if offset > SAME_GRID:
        swapped = array.sizes["latitude"] == target.sizes["longitude"] != target.sizes["latitude"]
        hint = "Are latitude and longitude swapped?" if swapped else "Regrid them to the target's grid first."
        found.problems.append(
            f"{array.name} lies on another grid than the target: {describe_grid(array)} against "
            f"{describe_grid(target)}. {hint}"
        )


def _inspect_years(array: xr.DataArray, target: xr.DataArray, found: Inspection) -> np.ndarray:
    years, ours = target["time"].values, array["time"].values
    if ours.dtype.kind not in "iu":
        found.problems.append(
            f"{array.name} has {ours.size} times {ours[0]}..{ours[-1]} that are not one a year; average them to years"
        )
        return np.asarray(years)
    missing = [str(y) for y in years if y not in ours]
    extra = [str(y) for y in ours if y not in years]
    if missing:
        shift = int(ours[0]) - int(years[0]) if len(ours) == len(years) else 0
        shifted = shift and np.array_equal(ours - shift, years)
        hint = f" All years are shifted by {shift:+d}: is the label one window off?" if shifted else ""
        found.problems.append(
            f"{array.name} lacks the year{'s' if len(missing) > 1 else ''} {_few(missing)}; "
            f"it has {ours[0]}..{ours[-1]}.{hint}"
        )
    elif extra:
        text = f"years outside the test period are ignored: {_few(extra)}"
        if text not in found.notes:
            found.notes.append(text)
    return np.asarray(years)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{names[0]}, {names[1]}, ... {names[-1]} ({len(names)})"


def _inspect_values(array: xr.DataArray, card: ProjectionCard, found: Inspection, *, by_design: bool) -> None:
    values = array.values
    if not np.issubdtype(values.dtype, np.number):
        found.problems.append(f"{array.name} holds {values.dtype}, not numbers")
        return
    bad = int(values.size - np.isfinite(values).sum())
    if bad == values.size:
        found.problems.append(f"{array.name} has no finite value at all")
    elif bad and (card.nan == "error" or np.isinf(values).any()):
        found.problems.append(f"{array.name} has {bad} values that are not finite (of {values.size})")
    elif not values.any() and not by_design:
        found.problems.append(f"{array.name} is zero throughout")


def _inspect_likeness(array: xr.DataArray, target: xr.DataArray, found: Inspection, *, by_design: bool) -> None:
    """Compare size and orientation with the target's: a factor of 86400 or a map upside down is no error of a model."""
    if by_design:
        return
    ours = array.mean([d for d in array.dims if d not in ("latitude", "longitude")]).transpose("latitude", "longitude")
    theirs = target.mean([d for d in target.dims if d not in ("latitude", "longitude")])
    size = [float(np.sqrt(np.nanmean(m.values**2))) for m in (ours, theirs)]
    if size[0] * IMPLAUSIBLE < size[1] or size[0] > IMPLAUSIBLE * size[1]:
        found.problems.append(
            f"{array.name} is {size[0]:.3g} {array.attrs['units']} in root mean square where the target is "
            f"{size[1]:.3g}: the units are probably wrong"
        )
        return
    upright, flipped = (_correlation(a, theirs.values) for a in (ours.values, ours.values[::-1]))
    if flipped > upright + 0.2:
        found.notes.append(
            f"WARNING: {array.name} resembles the target more when turned upside down (pattern correlation "
            f"{flipped:.2f} against {upright:.2f}): are the latitude labels in the order of the values?"
        )


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    a, b = (values[both] - values[both].mean() for values in (one, other))
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale > 0.0 else 0.0  # a map without a pattern resembles none


@dataclass(frozen=True)
class Scored:
    """Scores of a store, with what a record needs beside them."""

    opened: OpenTask
    data: Data
    inspection: Inspection
    target: xr.Dataset
    scores: ModelScores
    model: str

    def result(self, run_dir: Path | None = None) -> Result:
        """Return the result as it is shown, with the folder it was written to."""
        notes = [*self.opened.task.notes, *self.inspection.notes, *dict.fromkeys(self.scores.reasons)]
        predictions = Predictions(run_dir / "predictions" if run_dir else None, [self.model] if run_dir else [])
        card = self.opened.card
        return Result(
            card.name,
            self.data,
            self.opened.modified,
            self.scores.rows,
            run_dir,
            notes,
            predictions,
            {self.model: self.scores.impossible},
        )


def score(opened: OpenTask, path: Path, *, model: str | None = None) -> Scored:
    """Score a store of predictions.

    Parameters
    ----------
    opened : OpenTask
        From `open_task`.
    path : Path
        A netCDF file or zarr store.
    model : str, optional
        What to call the model; the store's name without it.

    Returns
    -------
    Scored

    Raises
    ------
    PredictionError
        Naming everything that is wrong with the predictions.
    """
    task = opened.task
    target = task.target()
    inspection = inspect(path, task, target)
    if inspection.prediction is None:
        raise PredictionError(f"{path} cannot be scored:\n  " + "\n  ".join(inspection.problems))
    name = model or path.name.removesuffix(".zarr").removesuffix(".nc")
    why = "needs training data, which scoring a file does not read; climbench run gives it"
    scores = scorer_of(task, target).score(name, inspection.prediction, None, why_no_skill=why)
    return Scored(opened, opened.source.data(task.target_files()), inspection, target, scores, name)
