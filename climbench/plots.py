"""Maps of a target, its prediction and their difference, and a chart of scores, each with its noise floor."""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from climbench.grids import latitude_weights
from climbench.metrics.base import area_mean
from climbench.variables import LEXICON

if TYPE_CHECKING:
    import pandas as pd

NO_COASTLINES = "Coastlines not drawn: Natural Earth's 110m coastline is neither cached on this machine nor reachable."
WIDTH, HEIGHT = 700, 355
INK, FAINT = "#222222", "#888888"


@cache
def coastlines(timeout: float = 2.0) -> tuple[tuple[Any, ...] | None, str | None]:
    """Return Natural Earth's coastlines if they are at hand, and otherwise a line that says they are not.

    The network is tried once in the life of the process, for at most `timeout` seconds before anything is downloaded;
    ``CLIMBENCH_OFFLINE=1`` forbids even that.

    Parameters
    ----------
    timeout : float
        Seconds to wait for the server.

    Returns
    -------
    tuple of geometries or None
        Lines in degrees of longitude and latitude.
    str or None
        What to tell the reader.
    """
    import cartopy.io
    import cartopy.io.shapereader as shapes

    downloader = cartopy.io.Downloader.from_config(("shapefiles", "natural_earth"))
    names = {"resolution": "110m", "category": "physical", "name": "coastline", "config": cartopy_config()}
    try:
        path = downloader.pre_existing_path({**names})
        if path is None and not _reachable(downloader.url({**names}), timeout):
            return None, NO_COASTLINES
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = path or downloader.path({**names})
        return tuple(shapes.Reader(str(path)).geometries()), None
    except Exception:  # any failure of a download or of a damaged cache: a map without coastlines is still a map
        return None, NO_COASTLINES


def cartopy_config() -> dict[str, Any]:
    """Return cartopy's own settings: where it keeps and looks for files."""
    import cartopy

    return dict(cartopy.config)


def _reachable(url: str, timeout: float) -> bool:
    if os.environ.get("CLIMBENCH_OFFLINE"):
        return False
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=timeout).close()
    except OSError:
        return False
    return True


@cache
def _robinson() -> tuple[Any, np.ndarray, np.ndarray, tuple[float, float, float, float]]:
    """Return the projection, longitude and latitude of each picture element (NaN outside the globe), and its extent."""
    import cartopy.crs as ccrs

    projection = ccrs.Robinson(central_longitude=0.0)
    left, right = projection.x_limits
    bottom, top = projection.y_limits
    x, y = np.meshgrid(np.linspace(left, right, WIDTH), np.linspace(bottom, top, HEIGHT))
    points = ccrs.PlateCarree().transform_points(projection, x, y)
    longitude, latitude = points[..., 0], points[..., 1]
    back = projection.transform_points(ccrs.PlateCarree(), longitude, latitude)
    off = ~(np.hypot(back[..., 0] - x, back[..., 1] - y) < 1e4)
    return projection, np.where(off, np.nan, longitude), np.where(off, np.nan, latitude), (left, right, bottom, top)


def _nearest(centres: np.ndarray, values: np.ndarray, period: float | None) -> np.ndarray:
    """Return the index of the nearest centre for each value; a period makes the axis a circle."""
    order = centres
    if period:
        order = np.concatenate([centres[-1:] - period, centres, centres[:1] + period])
        values = np.mod(values, period)
    index = np.searchsorted(0.5 * (order[1:] + order[:-1]), values)
    return (index - 1) % centres.size if period else index


def robinson_image(field: xr.DataArray) -> np.ndarray:
    """Return a field as a picture in the Robinson projection: each picture element takes the cell it lies in.

    Parameters
    ----------
    field : DataArray of shape (latitude, longitude)
        Canonical: latitude ascending, longitude ascending in [0, 360).

    Returns
    -------
    ndarray of shape (355, 700)
        Rows from south to north; NaN outside the globe and where the field is NaN.
    """
    _, longitude, latitude, _ = _robinson()
    inside = np.isfinite(latitude)
    rows = _nearest(field["latitude"].values, latitude[inside], None)
    columns = _nearest(field["longitude"].values, longitude[inside], 360.0)
    picture = np.full(latitude.shape, np.nan)
    picture[inside] = field.transpose("latitude", "longitude").values[rows, columns]
    return picture


def colour_map(variable: str) -> str:
    """Return the diverging colour map for anomalies of a variable: brown to green for water, blue to red otherwise."""
    kind = LEXICON[variable].kind if variable in LEXICON else ""
    return "BrBG" if kind == "water" or variable.startswith("pr") else "RdBu_r"


def _symmetric_limit(*fields: xr.DataArray) -> float:
    """Return a robust limit: the 99th percentile of the absolute values, rounded up to two digits."""
    values = np.concatenate([np.abs(f.values[np.isfinite(f.values)]).ravel() for f in fields])
    limit = float(np.percentile(values, 99)) if values.size else 1.0
    if limit <= 0.0:
        return 1.0
    step = 10.0 ** (np.floor(np.log10(limit)) - 1)
    return float(np.ceil(limit / step) * step)


