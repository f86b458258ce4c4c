"""``climbench compare``: which of two runs' emulators is better, or whether it is a tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from climbench.cli import console, options
from climbench.errors import RunError

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")]


class Test(StrEnum):
    """How differences of forecasts' scores are tested."""

    T = "t-test"
    BOOTSTRAP = "bootstrap"


def compare(
    run: Run,
    other: Run,
    model: Annotated[str | None, typer.Option("--model", help="Only this model of the first run.")] = None,
    against: Annotated[str | None, typer.Option("--against", help="Only this model of the second run.")] = None,
    test: Annotated[Test, typer.Option("--test", help="Forecasts: how differences are tested.")] = Test.T,
    false_discovery: Annotated[
        bool, typer.Option("--false-discovery", help="Forecasts: give verdicts for all rows together, not one by one.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Say whether one run's emulators are better than another's: paired, so that both meet the same weather.

    Projections are paired over the target's members and years; the interval is that of the difference of mean squares.
    Forecasts are paired over initial times, with what successive ones have in common taken into account; the interval
    is that of the difference of scores. Where it holds zero the two are tied. Both runs must be on the same task, rules
    and data. One run may be named twice, to compare its own models.
    """
    from climbench.experiments.compare import compare as compare_runs
    from climbench.experiments.compare_forecast_runs import compare_forecast_runs, is_forecast_run

    if is_forecast_run(run):
        found = compare_forecast_runs(
            run, other, model=model, against=against, method=test.value, false_discovery=false_discovery
        )
        _show(found.rows, json, forecast_lines(found.rows), found.notes)
        return
    if test is not Test.T or false_discovery:
        raise RunError(f"--test and --false-discovery are for runs of forecasts; {run} holds none.")
    rows = compare_runs(run, other, model=model, against=against)
    _show(rows, json, comparison_lines(rows))


def _show(
    rows: Sequence[Mapping[str, Any]], json: bool, lines: Sequence[str], notes: Sequence[str] | None = None
) -> None:
    if json:
        console.print_json({"rows": rows} if notes is None else {"rows": rows, "notes": notes})
        return
    screen = console.out()
    for line in [*lines, *(notes or ())]:
        screen.print(escape(line), style="bold" if not line.startswith(" ") else "", highlight=False, soft_wrap=True)


def forecast_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rows of a comparison of forecasts as lines, a pair of models at a time.

    Parameters
    ----------
    rows : sequence of mapping
        From `climbench.experiments.compare_forecast_runs.compare_forecast_runs`.

    Returns
    -------
    list of str
    """
    return [line for pair in _pairs(rows) for line in (_title(pair[0]), *map(_forecast_line, pair))]


def _forecast_line(row: Mapping[str, Any]) -> str:
    what = f"{row['variable']} {row['metric']} {row['region']} {row['lead_time']:g} h"
    if row["value"] is None or row["against_value"] is None:
        return f"  {what:<48} no verdict: {row['reason']}"
    units = "" if row["units"] == "1" else f" {row['units']}"
    values = f"{row['value']:.4g} against {row['against_value']:.4g}{units}"
    if row["verdict"] is None:
        return f"  {what:<48} {values:<32} no verdict: {row['reason']}"
    p = row["p"] if row["p_adjusted"] is None else row["p_adjusted"]
    interval = f"{row['difference']:+.3g} ({row['low']:+.3g} to {row['high']:+.3g})"
    worth = f"{row['inits']} inits worth {row['effective_inits']:.0f}"
    return f"  {what:<48} {values:<32} {row['verdict']:<7} {interval}, p {p:.2g}, {worth}"


def comparison_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rows of a comparison as lines, a pair of models at a time.

    Parameters
    ----------
    rows : sequence of mapping
        From `climbench.experiments.compare.compare`.

    Returns
    -------
    list of str
    """
    return [line for pair in _pairs(rows) for line in (_title(pair[0]), *map(_line, pair))]


def _pairs(rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return rows by pair of models."""
    found = groupby(rows, key=lambda row: (row["model"], row["run"], row["against"], row["against_run"]))
    return [list(pair) for _, pair in found]


def _title(row: Mapping[str, Any]) -> str:
    return f"{row['model']} ({row['run']}) against {row['against']} ({row['against_run']})"


def _line(row: Mapping[str, Any]) -> str:
    what = f"{row['variable']} {row['metric']}"
    values = f"{row['value']:.4g} against {row['against_value']:.4g} {row['units']}"
    if row["verdict"] is None:
        return f"  {what:<40} {values:<32} no verdict: {row['reason']}"
    interval = f"difference of squares {row['difference']:+.3g} ({row['low']:+.3g} to {row['high']:+.3g})"
    return f"  {what:<40} {values:<32} {row['verdict']:<7} {interval}"
