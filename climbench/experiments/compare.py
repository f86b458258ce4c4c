r"""Whether one run's emulator is better than another's: paired over target members and years, from kept statistics.

Both runs keep, for every variable, the inner products of their errors against each member and year (`error_gram`).
With :math:`\bar e_A` the mean error of A, :math:`P^A_{mt} = \langle e^A_{mt}, \bar e_A \rangle` has the mean square as
its mean, and in :math:`P^A - P^B` the target's noise enters as :math:`-\langle M_A - M_B, y_{mt} \rangle` alone: its
contrasts between members are those of the paired interval (`climbench.metrics.significance.paired_interval`), without
a look at the predictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import yaml

from climbench.errors import RunError, did_you_mean
from climbench.experiments.compare_forecast_runs import compare_forecast_runs, is_forecast_run
from climbench.experiments.member_tables import verdict_of
from climbench.metrics.resampling import helmert, slow_components
from climbench.metrics.significance import difference_interval
from climbench.records import read_result
from climbench.run_directory import RunDirectory

SAME_TARGET = 1e-6
METRICS = ("rmse_spatial", "rmse_global")


@dataclass(frozen=True)
class ComparedRun:
    """A finished run, as far as a comparison needs it.

    Attributes
    ----------
    path : Path
        Its folder.
    record : mapping
        Its provenance.
    units : mapping of str to str
        By variable.
    statistics : mapping of str to Dataset
        By model; reference rows have none.
    """

    path: Path
    record: Mapping[str, Any]
    units: Mapping[str, str]
    statistics: Mapping[str, xr.Dataset]

    @classmethod
    def of(cls, path: Path) -> ComparedRun:
        """Return a run opened; raise `RunError` where there is none, or it kept no statistics."""
        record = RunDirectory(path).record()
        if record is None:
            raise RunError(f"There is no finished run in {path}.")
        if "experiment" in record:
            raise RunError(f"{path} holds a {record['experiment']} experiment, not a run; it has verdicts of its own.")
        rows = read_result(path).rows
        units = {r["variable"]: r["units"] for r in rows if r["metric"] == "rmse_spatial"}
        stores = {m: path / "statistics" / f"{m}.zarr" for m in record["predictions"]}
        kept = {m: xr.open_zarr(s, consolidated=False).load() for m, s in stores.items() if s.is_dir()}
        if not kept:
            raise RunError(f"The run in {path} kept no statistics to compare; it has only reference rows.")
        return cls(path, record, units, kept)

    def model(self, name: str) -> xr.Dataset:
        """Return the statistics of a model; raise `RunError` where the run has none of that name."""
        if name not in self.statistics:
            raise RunError(f"The run in {self.path} has no model '{name}'. {did_you_mean(name, self.statistics)}")
        return self.statistics[name]


def compare(
    run: str | Path, other: str | Path, *, model: str | None = None, against: str | None = None
) -> list[dict[str, Any]]:
    """Return who is better, for each model of one run and each of another.

    Parameters
    ----------
    run, other : str or Path
        Folders of two finished runs, or twice the same.
    model, against : str, optional
        Only this model of the first, and of the second.

    Returns
    -------
    list of dict
        One row a pair of models, variable and metric: ``model``, ``run``, ``against``, ``against_run``, ``variable``,
        ``metric``, both values, ``difference`` of mean squares with ``low`` and ``high``, the ``verdict`` on `model`
        (better, worse, tie, or None with the ``reason``), ``units``. Pairs with the same predictions are left out,
        unless they were named or there are no others. Rows of forecasts are those of
        `climbench.experiments.compare_forecast_runs.compare_forecast_runs`.

    Raises
    ------
    RunError
        If the runs are on different tasks, settings or data, or a model is not there.
    """
    if is_forecast_run(Path(run)):
        return compare_forecast_runs(run, other, model=model, against=against).rows
    ours, theirs = (ComparedRun.of(Path(path)) for path in (run, other))
    refuse_different(ours, theirs)
    pairs = [
        (a, b)
        for a in ([model] if model else list(ours.statistics))
        for b in ([against] if against else list(theirs.statistics))
    ]
    named = model is not None and against is not None
    if ours.path.resolve() == theirs.path.resolve() and not named:
        order = list(ours.statistics)
        pairs = [(a, b) for a, b in pairs if order.index(b) < order.index(a)] or pairs
    differing = [(a, b) for a, b in pairs if not _identical(ours.model(a), theirs.model(b))]
    chosen = pairs if named or not differing else differing
    return [row for a, b in chosen for row in _rows(ours, a, theirs, b)]


def refuse_different(ours: ComparedRun, theirs: ComparedRun) -> None:
    """Raise `RunError` where two runs were not scored against the same target by the same rules."""
    records = ours.record, theirs.record
    if records[0]["task"] != records[1]["task"]:
        raise RunError(
            f"The runs are on different tasks: {records[0]['task']} in {ours.path} and {records[1]['task']} in "
            f"{theirs.path}."
        )
    if records[0]["task_hash"] != records[1]["task_hash"]:
        differing = _differing(*(yaml.safe_load((r.path / "task.yaml").read_text()) for r in (ours, theirs)))
        raise RunError(f"The runs are under different settings: {'; '.join(differing) or 'see their task.yaml'}.")
    # A scored file's record names the target's files alone: then the statistics below have to tell.
    whole = not any("scored_file" in record for record in records)
    if whole and records[0]["data"]["fingerprint"] != records[1]["data"]["fingerprint"]:
        names = [record["data"]["name"] for record in records]
        raise RunError(f"The runs are on different data: {names[0]} in {ours.path} and {names[1]} in {theirs.path}.")
    first, second = (next(iter(r.statistics.values())) for r in (ours, theirs))
    for variable in ours.units:
        if variable not in theirs.units or not _same_target(first, second, variable):
            raise RunError(f"The runs were not scored against the same target, members and cells, for {variable}.")


def _differing(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the keys of two cards that differ, with both values."""
    found = []
    for key in dict.fromkeys([*ours, *theirs]):
        a, b = ours.get(key), theirs.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += _differing(a, b, f"{prefix}{key}.")
        elif a != b:
            found.append(f"{prefix}{key} is {a} and {b}")
    return found


