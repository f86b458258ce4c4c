"""Consoles and what is drawn on them: messages, progress, the score table."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from climbench.cli.forecast_table import forecast_lines
from climbench.progress import Progress

if TYPE_CHECKING:
    from rich.status import Status

    from climbench.records import Result


def out() -> Console:
    """Return the console on standard output; into a file or a pipe it writes lines as long as they are."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 120
    return console


def err() -> Console:
    """Return the console on standard error."""
    return Console(stderr=True)


def fail(message: str) -> None:
    """Write an error message on standard error."""
    console = err()
    console.print(f"[bold red]Error:[/] {escape(message)}", soft_wrap=True, highlight=False)


def print_json(content: dict[str, Any]) -> None:
    """Write one JSON object on standard output; not-a-number is null."""
    sys.stdout.write(json.dumps(_null_nan(content), indent=1, allow_nan=False) + "\n")


def _null_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _null_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_null_nan(v) for v in value]
    return None if isinstance(value, float) and value - value != 0.0 else value


class ConsoleProgress(Progress):
    """Progress on a terminal: a line for what is going on, with the time it has taken; silent elsewhere.

    Parameters
    ----------
    announce_on : Console
        Where lines that must be seen go.
    status : Status or None
        The moving line; None where there is no terminal.
    """

    def __init__(self, announce_on: Console, status: Status | None) -> None:
        self.console, self.status = announce_on, status
        self.start = time.monotonic()

    def announce(self, line: str) -> None:
        """Print a line."""
        style = "bold yellow" if line.startswith("SIMULATED") else "dim"
        self.console.print(escape(line), style=style, highlight=False, soft_wrap=True)

    def stage(self, text: str) -> None:
        """Show the stage that begins."""
        if self.status is not None:
            self.status.update(f"{escape(text)} [dim]({time.monotonic() - self.start:.0f} s)[/]")

    def step(self, what: str, done: int, total: int) -> None:
        """Show a bar for a long piece of work."""
        if self.status is not None:
            filled = round(24 * done / max(total, 1))
            self.status.update(f"{escape(what)} [cyan]{'━' * filled}[/][dim]{'━' * (24 - filled)}[/] {done}/{total}")


@contextmanager
def progress(*, announce_on: Console) -> Iterator[ConsoleProgress]:
    """Give a progress that draws on standard error where that is a terminal."""
    console = err()
    if not console.is_terminal:
        yield ConsoleProgress(announce_on, None)
        return
    with console.status("starting") as status:
        yield ConsoleProgress(announce_on, status)


@contextmanager
def transfer() -> Iterator[Callable[[str, int, int], None]]:
    """Give a callback that draws one bar a file, in bytes, on standard error where that is a terminal."""
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    console = err()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield show


COLUMNS = (
    ("NRMSE", "spatial"),
    ("NRMSE", "global"),
    ("NRMSE", "total"),
    ("RMSE", "spatial"),
    ("noise", "floor"),
    ("95 % of", "the RMSE"),
    ("de-", "biased"),
    ("", "skill"),
)
DISPENSABLE = (1, 6, 2)  # columns left out, in this order, where the terminal is narrow


def print_result(result: Result) -> None:
    """Print the score table of a result, and what there is to know about it."""
    console = out()
    title = f"{result.task} on {result.data.name}"
    title += " (SIMULATED)" if result.data.kind == "simulated" else ""
    title += " (modified settings)" if result.modified else ""
    console.print(f"[bold]{escape(title)}[/]", highlight=False, soft_wrap=True)
    if any(row["lead_time"] is not None for row in result.rows):
        lines, left_out = forecast_lines(result.rows, console.width), list[str]()
    else:
        lines, left_out = score_lines([row for row in result.rows if row["region"] == "global"], console.width)
    for line in lines:
        console.print(escape(line), style=line_style(line), highlight=False, soft_wrap=True)
    if left_out:
        names = ", ".join(left_out)
        console.print(
            f"- left out at this width: {names}; --json has all", style="dim", highlight=False, soft_wrap=True
        )
    for note in [*result.notes, *impossible_lines(result.impossible)]:
        console.print(f"- {escape(note)}", style="dim", highlight=False, soft_wrap=True)
    if result.run_dir is not None:
        console.print(f"Record: {result.run_dir}  (open {result.run_dir}/report.html)", highlight=False, soft_wrap=True)


def impossible_lines(impossible: Mapping[str, Mapping[str, Sequence[str]]]) -> list[str]:
    """Return one line that names the scores of physics that could not be had, if there are any."""
    names = list(dict.fromkeys(name for scores in impossible.values() for name in scores))
    where = "what is missing stands in --json and in the report"
    return [f"physics that the variables do not allow: {', '.join(names)}; {where}"] if names else []


def line_style(line: str) -> str:
    """Return how a line of a table is printed: notes dim, headings bold."""
    return "dim" if line.startswith("- ") else "bold" if line[:1].strip() else ""


def score_lines(rows: Sequence[dict[str, Any]], width: int) -> tuple[list[str], list[str]]:
    """Return the score table as lines: under each variable, with its unit, one line a model.

    A Rich table has no cell across columns: the longest name of a variable would widen the models' column, and at 80
    characters two columns of scores would have to go for it.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the score table: the globe's.
    width : int
        How long lines may be.

    Returns
    -------
    lines : list of str
    left_out : list of str
        Names of the columns that did not fit.
    """
    by_variable: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for row in rows:
        by_variable.setdefault(row["variable"], {}).setdefault(row["model"], {})[row["metric"]] = row
    cells = {(v, m): _cells(metrics) for v, models in by_variable.items() for m, metrics in models.items()}
    widths = [2 + max(map(len, (*head, *(c[i] for c in cells.values())))) for i, head in enumerate(COLUMNS)]
    first = 2 + max(len(model) for _, model in cells)
    shown, left_out = list(range(len(COLUMNS))), []
    for i in DISPENSABLE:
        if first + sum(widths[j] for j in shown) > width:
            shown.remove(i)
            left_out.append(" ".join(COLUMNS[i]).replace("- ", ""))
    lines = ["".join([" " * first, *(COLUMNS[i][part].rjust(widths[i]) for i in shown)]) for part in (0, 1)]
    for variable, models in by_variable.items():
        lines.append(f"{variable} ({next(iter(models.values()))['rmse_spatial']['units']})")
        for model in models:
            numbers = "".join(cells[variable, model][i].rjust(widths[i]) for i in shown)
            lines.append(f"  {model}".ljust(first) + numbers)
    return lines, left_out


def _cells(metrics: dict[str, dict[str, Any]]) -> list[str]:
    """Return what stands under each of `COLUMNS`."""
    spatial = metrics["rmse_spatial"]
    skill = next((row for name, row in metrics.items() if name.startswith("skill_vs_")), {"value": None})
    interval = "" if spatial["low"] is None else f"{_number(spatial['low'])}..{_number(spatial['high'])}"
    return [
        *(_number(metrics[m]["value"]) for m in ("nrmse_spatial", "nrmse_global", "nrmse_total")),
        _number(spatial["value"]),
        _number(spatial["floor"]),
        interval,
        _number(metrics["rmse_spatial_debiased"]["value"]),
        "" if skill["value"] is None else f"{skill['value']:+.2f}",
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
