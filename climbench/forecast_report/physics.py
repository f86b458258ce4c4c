"""The table of physics: scores of budgets and balances, the truth's own beside them, and what could not be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from climbench.forecast_report.headlines import Row, headline_hours
from climbench.tasks.forecast.physics_score import PHYSICS

TRUTH = "the truth"


def physics_lines(rows: Sequence[Row]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the table of physics at the headline lead times.

    Parameters
    ----------
    rows : sequence of mapping
        The score table, with all variables.

    Returns
    -------
    heads : list of str
        Lead times; none where there are no scores of physics.
    groups : list of dict
        ``variable`` (score and unit) and ``lines``: one a model, and what the truth scores by itself.
    """
    chosen = [row for row in rows if row["variable"] == PHYSICS]
    hours = headline_hours(sorted({row["lead_time"] for row in chosen}))
    groups: dict[str, dict[str, dict[float, Row]]] = {}
    for row in chosen:
        groups.setdefault(row["metric"], {}).setdefault(row["model"], {})[row["lead_time"]] = row
    return [f"{hour / 24:g} d" for hour in hours], [_group(name, models, hours) for name, models in groups.items()]


def _group(name: str, models: Mapping[str, Mapping[float, Row]], hours: Sequence[float]) -> dict[str, Any]:
    first = next(iter(models.values()))
    units = next(iter(first.values()))["units"]
    lines = [_line(model, [_cell(by_lead.get(hour, {})) for hour in hours]) for model, by_lead in models.items()]
    if any(row["floor"] is not None for row in first.values()):
        lines.append(_line(TRUTH, [(number(first.get(hour, {}).get("floor")), "") for hour in hours]))
    return {"variable": name if units == "1" else f"{name} [{units}]", "lines": lines}


def _line(model: str, cells: list[tuple[str, str]]) -> dict[str, Any]:
    return {"metric": "", "model": model, "units": "", "cells": cells}


def _cell(row: Row) -> tuple[str, str]:
    low, high = row.get("low"), row.get("high")
    return number(row.get("value")), "" if low is None else f"95 % interval {number(low)} to {number(high)}"


def number(value: float | None) -> str:
    """Return a number in three digits; a dash where there is none."""
    return "–" if value is None else f"{value:.3g}"
