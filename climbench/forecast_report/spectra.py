"""Draws power against the degree of spherical harmonics, of forecasts and truth, with the effective resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from climbench.constants import EARTH_RADIUS
from climbench.forecast_report.style import days, legend, panels, say_origin, tidy
from climbench.metrics.spectral_kernels import effective_degree
from climbench.plots import INK

ROOM = 30.0  # for the legend, and for forecasts with less power than the truth

Spectra = tuple[Mapping[str, xr.DataArray], Mapping[str, xr.DataArray]]  # by model, and the truth at its initial times


def draw_spectra(
    found: Mapping[str, Spectra], hours: Sequence[float], colours: Mapping[str, str], *, origin: str = ""
) -> Figure:
    """Return power against degree: a row of panels a variable, a panel a lead time, a line a model, the truth dark.

    Parameters
    ----------
    found : mapping of str to Spectra
        By variable: the spectra of models, and of the truth at each model's initial times, of shape (lead_time,
        degree), means over these. The first model's truth is drawn.
    hours : sequence of float
        Lead times shown.
    colours : mapping of str to str
        By model.
    origin : str
        Said below.

    Returns
    -------
    Figure
        A triangle stands on the axis at each model's effective degree, and the legend has its wavelength.
    """
    figure, grid = panels(len(found), len(hours), width=4.0, height=3.0)
    for row, (name, (models, truths)) in zip(grid, found.items(), strict=True):
        for axes, hour in zip(row, hours, strict=True):
            lines = {m: (models[m].sel(lead_time=hour).values, truths[m].sel(lead_time=hour).values) for m in models}
            _panel(axes, lines, colours)
            tidy(axes, f"{name}, {days(hour)}", below="degree")
            legend(axes)
    say_origin(figure, origin)
    return figure


def _panel(axes: Axes, models: Mapping[str, tuple[np.ndarray, np.ndarray]], colours: Mapping[str, str]) -> None:
    """Draw degrees from 1 on: degree 0 is the mean over the globe, and has no place on an axis of logarithms."""
    _, truth = next(iter(models.values()))
    degree = np.arange(truth.size)[1:]
    axes.loglog(degree, truth[1:], color=INK, linewidth=2.0, label="truth")
    for model, (power, own) in models.items():
        last, colour = float(effective_degree(power, own)), colours[model]
        axes.loglog(
            degree, power[1:], color=colour, linewidth=1.3, label=f"{model} ({resolution(last, truth.size - 1)})"
        )
        if np.isfinite(last):
            axes.plot(
                [last], [0.0], "^", color=colour, markersize=7, transform=axes.get_xaxis_transform(), clip_on=False
            )
    axes.set_xlim(degree[0], degree[-1])
    there = truth[1:][truth[1:] > 0.0]
    if there.size:  # a climatology may have no power but rounding: that must not set the scale
        axes.set_ylim(there.min() / ROOM, there.max() * 3.0)


def resolution(last: float, finest: int) -> str:
    """Return in words down to which wavelength a forecast has power enough, given the last degree where it has."""
    if not np.isfinite(last):
        return "too weak at degree 1"
    if last >= finest:
        return "as fine as the grid"
    return f"{2.0e-3 * np.pi * EARTH_RADIUS / last:.0f} km"
