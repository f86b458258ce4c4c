"""Draws scores against lead time, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from climbench.forecast_report.style import GRID, IS_REFERENCE, blank, legend_above, say_origin, tidy

MOST_COLUMNS = 3


def lead_time_curves(
    scores: pd.DataFrame,
    metrics: Mapping[str, Sequence[str]],
    colours: Mapping[str, str],
    *,
    reference: str = "",
    origin: str = "",
) -> Figure:
    """Return a panel for each variable and metric: the score against lead time, a line a model, a band its interval.

    Parameters
    ----------
    scores : DataFrame
        The score table, of one region.
    metrics : mapping of str to sequence of str
        By variable, what is drawn; a variable has its panels side by side.
    colours : mapping of str to str
        By model.
    reference : str
        The model that others are held against; its line is broken.
    origin : str
        Said below: task, data, and whether they are simulated.

    Returns
    -------
    Figure
    """
    places = _places(metrics)
    rows = 1 + max(row for _, _, row, _ in places)
    columns = 1 + max(column for _, _, _, column in places)
    figure = blank(max(4.6, 4.0 * columns + 0.4), 2.6 * rows + 0.35)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.ravel():
        axes.set_visible(False)
    for variable, metric, row, column in places:
        part = scores[(scores["variable"] == variable) & (scores["metric"] == metric)]
        _panel(grid[row, column], part, colours, reference, f"{variable}: {metric}")
    if scores["model"].nunique() > 1:
        legend_above(figure, list(colours))
    say_origin(figure, origin)
    return figure


def _places(metrics: Mapping[str, Sequence[str]]) -> list[tuple[str, str, int, int]]:
    """Return variable, metric, row and column of every panel: a row a variable, or all in order if each has one."""
    if all(len(names) == 1 for names in metrics.values()):
        return [(v, names[0], *divmod(n, MOST_COLUMNS)) for n, (v, names) in enumerate(metrics.items())]
    return [
        (v, name, row, column) for row, (v, names) in enumerate(metrics.items()) for column, name in enumerate(names)
    ]


def _panel(axes: Axes, part: pd.DataFrame, colours: Mapping[str, str], reference: str, title: str) -> None:
    axes.set_visible(True)
    for model in dict.fromkeys(part["model"]):
        line = part[(part["model"] == model) & part["value"].notna()].sort_values("lead_time")
        if line.empty:
            continue
        days, colour = line["lead_time"] / 24.0, colours[str(model)]
        style = {"linestyle": (0, (5, 2)), "marker": ""} if model == reference else {"marker": "o", "markersize": 2.8}
        label = f"{model}{IS_REFERENCE}" if model == reference else str(model)
        axes.plot(days, line["value"], color=colour, linewidth=1.5, label=label, **style)
        axes.fill_between(days, line["low"], line["high"], color=colour, alpha=0.15, linewidth=0.0)
    units = [u for u in part["units"].unique() if u != "1"]
    tidy(axes, title + (f" [{units[0]}]" if units else ""), below="lead time [days]")
    axes.set_xlim(left=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color=GRID, linewidth=0.6)