def map_row(
    target: xr.DataArray, prediction: xr.DataArray, *, title: str, units: str, variable: str, lines: Any = None
) -> Figure:
    """Return three Robinson maps side by side: target, prediction, and prediction less target.

    Parameters
    ----------
    target, prediction : DataArray of shape (latitude, longitude)
        Anomalies in the same unit.
    title : str
        Stands above the maps.
    units : str
        The unit, for the colour bars.
    variable : str
        Decides the colour map.
    lines : iterable of geometries, optional
        Coastlines, in degrees.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(12.0, 3.1), facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.012, 0.93, title, fontsize=11, fontweight="bold", color=INK)
    error = prediction - target
    shared, own = _symmetric_limit(target), _symmetric_limit(error)
    weights = latitude_weights(target["latitude"])
    panels = (("target", target, shared), ("prediction", prediction, shared), ("prediction - target", error, own))
    for column, (name, field, limit) in enumerate(panels):
        axes = figure.add_axes((0.012 + 0.332 * column, 0.21, 0.315, 0.62))
        mean = float(area_mean(field.fillna(0.0), weights))
        _draw_map(axes, field, limit, colour_map(variable), lines)
        axes.set_title(f"{name}   (mean {mean:+.3g})", fontsize=9.5, color=INK, pad=4)
    for left, width, limit, label in ((0.18, 0.31, shared, units), (0.74, 0.19, own, f"difference, {units}")):
        bar_axes = figure.add_axes((left, 0.155, width, 0.035))
        scale = ScalarMappable(Normalize(-limit, limit), colour_map(variable))
        bar = figure.colorbar(scale, cax=bar_axes, orientation="horizontal", extend="both")
        bar.ax.tick_params(labelsize=8, colors=INK, length=2)
        bar.set_label(label, fontsize=8.5, color=INK, labelpad=1)
        bar.outline.set_visible(False)
    return figure


def _draw_map(axes: Any, field: xr.DataArray, limit: float, colours: str, lines: Iterable[Any] | None) -> None:
    projection, _, latitude, extent = _robinson()
    axes.imshow(
        robinson_image(field),
        origin="lower",
        extent=extent,
        cmap=colours,
        vmin=-limit,
        vmax=limit,
        interpolation="nearest",
        aspect="equal",
    )
    axes.contour(np.isfinite(latitude), levels=[0.5], extent=extent, colors=FAINT, linewidths=0.6)
    for line in lines or ():
        for part in getattr(line, "geoms", (line,)):
            import cartopy.crs as ccrs

            lon, lat = np.asarray(part.coords).T[:2]
            points = projection.transform_points(ccrs.PlateCarree(), lon, lat)
            axes.plot(points[:, 0], points[:, 1], color=INK, linewidth=0.4)
    axes.set_axis_off()


def score_chart(scores: pd.DataFrame, *, metric: str = "rmse_spatial", origin: str = "") -> Figure:
    """Return one panel a variable with each model's score, its 95 % interval, and the noise floor.

    Parameters
    ----------
    scores : DataFrame
        A result's score table.
    metric : str
        Which score to draw; it needs a floor.
    origin : str
        What the scores were made on, written below; it says so where that is simulated.

    Returns
    -------
    Figure
    """
    chosen = scores[scores["metric"] == metric]
    variables, models = list(dict.fromkeys(chosen["variable"])), list(dict.fromkeys(chosen["model"]))
    figure = Figure(figsize=(2.9 * len(variables) + 1.2, 0.42 * len(models) + 1.35), facecolor="white")
    FigureCanvasAgg(figure)
    panels = np.atleast_1d(figure.subplots(1, len(variables), sharey=True))
    for axes, variable in zip(panels, variables, strict=True):
        _draw_scores(axes, chosen[chosen["variable"] == variable].set_index("model"), models)
        label = LEXICON[variable].long_name if variable in LEXICON else variable
        axes.set_title(label, fontsize=9.5, color=INK, loc="left")
    panels[0].set_yticks(range(len(models)), models, fontsize=9)
    legend = "grey band: at or below the noise floor; bars: 95 % intervals"
    figure.text(0.99, 0.02, legend, ha="right", fontsize=7.5, color=FAINT)
    figure.text(0.01, 0.02, origin, fontsize=7.5, color=FAINT)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    return figure


def _draw_scores(axes: Any, rows: pd.DataFrame, models: list[str]) -> None:
    for place, model in enumerate(models):
        row = rows.loc[model]
        if np.isfinite(row["floor"]):
            axes.barh(place, row["floor"], height=0.72, color="#dddddd", zorder=1)
        if np.isfinite(row["low"]):
            axes.plot([row["low"], row["high"]], [place, place], color="#0b6e99", linewidth=2.4, zorder=2)
        axes.plot(row["value"], place, "o", color="#0b6e99", markersize=5.5, zorder=3)
    axes.set_xlim(left=0.0)
    axes.set_ylim(len(models) - 0.4, -0.6)
    axes.set_xlabel(f"RMSE spatial [{rows['units'].iloc[0]}]", fontsize=8.5, color=INK)
    axes.tick_params(labelsize=8, colors=INK, length=2)
    axes.spines[["top", "right", "left"]].set_visible(False)


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
