"""``climbench budget``: the budgets and balances that files allow, and what is missing for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from climbench.cli import console, options

if TYPE_CHECKING:
    from climbench.budget import Budget, Budgets

HEADS = ("", "mean", "", "drift a day", "drift a century")
CLOSURE_HEADS = ("", "mean", "", "RMS over time", "RMS over cells")
YEARS_SHOWN = 6
SHORTEST_YEAR = 359.5  # days: of a year with fewer there is but a part


def budget(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="netCDF files, zarr stores (by URL, too) or folders, of one run."),
    ],
    window: Annotated[
        float | None,
        typer.Option("--window", metavar="HOURS", help="Hours that amounts (J m-2, m) are accumulated over."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Show which budgets and balances files allow: global means, closure, drift, years, and what is missing.

    Takes CMIP's names (rsdt rsut rlut rsds rsus rlds rlus hfls hfss pr evspsbl prw hus ta ua va ps orog thetao
    thkcello; areacella for weights), and those of ERA5 and ACE.

    Example: climbench budget CMIP6/CMIP/CSIRO/ACCESS-ESM1-5/piControl

    Example: climbench budget era5.zarr --window 1 --json
    """
    from climbench.budget import budget as budgets_of

    found = budgets_of(paths, window=window)
    if json:
        console.print_json(found.to_json())
    else:
        print_budgets(found)


def print_budgets(found: Budgets) -> None:
    """Print one line a budget, its years under it, then what is missing and what there is to know."""
    screen = console.out()
    place = "the globe" if found.region is None else found.region
    title = f"{len(found.files)} file{'s' * (len(found.files) != 1)}, {found.times}; means over {place}"
    screen.print(f"[bold]{escape(title)}[/]", highlight=False, soft_wrap=True)
    for line in budget_lines(found):
        screen.print(escape(line), style=console.line_style(line), highlight=False, soft_wrap=True)
    for note in (f"cells weighed by {found.weights}", *found.notes):
        screen.print(f"- {escape(note)}", style="dim", highlight=False, soft_wrap=True)


def budget_lines(found: Budgets) -> list[str]:
    """Return budgets, residuals and what is missing as lines; years stand under each budget, few of them."""
    budgets = [b for b in found.budgets if b.kind != "residual"]
    residuals = [b for b in found.budgets if b.kind == "residual"]
    lines = _table("Budgets", HEADS, [(b, _cells(b)) for b in budgets])
    lines += _table("Changes that fluxes do not explain", CLOSURE_HEADS, [(b, _closure(b)) for b in residuals])
    if found.missing:
        lines += ["Missing, and what for", *_missing(found)]
    return lines


def _table(title: str, heads: tuple[str, ...], rows: list[tuple[Budget, list[str]]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(line[i]) for line in (heads, *(cells for _, cells in rows))) for i in range(len(heads))]
    lines = [title, _row(heads, widths)]
    for budget, cells in rows:
        lines += [_row(cells, widths), *_years(budget)]
    return lines


def _missing(found: Budgets) -> list[str]:
    """Return one line for each thing that is missing: many budgets lack the same."""
    for_what: dict[str, list[str]] = {}
    for name, words in found.missing.items():
        for word in words:
            for_what.setdefault(word, []).append(name)
    return [f"  {word}: for {', '.join(names)}" for word, names in for_what.items()]


def _row(cells: tuple[str, ...] | list[str], widths: list[int]) -> str:
    """Return a line of a table: names and units to the left, numbers to the right."""
    placed = [c.ljust(w) if i in (0, 2) else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return ("  " + "  ".join(placed)).rstrip()


def _cells(budget: Budget) -> list[str]:
    drifts = (None, None) if budget.drift is None else (budget.drift.per_day, budget.drift.per_century)
    return [budget.name, _number(budget.value), budget.units, *map(_number, drifts)]


def _closure(budget: Budget) -> list[str]:
    return [budget.name, _number(budget.value), budget.units, _number(budget.rms), _number(budget.local_rms)]


def _years(budget: Budget) -> list[str]:
    """Return the first and last years of a budget, if there are two or more, as one line."""
    if len(budget.years) < 2:
        return []
    shown = [
        f"{year} {_number(value)}" + (f" ({days:g} d)" if days < SHORTEST_YEAR else "")
        for year, value, days in zip(budget.years, budget.per_year, budget.days_per_year, strict=True)
    ]
    if len(shown) > YEARS_SHOWN:
        half = YEARS_SHOWN // 2
        shown = [*shown[:half], "...", *shown[-half:]]
    return [f"    years: {'  '.join(shown)}"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}" if abs(value) < 1e6 else f"{value:.6g}"
