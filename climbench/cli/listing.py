"""``climbench list``: what tasks, models and data sets there are."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from climbench.cli import console, options


class What(StrEnum):
    """What to list."""

    tasks = "tasks"
    models = "models"
    datasets = "datasets"


def list_(
    what: Annotated[What | None, typer.Argument(help="Only these; all without.")] = None,
    include: options.Include = None,
    json: options.Json = False,
) -> None:
    """List tasks, models and data sets."""
    from climbench.cards import Kind, list_cards

    kinds: dict[What, Kind] = {What.tasks: "task", What.models: "model", What.datasets: "dataset"}
    found = {w: list_cards(kinds[w], include or ()) for w in ([what] if what else What)}
    if json:
        content = {w.value: [{"name": c.name, "title": c.title} for c in cards] for w, cards in found.items()}
        console.print_json(content)
        return
    screen = console.out()
    for w, cards in found.items():
        screen.print(w.value, style="bold")
        for card in cards:
            protocol = getattr(card, "protocol", "") if w is What.models else ""
            screen.print(f"  {card.name:<22}{protocol:<12}{card.title}", highlight=False, soft_wrap=True, markup=False)
        if w is What.models:
            _print_entry_points(screen)


def _print_entry_points(screen: Console) -> None:
    from climbench.models import entry_points

    for name, place in sorted(entry_points().items()):
        screen.print(f"  {name:<22}{'plug-in':<12}{place}", highlight=False, soft_wrap=True, markup=False)
