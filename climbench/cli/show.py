"""``climbench show``: one card, rendered."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from climbench.cli import console, options
from climbench.errors import CardError, did_you_mean


def show(
    name: Annotated[str, typer.Argument(help="Name of a task, a model or a data set.")],
    include: options.Include = None,
    json: options.Json = False,
) -> None:
    """Show a task, a model or a data set: all cards of that name."""
    from climbench.cards import CARD_TYPES, list_cards

    cards = [(kind, card) for kind in CARD_TYPES for card in list_cards(kind, include or ())]
    found = [(kind, card) for kind, card in cards if card.name == name]
    if not found:
        raise CardError(f"Nothing is named '{name}'. {did_you_mean(name, {card.name for _, card in cards})}")
    if json:
        console.print_json({kind: card.model_dump(mode="json") for kind, card in found})
        return
    for kind, card in found:
        screen = console.out()
        screen.print(f"[bold]{card.name}[/] [dim]({kind} card)[/]  {escape(card.title)}", highlight=False)
        for key, value in card.model_dump(mode="json").items():
            if key not in ("name", "title") and value not in (None, "", {}, []):
                _print_entry(screen, key, value, 2)


def _print_entry(screen: Console, key: str, value: Any, indent: int) -> None:
    pad = " " * indent
    if isinstance(value, dict):
        screen.print(f"{pad}{key}:", style="cyan", highlight=False, markup=False)
        for inner, content in value.items():
            _print_entry(screen, str(inner), content, indent + 2)
    elif isinstance(value, list) and any(isinstance(item, dict | str) and len(str(item)) > 30 for item in value):
        screen.print(f"{pad}{key}:", style="cyan", highlight=False, markup=False)
        for item in value:
            if isinstance(item, dict):
                _print_entry(screen, "-", item, indent + 2)
            else:
                screen.print(f"{pad}  - {escape(str(item))}", highlight=False)
    else:
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value).strip()
        screen.print(f"{pad}[cyan]{escape(key)}:[/] {escape(text)}", highlight=False)
