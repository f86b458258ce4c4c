"""Draws scorecards: a table of colours, variables by lead times, dotted where the difference is certain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from climbench.forecast_report.style import blank, say_origin
from climbench.plots import INK

SCALES = (0.05, 0.1, 0.2, 0.5, 1.0)  # relative differences that have the full colour; the least that fits is taken
UNKNOWN = "#d9dee3"
COLOURS = matplotlib.colormaps["RdBu_r"].with_extremes(bad=UNKNOWN)


@dataclass(frozen=True)
class Scorecard:
    """What a scorecard shows of one model against another.

    Attributes
    ----------
    model, against : str
        The two models.
    rows : sequence of str
        Variable and metric of each row.
    hours : sequence of float
        Lead times of the columns.
    relative : ndarray of shape (row, column)
        Score over the other's score, less 1; where more is better, with the other sign. NaN where there is none.
    significant : ndarray of bool of shape (row, column)
        Whether the paired test tells the two apart.
    reasons : sequence of str
        Why some cells were not tested.
    """

    model: str
    against: str
    rows: Sequence[str]
    hours: Sequence[float]
    relative: np.ndarray
    significant: np.ndarray
    reasons: Sequence[str] = ()


def draw_scorecards(cards: Sequence[Scorecard], *, origin: str = "") -> Figure:
    """Return a table of colours for each pair of models: blue where the first is better, a dot where that is certain.

    Parameters
    ----------
    cards : sequence of Scorecard
        One a panel; all share one scale.
    origin : str
        Said below.

    Returns
    -------
    Figure
    """
    longest = max(len(name) for card in cards for name in card.rows)
    columns = max(len(card.hours) for card in cards)
    width = min(13.0, max(5.2, 0.9 + 0.075 * longest + 0.5 * columns))
    figure = blank(width, 1.1 + sum(0.75 + 0.3 * len(card.rows) for card in cards))
    grid = figure.subplots(len(cards), 1, squeeze=False, height_ratios=[len(card.rows) for card in cards])[:, 0]
    scale = full_colour([card.relative for card in cards])
    for axes, card in zip(grid, cards, strict=True):
        _draw(axes, card, scale)
    grid[-1].set_xlabel("lead time [days]", fontsize=8, color=INK)
    colours = ScalarMappable(Normalize(-100 * scale, 100 * scale), COLOURS)
    bar = figure.colorbar(colours, ax=list(grid), location="bottom", extend="both", aspect=35, shrink=0.7, pad=0.02)
    bar.set_label("difference of the score [%]; blue is better", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7.5, length=2)
    bar.outline.set_visible(False)
    say_origin(figure, origin)
    return figure


def full_colour(relative: Sequence[np.ndarray]) -> float:
    """Return the relative difference that has the full colour: a round one that nine in ten cells do not exceed."""
    sizes = np.abs(np.concatenate([np.ravel(values) for values in relative]))
    sizes = sizes[np.isfinite(sizes)]
    most = float(np.percentile(sizes, 90)) if sizes.size else 0.0
    return next((scale for scale in SCALES if most <= scale), SCALES[-1])


def _draw(axes: Axes, card: Scorecard, scale: float) -> None:
    axes.imshow(np.ma.masked_invalid(card.relative), cmap=COLOURS, vmin=-scale, vmax=scale, aspect="auto")
    y, x = np.nonzero(card.significant)
    deep = np.abs(card.relative[y, x]) > 0.7 * scale
    axes.scatter(x, y, s=9, c=np.where(deep, "white", INK), linewidths=0)
    axes.set_yticks(range(len(card.rows)), card.rows, fontsize=8, color=INK, parse_math=False)
    axes.set_xticks(range(len(card.hours)), [f"{hour / 24:g}" for hour in card.hours], fontsize=8, color=INK)
    for gap in np.arange(0.5, len(card.hours) - 1):
        axes.axvline(gap, color="white", linewidth=0.8)
    for gap in np.arange(0.5, len(card.rows) - 1):
        axes.axhline(gap, color="white", linewidth=0.8)
    axes.set_title(f"{card.model} against {card.against}", fontsize=9, color=INK, loc="left", parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
