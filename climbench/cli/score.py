"""``climbench score`` and ``climbench validate``: predictions made anywhere, scored or only checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from climbench.cli import console, options

PredictionFile = Annotated[Path, typer.Argument(help="netCDF file or zarr store of predictions.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write a record to; nothing is written without.")]


def score(
    predictions: PredictionFile,
    task: options.Task,
    data: options.Data = None,
    set_: options.Set = None,
    include: options.Include = None,
    out: Out = None,
    fresh: options.Fresh = False,
    json: options.Json = False,
) -> None:
    """Score predictions made anywhere.

    Example: climbench score --task climatebench predictions.nc
    """
    from climbench import harness

    with console.progress(announce_on=console.err() if json else console.out()) as progress:
        result = harness.score(
            task,
            predictions,
            data=data,
            set=options.settings(set_),
            include=include or (),
            out=out,
            fresh=fresh,
            progress=progress,
        )
    if json:
        console.print_json(result.to_json())
    else:
        console.print_result(result)


def validate(
    predictions: PredictionFile,
    task: options.Task,
    data: options.Data = None,
    set_: options.Set = None,
    include: options.Include = None,
    out: Out = None,
    fresh: options.Fresh = False,
    json: options.Json = False,
) -> None:
    """Check predictions without scoring them, and name everything that is wrong at once.

    Takes the arguments of score; nothing is written. Exit code 0 if they can be scored, 2 if not.
    """
    from climbench import evaluate

    with console.progress(announce_on=console.err() if json else console.out()) as progress:
        found = evaluate.validate(
            task,
            predictions,
            data=data,
            settings=options.settings(set_),
            include=include or (),
            progress=progress.step,
        )
    if json:
        console.print_json({"valid": not found.problems, "problems": found.problems, "notes": found.notes})
    else:
        _print_inspection(predictions, found.problems, found.notes)
    if found.problems:
        raise typer.Exit(2)


def _print_inspection(path: Path, problems: list[str], notes: list[str]) -> None:
    screen = console.out()
    for note in notes:
        screen.print(f"- {escape(note)}", style="dim", highlight=False, soft_wrap=True)
    if not problems:
        screen.print(f"{path} can be scored.", highlight=False, soft_wrap=True)
    for problem in problems:
        console.fail(problem)
