"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Task = Annotated[str, typer.Option("--task", help="Task name or card file; climbench list tasks.")]
Data = Annotated[
    str | None,
    typer.Option("--data", help="Data folder, or name of a data set; of forecasts the truth, a store or URL."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the task's card; the value is YAML. Repeatable."),
]
Include = Annotated[list[Path] | None, typer.Option("--include", metavar="DIR", help="Further cards. Repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Do everything again and replace what is in the folder.")]


def settings(texts: list[str] | None) -> dict[str, Any]:
    """Return the settings that ``--set`` options name."""
    from climbench.cards import parse_setting

    return dict(parse_setting(text) for text in texts or [])
