"""The figure of what roll-outs make or lose since their start: mass, water, energy, run beside run."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from climbench.experiments.long_rollout_budgets import BUDGETS
from climbench.forecast_report.style import COLOURS, legend_above, panels, say_origin, tidy
from climbench.plots import FAINT, INK

CAPTION = (
    "Made (above zero) or lost since the start, in the mean over the globe: dry air or fluid, and the water and energy "
    "(as CREDIT defines it) that fluxes do not explain. Lines: mean over starts that do not blow up; where all do, of "
    "all until the first does. Shaded: from the least to the most of them. Dashed: nothing is made or lost"
)


def budgets_figure(series: pd.DataFrame, runs: Sequence[str], hours: float, origin: str) -> Figure:
    """Return the figure.

    Parameters
    ----------
    series : DataFrame
        `climbench.experiments.long_rollout_budgets.RolloutBudgets.series`, not empty.
    runs : sequence of str
        In the order of their colours.
    hours : float
        Of a step.
    origin : str
        Written below.

    Returns
    -------
    Figure
        One panel a budget.
    """
    names = [name for name in BUDGETS if name in set(series["name"])]
    figure, axes = panels(1, len(names), width=3.9, height=3.0)
    for panel, name in zip(axes[0], names, strict=True):
        here = series[series["name"] == name]
        panel.axhline(0.0, color=FAINT, linestyle="--", linewidth=0.8)
        ends = []
        for colour, run in zip(COLOURS, runs, strict=False):
            rows = here[here["run"] == run]
            if len(rows):
                ends.append(_draw(panel, rows, run, colour, hours))
        tidy(panel, f"{BUDGETS[name].words} [{BUDGETS[name].units}]", below="days", left="made since the start")
        _say(panel, ends)
    legend_above(figure, runs)
    say_origin(figure, origin)
    return figure


def _draw(panel: Axes, rows: pd.DataFrame, run: str, colour: str, hours: float) -> str:
    """Draw one run, and return in words where it ends."""
    days = rows["step"] * hours / 24.0
    panel.fill_between(days, rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0.0)
    panel.plot(days, rows["value"], color=colour, linewidth=1.4, label=run)
    return f"{run}, day {days.iloc[-1]:.4g}: {rows['value'].iloc[-1]:.2g}"


def _say(panel: Axes, ends: Sequence[str]) -> None:
    """Write where lines end above all that is drawn, as one of them is near zero beside the other."""
    low, high = panel.get_ylim()
    panel.set_ylim(low, high + (0.06 + 0.08 * len(ends)) * (high - low))
    panel.text(0.03, 0.98, "\n".join(ends), transform=panel.transAxes, va="top", fontsize=7.5, color=INK)
