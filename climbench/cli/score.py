"""``climbench score`` and ``climbench validate``: predictions made anywhere, scored or only checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from climbench.cli import console, options
from climbench.cli.forecast_table import profile_lines
from climbench.errors import RunError

LOCAL = "local"

PredictionFile = Annotated[
    str, typer.Argument(help="netCDF file or zarr store of predictions; a forecast by URL, too.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write a record to; nothing is written without.")]


def score(
    predictions: PredictionFile,
    task: options.Task,
    data: options.Data = None,
    set_: options.Set = None,
    include: options.Include = None,
    out: Out = None,
    fresh: options.Fresh = False,
    every_profile: Annotated[
        bool, typer.Option("--every-profile", help="Forecasts: one table by the conventions of every tool.")
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="local|tcp://HOST:PORT",
            help="Forecasts: worker processes on this machine, or a dask cluster; this process alone without.",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Score predictions made anywhere.

    Example: climbench score --task climatebench predictions.nc

    Example: climbench score --task weatherbench forecast.zarr --data era5.zarr --set climatology=1990-2019.zarr
    """
    from climbench import harness
    from climbench.cluster import THREADS

    place = {None: THREADS, LOCAL: None}.get(scheduler, scheduler)
    if every_profile:
        _every_profile(predictions, task, data, options.settings(set_), include or [], place, out, json)
        return

    with console.progress(announce_on=console.err() if json else console.out()) as progress:
        result = harness.score(
            task,
            predictions,
            data=data,
            set=options.settings(set_),
            include=include or (),
            out=out,
            fresh=fresh,
            scheduler=place,
            progress=progress,
        )
    if json:
        console.print_json(result.to_json())
    else:
        console.print_result(result)


def _every_profile(
    predictions: str,
    task: str,
    data: str | None,
    settings: dict[str, Any],
    include: list[Path],
    scheduler: str | None,
    out: Path | None,
    json: bool,
) -> None:
    """Print one forecast's scores under all profiles."""
    from climbench.experiments.profiles import every_profile

    if out is not None:
        raise RunError("--every-profile writes no record; leave out --out, or name one profile: --set profile=wb2.")
    with console.progress(announce_on=console.err() if json else console.out()) as progress:
        table = every_profile(
            task, predictions, data=data, set=settings, include=include, scheduler=scheduler, progress=progress
        )
    if json:
        console.print_json(table.to_json())
        return
    screen = console.out()
    for line in profile_lines(table, screen.width):
        bold = "bold" if line[:1].strip() and not line.startswith("-") else ""
        screen.print(escape(line), style=bold, highlight=False, soft_wrap=True)


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


def _print_inspection(path: str, problems: list[str], notes: list[str]) -> None:
    screen = console.out()
    for note in notes:
        screen.print(f"- {escape(note)}", style="dim", highlight=False, soft_wrap=True)
    if not problems:
        screen.print(f"{path} can be scored.", highlight=False, soft_wrap=True)
    for problem in problems:
        console.fail(problem)
