"""``climbench data``: pull real data, make simulated data, check what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from climbench.cli import console
from climbench.errors import DataError

app = typer.Typer(help="Pull real data, make simulated data, check what is there.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of a data set; climbench list datasets.")]


@app.command("pull")
def pull(
    dataset: Name,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to pull into.")] = None,
) -> None:
    """Download a data set from its own archive; goes on where it was cut off."""
    from climbench.cards import find_dataset
    from climbench.data.download import pull as pull_archives
    from climbench.tasks.sources import home

    card = find_dataset(dataset)
    if card.source is None:
        raise DataError(f"'{dataset}' has no archive to pull from. Run: climbench data make {dataset}")
    folder = out or home(card)
    with console.transfer() as progress:
        pull_archives(card.source.record, card.source.files, folder, progress=progress)
    console.out().print(f"{card.title} is in {folder}.\n{escape(card.attribution.strip())}", highlight=False)


@app.command("make")
def make(
    dataset: Name,
    members: Annotated[int | None, typer.Option("--members", min=1, help="Members of each scenario.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The world's seed; its card's without.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to make; one in the cache without.")] = None,
) -> None:
    """Make a simulated data set."""
    from climbench.cards import find_dataset
    from climbench.tasks.sources import make_world

    with console.progress(announce_on=console.out()) as progress:
        folder = make_world(find_dataset(dataset), members=members, seed=seed, out=out, progress=progress.step)
    console.out().print(f"{dataset} (simulated) is in {folder}", highlight=False, soft_wrap=True)


@app.command("check")
def check(
    dataset: Name,
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder; where it was pulled or made without.")
    ] = None,
) -> None:
    """Check that a data set is whole: files, variables, years, members, values."""
    from climbench.cards import find_dataset
    from climbench.tasks.sources import check_dataset

    screen = console.out()
    with console.progress(announce_on=screen) as progress:
        report = check_dataset(find_dataset(dataset), data, progress.step)
    for line in report.lines:
        screen.print(escape(line), highlight=False, soft_wrap=True)
    for problem in report.problems:
        console.fail(problem)
    if report.problems:
        raise typer.Exit(2)
