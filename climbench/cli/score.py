"""``climbench score`` and ``climbench validate``: predictions made anywhere, scored or only checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from climbench.cli import console, options
from climbench.cli.forecast_table import profile_lines
from climbench.errors import RunError

if TYPE_CHECKING:
    from climbench.experiments.profiles import ProfileTable

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
    lead: Annotated[
        list[float] | None,
        typer.Option("--lead", metavar="HOURS", help="Only this lead time of --every-profile. Repeatable."),
    ] = None,
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
        from climbench.experiments.profiles import every_profile as score_by_all

        with console.progress(announce_on=console.err() if json else console.out()) as progress:
            table = score_by_all(
                task,
                predictions,
                data=data,
                set=options.settings(set_),
                leads=lead,
                include=include or (),
                out=out,
                fresh=fresh,
                scheduler=place,
                progress=progress,
            )
        _show_profiles(table, json)
        return
    if lead:
        raise RunError("--lead is for --every-profile; what is scored is chosen with --set leads.first=24 and so on.")

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


def _show_profiles(table: ProfileTable, json: bool) -> None:
    """Print one forecast's scores under all profiles."""
    if json:
        console.print_json(table.to_json())
        return
    screen = console.out()
    for line in profile_lines(table, screen.width):
        screen.print(escape(line), style=console.line_style(line), highlight=False, soft_wrap=True)
    if table.run_dir is not None:
        screen.print(f"Record: {table.run_dir}", highlight=False, soft_wrap=True)


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
