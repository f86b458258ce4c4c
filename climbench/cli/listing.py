"""``climbench list``: what tasks, models, data sets and metrics there are."""

from __future__ import annotations

from typing import Annotated

import typer

from climbench.cli import catalogue, options


def list_(
    what: Annotated[catalogue.What | None, typer.Argument(help="Only these; all but metrics without.")] = None,
    include: options.Include = None,
    json: options.Json = False,
) -> None:
    """List tasks, models and data sets, or the metrics that forecasts can be scored by."""
    catalogue.print_catalogue(what, include or (), json=json)
