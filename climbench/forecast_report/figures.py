"""Decides which figures the scores of some forecasts allow, and says what each shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from climbench.coastlines import coastlines
from climbench.evaluate.forecasts import ForecastTask, ScoredForecast
from climbench.forecast_report.calibration import ByModel, rank_histograms, reliability_diagrams, says_something
from climbench.forecast_report.comparison import scorecards
from climbench.forecast_report.curves import lead_time_curves
from climbench.forecast_report.headlines import drawn_metrics, headline_hours, mapped_hours, rows_of
from climbench.forecast_report.map_rows import error_map_rows, shared_limits
from climbench.forecast_report.scorecard import Scorecard, draw_scorecards
from climbench.forecast_report.spectra import Spectra, draw_spectra
from climbench.forecast_report.style import palette
from climbench.plots import png
from climbench.records import score_table
from climbench.tasks.forecast.error_maps import error_maps
from climbench.tasks.forecast.scoring import Forecasts
from climbench.tasks.forecast.targets import Target

MOST_CURVES, MOST_PANELS, MOST_MAPS = 12, 6, 3  # variables in figures; the tables have all
SHOWN_LEADS = 3
Scored = Mapping[str, ScoredForecast]
Rows = Sequence[Mapping[str, Any]]
EVENT = re.compile(r"(.+)\.probabilities_above_(.+)")


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


@dataclass(frozen=True)
class Material:
    """What figures are made from, and what they have in common."""

    scored: Scored
    rows: Rows

    @property
    def task(self) -> ForecastTask:
        """The task that all forecasts were scored on."""
        return next(iter(self.scored.values())).task

    @property
    def origin(self) -> str:
        """What stands below figures: task, data, and whether they are simulated."""
        data = self.task.data
        return f"{self.task.card.name} on {data.name}" + (" (simulated data)" if data.kind == "simulated" else "")

    @property
    def colours(self) -> dict[str, str]:
        """The colour of each model."""
        return palette(list(self.scored), self.task.card.skill_against)

    @property
    def targets(self) -> list[str]:
        """The names of all fields that any forecast has."""
        return list(dict.fromkeys(t.name for part in self.scored.values() for t in part.scores.matched.targets))

    def statistic(self, key: str, axis: str) -> dict[str, xr.DataArray]:
        """Return means over initial times of a statistic with an axis of its own: (lead_time, axis), by model."""
        found = {}
        for model, part in self.scored.items():
            if key in part.scores.statistics:
                values = part.scores.statistics[key]
                values = values.isel(region=0) if "region" in values.dims else values
                found[model] = values.mean("init_time").rename({values.dims[-1]: axis})
        return found


Sketch = tuple[str, str, Figure]  # name, caption and figure


def figures(scored: Scored, rows: Rows) -> Iterator[Drawn]:
    """Yield all figures that the scores of some forecasts allow, one by one: together they may be large.

    Parameters
    ----------
    scored : mapping of str to ScoredForecast
        By model.
    rows : sequence of mapping
        The score table.

    Yields
    ------
    Drawn
    """
    material = Material(scored, rows)
    for part in (_curves, _scorecards, _spectra, _ranks, _reliability, _maps):
        for name, caption, figure in part(material):
            drawn = Drawn(re.sub(r"[^\w.-]+", "_", name), caption, png(figure))
            figure.clear()  # figures hold themselves in circles, and would pile up
            yield drawn


def _curves(material: Material) -> Iterator[Sketch]:
    card = material.task.card
    shown = rows_of(material.rows, card.regions[0])
    metrics = drawn_metrics(shown)
    chosen = dict(list(metrics.items())[:MOST_CURVES])
    if not chosen:
        return
    caption = f"Scores against lead time; region {card.regions[0]}."
    if any(row["low"] is not None for row in shown):
        caption += " Bands: 95 % intervals over initial times; two models meet the same weather, so that their "
        caption += "difference can be certain though their bands overlap."
    yield (
        "lead-times",
        caption + _first_of(chosen, metrics),
        lead_time_curves(
            score_table(shown), chosen, material.colours, reference=card.skill_against, origin=material.origin
        ),
    )


def _first_of(shown: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    return f" The first {len(shown)} of {len(whole)} variables." * (len(shown) < len(whole))


def _scorecards(material: Material) -> Iterator[Sketch]:
    cards = scorecards(material.scored)
    if cards:
        yield "scorecard", scorecard_caption(cards), draw_scorecards(cards, origin=material.origin)


def scorecard_caption(cards: Sequence[Scorecard]) -> str:
    """Return what a scorecard shows, and why cells were not tested."""
    text = (
        f"Difference of the main score from that of {cards[0].against}, over the initial times that both have. A dot: "
        "the paired t-test, corrected for the autocorrelation of successive forecasts, tells the two apart at 5 %, for "
        "each cell by itself. Without a dot it is a tie."
    )
    reasons = list(dict.fromkeys(reason for card in cards for reason in card.reasons))
    return text + (f" Not tested everywhere: {'; '.join(reasons)}." if reasons else "")


def _shown_leads(found: Mapping[str, ByModel]) -> list[float]:
    """Return a few lead times that all models of all variables have."""
    axes = [set(values["lead_time"].values.tolist()) for models in found.values() for values in models.values()]
    usual = headline_hours(sorted(hour for hour in set.intersection(*axes) if hour > 0.0))
    step = max(1, (len(usual) - 1) // (SHOWN_LEADS - 1))
    return usual[::step][:SHOWN_LEADS]


def _spectra(material: Material) -> Iterator[Sketch]:
    for name in ("power", "kinetic_energy"):
        found: dict[str, Spectra] = {}
        for target in material.targets:
            models, truths = (material.statistic(f"{target}.{part}{name}", "degree") for part in ("", "truth_"))
            if models:
                found[target] = models, truths
        chosen = dict(list(found.items())[:MOST_PANELS])
        hours = _shown_leads({target: models for target, (models, _) in chosen.items()}) if chosen else []
        if hours:
            caption = (
                f"{name.replace('_', ' ').capitalize()} at each degree of spherical harmonics, mean over initial times "
                "and members. A triangle, and the wavelength in the legend: down to there every degree has at least "
                "half of the truth's power (effective resolution)."
            )
            yield (
                f"spectra-{name}",
                caption + _first_of(chosen, found),
                draw_spectra(chosen, hours, material.colours, origin=material.origin),
            )


def _ranks(material: Material) -> Iterator[Sketch]:
    by_target = {target: material.statistic(f"{target}.rank_histogram", "rank") for target in material.targets}
    found = {target: models for target, models in by_target.items() if models}
    chosen = dict(list(found.items())[:MOST_PANELS])
    hours = _shown_leads(chosen) if chosen else []
    if hours:
        caption = (
            "Ranks of the truth among the members: level for a reliable ensemble, high at both ends where spread is "
            "too small, higher at one end where the ensemble is biased."
        )
        yield (
            "ranks",
            caption + _first_of(chosen, found),
            rank_histograms(chosen, hours, material.colours, origin=material.origin),
        )


def _reliability(material: Material) -> Iterator[Sketch]:
    keys = dict.fromkeys(str(key) for part in material.scored.values() for key in part.scores.statistics.data_vars)
    events = {f"{match[1]} > {match[2]}": key for key in keys if (match := EVENT.fullmatch(key))}
    by_event = {event: material.statistic(key, "probability") for event, key in events.items()}
    found = {event: models for event, models in by_event.items() if says_something(models)}
    chosen = dict(list(found.items())[:MOST_PANELS])
    hours = _shown_leads(chosen) if chosen else []
    if hours:
        caption = (
            "How often events occurred against how probable they were said to be, by tenths of probability; on the "
            "diagonal forecasts are reliable. The area of a disc is the share of forecasts with such a probability; "
            "tenths with less than a thousandth of them are left out."
        )
        yield (
            "reliability",
            caption + _first_of(chosen, found),
            reliability_diagrams(chosen, hours, material.colours, origin=material.origin),
        )


def _maps(material: Material) -> Iterator[Sketch]:
    opened = {
        model: Forecasts.open(part.task.card, part.task.dataset, part.task.places(part.forecast))
        for model, part in material.scored.items()
    }
    for name in material.targets[:MOST_MAPS]:
        maps = {model: found for model, forecasts in opened.items() for found in _error_maps(forecasts, name)}
        limits = shared_limits([found for found, _ in maps.values()])
        for model, (found, target) in maps.items():
            inits, whole = found.attrs["inits"], opened[model].matched.inits.size
            over = f"over {inits} initial times" if inits == whole else f"over {inits} of {whole} initial times"
            figure = error_map_rows(
                found,
                title=f"{name}: {model}, {over}",
                units=opened[model].units(target),
                variable=target.variable,
                lines=coastlines()[0],
                limits=limits,
                origin=material.origin,
            )
            caption = f"Where {model} errs: {name}, {over}."
            if inits < whole:
                caption += " Fewer are read for maps than for scores: the two need not agree to the last digit."
            yield f"maps-{model}-{name}", caption, figure


def _error_maps(forecasts: Forecasts, name: str) -> Iterator[tuple[xr.Dataset, Target]]:
    """Yield a forecast's maps of one target, if it has it at any lead time."""
    hours = mapped_hours(forecasts.matched.leads.tolist())
    for target in forecasts.matched.targets if hours else ():
        if target.name == name:
            yield error_maps(forecasts, target, hours), target
