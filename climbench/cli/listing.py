"""``climbench list``: what tasks, models and data sets there are."""

from __future__ import annotations

from typing import Annotated

import typer

from climbench.cli import catalogue, options


def list_(
    what: Annotated[catalogue.What | None, typer.Argument(help="Only these; all without.")] = None,
    include: options.Include = None,
    json: options.Json = False,
) -> None:
    """List tasks, models and data sets."""
    catalogue.print_catalogue(what, include or (), json=json)
