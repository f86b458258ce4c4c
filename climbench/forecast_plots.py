"""Figures of forecasts: scores against lead time, a scorecard, spectra, ranks, reliability, and where they err."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from climbench.plots import FAINT, INK, colour_map, draw_map, symmetric_limit

COLOURS = ("#0b6e99", "#c8553d", "#588b3a", "#8a5a9e", "#b8860b", "#3a7d7c", "#a34766", "#5c677d")
SHOWN_SCALE = 0.5  # a relative difference as large as this has the full colour


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _tidy(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(labelsize=8, colors=INK, length=3)


def _panels(count: int, *, width: float = 4.0, height: float = 2.7) -> tuple[Figure, list[Axes]]:
    columns = min(3, max(1, count))
    rows = -(-count // columns)
    figure = _figure(width * columns + 0.4, height * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.ravel()[count:]:
        axes.set_visible(False)
    return figure, list(grid.ravel()[:count])


def _origin(figure: Figure, origin: str) -> None:
    figure.supxlabel(origin, fontsize=7.5, color=FAINT, x=0.01, ha="left", parse_math=False)


def lead_time_curves(scores: pd.DataFrame, metrics: Mapping[str, Sequence[str]], *, origin: str = "") -> Figure:
    """Return a panel for each variable and metric: the score against lead time, a line a model.

    Parameters
    ----------
    scores : DataFrame
        The score table, of one region.
    metrics : mapping of str to sequence of str
        By variable, what is drawn.
    origin : str
        Said below: task, data, and whether they are simulated.

    Returns
    -------
    Figure
    """
    wanted = [(variable, metric) for variable, names in metrics.items() for metric in names]
    models = list(dict.fromkeys(scores["model"]))
    figure, panels = _panels(len(wanted))
    for axes, (variable, metric) in zip(panels, wanted, strict=True):
        part = scores[(scores["variable"] == variable) & (scores["metric"] == metric)]
        for model, colour in zip(models, _colours(models), strict=True):
            line = part[part["model"] == model].sort_values("lead_time")
            if line["value"].notna().any():
                axes.plot(
                    line["lead_time"] / 24.0, line["value"], color=colour, marker="o", ms=2.8, lw=1.5, label=model
                )
        units = "" if part.empty or part["units"].iloc[0] == "1" else f" [{part['units'].iloc[0]}]"
        axes.set_title(f"{variable}: {metric}{units}", fontsize=9, color=INK, loc="left", parse_math=False)
        axes.set_xlabel("lead time [days]", fontsize=8, color=INK)
        axes.set_xlim(left=0.0)
        axes.grid(axis="y", color="#e6e9ec", lw=0.6)
        _tidy(axes)
    if panels and len(models) > 1:
        panels[0].legend(fontsize=7.5, frameon=False)
    _origin(figure, origin)
    return figure


def _colours(names: Sequence[str]) -> list[str]:
    return [COLOURS[n % len(COLOURS)] for n in range(len(names))]


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
    """

    model: str
    against: str
    rows: Sequence[str]
    hours: Sequence[float]
    relative: np.ndarray
    significant: np.ndarray


