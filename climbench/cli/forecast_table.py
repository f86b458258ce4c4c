"""The score table of forecasts as lines: a block a variable, a line a metric and model, a column a lead time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from climbench.experiments.profiles import ProfileTable

HEADLINE_DAYS = (1.0, 3.0, 5.0, 7.0, 10.0, 15.0, 30.0, 44.0)
MOST_LEADS = 5  # of the table of profiles
NUMBER_WIDTH = 9
UNIT_WIDTH = 5  # of variables' units, which are cut; those of physics are not
PHYSICS = "physics"  # stands for the variable in rows of physics


def forecast_lines(rows: Sequence[dict[str, Any]], width: int) -> list[str]:
    """Return the score table of forecasts as lines.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the score table; those of the first region are shown.
    width : int
        How long lines may be.

    Returns
    -------
    list of str
        Of as many lead times as fit, whole days of the usual scorecards first; what is left out is said last.
    """
    shown = [row for row in rows if row["region"] == rows[0]["region"]]
    found: dict[str, dict[tuple[str, str], dict[float, dict[str, Any]]]] = {}
    for row in shown:
        key = (row["metric"], row["model"])
        found.setdefault(row["variable"], {}).setdefault(key, {})[row["lead_time"]] = row
    models = list(dict.fromkeys(row["model"] for row in shown))
    labels = {key: f"{key[0]}  {key[1]}" if len(models) > 1 else key[0] for v in found.values() for key in v}
    first = 4 + max(len(label) for label in labels.values())
    unit = max(UNIT_WIDTH, *(len(row["units"]) for row in shown if row["variable"] == PHYSICS), 0)
    begin = first + unit + 1
    leads = shown_leads(sorted({row["lead_time"] for row in shown}), max(1, (width - begin) // NUMBER_WIDTH))
    lines = ["".join([" " * begin, *(_days(lead).rjust(NUMBER_WIDTH) for lead in leads)])]
    if len(models) == 1:
        lines[0] = models[0][: begin - 1].ljust(begin) + lines[0][begin:]
    for variable, metrics in found.items():
        lines.append(variable)
        order = list(dict.fromkeys(metric for metric, _ in metrics))
        for key in sorted(metrics, key=lambda key: order.index(key[0])):
            by_lead = metrics[key]
            numbers = "".join(_number(by_lead.get(lead, {}).get("value")).rjust(NUMBER_WIDTH) for lead in leads)
            lines.append(f"  {labels[key]}".ljust(first) + _unit(next(iter(by_lead.values())), unit) + numbers)
            if key[1] == models[-1] and any(row.get("floor") is not None for row in by_lead.values()):
                floors = "".join(_number(by_lead.get(lead, {}).get("floor")).rjust(NUMBER_WIDTH) for lead in leads)
                lines.append("    (the truth's own)".ljust(first) + " " * (unit + 1) + floors)
    return [*lines, *_left_out(rows, leads)]


def shown_leads(leads: Sequence[float], count: int) -> list[float]:
    """Return which lead times (hours) are shown in `count` columns.

    All where they fit; else the usual days, or evenly spaced ones of them; of leads with fewer than two usual days,
    evenly spaced ones of all.
    """
    if len(leads) <= count:
        return list(leads)
    usual = [day * 24.0 for day in HEADLINE_DAYS if day * 24.0 in leads]
    if 1 < len(usual) <= count:
        return usual
    chosen = usual if len(usual) > 1 else list(leads)
    step = (len(chosen) - 1) / max(1, count - 1)
    return [chosen[round(n * step)] for n in range(min(count, len(chosen)))]


def _days(hours: float) -> str:
    return f"{hours / 24:g} d" if hours % 24 == 0 else f"{hours:g} h"


def _unit(row: dict[str, Any], width: int = UNIT_WIDTH) -> str:
    return ("" if row["units"] == "1" else row["units"])[:width].ljust(width + 1)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if abs(value) >= 0.01 else f"{value:.2g}"


def profile_lines(table: ProfileTable, width: int) -> list[str]:
    """Return one forecast's scores under all profiles as lines: a block a variable and lead time, a column a profile.

    Parameters
    ----------
    table : ProfileTable
        From `climbench.experiments.profiles.every_profile`.
    width : int
        How long lines may be; names of metrics are cut where it is not enough.

    Returns
    -------
    list of str
        Of the first region, at the usual lead times where there are more; ``--json`` has all. What differs between
        the tools is named below.
    """
    region = table.rows[0]["region"]
    shown = [row for row in table.rows if row["region"] == region]
    leads = shown_leads(sorted({row["lead_time"] for row in shown}), MOST_LEADS)
    profiles = list(dict.fromkeys(row["profile"] for row in shown))
    column = max(NUMBER_WIDTH, *(len(p) + 2 for p in profiles))
    first = min(4 + max(len(row["metric"]) for row in shown), width - 6 - column * len(profiles))
    modified = " (modified settings)" if table.modified else ""
    lines = [f"{table.forecast} by the conventions of each tool ({table.task}, {region}){modified}"]
    lines.append(" " * (first + 6) + "".join(p.rjust(column) for p in profiles))
    for variable in dict.fromkeys(row["variable"] for row in shown):
        for lead in leads:
            lines.append(f"{variable} at {_days(lead)}")
            cells = [row for row in shown if (row["variable"], row["lead_time"]) == (variable, lead)]
            for metric in dict.fromkeys(row["metric"] for row in cells):
                by = {row["profile"]: row for row in cells if row["metric"] == metric}
                units = _unit(next(iter(by.values())))
                numbers = "".join(_number(by.get(p, {}).get("value")).rjust(column) for p in profiles)
                lines.append(f"  {metric}"[: first - 1].ljust(first) + units + numbers)
    return [*lines, *_quirks(table), *_left_out(table.rows, leads), *(f"- {note}" for note in table.notes)]


def _quirks(table: ProfileTable) -> list[str]:
    metrics = {row["metric"] for row in table.rows} | {"weights"}
    return [
        f"- {profile}, {metric}: {text}"
        for profile, quirks in table.quirks.items()
        for metric, text in quirks.items()
        if metric in metrics
    ]


def _left_out(rows: Sequence[dict[str, Any]], leads: Sequence[float]) -> list[str]:
    """Return one line that says which regions and lead times are not shown."""
    regions = list(dict.fromkeys(row["region"] for row in rows))[1:]
    others = len({row["lead_time"] for row in rows} - set(leads))
    parts = [", ".join(regions)] * bool(regions) + [f"{others} lead times"] * bool(others)
    return [f"- not shown: {'; '.join(parts)}; --json has all"] if parts else []
