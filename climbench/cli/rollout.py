"""``climbench rollout``: a fitted forecaster rolled out for a year and more."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from climbench.cli import console, options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from climbench.experiments.long_rollout_record import RolloutResult

HEADS = ("", "blown up", "excursion", "drift a day", "±", "power ratio", "hit rate", "stable")
BUDGET_HEADS = ("made since the start", "at the end", "drift a day", "a century", "step rms")


class Limiter(StrEnum):
    """What holds a roll-out within bounds."""

    spectral = "spectral"


def rollout(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run of a forecast task.")],
    model: Annotated[str, typer.Option("--model", metavar="NAME|CARD|FILE.py:CLASS", help="A model of the run.")],
    steps: Annotated[int, typer.Option("--steps", help="How many steps.")] = 1460,
    starts: Annotated[int, typer.Option("--starts", help="How many initial times of the test period.")] = 16,
    limiter: Annotated[
        Limiter | None, typer.Option("--limiter", help="Roll out once more, the power of each degree capped.")
    ] = None,
    data: options.Data = None,
    include: options.Include = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; one under runs/ without.")] = None,
    fresh: options.Fresh = False,
    json: options.Json = False,
) -> None:
    """Roll a fitted forecaster out, with and without its correctors, and report blow-up, range, drift, power, budgets.

    Example: climbench rollout runs/shallow-water-1a2b3c4d --model sfno --limiter spectral
    """
    from climbench.experiments.long_rollout import long_rollout

    with console.progress(announce_on=console.err() if json else console.out()) as progress:
        result = long_rollout(
            run,
            model,
            steps=steps,
            starts=starts,
            limiter="spectral" if limiter is Limiter.spectral else None,
            data=data,
            include=include or (),
            seed=seed,
            out=out,
            fresh=fresh,
            progress=progress,
        )
    if json:
        console.print_json(result.to_json())
    else:
        print_rollout(result)


def print_rollout(result: RolloutResult) -> None:
    """Print one line a variable and run."""
    from climbench.experiments.experiment_record import plain_rows

    screen, record = console.out(), result.record
    days = record["steps"] * record["step_hours"] / 24.0
    title = f"{record['model']}, {record['task']} on {result.data.name}"
    title += " (SIMULATED)" if result.data.kind == "simulated" else ""
    title += f": {record['steps']} steps, {days:g} days, {record['starts']} starts"
    screen.print(f"[bold]{escape(title)}[/]", highlight=False, soft_wrap=True)
    for line in rollout_lines(plain_rows(result.summary)):
        screen.print(escape(line), style=console.line_style(line), highlight=False, soft_wrap=True)
    for name, blown in record["blown"].items():
        gone = sorted(step for step in blown if step)
        if gone:
            said = f"- {name}: {len(gone)} of {len(blown)} starts blow up, at steps {', '.join(map(str, gone))}"
            screen.print(escape(said), style="dim", highlight=False, soft_wrap=True)
    for line in budget_lines(record["budgets"], record["budgets_missing"]):
        screen.print(escape(line), style=console.line_style(line), highlight=False, soft_wrap=True)
    screen.print(f"Record: {result.run_dir}  (open {result.run_dir}/report.html)", highlight=False, soft_wrap=True)


def rollout_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a table as lines: under each variable, with its unit, one line a run."""
    return _lines(HEADS, [f"{row['variable']} ({row['units']})" for row in rows], [_cells(row) for row in rows])


def budget_lines(rows: Sequence[Mapping[str, Any]], missing: Mapping[str, Sequence[str]]) -> list[str]:
    """Return budgets as lines, under each, with its unit, one line a run; then what lacks for the others."""
    columns = ("made_at_the_end", "drift_a_day", "drift_a_century")
    cells = [
        [row["run"], *(_number(row[c]) for c in columns), f"{_number(row['closure_rms'])} {row['closure_units']}"]
        for row in rows
    ]
    names = [f"{row['name']} ({row['units']})" for row in rows]
    lines = _lines(BUDGET_HEADS, names, cells) if rows else []
    return lines + [f"- no budget of {name}; missing: {'; '.join(words)}" for name, words in missing.items()]


def _lines(heads: Sequence[str], groups: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines; rows that follow one another in a group stand under its name."""
    widths = [2 + max(len(line[i]) for line in (heads, *cells)) for i in range(len(heads))]
    lines = ["  " + "".join(text.rjust(width) for text, width in zip(heads, widths, strict=True))]
    group = None
    for name, line in zip(groups, cells, strict=True):
        if name != group:
            group = name
            lines.append(name)
        lines.append("  " + "".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))
    return lines


def _cells(row: Mapping[str, Any]) -> list[str]:
    power = "-" if row["power_low"] is None else f"{row['power_low']:.2f}..{row['power_high']:.2f}"
    return [
        row["run"],
        f"{row['blown']}/{row['starts']}",
        _number(row["excursion"]),
        _number(row["drift_a_day"]),
        _number(row["drift_error_a_day"]),
        power,
        _number(row["hit_rate"]),
        "yes" if row["stable"] else "no",
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
