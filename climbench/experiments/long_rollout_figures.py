"""The figures of long roll-outs: range and global mean by step, spectra, and maps of a last state beside a truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from climbench.evaluate.forecasts import ForecastTask
from climbench.experiments.long_rollout_budget_figure import CAPTION, budgets_figure
from climbench.experiments.long_rollout_tables import DEGREES, FACTOR, JUDGED, WITHIN, Measured
from climbench.experiments.long_rollout_truth import Truth, names_of, stacked
from climbench.forecast_report.style import COLOURS, legend_above, panels, say_origin, tidy
from climbench.plots import FAINT, INK, draw_map
from climbench.tasks.forecast.task import state_of

MOST = 6  # fields a figure
Named = tuple[str, str, Figure]


def figures(
    folder: Path,
    on: ForecastTask,
    truth: Truth,
    tables: Mapping[str, pd.DataFrame],
    runs: Mapping[str, Measured],
    units: Sequence[str],
    hours: float,
    origin: str,
) -> Iterator[Named]:
    """Yield name, caption and figure; of more than six fields some levels of each variable are drawn.

    Parameters
    ----------
    folder : Path
        Where the states are.
    on : ForecastTask
        Task and data.
    truth, tables, runs, units
        As `climbench.experiments.long_rollout_record.write_rollout` has them.
    hours : float
        Of a step.
    origin : str
        Written below each figure.
    """
    states = state_of(on.card, on.open_truth())
    places = shown(states)
    if len(tables["budgets"]):
        yield "budgets", CAPTION, budgets_figure(tables["budgets"], list(runs), hours, origin)
    for kind, caption in (
        ("range", "Lowest and highest value of all starts; grey: the truth's range; dashed: 1.5 times that"),
        ("mean", "Global mean over starts that have not blown up; dashed: the truth's mean"),
    ):
        yield kind, caption, _by_step(kind, places, truth, tables["steps"], units, hours, origin)
    if truth.power is not None and len(tables["spectra"]):
        said = f"Power over the truth's mean power; grey: within a factor of 2, degrees {DEGREES[0]} to {DEGREES[1]}"
        yield "spectra", said, _spectra(places, truth, tables["spectra"], origin)
    yield (
        "maps",
        "Left the truth at the first start, then the last state of each run from there",
        _maps(folder, states, places, truth, runs, units, origin),
    )


def shown(state: xr.Dataset) -> list[int]:
    """Return which fields of a state are drawn: of many, as many levels of each variable as there is room for."""
    counts = [array.sizes.get("level", 1) for array in state.data_vars.values()]
    if sum(counts) <= MOST:
        return list(range(sum(counts)))
    each = max(1, MOST // len(counts))
    chosen, first = [], 0
    for count in counts:
        inner = np.linspace(0, count - 1, min(each, count) + 2)[1:-1].round().astype(int)
        chosen += [int(first + level) for level in np.unique(inner)]
        first += count
    return chosen[:MOST]


def _grid(count: int) -> tuple[Figure, list[Any]]:
    columns = min(2, count)
    figure, axes = panels(-(-count // columns), columns, width=4.6, height=2.5)
    flat = list(axes.ravel())
    for unused in flat[count:]:
        unused.set_axis_off()
    return figure, flat[:count]


def _by_step(
    kind: str,
    places: Sequence[int],
    truth: Truth,
    steps: pd.DataFrame,
    units: Sequence[str],
    hours: float,
    origin: str,
) -> Figure:
    figure, axes = _grid(len(places))
    for place, panel in zip(places, axes, strict=True):
        name = truth.names[place]
        here = steps[steps["variable"] == name]
        for colour, (run, rows) in zip(COLOURS, here.groupby("run", sort=False), strict=False):
            days = rows["step"] * hours / 24.0
            for column in ("low", "high") if kind == "range" else ("mean",):
                label = str(run) if column != "low" else None
                panel.plot(days, rows[column], color=colour, linewidth=0.9, label=label)
        if kind == "range":
            middle, half = 0.5 * (truth.low + truth.high)[place], 0.5 * (truth.high - truth.low)[place]
            panel.axhspan(truth.low[place], truth.high[place], color="#e3e6e9", zorder=0)
            for sign in (-1.0, 1.0):
                panel.axhline(middle + sign * WITHIN * half, color=FAINT, linestyle="--", linewidth=0.8)
            # A start that blows up would leave nothing to be seen of the others.
            low, high = max(here["low"].min(), middle - 3 * half), min(here["high"].max(), middle + 3 * half)
            panel.set_ylim(min(low, middle - 1.7 * half), max(high, middle + 1.7 * half))
        else:
            panel.axhline(truth.mean[place], color=FAINT, linestyle="--", linewidth=0.8)
        tidy(panel, f"{name} [{units[place]}]", below="days", left=kind)
    legend_above(figure, axes[0].get_legend_handles_labels()[1])
    say_origin(figure, origin)
    return figure


def _spectra(places: Sequence[int], truth: Truth, spectra: pd.DataFrame, origin: str) -> Figure:
    figure, axes = _grid(len(places))
    last = spectra["step"].max()
    shown = [step for step in (1, JUDGED, last) if step in set(spectra["step"])]
    shades = dict(zip(dict.fromkeys(shown), ("0.4", "0.7", "1.0"), strict=False))
    for place, panel in zip(places, axes, strict=True):
        here = spectra[(spectra["variable"] == truth.names[place]) & (spectra["degree"] > 0)]
        for colour, run in zip(COLOURS, dict.fromkeys(spectra["run"]), strict=False):
            for step, shade in shades.items():
                rows = here[(here["run"] == run) & (here["step"] == step)]
                label = f"{run}, step {step}"
                panel.plot(rows["degree"], rows["ratio"], color=colour, alpha=float(shade), linewidth=1.3, label=label)
        panel.fill_between(DEGREES, 1.0 / FACTOR, FACTOR, color="#e3e6e9", zorder=0)
        panel.axhline(1.0, color=FAINT, linewidth=0.8)
        panel.set_yscale("log")
        low, high = panel.get_ylim()
        panel.set_ylim(max(low, 1e-3), min(high, 1e3))
        tidy(panel, truth.names[place], below="degree", left="power ratio")
        panel.tick_params(which="minor", labelsize=7, colors=INK)
    legend_above(figure, axes[0].get_legend_handles_labels()[1])
    say_origin(figure, origin)
    return figure


def _maps(
    folder: Path,
    states: xr.Dataset,
    places: Sequence[int],
    truth: Truth,
    runs: Mapping[str, Measured],
    units: Sequence[str],
    origin: str,
) -> Figure:
    figure, axes = panels(len(places), 1 + len(runs), width=4.2, height=2.2)
    for column, run in enumerate(["", *runs]):
        if run:
            blown = int(runs[run]["blown"][0])
            last = blown - 1 if blown else len(runs[run]["low"])
            with xr.open_zarr(folder / run / "states.zarr", consolidated=False) as written:
                inits = written["time"].values
                state = written.isel(time=0, prediction_timedelta=max(0, last - 1)).load()
            title = f"{run}, step {max(1, last)}" + (f" (blows up at {blown})" if blown else "")
        else:
            with xr.open_zarr(folder / next(iter(runs)) / "states.zarr", consolidated=False) as written:
                inits = written["time"].values
            state, title = states.sel(time=inits[0]).load(), "truth"
        assert names_of(state[list(states.data_vars)]) == truth.names
        fields = stacked(state[list(states.data_vars)])
        for row, place in enumerate(places):
            field = xr.DataArray(
                fields[place],
                {d: states[d].values for d in ("latitude", "longitude")},
                ("latitude", "longitude"),
            )
            panel = axes[row, column]
            limits = (float(truth.low[place]), float(truth.high[place]))
            draw_map(panel, field, limits, "viridis", None)
            said = f"{truth.names[place]} [{units[place]}], {limits[0]:.3g} to {limits[1]:.3g}" if not run else ""
            panel.set_title(f"{title}\n{said}" if not run else f"{title}\n", fontsize=8, loc="left", parse_math=False)
    say_origin(figure, origin)
    return figure
