"""``climbench compare``: which of two runs' emulators is better, or whether it is a tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from climbench.cli import console, options

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")]


def compare(
    run: Run,
    other: Run,
    model: Annotated[str | None, typer.Option("--model", help="Only this model of the first run.")] = None,
    against: Annotated[str | None, typer.Option("--against", help="Only this model of the second run.")] = None,
    json: options.Json = False,
) -> None:
    """Say whether one run's emulators are better than another's: paired over the target's members and years.

    The interval is that of the difference of mean squares; where it holds zero the two are tied. Both runs must be on
    the same task, settings and data. One run may be named twice, to compare its own models.
    """
    from climbench.experiments.compare import compare as compare_runs

    rows = compare_runs(run, other, model=model, against=against)
    if json:
        console.print_json({"rows": rows})
        return
    screen = console.out()
    for line in comparison_lines(rows):
        screen.print(escape(line), style="bold" if not line.startswith(" ") else "", highlight=False, soft_wrap=True)


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
    lines: list[str] = []
    pair: tuple[str, ...] = ()
    for row in rows:
        names = (row["model"], row["run"], row["against"], row["against_run"])
        if names != pair:
            pair = names
            lines.append(f"{row['model']} ({row['run']}) against {row['against']} ({row['against_run']})")
        lines.append(_line(row))
    return lines


def _line(row: Mapping[str, Any]) -> str:
    what = f"{row['variable']} {row['metric']}"
    values = f"{row['value']:.4g} against {row['against_value']:.4g} {row['units']}"
    if row["verdict"] is None:
        return f"  {what:<40} {values:<32} no verdict: {row['reason']}"
    interval = f"difference of squares {row['difference']:+.3g} ({row['low']:+.3g} to {row['high']:+.3g})"
    return f"  {what:<40} {values:<32} {row['verdict']:<7} {interval}"
