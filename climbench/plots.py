"""Maps of a target, its prediction and their difference, and a chart of scores, each with its noise floor."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from climbench.grids import goes_round, latitude_weights, longitude_gaps
from climbench.variables import LEXICON

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 700, 355
INK, FAINT, ACCENT = "#222222", "#888888", "#0b6e99"


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


def symmetric_limit(*fields: xr.DataArray) -> float:
    """Return a robust limit: the 99th percentile of the absolute values, rounded up to two digits."""
    values = np.concatenate([np.abs(f.values[np.isfinite(f.values)]).ravel() for f in fields])
    limit = float(np.percentile(values, 99)) if values.size else 1.0
    if limit <= 0.0:
        return 1.0
    step = 10.0 ** (np.floor(np.log10(limit)) - 1)
    return float(np.ceil(limit / step) * step)


def map_row(
    target: xr.DataArray,
    prediction: xr.DataArray,
    *,
    title: str,
    units: str,
    variable: str,
    lines: Sequence[np.ndarray] | None = None,
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
    lines : sequence of ndarray of shape (point, 2), optional
        Coastlines: longitude and latitude in degrees.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(12.0, 3.1), facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.012, 0.93, title, fontsize=11, fontweight="bold", color=INK, parse_math=False)
    error = prediction - target
    shared, own = symmetric_limit(target), symmetric_limit(error)
    weights = latitude_weights(target["latitude"])
    panels = (("target", target, shared), ("prediction", prediction, shared), ("prediction - target", error, own))
    for column, (name, field, limit) in enumerate(panels):
        axes = figure.add_axes((0.012 + 0.332 * column, 0.21, 0.315, 0.62))
        mean = float(field.weighted(weights).mean(("latitude", "longitude"))) + 0.0  # no negative zero
        draw_map(axes, field, (-limit, limit), colour_map(variable), lines)
        axes.set_title(f"{name}   (mean {mean:+.3g})", fontsize=9.5, color=INK, pad=4)
    for left, width, limit, label in ((0.18, 0.31, shared, units), (0.74, 0.19, own, f"difference, {units}")):
        bar_axes = figure.add_axes((left, 0.155, width, 0.035))
        scale = ScalarMappable(Normalize(-limit, limit), colour_map(variable))
        ticks = MaxNLocator(nbins=4, symmetric=True)
        bar = figure.colorbar(scale, cax=bar_axes, orientation="horizontal", extend="both", ticks=ticks)
        bar.ax.tick_params(labelsize=8, colors=INK, length=2)
        bar.set_label(label, fontsize=8.5, color=INK, labelpad=1)
        bar.outline.set_visible(False)
    return figure


def draw_map(
    axes: Any, field: xr.DataArray, limits: tuple[float, float], colours: str, lines: Sequence[np.ndarray] | None
) -> None:
    """Draw a field: a globe in the Robinson projection, a region with its own degrees on both axes.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    field : DataArray of shape (latitude, longitude)
        Its values.
    limits : tuple of float
        What the ends of the colours stand for.
    colours : str
        The colour map.
    lines : sequence of ndarray of shape (point, 2), optional
        Coastlines: longitude and latitude in degrees.
    """
    options = {"origin": "lower", "cmap": colours, "vmin": limits[0], "vmax": limits[1], "interpolation": "nearest"}
    if is_globe(field):
        import cartopy.crs as ccrs

        projection, _, latitude, extent = _robinson()
        axes.imshow(robinson_image(field), extent=extent, aspect="equal", **options)
        axes.contour(np.isfinite(latitude), levels=[0.5], extent=extent, colors=FAINT, linewidths=0.6)
        points = [projection.transform_points(ccrs.PlateCarree(), *line.T)[:, :2] for line in lines or ()]
        axes.add_collection(LineCollection(points, colors=INK, linewidths=0.4), autolim=False)
        axes.set_axis_off()
        return
    field, east = _westward(field.transpose("latitude", "longitude"))
    north = field["latitude"].values
    half = [0.5 * float(np.diff(x).mean()) for x in (east, north)]
    extent = (east[0] - half[0], east[-1] + half[0], north[0] - half[1], north[-1] + half[1])
    stretch = 1.0 / max(0.2, float(np.cos(np.deg2rad(north.mean()))))
    axes.imshow(field.values, extent=extent, aspect=stretch, **options)
    axes.add_collection(LineCollection(list(lines or ()), colors=INK, linewidths=0.4), autolim=False)
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])
    axes.tick_params(labelsize=7, colors=FAINT, length=2)


def is_globe(field: xr.DataArray) -> bool:
    """Return whether a field covers the globe, to within a row of the poles."""
    latitude = field["latitude"].values.astype("float64")
    step = float(np.diff(latitude).max()) if latitude.size > 1 else 0.0
    return bool(latitude[0] - step <= -90.0 and latitude[-1] + step >= 90.0 and goes_round(field["longitude"].values))


def _westward(field: xr.DataArray) -> tuple[xr.DataArray, np.ndarray]:
    """Return a region's field and its longitudes from -180 to 180, begun behind the gap where it has one."""
    longitude = field["longitude"].values.astype("float64")
    order = np.roll(np.arange(longitude.size), -int(longitude_gaps(longitude).argmax()) - 1)
    east = np.unwrap(longitude[order], period=360.0)
    return field.isel(longitude=order), east - 360.0 * np.ceil((east.max() - 180.0) / 360.0)


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
        What is missing (a model's score, an interval, a floor) is left out of it.
    """
    chosen = scores[scores["metric"] == metric]
    variables, models = list(dict.fromkeys(chosen["variable"])), list(dict.fromkeys(chosen["model"]))
    figure = Figure(figsize=(2.9 * len(variables) + 1.2, 0.42 * len(models) + 1.35), facecolor="white")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(variables), sharey=True, squeeze=False)[0]
    for axes, variable in zip(panels, variables, strict=True):
        _draw_scores(axes, chosen[chosen["variable"] == variable].set_index("model"), models)
        label = LEXICON[variable].long_name if variable in LEXICON else variable
        axes.set_title(label, fontsize=9.5, color=INK, loc="left", parse_math=False)
        axes.set_xlabel(
            f"{metric.replace('_', ' ').replace('rmse', 'RMSE')} [{_units(chosen, variable)}]", fontsize=8.5
        )
    panels[0].set_yticks(range(len(models)), models, fontsize=9, parse_math=False)
    legend = "grey band: at or below the noise floor; bars: 95 % intervals"
    figure.text(0.99, 0.02, legend, ha="right", fontsize=7.5, color=FAINT)
    figure.text(0.01, 0.02, origin, fontsize=7.5, color=FAINT, parse_math=False)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    return figure


def _units(scores: pd.DataFrame, variable: str) -> str:
    return str(scores.loc[scores["variable"] == variable, "units"].iloc[0])


def _draw_scores(axes: Any, rows: pd.DataFrame, models: Sequence[str]) -> None:
    for place, model in enumerate(models):
        if model not in rows.index:
            continue
        row = rows.loc[model]
        if np.isfinite(row["floor"]):
            axes.barh(place, row["floor"], height=0.72, color="#dddddd", zorder=1)
        if np.isfinite(row["low"]):
            axes.plot([row["low"], row["high"]], [place, place], color=ACCENT, linewidth=2.4, zorder=2)
        axes.plot(row["value"], place, "o", color=ACCENT, markersize=5.5, zorder=3)
    axes.set_xlim(left=0.0)
    axes.set_ylim(len(models) - 0.4, -0.6)
    axes.tick_params(labelsize=8, colors=INK, length=2)
    axes.spines[["top", "right", "left"]].set_visible(False)


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file's contents."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
