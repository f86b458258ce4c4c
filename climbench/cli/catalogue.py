"""What ``climbench list`` prints. It does without the command-line library, so that a plain list is there at once."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from climbench.cli import console

if TYPE_CHECKING:
    from rich.console import Console

    from climbench.card_files import Headline, Kind


class What(StrEnum):
    """What to list."""

    tasks = "tasks"
    models = "models"
    datasets = "datasets"
    metrics = "metrics"


KINDS: dict[What, Kind] = {What.tasks: "task", What.models: "model", What.datasets: "dataset"}


def print_catalogue(what: What | None = None, include: Sequence[Path] = (), *, json: bool = False) -> None:
    """Print names and titles of cards, or names and definitions of metrics.

    Parameters
    ----------
    what : What, optional
        Only these; all cards without it.
    include : sequence of Path
        Further folders with cards.
    json : bool
        Print one JSON object and nothing else.
    """
    if what is What.metrics:
        _print_metrics(json)
        return
    found = {w: _found(KINDS[w], include) for w in ([what] if what else KINDS)}
    if json:
        content = {w.value: [{"name": c.name, "title": c.title} for c in cards] for w, cards in found.items()}
        console.print_json(content)
        return
    screen = console.out()
    for w, cards in found.items():
        screen.print(w.value, style="bold")
        for card in cards:
            protocol = card.protocol if w is What.models else ""
            screen.print(f"  {card.name:<26}{protocol:<12}{card.title}", highlight=False, soft_wrap=True, markup=False)
        if w is What.models:
            _print_plugins(screen)


def _print_metrics(json: bool) -> None:
    """Print what forecasts can be scored by, and what projections have beside the metrics on their cards."""
    from climbench.tasks.budget_rows import BUDGETS
    from climbench.tasks.forecast.catalogue import FORMS
    from climbench.tasks.forecast.metrics import METRICS
    from climbench.tasks.forecast.physics_metrics import PHYSICS_METRICS

    if json:
        content, physics = (
            [{"name": n, "units": m.units, "best": m.best, "definition": m.definition} for n, m in known.items()]
            for known in (METRICS, PHYSICS_METRICS)
        )
        budgets = [{"name": n, "units": b.units, "definition": b.definition} for n, b in BUDGETS.items()]
        everything = {"metrics": content, "of_events": FORMS, "of_physics": physics, "of_projections": budgets}
        console.print_json(everything)
        return
    screen = console.out()
    screen.print("metrics of forecasts", style="bold")
    for name, metric in METRICS.items():
        screen.print(f"  {name:<30}{metric.definition}", highlight=False, soft_wrap=True, markup=False)
    screen.print(f"  of events: {', '.join(FORMS)}", highlight=False, soft_wrap=True, markup=False)
    screen.print("physics of forecasts", style="bold")
    width = max(map(len, PHYSICS_METRICS)) + 2
    for name, metric in PHYSICS_METRICS.items():
        units = "" if metric.units == "1" else f" [{metric.units}]"
        screen.print(f"  {name:<{width}}{metric.definition}{units}", highlight=False, soft_wrap=True, markup=False)
    screen.print("budgets of projections", style="bold")
    for name, budget in BUDGETS.items():
        screen.print(f"  {name:<30}{budget.definition} [{budget.units}]", highlight=False, soft_wrap=True, markup=False)


def _found(kind: Kind, include: Sequence[Path]) -> list[Headline]:
    """Return what to show of the cards of a kind; only those of folders the user names need to be checked."""
    from climbench.card_files import Headline, headlines

    if not include:
        return headlines(kind)
    from climbench.cards import list_cards

    return [Headline(card.name, card.title, getattr(card, "protocol", "")) for card in list_cards(kind, include)]


def _print_plugins(screen: Console) -> None:
    from climbench.registry import model_plugins

    for name, place in sorted(model_plugins().items()):
        screen.print(f"  {name:<22}{'plug-in':<12}{place}", highlight=False, soft_wrap=True, markup=False)
