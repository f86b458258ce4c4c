"""What the figures of forecasts have in common: size, axes, colours of models, and the line that says whose data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from climbench.plots import FAINT, INK

COLOURS = ("#0b6e99", "#c8553d", "#588b3a", "#8a5a9e", "#b8860b", "#3a7d7c", "#a34766")
REFERENCE = "#5c677d"
IS_REFERENCE = " (reference)"
GRID = "#e6e9ec"


def blank(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches."""
    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels(rows: int, columns: int, *, width: float, height: float) -> tuple[Figure, np.ndarray]:
    """Return a figure with panels of a size in inches, of shape (row, column)."""
    figure = blank(max(4.6, width * columns + 0.4), height * rows + 0.35)
    return figure, figure.subplots(rows, columns, squeeze=False)


def tidy(axes: Axes, title: str, *, below: str = "", left: str = "") -> None:
    """Give a panel its title and labels, and take away what is not needed."""
    axes.set_title(title, fontsize=9, color=INK, loc="left", parse_math=False)
    axes.set_xlabel(below, fontsize=8, color=INK)
    axes.set_ylabel(left, fontsize=8, color=INK, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(labelsize=8, colors=INK, length=3)


def legend(axes: Axes) -> None:
    """Name the lines of a panel in its lower left corner."""
    axes.legend(fontsize=7.5, loc="lower left", framealpha=0.8, edgecolor="none")


def legend_above(figure: Figure, models: Sequence[str]) -> None:
    """Name above all panels what is drawn of some models, in their order; a line is named after its model."""
    named: dict[str, Artist] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    order = sorted(named, key=lambda label: list(models).index(label.removesuffix(IS_REFERENCE)))
    if order:
        columns = max(1, int(figure.get_figwidth() / 2.2))
        handles = [named[label] for label in order]
        figure.legend(handles, order, loc="outside upper left", ncols=columns, fontsize=8, frameon=False)


def say_origin(figure: Figure, origin: str) -> None:
    """Write below what was scored, on which data, and whether they are simulated."""
    figure.supxlabel(origin, fontsize=7.5, color=FAINT, x=0.01, ha="left", parse_math=False)


def palette(models: Sequence[str], reference: str) -> dict[str, str]:
    """Return the colour of each model, the same in all figures; the reference is grey, the eighth like the first."""
    others = [model for model in models if model != reference]
    of_others = {model: COLOURS[n % len(COLOURS)] for n, model in enumerate(others)}
    return {model: of_others.get(model, REFERENCE) for model in models}


def days(hours: float) -> str:
    """Return a lead time in words."""
    return f"{hours / 24:g} d"