def _same_target(ours: xr.Dataset, theirs: xr.Dataset, variable: str) -> bool:
    """Return whether the contrasts between members are the same: they do not depend on the prediction."""
    first, second = (_gram(s, variable) for s in (ours, theirs))
    if any(not np.array_equal(first[d].values, second[d].values) for d in ("member", "time")):
        return False
    if first.sizes["member"] < 2:
        return True  # nothing can be told from one member
    contrasts = helmert(first.sizes["member"])
    noise = [contrasts @ _pairs(gram) @ contrasts.T for gram in (first, second)]
    return bool(np.abs(noise[0] - noise[1]).max() <= SAME_TARGET * np.abs(noise[0]).max())


def _pairs(gram: xr.DataArray) -> np.ndarray:
    return gram.mean(("time", "other_time")).transpose("member", "other_member").values


def _identical(ours: xr.Dataset, theirs: xr.Dataset) -> bool:
    return ours.equals(theirs)


def _rows(ours: ComparedRun, model: str, theirs: ComparedRun, against: str) -> list[dict[str, Any]]:
    """Return the rows of one pair of models."""
    names = {"model": model, "run": str(ours.path), "against": against, "against_run": str(theirs.path)}
    rows = []
    for variable, units in ours.units.items():
        parts = [_along(s, variable) for s in (ours.model(model), theirs.model(against))]
        for place, metric in enumerate(METRICS):
            along, other = (part[place] for part in parts)
            squares = [max(float(a[:, 0].mean()), 0.0) for a in (along, other)]
            difference = squares[0] - squares[1]
            interval = difference_interval(difference, along - other)
            rows.append(
                {
                    **names,
                    **{"variable": variable, "metric": metric},
                    **{"value": float(np.sqrt(squares[0])), "against_value": float(np.sqrt(squares[1]))},
                    **{"difference": difference, "low": interval.low, "high": interval.high},
                    **{"verdict": verdict_of(interval), "units": units, "reason": interval.reason},
                }
            )
    return rows


def _gram(statistics: xr.Dataset, variable: str) -> xr.DataArray:
    """Return the products of a variable's errors against the members that have it; in the store, others are NaN."""
    gram = statistics[f"{variable}_error_gram"]
    return gram.dropna("member", how="all").dropna("other_member", how="all")


def _along(statistics: xr.Dataset, variable: str) -> Sequence[np.ndarray]:
    """Return what each member contributes to the mean squares, spatial and global: the first component's mean is it."""
    gram = _gram(statistics, variable)
    spatial = gram.mean(("other_member", "other_time")).transpose("member", "time").values
    errors = statistics[f"{variable}_global_error"].sel(member=gram["member"]).transpose("member", "time").values
    globe = (errors * errors.mean(axis=0)).mean(axis=1)[:, None]
    return spatial @ slow_components(gram.sizes["time"], gram.sizes["member"]).T, globe
