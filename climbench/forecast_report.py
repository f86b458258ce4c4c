"""The report of forecasts: scores against lead time, a scorecard with its certainty, spectra, ranks and maps.

Everything but the maps is drawn from what a run keeps: the score table and the statistics of every initial time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from climbench import forecast_plots as plots
from climbench.cards import ForecastCard
from climbench.coastlines import coastlines
from climbench.evaluate.forecasts import ForecastTask, ScoredForecast
from climbench.metrics.autoregression import steps_between
from climbench.metrics.paired import paired_t_test
from climbench.plots import png
from climbench.records import score_table
from climbench.report import filled, picture
from climbench.tasks.forecast.error_maps import error_maps
from climbench.tasks.forecast.metrics import Metric
from climbench.tasks.forecast.profiles import PROFILES
from climbench.tasks.forecast.scoring import Forecasts

MAIN = ("crps_fair", "rmse", "wind_vector_rmse")  # the first that a variable has is what the scorecard shows
DRAWN_BESIDE = ("rmse", "acc")
HEADLINE = (24.0, 72.0, 120.0, 168.0, 240.0, 360.0, 720.0, 1056.0)
MAPPED = 3  # variables that maps are drawn of
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Drawn:
    """A figure with what is said of it.

    Attributes
    ----------
    name : str
        Of its file.
    caption : str
        Stands below it.
    picture : bytes
        PNG.
    """

    name: str
    caption: str
    picture: bytes


def figures(scored: Mapping[str, ScoredForecast], rows: Sequence[Mapping[str, Any]]) -> list[Drawn]:
    """Return all figures that the scores of some forecasts allow.

    Parameters
    ----------
    scored : mapping of str to ScoredForecast
        By model.
    rows : sequence of mapping
        The score table.

    Returns
    -------
    list of Drawn
    """
    task = next(iter(scored.values())).task
    origin = f"{task.card.name} on {task.data.name}" + (" (simulated data)" if task.data.kind == "simulated" else "")
    found: list[Drawn] = []
    table = score_table([row for row in rows if row["region"] == task.card.regions[0]])
    metrics = drawn_metrics(table)
    if metrics:
        chart = plots.lead_time_curves(table, metrics, origin=origin)
        found.append(_kept(chart, "lead-times", f"Scores against lead time; region {task.card.regions[0]}."))
    cards = scorecards(scored)
    if cards:
        words = (
            f"Difference of the main score from that of {task.card.skill_against}. A dot: the paired t-test, corrected "
            "for the autocorrelation of successive forecasts, tells the two apart at 5 %; without a dot it is a tie."
        )
        found.append(_kept(plots.scorecard(cards, origin=origin), "scorecard", words))
    found += _spectra(scored, origin)
    found += _ranks(scored, origin)
    return [*found, *_maps(scored, origin)]


def _kept(figure: Figure, name: str, caption: str) -> Drawn:
    return Drawn(name, caption, png(figure))


def drawn_metrics(table: Any) -> dict[str, list[str]]:
    """Return which metrics are drawn against lead time, by variable."""
    found: dict[str, list[str]] = {}
    for variable in dict.fromkeys(table["variable"]):
        there = set(table[table["variable"] == variable]["metric"])
        main = next((name for name in MAIN if name in there), None)
        names = [name for name in dict.fromkeys([main, *DRAWN_BESIDE]) if name is not None and name in there]
        found[str(variable)] = names or sorted(map(str, there))[:1]
    return found


def headline_hours(hours: Sequence[float]) -> list[float]:
    """Return the lead times of the usual scorecards, or up to five evenly spaced ones where there are none or one."""
    usual = [hour for hour in HEADLINE if hour in hours]
    if len(usual) > 1:
        return usual
    places = np.unique(np.linspace(0, len(hours) - 1, min(5, len(hours))).round().astype(int))
    return [float(hours[n]) for n in places]


def scorecards(scored: Mapping[str, ScoredForecast]) -> list[plots.Scorecard]:
    """Return each model's scorecard against the task's reference; none where that was not scored."""
    task = next(iter(scored.values())).task
    against = task.card.skill_against
    if against not in scored:
        return []
    return [c for m, part in scored.items() if m != against for c in [_scorecard(m, part, scored[against])] if c.rows]


def _scorecard(model: str, ours: ScoredForecast, theirs: ScoredForecast) -> plots.Scorecard:
    shared = [float(hour) for hour in ours.scores.matched.leads if hour in theirs.scores.matched.leads and hour > 0.0]
    hours = shared if len(shared) <= 20 else headline_hours(shared)
    rows, relative, significant = [], [], []
    for target in ours.scores.matched.targets:
        pair = _main_pair(target.name, ours, theirs)
        if pair is not None:
            name, metric, mine, other = pair
            values, certain = _compared(
                target.name, metric, mine.sel(lead_time=hours), other.sel(lead_time=hours), ours, theirs
            )
            rows.append(f"{target.name}  {name}")
            relative.append(values)
            significant.append(certain)
    return plots.Scorecard(
        model, theirs.model, rows, hours, np.array(relative), np.array(significant, dtype=bool).reshape(len(rows), -1)
    )


def _main_pair(
    target: str, ours: ScoredForecast, theirs: ScoredForecast
) -> tuple[str, Metric, xr.Dataset, xr.Dataset] | None:
    """Return the main metric of a target with both models' statistics of it, over the initial times that both have."""
    profile = PROFILES[ours.task.card.profile]
    for name in MAIN:
        metric = profile.metric(name)
        keys = [f"{target}.{s}" for s in metric.statistics]
        if all(key in part.scores.statistics for key in keys for part in (ours, theirs)):
            parts = xr.align(*(p.scores.statistics[keys] for p in (ours, theirs)), join="inner", exclude=["lead_time"])
            return name, metric, parts[0].isel(region=0), parts[1].isel(region=0)
    return None


