"""The score table of forecasts as lines: a block a variable, a line a metric and model, a column a lead time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from climbench.experiments.profiles import ProfileTable

HEADLINE_DAYS = (1.0, 3.0, 5.0, 7.0, 10.0, 15.0, 30.0, 44.0)
NUMBER_WIDTH = 9


def forecast_lines(rows: Sequence[dict[str, Any]], width: int) -> list[str]:
    """Return the score table of forecasts as lines.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the score table, of one region.
    width : int
        How long lines may be.

    Returns
    -------
    list of str
        Of as many lead times as fit, whole days of the usual scorecards first; ``--json`` has all.
    """
    found: dict[str, dict[tuple[str, str], dict[float, dict[str, Any]]]] = {}
    for row in rows:
        key = (row["metric"], row["model"])
        found.setdefault(row["variable"], {}).setdefault(key, {})[row["lead_time"]] = row
    models = list(dict.fromkeys(row["model"] for row in rows))
    labels = {key: f"{key[0]}  {key[1]}" if len(models) > 1 else key[0] for v in found.values() for key in v}
    first = 4 + max(len(label) for label in labels.values())
    leads = shown_leads(sorted({row["lead_time"] for row in rows}), max(1, (width - first - 6) // NUMBER_WIDTH))
    lines = ["".join([" " * (first + 6), *(_days(lead).rjust(NUMBER_WIDTH) for lead in leads)])]
    if len(models) == 1:
        lines[0] = models[0][: first + 5].ljust(first + 6) + lines[0][first + 6 :]
    for variable, metrics in found.items():
        lines.append(variable)
        order = list(dict.fromkeys(metric for metric, _ in metrics))
        for key in sorted(metrics, key=lambda key: order.index(key[0])):
            by_lead = metrics[key]
            units = next(iter(by_lead.values()))["units"]
            unit = "" if units == "1" else units
            numbers = "".join(_number(by_lead.get(lead, {}).get("value")).rjust(NUMBER_WIDTH) for lead in leads)
            lines.append(f"  {labels[key]}".ljust(first) + unit[:6].ljust(6) + numbers)
    return lines


def shown_leads(leads: Sequence[float], count: int) -> list[float]:
    """Return which lead times (hours) are shown in `count` columns: all, or the usual days, or evenly spaced ones."""
    if len(leads) <= count:
        return list(leads)
    usual = [day * 24.0 for day in HEADLINE_DAYS if day * 24.0 in leads]
    if 1 < len(usual) <= count:
        return usual
    chosen = usual if usual else list(leads)
    step = (len(chosen) - 1) / max(1, count - 1)
    return [chosen[round(n * step)] for n in range(min(count, len(chosen)))]


def _days(hours: float) -> str:
    return f"{hours / 24:g} d" if hours % 24 == 0 else f"{hours:g} h"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if abs(value) >= 0.01 else f"{value:.2g}"


def profile_lines(table: ProfileTable, width: int) -> list[str]:
    """Return one forecast's scores under all profiles as lines: a column a profile, quirks below.

    Parameters
    ----------
    table : ProfileTable
        From `climbench.experiments.profiles.every_profile`.
    width : int
        How long lines may be: only the usual lead times are shown; ``--json`` has all.

    Returns
    -------
    list of str
    """
    shown = [row for row in table.rows if row["region"] == table.rows[0]["region"]]
    leads = shown_leads(sorted({row["lead_time"] for row in shown}), len(HEADLINE_DAYS))
    profiles = list(dict.fromkeys(row["profile"] for row in shown))
    values = {(r["profile"], r["variable"], r["metric"], r["lead_time"]): r for r in shown}
    lines = [f"{table.forecast} by the conventions of each tool ({table.task})"]
    column = max(NUMBER_WIDTH, *(len(p) + 2 for p in profiles))
    lines.append(" " * 40 + "".join(p.rjust(column) for p in profiles))
    for variable in dict.fromkeys(row["variable"] for row in shown):
        lines.append(variable)
        for metric in dict.fromkeys(row["metric"] for row in shown if row["variable"] == variable):
            for lead in leads:
                found = [values.get((p, variable, metric, lead), {}).get("value") for p in profiles]
                label = f"  {metric} at {_days(lead)}"
                lines.append(label.ljust(40) + "".join(_number(value).rjust(column) for value in found))
    metrics = {row["metric"] for row in shown} | {"weights"}
    for profile, quirks in table.quirks.items():
        lines += [f"- {profile}, {metric}: {text}" for metric, text in quirks.items() if metric in metrics]
    return [*lines, *(f"- {note}" for note in table.notes)]
