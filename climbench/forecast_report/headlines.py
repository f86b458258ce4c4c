"""Which metrics and lead times a report shows where it cannot show all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MAIN = ("crps_fair", "rmse", "wind_vector_rmse", "mae", "seeps")  # the first that a variable has stands for it
DRAWN_BESIDE = ("rmse", "acc")
HEADLINE = (24.0, 72.0, 120.0, 168.0, 240.0, 360.0, 720.0, 1056.0)
MAPPED = (24.0, 72.0, 120.0, 240.0)
GLOBE = "global"
Row = Mapping[str, Any]


def rows_of(rows: Sequence[Row], region: str) -> list[Row]:
    """Return the rows of one region; scores of whole maps, which have no regions, stand for theirs."""
    there = {(row["variable"], row["metric"]) for row in rows if row["region"] == region}
    return [
        row
        for row in rows
        if row["region"] == region or (row["region"] == GLOBE and (row["variable"], row["metric"]) not in there)
    ]


def drawn_metrics(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return which metrics are drawn against lead time, by variable: the main one first."""
    found: dict[str, list[str]] = {}
    for variable in dict.fromkeys(str(row["variable"]) for row in rows):
        there = list(dict.fromkeys(str(row["metric"]) for row in rows if row["variable"] == variable))
        main = next((name for name in MAIN if name in there), None)
        names = [name for name in dict.fromkeys([main, *DRAWN_BESIDE]) if name is not None and name in there]
        found[variable] = names or there[:1]
    return found


def headline_hours(hours: Sequence[float]) -> list[float]:
    """Return the lead times of the usual scorecards, or up to five evenly spaced ones where there are none or one."""
    return _usual(hours, HEADLINE, 5)


def mapped_hours(hours: Sequence[float]) -> list[float]:
    """Return up to four lead times that maps are drawn of; not 0, the analysis."""
    return _usual([hour for hour in hours if hour > 0.0], MAPPED, 4)


def _usual(hours: Sequence[float], wanted: Sequence[float], most: int) -> list[float]:
    usual = [hour for hour in wanted if hour in hours]
    if len(usual) > 1 or not hours:
        return usual
    places = np.unique(np.linspace(0, len(hours) - 1, min(most, len(hours))).round().astype(int))
    return [float(hours[n]) for n in places]