def _compared(
    target: str, metric: Metric, mine: xr.Dataset, other: xr.Dataset, ours: ScoredForecast, theirs: ScoredForecast
) -> tuple[np.ndarray, np.ndarray]:
    """Return relative differences and whether they are significant, of shape (lead,)."""
    members = [part.scores.members.get(target, 1) for part in (ours, theirs)]
    first, second = (
        metric.prepared({s: data[f"{target}.{s}"].values for s in metric.statistics}, count)
        for data, count in zip((mine, other), members, strict=True)
    )
    steps = steps_between(mine["init_time"].values) if metric.prepare is None else None
    test = paired_t_test(
        first,
        second,
        lambda means: metric.score(means, members[0]),
        reference_score=lambda means: metric.score(means, members[1]),
        steps=steps,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = test.score / test.reference_score - 1.0
    return relative if metric.best != "high" else -relative, test.p <= SIGNIFICANT


def _statistic(scored: Mapping[str, ScoredForecast], key: str, axis: str) -> dict[str, xr.DataArray]:
    """Return means over initial times of a statistic with an axis of its own, of shape (lead_time, axis), by model."""
    found = {}
    for model, part in scored.items():
        if key in part.scores.statistics:
            values = part.scores.statistics[key]
            values = values.isel(region=0) if "region" in values.dims else values
            found[model] = values.mean("init_time").rename({values.dims[-1]: axis})
    return found


def _targets(scored: Mapping[str, ScoredForecast]) -> list[str]:
    return list(dict.fromkeys(t.name for part in scored.values() for t in part.scores.matched.targets))


def _spectra(scored: Mapping[str, ScoredForecast], origin: str) -> Iterator[Drawn]:
    for target in _targets(scored):
        for name in ("power", "kinetic_energy"):
            power = _statistic(scored, f"{target}.{name}", "degree")
            truth = _statistic(scored, f"{target}.truth_{name}", "degree")
            if power and truth:
                first = next(iter(truth.values()))
                hours = headline_hours(first["lead_time"].values.tolist())[:3]
                figure = plots.spectra(power, first, hours, title=target, origin=origin)
                caption = (
                    f"{name.replace('_', ' ')} of {target} at each degree of spherical harmonics, mean of members."
                )
                yield _kept(figure, f"spectra-{target}", caption)


def _ranks(scored: Mapping[str, ScoredForecast], origin: str) -> Iterator[Drawn]:
    for target in _targets(scored):
        shares = _statistic(scored, f"{target}.rank_histogram", "rank")
        if shares:
            hours = headline_hours(next(iter(shares.values()))["lead_time"].values.tolist())[:3]
            figure = plots.rank_histograms(shares, hours, title=target, origin=origin)
            yield _kept(figure, f"ranks-{target}", f"Ranks of the truth among the members, {target}: flat if reliable.")


def _maps(scored: Mapping[str, ScoredForecast], origin: str) -> Iterator[Drawn]:
    lines, _ = coastlines()
    for model, part in scored.items():
        opened = Forecasts.open(part.task.card, part.task.dataset, part.task.places(part.forecast))
        for target in opened.matched.targets[:MAPPED]:
            hours = [h for h in headline_hours(opened.matched.leads.tolist()) if h > 0.0][:4]
            maps = error_maps(opened, target, hours)
            title = f"{target.name}: {model}; {origin}; {maps.attrs['inits']} initial times"
            figure = plots.error_map_rows(
                maps, title=title, units=opened.units(target), variable=target.variable, lines=lines
            )
            caption = f"Where {model} errs: {target.name}, mean error and root mean square error."
            yield _kept(figure, f"maps-{model}-{target.name}", caption)


def table_lines(rows: Sequence[Mapping[str, Any]], region: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the score table at the headline lead times.

    Parameters
    ----------
    rows : sequence of mapping
        The score table.
    region : str
        Whose rows.

    Returns
    -------
    heads : list of str
        Lead times.
    groups : list of dict
        ``variable`` and ``lines``, each with ``metric``, ``model``, ``units`` and ``cells``.
    """
    chosen = [row for row in rows if row["region"] == region]
    hours = headline_hours(sorted({row["lead_time"] for row in chosen}))
    groups: dict[str, dict[tuple[str, str], dict[float, Mapping[str, Any]]]] = {}
    for row in chosen:
        groups.setdefault(row["variable"], {}).setdefault((row["metric"], row["model"]), {})[row["lead_time"]] = row
    found = []
    for variable, metrics in groups.items():
        lines = []
        order = list(dict.fromkeys(metric for metric, _ in metrics))
        for metric, model in sorted(metrics, key=lambda key: order.index(key[0])):
            by_lead = metrics[metric, model]
            units = next(iter(by_lead.values()))["units"]
            cells = [_number(by_lead.get(hour, {}).get("value")) for hour in hours]
            lines.append({"metric": metric, "model": model, "units": "" if units == "1" else units, "cells": cells})
        found.append({"variable": variable, "lines": lines})
    return [f"{hour / 24:g} d" for hour in hours], found


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _fixed(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def definitions(card: ForecastCard, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what each metric of a table means, with what its profile does otherwise."""
    profile = PROFILES[card.profile]
    found = {}
    for name in dict.fromkeys(row["metric"] for row in rows):
        text = PROFILES["standard"].metric(name).definition
        found[name] = text + (f"; {profile.title}: {profile.quirks[name]}" if name in profile.quirks else "")
    return found


def write_forecast_report(
    folder: Path,
    task: ForecastTask,
    scored: Mapping[str, ScoredForecast],
    rows: Sequence[Mapping[str, Any]],
    record: Mapping[str, Any],
) -> None:
    """Draw figures into a run's folder, and write its report.

    Parameters
    ----------
    folder : Path
        The run's.
    task : ForecastTask
        What was scored.
    scored : mapping of str to ScoredForecast
        By model.
    rows : sequence of mapping
        The score table.
    record : mapping
        The run's provenance.
    """
    drawn = figures(scored, rows)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for figure in drawn:
        (folder / "figures" / f"{figure.name}.png").write_bytes(figure.picture)
    heads, groups = table_lines(rows, task.card.regions[0])
    page = filled(
        "forecast_report.html.j2",
        task=task,
        record=record,
        heads=heads,
        groups=groups,
        simulated=task.data.kind == "simulated",
        definitions={**definitions(task.card, rows), **task.card.definitions},
        profile=PROFILES[task.card.profile],
        pictures=[(figure.caption, picture(figure.picture)) for figure in drawn],
        number=_fixed,
    )
    (folder / "report.html").write_text(page, encoding="utf-8")
