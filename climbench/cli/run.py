"""``climbench run``: fit, predict and score emulators on a task."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from climbench.cli import console, options


class Preset(StrEnum):
    """Which of a model's presets is used."""

    demo = "demo"
    standard = "standard"
    published = "published"


def run(
    task: options.Task,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME|CARD|FILE.py:CLASS", help="Emulator; all baselines without. Repeatable."),
    ] = None,
    data: options.Data = None,
    set_: options.Set = None,
    preset: Annotated[Preset, typer.Option("--preset", help="Size of the models' training.")] = Preset.standard,
    include: options.Include = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; one under runs/ without.")] = None,
    fresh: options.Fresh = False,
    json: options.Json = False,
) -> None:
    """Fit, predict and score emulators on a task.

    Example: climbench run --task climatebench --model lps
    """
    from climbench import harness

    with console.progress(announce_on=console.err() if json else console.out()) as progress:
        result = harness.run(
            task,
            model,
            data=data,
            set=options.settings(set_),
            preset=preset.value,
            include=include or (),
            seed=seed,
            out=out,
            fresh=fresh,
            progress=progress,
        )
    if json:
        console.print_json(result.to_json())
    else:
        console.print_result(result)
