"""Draws whether forecast probabilities can be trusted: rank histograms and reliability diagrams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from climbench.forecast_report.style import GRID, days, legend_above, panels, say_origin, tidy
from climbench.plots import FAINT

ByModel = Mapping[str, xr.DataArray]
LARGEST = 22.0  # points: the diameter of a disc that stands for all forecasts
FEWEST = 1e-3  # of all forecasts: what was forecast less often shows chance


def rank_histograms(
    found: Mapping[str, ByModel], hours: Sequence[float], colours: Mapping[str, str], *, origin: str = ""
) -> Figure:
    """Return the share of each rank of the truth among the members, over an equal share.

    Parameters
    ----------
    found : mapping of str to mapping of str to DataArray of shape (lead_time, rank)
        By variable and model.
    hours : sequence of float
        Lead times shown.
    colours : mapping of str to str
        By model.
    origin : str
        Said below.

    Returns
    -------
    Figure
        A row of panels a variable, a panel a lead time; the lowest and the highest rank stand at 0 and 1, so that
        ensembles of different size can be compared.
    """
    figure, grid = panels(len(found), len(hours), width=3.6, height=2.4)
    for row, (name, models) in zip(grid, found.items(), strict=True):
        for axes, hour in zip(row, hours, strict=True):
            for model, shares in models.items():
                share = shares.sel(lead_time=hour).values
                axes.stairs(
                    share * share.size,
                    np.linspace(0.0, 1.0, share.size + 1),
                    color=colours[model],
                    linewidth=1.4,
                    label=model,
                )
            axes.axhline(1.0, color=FAINT, linewidth=0.8)
            axes.set_ylim(bottom=0.0)
            left = "share over an equal share" if axes is row[0] else ""
            tidy(axes, f"{name}, {days(hour)}", below="rank of the truth among the members", left=left)
    legend_above(figure, list(colours))
    say_origin(figure, origin)
    return figure


def reliability_diagrams(
    found: Mapping[str, ByModel], hours: Sequence[float], colours: Mapping[str, str], *, origin: str = ""
) -> Figure:
    """Return how often an event occurred against how probable it was said to be.

    Parameters
    ----------
    found : mapping of str to mapping of str to DataArray of shape (lead_time, 3 * bin)
        By event and model: weights, probabilities and occurrences by tenths of probability, one after another
        (`climbench.tasks.forecast.binned_statistics.probability_sums`).
    hours : sequence of float
        Lead times shown.
    colours : mapping of str to str
        By model.
    origin : str
        Said below.

    Returns
    -------
    Figure
        A row of panels an event, a panel a lead time; the area of a disc is the share of forecasts with such a
        probability. A reliable forecast lies on the diagonal.
    """
    figure, grid = panels(len(found), len(hours), width=3.2, height=3.2)
    for row, (name, models) in zip(grid, found.items(), strict=True):
        for axes, hour in zip(row, hours, strict=True):
            axes.plot([0.0, 1.0], [0.0, 1.0], color=FAINT, linewidth=0.8)
            for model, sums in models.items():
                x, y, share = reliability_curve(sums.sel(lead_time=hour).values)
                axes.plot(x, y, "o-", color=colours[model], linewidth=1.3, markersize=3, label=model)
                axes.scatter(x, y, s=LARGEST**2 * share, color=colours[model], alpha=0.35, linewidths=0)
            axes.set_axisbelow(True)
            axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
            axes.grid(color=GRID, linewidth=0.6)
            tidy(
                axes,
                f"{name}, {days(hour)}",
                below="forecast probability",
                left="observed frequency" if axes is row[0] else "",
            )
    legend_above(figure, list(colours))
    say_origin(figure, origin)
    return figure


def reliability_curve(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean probabilities, observed frequencies and shares of forecasts, without tenths that have hardly any."""
    weight, probability, occurrences = np.split(sums, 3)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = weight / weight.sum()
    there = share >= FEWEST
    return probability[there] / weight[there], occurrences[there] / weight[there], share[there]


def says_something(models: ByModel) -> bool:
    """Return whether an event occurred somewhere, and did not occur everywhere."""
    parts = [np.split(sums.values, 3, axis=-1) for sums in models.values()]
    shares = [np.nansum(occurrences) / np.nansum(weight) for weight, _, occurrences in parts if np.nansum(weight) > 0.0]
    return any(0.0 < share < 1.0 - 1e-12 for share in shares)
