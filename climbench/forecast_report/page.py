"""Writes the report of forecasts: one self-contained page with tables and figures, and the figures as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from climbench.cards import ForecastCard, find_task
from climbench.coastlines import coastlines
from climbench.errors import CardError
from climbench.evaluate.forecasts import ForecastTask, ScoredForecast
from climbench.forecast_report.figures import figures
from climbench.forecast_report.headlines import Row, headline_hours, rows_of
from climbench.forecast_report.physics import physics_lines
from climbench.report import filled, picture
from climbench.report_tables import impossible_lines
from climbench.run_directory import write_text
from climbench.tasks.forecast.physics_score import PHYSICS
from climbench.tasks.forecast.profiles import PROFILES

TEMPLATE = "forecast_report.html.j2"
INTERVALS = (
    "95 % over initial times, of which successive ones count for as many as are independent (AR(2)); none where they "
    "are too few"
)


def write_forecast_report(
    folder: Path,
    task: ForecastTask,
    scored: Mapping[str, ScoredForecast],
    rows: Sequence[Row],
    record: Mapping[str, Any],
) -> None:
    """Draw figures into a run's folder, and write its report.

    Parameters
    ----------
    folder : Path
        The run's.
    task : ForecastTask
        What was scored.
    scored : mapping of str to ScoredForecast
        By model.
    rows : sequence of mapping
        The score table.
    record : mapping
        The run's provenance.
    """
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    everything, rows = rows, [row for row in rows if row["variable"] != PHYSICS]
    pictures = []
    for figure in figures(scored, rows):
        (folder / "figures" / f"{figure.name}.png").write_bytes(figure.picture)
        pictures.append((figure.name, figure.caption, picture(figure.picture)))
    coverage, notes = parted_notes(record["notes"])
    _, missing = coastlines()
    profile = PROFILES[task.card.profile]
    metrics = {row["metric"] for row in rows}
    page = filled(
        TEMPLATE,
        task=task,
        record=record,
        tables=[(region, *table_lines(rows, region)) for region in task.card.regions if rows],
        physics=physics_lines(everything),
        impossible=impossible_lines({model: part.scores.impossible for model, part in scored.items()}),
        simulated=task.data.kind == "simulated",
        why_modified=why_modified(task, scored),
        definitions={**definitions(task.card, everything), **task.card.definitions, "intervals": INTERVALS},
        profile=profile,
        quirks={name: text for name, text in profile.quirks.items() if name in metrics or name == "weights"},
        climatology=None if task.climatology is None else str(task.climatology).rstrip("/").rpartition("/")[2],
        pictures=pictures,
        coverage=coverage,
        notes=[*notes, *not_drawn(scored, [name for name, _, _ in pictures]), *([missing] if missing else [])],
        number=_fixed,
    )
    write_text(folder / "report.html", page)


def parted_notes(notes: Sequence[str]) -> tuple[str, list[str]]:
    """Return the coverage, if it is the same for all models, and the other notes."""
    if notes and notes[0].startswith("coverage:"):
        return notes[0], [note for note in notes[1:] if not note.startswith("modified: ")]  # they stand above
    return "", list(notes)


def not_drawn(scored: Mapping[str, ScoredForecast], names: Sequence[str]) -> list[str]:
    """Return why figures that a report may have are not there, given the names of those that are."""
    card = next(iter(scored.values())).task.card
    several = any(count > 1 for part in scored.values() for count in part.scores.members.values())
    needs = {
        "scorecard": f"a scorecard needs {card.skill_against}, the reference, and another model scored in one run",
        "spectra": "spectra are kept where effective_resolution or spectral_divergence is scored, on a global grid",
        "ranks": "ranks are kept where rank_histogram_deviation is scored" if several else "",
        "reliability": "reliability diagrams need calibration_error_above_X scored" if several else "",
        "maps": "maps need a lead time beyond 0",
    }
    missing = [why for kind, why in needs.items() if why and not any(name.startswith(kind) for name in names)]
    return [f"Not drawn: {'; '.join(missing)}."] if missing else []


def table_lines(rows: Sequence[Row], region: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the score table at the headline lead times.

    Parameters
    ----------
    rows : sequence of mapping
        The score table.
    region : str
        Whose rows.

    Returns
    -------
    heads : list of str
        Lead times.
    groups : list of dict
        ``variable`` and ``lines``, each with ``metric``, ``model``, ``units`` and ``cells``: numbers with their
        intervals, in words.
    """
    chosen = rows_of(rows, region)
    hours = headline_hours(sorted({row["lead_time"] for row in chosen}))
    groups: dict[str, dict[tuple[str, str], dict[float, Row]]] = {}
    for row in chosen:
        groups.setdefault(row["variable"], {}).setdefault((row["metric"], row["model"]), {})[row["lead_time"]] = row
    found = []
    for variable, metrics in groups.items():
        order = list(dict.fromkeys(metric for metric, _ in metrics))
        keys = sorted(metrics, key=lambda key: order.index(key[0]))
        found.append({"variable": variable, "lines": [_line(*key, metrics[key], hours) for key in keys]})
    return [f"{hour / 24:g} d" for hour in hours], found


def _line(metric: str, model: str, by_lead: Mapping[float, Row], hours: Sequence[float]) -> dict[str, Any]:
    units = next(iter(by_lead.values()))["units"]
    cells = [_cell(by_lead.get(hour, {})) for hour in hours]
    return {"metric": metric, "model": model, "units": "" if units == "1" else units, "cells": cells}


def _cell(row: Row) -> tuple[str, str]:
    """Return a score and its interval, in words."""
    low, high = row.get("low"), row.get("high")
    return _number(row.get("value")), "" if low is None else f"95 % interval {_number(low)} to {_number(high)}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def _fixed(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def definitions(card: ForecastCard, rows: Sequence[Row]) -> dict[str, str]:
    """Return what each metric of a table means, with what its profile does otherwise."""
    profile = PROFILES[card.profile]
    found = {}
    for name in dict.fromkeys(row["metric"] for row in rows):
        text = PROFILES["standard"].metric(name).definition
        found[name] = text + (f"; {profile.title}: {profile.quirks[name]}" if name in profile.quirks else "")
    return found


def why_modified(task: ForecastTask, scored: Mapping[str, ScoredForecast]) -> list[str]:
    """Return in what a result is not the task's own: changed settings, then what was scored."""
    departures = [text for part in scored.values() for text in part.scores.matched.departures]
    return list(dict.fromkeys([*(_changed(task) if task.modified else ()), *departures]))


def _changed(task: ForecastTask) -> list[str]:
    """Return the settings that differ from the card of the task's name; one line that says so where there is none."""
    try:
        own = find_task(task.card.name, [Path(folder) for folder in task.include]).settings()
    except CardError:
        own = {}
    used = task.card.settings()
    changed = [
        f"{key}: {_in_words(used[key])} (on the card: {_in_words(own[key])})"
        for key in used
        if key in own and used[key] != own[key]
    ]
    return changed or ["settings are not those of the task's card"]


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_in_words(part)}" for key, part in value.items())
    return ", ".join(map(_in_words, value)) if isinstance(value, list) else "open" if value is None else str(value)
