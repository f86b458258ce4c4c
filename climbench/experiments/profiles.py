"""One forecast scored by the conventions of every tool: what of a difference is the forecast's, and what the rules'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from climbench.cluster import THREADS, cluster
from climbench.evaluate.forecasts import open_forecast_task, score_forecast
from climbench.progress import Progress
from climbench.tasks.forecast.profiles import PROFILES


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
    """

    task: str
    forecast: str
    rows: list[dict[str, Any]]
    quirks: dict[str, dict[str, str]]
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the table as plain content."""
        return {
            "task": self.task,
            "forecast": self.forecast,
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
    include: Sequence[str | Path] = (),
    scheduler: str | None = THREADS,
    progress: Progress | None = None,
) -> ProfileTable:
    """Score one forecast under all profiles.

    Parameters
    ----------
    task, forecast, data, set, include, scheduler, progress
        As for `climbench.score`. Area weights named on the card or in `set` hold for all profiles.

    Returns
    -------
    ProfileTable

    Raises
    ------
    ClimbenchError
        As `climbench.score` does.
    """
    progress = progress or Progress()
    opened = open_forecast_task(task, data, set, [Path(folder) for folder in include], progress.step)
    rows: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    with nullcontext() if scheduler == THREADS else cluster(scheduler) as client:
        for name in PROFILES:
            progress.stage(f"scoring by {name}")
            scored = score_forecast(opened, forecast, profile=name, client=client, progress=progress.step)
            rows += [{"profile": name, **row} for row in scored.rows]
            notes.update(dict.fromkeys(scored.notes))
    quirks = {name: dict(profile.quirks) for name, profile in PROFILES.items() if profile.quirks}
    return ProfileTable(opened.card.name, str(forecast), rows, quirks, list(notes))
