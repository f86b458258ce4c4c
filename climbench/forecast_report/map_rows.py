"""Draws maps of where a forecast errs, a column a lead time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from climbench.forecast_report.style import blank, days, say_origin
from climbench.plots import INK, colour_map, draw_map, is_globe, symmetric_limit

TITLES = {"bias": "mean error", "rmse": "RMSE"}


def error_map_rows(
    maps: xr.Dataset,
    *,
    title: str,
    units: str,
    variable: str,
    lines: Sequence[np.ndarray] | None,
    limits: Mapping[str, float],
    origin: str = "",
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
    limits : mapping of str to float
        What the ends of the colours stand for, by name of the map (`shared_limits`).
    origin : str
        Said below.

    Returns
    -------
    Figure
    """
    names = [name for name in TITLES if name in maps]
    hours = maps["lead_time"].values
    width, height = panel_size(maps)
    figure = blank(max(6.5, width * hours.size + 1.0), (height + 0.3) * len(names) + 0.7)
    figure.suptitle(title, fontsize=10, fontweight="bold", color=INK, x=0.01, ha="left", parse_math=False)
    grid = figure.subplots(len(names), hours.size, squeeze=False)
    for row, name in zip(grid, names, strict=True):
        limit = limits[name]
        colours = colour_map(variable) if name == "bias" else "viridis"
        low = -limit if name == "bias" else 0.0
        for axes, hour in zip(row, hours, strict=True):
            draw_map(axes, maps[name].sel(lead_time=hour), (low, limit), colours, lines)
            axes.set_title(f"{TITLES[name]}, {days(hour)}", fontsize=8.5, color=INK, pad=3)
        scale = ScalarMappable(Normalize(low, limit), colours)
        bar = figure.colorbar(scale, ax=list(row), shrink=0.85, pad=0.01, extend="both" if name == "bias" else "max")
        bar.set_label(units, fontsize=8, color=INK, parse_math=False)
        bar.ax.tick_params(labelsize=7.5, length=2)
        bar.outline.set_visible(False)
    say_origin(figure, origin)
    return figure


def shared_limits(maps: Sequence[xr.Dataset]) -> dict[str, float]:
    """Return limits of colours that several models' maps of one variable share, so that they can be compared."""
    names = [name for name in TITLES if any(name in part for part in maps)]
    return {name: symmetric_limit(*(part[name] for part in maps if name in part)) for name in names}


def panel_size(maps: xr.Dataset) -> tuple[float, float]:
    """Return width and height of a panel in inches: a globe is twice as wide as high, a region as it is."""
    if is_globe(next(iter(maps.data_vars.values())).isel(lead_time=0)):
        return 3.0, 1.55
    latitude, longitude = (maps[axis].values.astype("float64") for axis in ("latitude", "longitude"))
    gaps = np.diff(longitude, append=longitude[0] + 360.0)
    wide = (360.0 - gaps.max()) * np.cos(np.deg2rad(latitude.mean()))
    ratio = float(np.clip(wide / max(1e-6, np.ptp(latitude)), 0.4, 4.0))
    return (2.8, 2.8 / ratio) if ratio >= 1.2 else (2.6 * ratio, 2.6)
