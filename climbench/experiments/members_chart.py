"""The figure of a members experiment: error against the number of members, floor, spread over draws and crossovers."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from climbench.experiments.truth import NAME as TRUTH
from climbench.plots import FAINT, INK
from climbench.variables import LEXICON

COLOURS = ("#0b6e99", "#c8553d", "#5b8c3a", "#7d4f9e", "#b8860b", "#3d5a80")
LETTERS_AN_INCH = 16  # of the small print
EXPLAINED = "lines: mean over draws; bands: one standard deviation of draws; grey: at or below the noise floor"
CROSSOVERS = "triangles: first n with an error below that of {} (hollow: not at all larger n); bars: 95 % over draws"
TITLES = {"all": "target: all members", "same": "target: the same n members"}


def members_chart(
    scores: pd.DataFrame, crossovers: pd.DataFrame, *, metric: str = "rmse_spatial", origin: str = ""
) -> Figure:
    """Return one panel a variable and target, with a line a model.

    Parameters
    ----------
    scores, crossovers : DataFrame
        From `climbench.experiments.member_tables`.
    metric : str
        Which error to draw.
    origin : str
        What it was made on, written below.

    Returns
    -------
    Figure
    """
    chosen = scores[scores["metric"] == metric]
    variables, targets = list(dict.fromkeys(chosen["variable"])), list(dict.fromkeys(chosen["target"]))
    models = list(dict.fromkeys(chosen["model"]))
    figure = Figure(figsize=(4.6 * len(variables), 3.0 * len(targets) + 1.0), facecolor="white")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(targets), len(variables), sharex=True, squeeze=False)
    for row, target in enumerate(targets):
        for column, variable in enumerate(variables):
            here = (chosen["target"] == target) & (chosen["variable"] == variable)
            _draw(panels[row, column], chosen[here], models)
            _mark_crossovers(panels[row, column], crossovers, chosen[here], metric, models)
            label = LEXICON[variable].long_name if variable in LEXICON else variable
            panels[row, column].set_title(f"{label} ({TITLES[target]})", fontsize=9, color=INK, loc="left")
            panels[row, column].set_ylabel(
                f"{metric.replace('_', ' ').replace('rmse', 'RMSE')} [{_units(chosen[here])}]"
            )
    for axes in panels[-1]:
        axes.set_xlabel("members averaged in training, n")
    columns = min(len(models), 2 * len(variables))
    lines, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(lines, names, loc="upper center", ncols=columns, fontsize=8, frameon=False)
    against = list(dict.fromkeys(crossovers[crossovers["n"].notna()]["against"]))
    said = (EXPLAINED, *(CROSSOVERS.format(name) for name in against), origin)
    words = "\n".join(textwrap.fill(part, int(LETTERS_AN_INCH * figure.get_figwidth())) for part in said)
    figure.text(0.01, 0.01, words, fontsize=7.5, color=FAINT, parse_math=False, linespacing=1.4)
    height = figure.get_figheight()
    above, below = 0.2 * -(-len(models) // columns) + 0.1, 0.15 * (words.count("\n") + 1) + 0.1  # inches
    figure.tight_layout(rect=(0, below / height, 1, 1.0 - above / height))
    return figure


def _units(scores: pd.DataFrame) -> str:
    return str(scores["units"].iloc[0])


def _draw(axes: Any, scores: pd.DataFrame, models: Sequence[str]) -> None:
    sizes = sorted(set(scores["n"]))
    floor = scores.groupby("n")["floor"].mean()
    if np.isfinite(floor).all():
        axes.fill_between(floor.index, 0.0, floor, color="#dddddd", zorder=1)
    for place, model in enumerate(models):
        rows = scores[scores["model"] == model].sort_values("n")
        known = model == TRUTH
        colour = FAINT if known else COLOURS[place % len(COLOURS)]
        style = {"linestyle": "--", "linewidth": 1.2} if known else {"marker": "o", "markersize": 4, "linewidth": 1.8}
        axes.plot(rows["n"], rows["value"], color=colour, label=model, zorder=3, **style)
        spread = rows["sd"].fillna(0.0)
        axes.fill_between(rows["n"], rows["value"] - spread, rows["value"] + spread, color=colour, alpha=0.18, zorder=2)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    axes.set_ylim(bottom=0.0)
    axes.tick_params(labelsize=8, colors=INK, length=2)
    axes.yaxis.label.set_size(8.5)
    axes.xaxis.label.set_size(8.5)
    axes.spines[["top", "right"]].set_visible(False)


def _mark_crossovers(
    axes: Any, crossovers: pd.DataFrame, scores: pd.DataFrame, metric: str, models: Sequence[str]
) -> None:
    """Draw where a model's line first goes below the other's, with the interval over draws, at the panel's foot."""
    target, variable = scores["target"].iloc[0], scores["variable"].iloc[0]
    here = (crossovers["metric"] == metric) & (crossovers["target"] == target) & (crossovers["variable"] == variable)
    largest = max(scores["n"])
    for place, (_, row) in enumerate(crossovers[here].iterrows()):
        if pd.isna(row["n"]):
            continue
        colour = COLOURS[models.index(row["model"]) % len(COLOURS)]
        ends = [row["low"], largest if pd.isna(row["high"]) else row["high"]]
        height = 0.04 + 0.04 * place
        transform = axes.get_xaxis_transform()
        axes.plot([float(e) for e in ends], [height] * 2, color=colour, linewidth=2.4, transform=transform, zorder=4)
        fill = colour if row["stays"] else "white"
        axes.plot(float(row["n"]), height, "v", color=colour, mfc=fill, markersize=6, transform=transform, zorder=5)
