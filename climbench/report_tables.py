"""The report's further small tables: regions, change and variability, physical consistency, ensembles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from climbench.tasks.budget_rows import BUDGETS

GLOBE = "global"
AGAINST_TARGET = ("hydrological_sensitivity", "land_sea_warming_ratio", "polar_amplification", "pr90_below_pr")
Row = Mapping[str, Any]
Line = tuple[str, list[str]]


@dataclass(frozen=True)
class Table:
    """One table of a report.

    Attributes
    ----------
    title, caption : str
        What stands above and below.
    heads : list of (str, str)
        Column headings in two lines, without the first column's.
    groups : list of (str, list of (str, list of str))
        For each variable or metric its lines: a model and its cells.
    """

    title: str
    caption: str
    heads: list[tuple[str, str]]
    groups: list[tuple[str, list[Line]]]


def further_tables(rows: Sequence[Row]) -> list[Table]:
    """Return the tables of everything that the score table leaves out.

    Parameters
    ----------
    rows : sequence of mapping
        A result's score table, row by row.

    Returns
    -------
    list of Table
        Those that have any line.
    """
    tables = [_regions(rows), _changes(rows), _consistency(rows), _ensembles(rows)]
    return [table for table in tables if table.groups]


def impossible_lines(impossible: Mapping[str, Mapping[str, Sequence[str]]]) -> list[tuple[str, str]]:
    """Return each score that could not be had with what is missing, and for which model where not for all.

    Parameters
    ----------
    impossible : mapping of str to mapping of str to sequence of str
        By model and score, what is missing.

    Returns
    -------
    list of (str, str)
    """
    found: dict[tuple[str, str], list[str]] = {}
    for model, scores in impossible.items():
        for name, what in scores.items():
            found.setdefault((name, "; ".join(what)), []).append(model)
    everyone = list(impossible)
    return [
        (name if models == everyone else f"{name} of {', '.join(models)}", what)
        for (name, what), models in found.items()
    ]


def short(value: float | None) -> str:
    """Return a number in three digits; a dash where there is none."""
    if value is None or value != value:
        return "–"
    return f"{value:.3g}" if value == 0.0 or 1e-3 <= abs(value) < 1e3 else f"{value:.1e}"


def _value(row: Row) -> str:
    return short(row.get("value"))


def _floor(row: Row) -> str:
    return short(row.get("floor"))


def _both(row: Row) -> str:
    """Return a value with its floor in brackets."""
    floor = row.get("floor")
    return _value(row) + (f" ({short(floor)})" if floor is not None and row.get("value") is not None else "")


def _interval(row: Row) -> str:
    low, high = row.get("low"), row.get("high")
    return "–" if low is None and high is None else f"{short(low)} to {short(high)}"


def _group(rows: Sequence[Row], key: Callable[[Row], str]) -> dict[str, dict[str, list[Row]]]:
    """Return rows by group and model, in the order they come in."""
    found: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        found.setdefault(key(row), {}).setdefault(row["model"], []).append(row)
    return found


def _units(rows: Sequence[Row]) -> dict[str, str]:
    return {row["variable"]: row["units"] for row in rows if row["metric"] == "rmse_spatial"}


def _regions(rows: Sequence[Row]) -> Table:
    units = _units(rows)
    chosen = [row for row in rows if row["metric"] == "rmse_spatial"]
    regions = list(dict.fromkeys(row["region"] for row in chosen))
    groups = []
    for variable, models in _group(chosen, lambda row: str(row["variable"])).items() if len(regions) > 1 else ():
        cells = {model: {row["region"]: _both(row) for row in found} for model, found in models.items()}
        lines = [(model, [by.get(region, "–") for region in regions]) for model, by in cells.items()]
        groups.append((f"{variable} [{units[variable]}]", lines))
    caption = "Spatial RMSE in each region, and its noise floor in brackets."
    return Table("Regions", caption, [_two_lines(region) for region in regions], groups)


def _two_lines(region: str) -> tuple[str, str]:
    """Return a region's name broken at its middle: ``global_land`` or ``northern-hemisphere``."""
    for sign in ("_", "-"):
        first, found, rest = region.rpartition(sign)
        if found:
            return first, rest
    return "", region