def scorecard(cards: Sequence[Scorecard], *, origin: str = "") -> Figure:
    """Return a table of colours for each pair of models: blue where the first is better, a dot where that is certain.

    Parameters
    ----------
    cards : sequence of Scorecard
        One a panel.
    origin : str
        Said below.

    Returns
    -------
    Figure
    """
    longest = max(len(name) for card in cards for name in card.rows)
    height = max(2.4, sum(0.6 + 0.27 * len(card.rows) for card in cards) + 0.9)
    figure = _figure(min(12.0, 1.6 + 0.075 * longest + 0.42 * len(cards[0].hours)), height)
    grid = figure.subplots(len(cards), 1, squeeze=False, height_ratios=[len(card.rows) + 1 for card in cards])
    for axes, card in zip(grid[:, 0], cards, strict=True):
        axes.imshow(card.relative, cmap="RdBu_r", vmin=-SHOWN_SCALE, vmax=SHOWN_SCALE, aspect="auto")
        y, x = np.nonzero(card.significant)
        axes.scatter(x, y, s=7, color=INK, linewidths=0)
        axes.set_yticks(range(len(card.rows)), card.rows, fontsize=8, color=INK, parse_math=False)
        days = [f"{hour / 24:g}" for hour in card.hours]
        axes.set_xticks(range(len(days)), days, fontsize=8, color=INK)
        axes.set_title(f"{card.model} against {card.against}", fontsize=9, color=INK, loc="left", parse_math=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    grid[-1, 0].set_xlabel("lead time [days]", fontsize=8, color=INK)
    scale = ScalarMappable(Normalize(-100 * SHOWN_SCALE, 100 * SHOWN_SCALE), "RdBu_r")
    bar = figure.colorbar(scale, ax=list(grid[:, 0]), shrink=0.8, extend="both", pad=0.02)
    bar.set_label("difference [%]; blue is better", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7.5, length=2)
    bar.outline.set_visible(False)
    _origin(figure, origin)
    return figure


def spectra(
    power: Mapping[str, xr.DataArray], truth: xr.DataArray, hours: Sequence[float], *, title: str, origin: str = ""
) -> Figure:
    """Return power against the degree of spherical harmonics, a panel a lead time, a line a model and one of the truth.

    Parameters
    ----------
    power : mapping of str to DataArray of shape (lead_time, degree)
        By model, means over initial times.
    truth : DataArray of shape (lead_time, degree)
        The truth's.
    hours : sequence of float
        Lead times shown.
    title : str
        The variable and its unit.
    origin : str
        Said below.

    Returns
    -------
    Figure
    """
    figure, panels = _panels(len(hours), width=3.8, height=3.0)
    degrees = np.arange(truth.shape[-1])
    for axes, hour in zip(panels, hours, strict=True):
        axes.loglog(degrees[1:], truth.sel(lead_time=hour)[1:], color=INK, lw=1.8, label="truth")
        for (model, values), colour in zip(power.items(), _colours(list(power)), strict=True):
            axes.loglog(degrees[1:], values.sel(lead_time=hour)[1:], color=colour, lw=1.3, label=model)
        axes.set_title(f"{title}, {hour / 24:g} d", fontsize=9, color=INK, loc="left", parse_math=False)
        axes.set_xlabel("degree", fontsize=8, color=INK)
        _tidy(axes)
    panels[0].legend(fontsize=7.5, frameon=False)
    _origin(figure, origin)
    return figure


def rank_histograms(
    shares: Mapping[str, xr.DataArray], hours: Sequence[float], *, title: str, origin: str = ""
) -> Figure:
    """Return the share of each rank of the truth among the members, a panel a lead time, over an equal share.

    Parameters
    ----------
    shares : mapping of str to DataArray of shape (lead_time, rank)
        By model.
    hours : sequence of float
        Lead times shown.
    title : str
        The variable.
    origin : str
        Said below.

    Returns
    -------
    Figure
    """
    figure, panels = _panels(len(hours), width=3.6, height=2.4)
    for axes, hour in zip(panels, hours, strict=True):
        for (model, values), colour in zip(shares.items(), _colours(list(shares)), strict=True):
            share = values.sel(lead_time=hour).values
            axes.step(np.arange(share.size), share * share.size, where="mid", color=colour, lw=1.4, label=model)
        axes.axhline(1.0, color=FAINT, lw=0.8)
        axes.set_ylim(bottom=0.0)
        axes.set_title(f"{title}, {hour / 24:g} d", fontsize=9, color=INK, loc="left", parse_math=False)
        axes.set_xlabel("members below the truth", fontsize=8, color=INK)
        _tidy(axes)
    panels[0].legend(fontsize=7.5, frameon=False)
    panels[0].set_ylabel("share over an equal share", fontsize=8, color=INK)
    _origin(figure, origin)
    return figure


def error_map_rows(
    maps: xr.Dataset, *, title: str, units: str, variable: str, lines: Sequence[np.ndarray] | None
) -> Figure:
    """Return maps of mean error and root mean square error, a column a lead time.

    Parameters
    ----------
    maps : Dataset of shape (lead_time, latitude, longitude)
        From `climbench.tasks.forecast.error_maps.error_maps`.
    title : str
        Stands above.
    units : str
        For the colour bars.
    variable : str
        Decides the colours of the mean error.
    lines : sequence of ndarray of shape (point, 2), optional
        Coastlines: longitude and latitude in degrees.

    Returns
    -------
    Figure
    """
    names = [name for name in ("bias", "rmse") if name in maps]
    hours = maps["lead_time"].values
    figure = _figure(max(7.0, 3.3 * hours.size + 0.9), 1.95 * len(names) + 0.5)
    figure.suptitle(title, fontsize=10, fontweight="bold", color=INK, x=0.01, ha="left", parse_math=False)
    grid = figure.subplots(len(names), hours.size, squeeze=False)
    for row, name in zip(grid, names, strict=True):
        limit = symmetric_limit(maps[name])
        colours = colour_map(variable) if name == "bias" else "viridis"
        low = -limit if name == "bias" else 0.0
        for axes, hour in zip(row, hours, strict=True):
            draw_map(axes, maps[name].sel(lead_time=hour), (low, limit), colours, lines)
            axes.set_title(f"{name}, {hour / 24:g} d", fontsize=8.5, color=INK, pad=3)
        scale = ScalarMappable(Normalize(low, limit), colours)
        bar = figure.colorbar(scale, ax=list(row), shrink=0.85, pad=0.01, extend="both" if name == "bias" else "max")
        bar.set_label(units, fontsize=8, color=INK)
        bar.ax.tick_params(labelsize=7.5, length=2)
        bar.outline.set_visible(False)
    return figure
