"""Runs of forecasters: fitted on the training period, asked from every initial time, scored as anyone's forecasts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from climbench import records
from climbench.cards import ForecastCard, ModelCard
from climbench.cluster import THREADS, cluster
from climbench.errors import ModelError
from climbench.harness.stages import (
    directory_of,
    emulators_fault,
    identity_of,
    keep_cost,
    kept_cost,
    refuse_repeats,
    run_identity,
    save_fitted,
    store_of,
    timed,
)
from climbench.models import Preset, find_any_model, load_emulator
from climbench.models.corrected import CorrectedForecaster
from climbench.models.step_corrections import StepCorrections
from climbench.progress import Progress
from climbench.records import Result, read_result
from climbench.run_directory import RECORD, RunDirectory, write_text, writing

if TYPE_CHECKING:
    import xarray as xr

    from climbench.evaluate.forecasts import ForecastTask, ScoredForecast
    from climbench.recording import Cost


@dataclass
class Run:
    """One run's parts, handed from stage to stage."""

    task: ForecastTask
    models: list[ModelCard]
    preset: Preset
    seed: int
    folder: Path
    progress: Progress
    costs: dict[str, Cost] = field(default_factory=dict)


def run(
    task: str | Path,
    models: Sequence[str | ModelCard] | None = None,
    *,
    data: str | Path | None = None,
    set: Mapping[str, Any] | None = None,
    preset: Preset = "standard",
    include: Sequence[str | Path] = (),
    seed: int = 0,
    out: str | Path | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Run forecasters on a forecast task; see `climbench.harness.run`."""
    from climbench.evaluate.forecasts import open_forecast_task

    progress = progress or Progress()
    folders = [Path(folder) for folder in include]
    opened = open_forecast_task(task, data, set, folders, progress.step)
    cards = [find_any_model(m, opened.card, folders) for m in models or opened.card.baselines]
    refuse_repeats(cards)
    progress.announce(origin(opened))
    identity = run_identity(opened.card, cards, opened.data, preset, seed)
    directory = directory_of(opened.card, identity, out)
    if not fresh and directory.finished(identity):
        return read_result(directory.path)
    with directory.work(identity, fresh=fresh, needed_bytes=50_000_000) as folder, writing(directory.path):
        _execute(Run(opened, cards, preset, seed, folder, progress), identity)
    return read_result(directory.path)


def origin(opened: ForecastTask) -> str:
    """Return one line that says what truth is scored against."""
    kind = "SIMULATED DATA" if opened.data.kind == "simulated" else "Data"
    return f"{kind}: {opened.truth}, in the names and units of {opened.dataset.name}."


def _execute(work: Run, identity: str) -> None:
    from climbench.evaluate.forecasts import score_forecast

    for card in work.models:
        _predict(work, card)
    scored = {}
    for name in [name for card in work.models for name in card.names]:
        work.progress.stage(f"{name}: scoring")
        store = store_of(work.folder, name)
        scored[name] = score_forecast(work.task, store, model=name, progress=work.progress.step)
    extra = {"seed": work.seed, "preset": work.preset, "models": [c.model_dump(mode="json") for c in work.models]}
    _record(work.folder, scored, identity, work.costs, extra, work.progress)


def _predict(work: Run, card: ModelCard) -> None:
    """Fit a forecaster, let it forecast, and keep both; do nothing where the forecasts are kept already.

    With correctors it forecasts without them, too.
    """
    kept = {name: cost for name in card.names if (cost := kept_cost(work.folder, name)) is not None}
    if len(kept) == len(card.names):
        work.costs |= kept
        return
    truth = work.task.open_truth()
    corrections = corrections_of(card, work.task.card, truth)
    forecaster, cost = _fitted(work, card, truth, corrections)
    for name in card.names:
        asked = forecaster
        if corrections is not None and name == card.name:
            asked = CorrectedForecaster(forecaster, corrections)
        _forecast(work, name, asked, truth, replace(cost))


def corrections_of(card: ModelCard, task: ForecastCard, truth: xr.Dataset) -> StepCorrections | None:
    """Return the correctors that a model's card asks for, made for a task's variables; None where it asks for none.

    Raises
    ------
    ModelError
        If they need what is not forecast.
    """
    from climbench.tasks.forecast.task import training

    if card.correct is None:
        return None
    try:
        return StepCorrections.of(card.correct, training(task, truth)[0]["train"], truth)
    except ModelError as error:
        raise ModelError(f"'{card.name}': {error}") from None


def _fitted(work: Run, card: ModelCard, truth: xr.Dataset, corrections: StepCorrections | None) -> tuple[Any, Cost]:
    """Return a fitted forecaster, which is kept, and what it cost."""
    from climbench.recording import Cost
    from climbench.tasks.forecast.task import handshake, leads_of, training

    forecaster = load_emulator(card, work.preset)
    handshake(forecaster, card.name)
    cost = Cost()
    if corrections is not None and card.correct is not None and card.correct.training:
        if not hasattr(forecaster, "corrects_steps"):
            raise ModelError(
                f"'{card.name}' is no network that steps: it cannot be corrected in training, only its forecasts can. "
                "Leave training out of 'correct'."
            )
        forecaster.corrections = corrections
    if corrections is not None and not getattr(forecaster, "corrects_steps", False):
        try:
            corrections.require_steps(leads_of(work.task.card))
        except ModelError as error:
            raise ModelError(f"'{card.name}': {error}") from None
    if hasattr(forecaster, "progress"):
        forecaster.progress = work.progress
    checkpoints = work.folder / "checkpoints"
    if hasattr(forecaster, "checkpoints"):
        forecaster.checkpoints = checkpoints / card.name
    work.progress.stage(f"{card.name}: fitting")
    train, validation = training(work.task.card, truth, forecaster)
    with timed(cost, "fit_seconds"), emulators_fault(card.name, "fit"):
        forecaster.fit(train, validation, seed=work.seed)
    if hasattr(forecaster, "corrects_steps"):
        forecaster.corrections = None
    cost.chosen = dict(getattr(forecaster, "chosen", {}))
    save_fitted(work.folder, card.name, forecaster)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return forecaster, cost


def _forecast(work: Run, name: str, forecaster: Any, truth: xr.Dataset, cost: Cost) -> None:
    """Let a fitted forecaster forecast under a name, and keep what it says and cost."""
    from climbench.tasks.forecast.task import forecast_into

    work.costs[name] = cost
    work.progress.stage(f"{name}: forecasting")
    with timed(cost, "predict_seconds"), emulators_fault(name, "predict"):
        forecast_into(
            store_of(work.folder, name),
            forecaster,
            work.task.card,
            truth,
            seed=work.seed,
            attributes={"task": work.task.card.name, "model": name},
            told=lambda done, total: work.progress.step(f"{name}: forecasting", done, total),
        )
    cost.parameters = getattr(forecaster, "parameters", None)
    keep_cost(work.folder, name, cost)


def _record(
    folder: Path,
    scored: Mapping[str, ScoredForecast],
    identity: str,
    costs: Mapping[str, Cost],
    extra: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Write scores with their intervals, statistics, card, report and, last, provenance."""
    from climbench.forecast_report import write_forecast_report
    from climbench.recording import provenance, write_scores
    from climbench.tasks.forecast.intervals import with_intervals
    from climbench.tasks.forecast.profiles import PROFILES

    first = next(iter(scored.values()))
    profile = PROFILES[first.task.card.profile]
    rows = [
        row
        for part in scored.values()
        for row in with_intervals(part.rows, part.scores.statistics, profile, part.scores.members)
    ]
    write_scores(folder, first.task.card, rows, {model: part.scores.statistics for model, part in scored.items()})
    stores = sorted((folder / "predictions").glob("*.zarr"))
    modified = any(part.modified for part in scored.values())
    record = {
        **provenance(first.task.card, first.task.data, identity=identity, modified=modified, costs=costs),
        "predictions": [store.stem for store in stores],
        "notes": list(dict.fromkeys(_notes(scored))),
        "physics": records.physics_section({model: part.scores.impossible for model, part in scored.items()}),
        **extra,
    }
    progress.stage("writing the report")
    write_forecast_report(folder, first.task, scored, rows, record)
    write_text(folder / RECORD, json.dumps(record, indent=1, allow_nan=False))


def _notes(scored: Mapping[str, ScoredForecast]) -> Iterator[str]:
    """Yield notes; those that hold for one model of several bear its name."""
    shared = set.intersection(*(set(part.notes) for part in scored.values()))
    for model, part in scored.items():
        for note in part.notes:
            yield note if note in shared else f"{model}: {note}"


def score(
    task: str | Path,
    predictions: str | Path,
    *,
    data: str | Path | None = None,
    set: Mapping[str, Any] | None = None,
    include: Sequence[str | Path] = (),
    out: str | Path | None = None,
    fresh: bool = False,
    scheduler: str | None = THREADS,
    progress: Progress | None = None,
) -> Result:
    """Score a forecast made anywhere; see `climbench.harness.score`."""
    from climbench.evaluate.forecasts import open_forecast_task, score_forecast

    progress = progress or Progress()
    opened = open_forecast_task(task, data, set, [Path(folder) for folder in include], progress.step)
    progress.announce(origin(opened))
    progress.stage("scoring")
    with nullcontext() if scheduler == THREADS else cluster(scheduler) as client:
        scored = score_forecast(opened, predictions, client=client, progress=progress.step)
    if out is None:
        return scored.result()
    directory = RunDirectory(Path(out))
    statistics = scored.scores.statistics.drop_vars("region")  # names of regions are on the card
    content = records.fingerprint_arrays({str(name): part.values for name, part in statistics.variables.items()})
    identity = identity_of(opened.card, opened.data, {"forecast": str(predictions), "statistics": content})
    if not fresh and directory.finished(identity):
        return read_result(directory.path)
    with directory.work(identity, fresh=fresh) as folder, writing(directory.path):
        _record(folder, {scored.model: scored}, identity, {}, {"scored_file": str(predictions)}, progress)
    return read_result(directory.path)
