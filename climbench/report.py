"""The report of a run: one self-contained HTML file with the score table, the maps, and what the scores are worth."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from climbench.cards import DatasetCard, TaskCard
from climbench.records import Data
from climbench.report_tables import GLOBE, further_tables, impossible_lines
from climbench.tasks.budget_rows import BUDGETS

HEADS = (
    ("NRMSE", "spatial"),
    ("NRMSE", "global"),
    ("NRMSE", "total"),
    ("RMSE over", "internal std"),
    ("RMSE", "spatial"),
    ("noise", "floor"),
    ("95 % interval of", "RMSE spatial"),
    ("RMSE spatial", "debiased"),
    ("RMSE", "global"),
    ("noise", "floor"),
    ("skill", "vs {reference}"),
)


@dataclass(frozen=True)
class ReportContent:
    """Everything a report shows.

    Attributes
    ----------
    task : TaskCard
        With the settings used.
    dataset : DatasetCard
        What the data is.
    data : Data
        Name, kind and fingerprint.
    record : mapping
        The run's provenance.
    rows : sequence of mapping
        The score table, row by row.
    reasons : sequence of str
        Why values or intervals are null.
    chart : bytes or None
        Scores with floor and intervals, as PNG.
    figures : mapping of str to sequence of (str, bytes)
        Captions and maps, as PNG, by model.
    notes : sequence of str
        What was done to the data, and lines about the figures.
    """

    task: TaskCard
    dataset: DatasetCard
    data: Data
    record: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    reasons: Sequence[str]
    chart: bytes | None = None
    figures: Mapping[str, Sequence[tuple[str, bytes]]] = field(default_factory=dict)
    notes: Sequence[str] = ()


def picture(png: bytes) -> str:
    """Return a PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def filled(template: str, **content: Any) -> str:
    """Return a page from one of the package's templates, every text escaped, in the style that all reports share."""
    import jinja2
    from markupsafe import Markup

    home = resources.files("climbench")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    page = environment.from_string(home.joinpath(template).read_text(encoding="utf-8"))
    return page.render(style=Markup(home.joinpath("report.css").read_text(encoding="utf-8")), **content)


def _number(value: float | None) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"


def _line(metrics: Mapping[str, Mapping[str, Any]], skill: str) -> dict[str, Any]:
    """Return the cells of one model's line for one variable, in the order of `HEADS`."""
    spatial, globe, debiased = (metrics[m] for m in ("rmse_spatial", "rmse_global", "rmse_spatial_debiased"))
    gain = metrics.get(skill, {}).get("value")
    return {
        "cells": [
            *(_number(metrics[m]["value"]) for m in ("nrmse_spatial", "nrmse_global", "nrmse_total")),
            _number(metrics.get("rmse_over_internal_std", {}).get("value")),
            _number(spatial["value"]),
            _number(spatial["floor"]),
            "–" if spatial["low"] is None else f"{_number(spatial['low'])} to {_number(spatial['high'])}",
            _number(debiased["value"]),
            _number(globe["value"]),
            _number(globe["floor"]),
            "–" if gain is None else f"{gain:+.2f}",
        ],
        "at_floor": debiased["low"] == 0.0,
    }


def score_lines(rows: Sequence[Mapping[str, Any]], skill: str) -> list[dict[str, Any]]:
    """Return the score table by variable, each with one line a model.

    Parameters
    ----------
    rows : sequence of mapping
        A result's score table, row by row: the globe's rows.
    skill : str
        The name of the skill metric.

    Returns
    -------
    list of dict
        ``variable``, ``units`` and ``lines``.
    """
    groups: dict[str, dict[str, dict[str, Mapping[str, Any]]]] = {}
    for row in rows:
        groups.setdefault(row["variable"], {}).setdefault(row["model"], {})[row["metric"]] = row
    return [
        {
            "variable": variable,
            "units": next(iter(models.values()))["rmse_spatial"]["units"],
            "lines": [{"model": model, **_line(metrics, skill)} for model, metrics in models.items()],
        }
        for variable, models in groups.items()
    ]


def _defined(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what budgets mean, which every projection has where its targets allow them."""
    there = {row["metric"] for row in rows}
    return {name: budget.definition for name, budget in BUDGETS.items() if name in there}


def render(content: ReportContent) -> str:
    """Return a report as one HTML page that loads nothing from anywhere.

    Parameters
    ----------
    content : ReportContent
        What to show.

    Returns
    -------
    str
        HTML.
    """
    skill = f"skill_vs_{content.task.skill_against}"
    return filled(
        "report.html.j2",
        content=content,
        groups=score_lines([row for row in content.rows if row["region"] == GLOBE], skill),
        tables=further_tables(content.rows),
        definitions={**_defined(content.rows), **content.task.definitions},
        impossible=impossible_lines(content.record.get("physics", {}).get("impossible", {})),
        heads=[tuple(part.format(reference=content.task.skill_against) for part in head) for head in HEADS],
        simulated=content.data.kind == "simulated",
        chart=None if content.chart is None else picture(content.chart),
        pictures={m: [(c, picture(f)) for c, f in figures] for m, figures in content.figures.items()},
        number=_number,
    )
