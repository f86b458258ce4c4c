"""Whether one run's forecasts score better than another's: the statistics that both runs kept, paired over inits.

Two runs may have scored different targets, metrics, regions and times: what both have is compared. They may not have
scored by different rules or against another truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
import yaml

from climbench.errors import RunError, did_you_mean
from climbench.experiments.compare_forecasts import Method, compare_forecasts
from climbench.experiments.shared_forecasts import DIMS, ForecastStatistics
from climbench.records import read_result
from climbench.run_directory import RunDirectory
from climbench.tasks.forecast.profiles import PROFILES

CHOICES = ("targets", "metrics", "regions", "test", "leads", "members")  # settings that only choose what is scored


@dataclass(frozen=True)
class ForecastRun:
    """A finished run of a forecast task, as far as a comparison needs it.

    Attributes
    ----------
    path : Path
        Its folder.
    record : mapping
        Its provenance.
    card : mapping
        Its task's card.
    metrics : tuple of str
        Those that it scored.
    statistics : mapping of str to ForecastStatistics
        By model.
    """

    path: Path
    record: Mapping[str, Any]
    card: Mapping[str, Any]
    metrics: tuple[str, ...]
    statistics: Mapping[str, ForecastStatistics]

    @classmethod
    def of(cls, path: Path) -> ForecastRun:
        """Return a run opened; raise `RunError` where there is none, or it kept no statistics of forecasts."""
        if not is_forecast_run(path):
            raise RunError(f"{path} holds no run of a forecast task.")
        rows = read_result(path).rows
        units = {row["variable"]: row["units"] for row in rows if row["units"] != "1"}
        stores = sorted((path / "statistics").glob("*.zarr"))
        kept = {s.stem: _statistics(f"{s.stem} ({path})", s, units) for s in stores}
        if not kept:
            raise RunError(f"The run in {path} kept no statistics to compare.")
        metrics = tuple(dict.fromkeys(row["metric"] for row in rows))
        return cls(path, RunDirectory(path).record() or {}, _card(path), metrics, kept)

    def model(self, name: str) -> ForecastStatistics:
        """Return the statistics of a model; raise `RunError` where the run has none of that name."""
        if name not in self.statistics:
            raise RunError(f"The run in {self.path} has no model '{name}'. {did_you_mean(name, self.statistics)}")
        return self.statistics[name]


@dataclass(frozen=True)
class RunsComparison:
    """What two runs' forecasts differ by.

    Attributes
    ----------
    rows : list of dict
        ``model``, ``run``, ``against``, ``against_run``, then `climbench.experiments.compare_forecasts.COLUMNS`.
    notes : list of str
        What was left out because only one of two has it.
    """

    rows: list[dict[str, Any]]
    notes: list[str]


def is_forecast_run(path: Path) -> bool:
    """Return whether a folder holds a finished run of a forecast task; raise `RunError` where it holds none at all."""
    record = RunDirectory(path).record()
    if record is None:
        raise RunError(f"There is no finished run in {path}.")
    return "experiment" not in record and _card(path).get("protocol") == "forecast"


def _card(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((path / "task.yaml").read_text()))


def _statistics(name: str, store: Path, units: Mapping[str, str]) -> ForecastStatistics:
    """Return what a store holds under ``VARIABLE.STATISTIC``, by variable, but for counts in bins and whole maps."""
    with xr.open_zarr(store, consolidated=False) as opened:
        data = opened.load()
    found: dict[str, dict[str, xr.DataArray]] = {}
    for key, array in data.data_vars.items():
        variable, _, statistic = str(key).partition(".")
        if array.dims == DIMS:
            found.setdefault(variable, {})[statistic] = array
    members = {v: int(data.attrs.get(f"members.{v}", 1)) for v in found}
    return ForecastStatistics(name, {v: xr.Dataset(parts) for v, parts in found.items()}, units, members)


def compare_forecast_runs(
    run: str | Path,
    other: str | Path,
    *,
    model: str | None = None,
    against: str | None = None,
    method: Method = "t-test",
    false_discovery: bool = False,
) -> RunsComparison:
    """Return whose forecasts are better, for each model of one run and each of another.

    Parameters
    ----------
    run, other : str or Path
        Folders of two finished runs, or twice the same.
    model, against : str, optional
        Only this model of the first, and of the second.
    method, false_discovery
        As for `climbench.experiments.compare_forecasts.compare_forecasts`; a family is one pair of models.

    Returns
    -------
    RunsComparison
        Pairs with the same forecasts are left out, unless they were named or there are no others.

    Raises
    ------
    RunError
        If the runs were scored by other rules or against another truth, have nothing in common, or a model is not
        there.
    """
    ours, theirs = (ForecastRun.of(Path(path)) for path in (run, other))
    refuse_other_rules(ours, theirs)
    conventions = PROFILES[ours.card["profile"]]
    metrics = {name: conventions.metric(name) for name in ours.metrics if name in theirs.metrics}
    rows, notes = [], []
    for a, b in _pairs(ours, theirs, model, against):
        names = {"model": a, "run": str(ours.path), "against": b, "against_run": str(theirs.path)}
        found = compare_forecasts(
            ours.model(a), theirs.model(b), metrics, method=method, false_discovery=false_discovery
        )
        rows += [{**names, **row} for row in found.rows]
        notes += found.notes
    return RunsComparison(rows, list(dict.fromkeys(notes)))


def refuse_other_rules(ours: ForecastRun, theirs: ForecastRun) -> None:
    """Raise `RunError` where two runs were not scored against the same truth by the same rules."""
    if ours.record["task"] != theirs.record["task"]:
        raise RunError(
            f"The runs are on different tasks: {ours.record['task']} in {ours.path} and {theirs.record['task']} in "
            f"{theirs.path}."
        )
    differing = [
        f"{key} is {ours.card.get(key)} and {theirs.card.get(key)}"
        for key in dict.fromkeys([*ours.card, *theirs.card])
        if key not in CHOICES and ours.card.get(key) != theirs.card.get(key)
    ]
    if differing:
        raise RunError(f"The runs are under different settings: {'; '.join(differing)}.")
    if ours.record["data"]["fingerprint"] != theirs.record["data"]["fingerprint"]:
        names = [run.record["data"]["name"] for run in (ours, theirs)]
        raise RunError(
            f"The runs were scored against different data: {names[0]} in {ours.path} and {names[1]} in {theirs.path}, "
            "from other files or of other times."
        )


def _pairs(ours: ForecastRun, theirs: ForecastRun, model: str | None, against: str | None) -> list[tuple[str, str]]:
    """Return the pairs of models to compare."""
    pairs = [
        (a, b)
        for a in ([model] if model else list(ours.statistics))
        for b in ([against] if against else list(theirs.statistics))
    ]
    if model is not None and against is not None:
        return pairs
    if ours.path.resolve() == theirs.path.resolve():
        order = list(ours.statistics)
        pairs = [(a, b) for a, b in pairs if order.index(b) < order.index(a)] or pairs
    return [(a, b) for a, b in pairs if not _identical(ours.model(a), theirs.model(b))] or pairs


def _identical(ours: ForecastStatistics, theirs: ForecastStatistics) -> bool:
    return ours.by_variable.keys() == theirs.by_variable.keys() and all(
        part.equals(theirs.by_variable[variable]) for variable, part in ours.by_variable.items()
    )
