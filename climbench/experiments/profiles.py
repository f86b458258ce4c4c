"""One forecast scored by the conventions of every tool: what of a difference is the forecast's, and what the rules'."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from climbench import records
from climbench.cluster import THREADS, cluster
from climbench.errors import PredictionError
from climbench.evaluate.forecasts import ScoredForecast, open_forecast_task, score_forecast_by
from climbench.harness.forecasts import origin
from climbench.progress import Progress
from climbench.recording import provenance
from climbench.run_directory import RECORD, RunDirectory, write_text, writing
from climbench.tasks.forecast.profiles import PROFILES

EXPERIMENT = "profiles"
TABLE = "profiles.json"


@dataclass(frozen=True)
class ProfileTable:
    """Scores of one forecast under all profiles.

    Attributes
    ----------
    task, forecast : str
        What was scored.
    rows : list of dict
        Rows of the score table, each with its ``profile``.
    quirks : dict of str to dict of str to str
        By profile and metric, what is different from the suite's own; under ``weights`` for all metrics.
    notes : list of str
        Coverage, and why scores are missing.
    modified : bool
        Whether settings, or what was scored, are not the task's own.
    run_dir : Path or None
        Where it was written; None where nothing was.
    """

    task: str
    forecast: str
    rows: list[dict[str, Any]]
    quirks: dict[str, dict[str, str]]
    notes: list[str]
    modified: bool
    run_dir: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the table as plain content."""
        return {
            "task": self.task,
            "forecast": self.forecast,
            "modified": self.modified,
            "run_dir": None if self.run_dir is None else str(self.run_dir),
            "scores": self.rows,
            "quirks": self.quirks,
            "notes": self.notes,
        }


def every_profile(
    task: str | Path,
    forecast: str | Path,
    *,
    data: str | Path | None = None,
    set: Mapping[str, Any] | None = None,
    leads: Sequence[float] | None = None,
    include: Sequence[str | Path] = (),
    out: str | Path | None = None,
    fresh: bool = False,
    scheduler: str | None = THREADS,
    progress: Progress | None = None,
) -> ProfileTable:
    """Score one forecast under all profiles; those that weigh cells alike share one reading of the stores.

    Parameters
    ----------
    task, forecast, data, set, include, scheduler, progress
        As for `climbench.score`. Area weights named on the card or in `set` hold for all profiles.
    leads : sequence of float, optional
        Only these lead times, in hours; all that are scored without.
    out : str or Path, optional
        A folder to write the table to; nothing is written without it.
    fresh : bool
        Replace what is in the folder.

    Returns
    -------
    ProfileTable

    Raises
    ------
    ClimbenchError
        As `climbench.score` does, and where a lead time in `leads` is not scored.
    """
    progress = progress or Progress()
    opened = open_forecast_task(task, data, set, [Path(folder) for folder in include], progress.step)
    progress.announce(origin(opened))
    progress.stage("scoring by every profile")
    with nullcontext() if scheduler == THREADS else cluster(scheduler) as client:
        scored = score_forecast_by(opened, forecast, list(PROFILES), client=client, progress=progress.step)
    table = _table(scored, leads)
    if out is None:
        return table
    identity = records.fingerprint(
        {"profiles": table.to_json(), "task": opened.card.settings(), "data": opened.data.summary()}
    )
    directory = RunDirectory(Path(out))
    if fresh or not directory.finished(identity):
        with directory.work(identity, fresh=fresh) as folder, writing(directory.path):
            write_text(folder / TABLE, json.dumps(table.to_json(), indent=1, allow_nan=False))
            about = provenance(opened.card, opened.data, identity=identity, modified=table.modified, costs={})
            record = {**about, "experiment": EXPERIMENT, "notes": table.notes}
            write_text(folder / RECORD, json.dumps(record, indent=1, allow_nan=False))
    return replace(table, run_dir=directory.path)


def _table(scored: Mapping[str, ScoredForecast], leads: Sequence[float] | None) -> ProfileTable:
    rows = [{"profile": name, **row} for name, part in scored.items() for row in part.rows]
    there = sorted({row["lead_time"] for row in rows})
    for lead in leads or ():
        if lead not in there:
            raise PredictionError(
                f"No lead time of {lead:g} h was scored. There are: {', '.join(f'{h:g}' for h in there)} h."
            )
    first = next(iter(scored.values()))
    return ProfileTable(
        first.task.card.name,
        first.forecast,
        [row for row in rows if leads is None or row["lead_time"] in leads],
        {name: dict(profile.quirks) for name, profile in PROFILES.items() if profile.quirks},
        list(dict.fromkeys(note for part in scored.values() for note in part.notes)),
        any(part.modified for part in scored.values()),
    )
