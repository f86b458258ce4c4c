"""``climbench reproduce``: published numbers, and what this suite gets on the same data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from climbench.cli import console, options

STYLES = {"met": "green", "not met": "bold red", "other data": "yellow"}


def reproduce(
    task: Annotated[str, typer.Argument(help="Task name or card file; climbench list tasks.")],
    data: options.Data = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Only this emulator is run; all without. Repeatable.")
    ] = None,
    include: options.Include = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the emulators.")] = 0,
    out: Annotated[Path, typer.Option("--out", help="Folder to write runs to.")] = Path("runs"),
    fresh: options.Fresh = False,
    json: options.Json = False,
) -> None:
    """Run what a task's published numbers were made with, and say which are met.

    Emulators run at their published size, which takes long for networks: --model lps is quick. Each number stands with
    its definition, its tolerance and what could not be done as it was published.
    """
    from climbench.experiments.reproduce import reproduce as reproduce_task

    with console.progress(announce_on=console.err() if json else console.out()) as progress:
        found = reproduce_task(
            task, data=data, models=model, include=include or (), seed=seed, out=out, fresh=fresh, progress=progress
        )
    if json:
        console.print_json({"task": found.task, "data": found.data, "rows": found.rows})
        return
    screen = console.out()
    for line, status in reproduction_lines(found.rows):
        screen.print(escape(line), style=STYLES.get(status, ""), highlight=False, soft_wrap=True)


def reproduction_lines(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the rows of a reproduction as lines with their status, a published model at a time.

    Parameters
    ----------
    rows : sequence of mapping
        From `climbench.experiments.reproduce.reproduce`.

    Returns
    -------
    list of (str, str)
        A line, and what it says: met, not met, and so on; empty for what stands above and below.
    """
    lines: list[tuple[str, str]] = []
    model = ""
    for row in rows:
        if row["model"] != model:
            model = row["model"]
            held = f", held against {row['emulator']}" if row["emulator"] else ""
            lines.append((f"{model}{held} ({row['source']})", ""))
            told = [what for what in ("definition", "differs", "reason") if row[what]]
            said_before = row["status"] == "no data"  # at the top, once for all
            lines += [(f"  {what}: {row[what]}", "") for what in told if what != "reason" or not said_before]
        found = "-" if row["found"] is None else f"{row['found']:.6g}"
        what = f"{row['variable']} {row['metric']}"
        text = f"  {what:<44} published {row['published']:<11.6g} found {found:<11} within {row['tolerance']:<9.2g}"
        lines.append((f"{text} {row['status']}", row["status"]))
    counts = {s: sum(r["status"] == s for r in rows) for s in dict.fromkeys(r["status"] for r in rows)}
    lines.append((", ".join(f"{n} {status}" for status, n in counts.items()), ""))
    return lines