def _table_of_metrics(
    title: str, caption: str, rows: Sequence[Row], columns: Sequence[tuple[tuple[str, str], str, Callable[[Row], str]]]
) -> Table:
    """Return a table of the globe's metrics by variable and model; columns no row has are left out."""
    globe = [row for row in rows if row["region"] == GLOBE]
    there = {row["metric"] for row in globe}
    shown = [column for column in columns if column[1] in there]
    wanted = {metric for _, metric, _ in shown}
    groups = []
    units = _units(rows)
    chosen = [row for row in globe if row["metric"] in wanted]
    for variable, models in _group(chosen, lambda row: str(row["variable"])).items():
        lines: list[Line] = []
        for model, found in models.items():
            by = {row["metric"]: row for row in found}
            lines.append((model, [cell(by[metric]) if metric in by else "–" for _, metric, cell in shown]))
        groups.append((f"{variable} [{units[variable]}]", lines))
    return Table(title, caption, [head for head, _, _ in shown], groups)


def _changes(rows: Sequence[Row]) -> Table:
    return _table_of_metrics(
        "Change and variability",
        "Over the globe; trends over the test years, per decade. The noise floor stands in brackets. Variability is "
        "the standard deviation of years about their trend, over the target's: near 0 for an emulator of the forced "
        "response, 1 for one whose members vary as the target's do.",
        rows,
        (
            (("local trends", "RMSE"), "trend_rmse_spatial", _both),
            (("local trends", "debiased"), "trend_rmse_spatial_debiased", _value),
            (("global trend", "error"), "trend_error_global", _both),
            (("95 % interval of", "global trend error"), "trend_error_global", _interval),
            (("variability", "at each cell"), "variability_ratio_spatial", _value),
            (("variability of", "global mean"), "variability_ratio_global", _value),
        ),
    )


def _consistency(rows: Sequence[Row]) -> Table:
    globe = [row for row in rows if row["region"] == GLOBE]
    errors = {(row["model"], row["metric"]): row for row in globe}
    chosen = [row for row in globe if row["metric"] in (*AGAINST_TARGET, *BUDGETS, "below_zero")]

    def cells(row: Row) -> list[str]:
        error = errors.get((row["model"], f"{row['metric']}_error"), {})
        known = row["value"] is not None and error.get("value") is not None
        target = row["value"] - error["value"] if known else None
        return [_value(row), short(target), _value(error), _floor(error), _interval(error)]

    named = _group(chosen, _heading)
    groups = [(name, [(model, cells(found[0])) for model, found in models.items()]) for name, models in named.items()]
    caption = (
        "The prediction's number beside the target's; the noise is the standard error of the target's by internal "
        "variability. Below zero and pr90 below pr are shares of area and years, of absolute amounts. Closures are "
        "global means of evaporation less precipitation, and of the net flux at the top less that at the surface; what "
        "the air stores in a year is neglected."
    )
    heads = [("", head) for head in ("prediction", "target", "difference", "noise", "95 % interval")]
    return Table("Physical consistency", caption, heads, groups)


def _heading(row: Row) -> str:
    of = "" if row["metric"] in BUDGETS else f" of {row['variable']}"  # budgets are of several variables
    return f"{row['metric'].replace('_', ' ')}{of} [{row['units']}]"


def _ensembles(rows: Sequence[Row]) -> Table:
    return _table_of_metrics(
        "Ensembles",
        "Over the globe, of annual values, against single members of the target. What an ensemble of the target's own "
        "distribution would score stands in brackets; spread over error is 1 for a reliable ensemble.",
        rows,
        (
            (("fair", "CRPS"), "crps_fair", _both),
            (("95 % interval of", "fair CRPS"), "crps_fair", _interval),
            (("", "spread"), "spread", _both),
            (("spread", "over error"), "spread_error", _value),
            (("energy", "score"), "energy_score_fair", _both),
            (("variogram", "score"), "variogram_score_fair", _both),
            (("RMSE less", "both noises"), "rmse_spatial_debiased_both", _value),
        ),
    )
