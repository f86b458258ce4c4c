"""Runs of projections. Each stage's result is kept, so that an interrupted run goes on from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from climbench import records
from climbench.cards import ModelCard
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
from climbench.progress import Progress
from climbench.records import Data, Predictions, Result, read_result
from climbench.run_directory import RunDirectory, writing

if TYPE_CHECKING:
    import xarray as xr

    from climbench.evaluate import OpenTask, Scored
    from climbench.recording import Cost
    from climbench.tasks.model_scores import EarthSystemModelsScorer
    from climbench.tasks.projection import ProjectionTask
    from climbench.tasks.projection_scores import ModelScores, ProjectionScorer


@dataclass
class Run:
    """One run's parts, handed from stage to stage."""

    opened: OpenTask
    models: list[ModelCard]
    preset: Preset
    seed: int
    folder: Path
    progress: Progress
    costs: dict[str, Cost] = field(default_factory=dict)
    training: dict[str, xr.Dataset] | None = None
    training_of: tuple[tuple[str, ...], tuple[str, ...]] | None = None


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
    """Run emulators on a projection task; see `climbench.harness.run`."""
    from climbench.evaluate import open_task

    progress = progress or Progress()
    folders = [Path(folder) for folder in include]
    opened = open_task(task, data, set, folders, progress.step)
    cards = [find_any_model(m, opened.card, folders) for m in models or opened.card.baselines]
    refuse_repeats(cards)
    progress.announce(opened.source.why)
    paths = [*opened.task.training_files(), *opened.task.target_files()]
    described = opened.source.data(paths)
    identity = run_identity(opened.card, cards, described, preset, seed)
    directory = directory_of(opened.card, identity, out)
    if not fresh and directory.finished(identity):
        return read_result(directory.path)
    with directory.work(identity, fresh=fresh, needed_bytes=50_000_000) as folder:
        work = Run(opened, cards, preset, seed, folder, progress)
        with writing(directory.path):
            _execute(work, described, identity)
    return read_result(directory.path)


def _execute(work: Run, data: Data, identity: str) -> None:
    from climbench.recording import write_record
    from climbench.tasks.model_scores import scorer_of

    work.progress.stage("reading the target")
    target = work.opened.task.target()
    scorer = scorer_of(work.opened.task, target)
    reference = work.opened.card.skill_against
    order = sorted(work.models, key=lambda card: card.name != reference)
    for card in order:
        _predict(work, card, target)
    scores = {card.name: _score(work, card, scorer) for card in work.models}
    work.training = None
    write_record(
        work.folder,
        work.opened,
        data,
        scores,
        target,
        identity=identity,
        costs=work.costs,
        extra={"seed": work.seed, "preset": work.preset, "models": [c.model_dump(mode="json") for c in work.models]},
        stage=work.progress.stage,
    )


def _predict(work: Run, card: ModelCard, target: xr.Dataset) -> None:
    """Fit a model, predict, and keep both; do nothing where the prediction is kept already."""
    from climbench.recording import Cost, write_store

    kept = kept_cost(work.folder, card.name)
    if kept is not None:
        work.costs[card.name] = kept
        return
    emulator = work.opened.task.emulator(lambda: load_emulator(card, work.preset))
    cost = work.costs[card.name] = Cost()
    work.progress.stage(f"{card.name}: fitting and predicting")
    if hasattr(emulator, "leave_one_out"):
        with timed(cost, "predict_seconds"), emulators_fault(card.name, "leave_one_out"):
            prediction = emulator.leave_one_out(target)
    else:
        prediction = _fit_and_predict(work, card, emulator, cost, target)
    attributes = {"task": work.opened.card.name, "model": card.name}
    if getattr(emulator, "zero_by_design", False):
        attributes[records.ZERO_ATTRIBUTE] = "true"
    write_store(prediction.assign_attrs(attributes), store_of(work.folder, card.name))
    keep_cost(work.folder, card.name, cost)


def _fit_and_predict(work: Run, card: ModelCard, emulator: Any, cost: Cost, target: xr.Dataset) -> xr.Dataset:
    from climbench.models.base import handshake

    task = work.opened.task
    offered, trainable = task.card.inputs, tuple(task.dataset.variables)
    inputs = handshake(emulator, card.name, offered=offered, trainable=trainable)
    wanted = tuple(dict.fromkeys((*task.card.targets, *getattr(emulator, "training_variables", ()))))
    train = _training(work, inputs, wanted)
    if hasattr(emulator, "progress"):
        emulator.progress = work.progress
    with timed(cost, "fit_seconds"), emulators_fault(card.name, "fit"):
        fit_emulator(task, emulator, train, inputs, wanted, seed=work.seed)
    cost.chosen = dict(getattr(emulator, "chosen", {}))
    save_fitted(work.folder, card.name, emulator)
    given = task.test_inputs(inputs, int(getattr(emulator, "history", 0)), target)
    with timed(cost, "predict_seconds"), emulators_fault(card.name, "predict"):
        members = work.opened.card.scoring.members if getattr(emulator, "ensemble", False) else 1
        prediction = emulator.predict(given, members=members, seed=work.seed)
    cost.parameters = getattr(emulator, "parameters", None)
    by_design = bool(getattr(emulator, "zero_by_design", False))
    return task.check_prediction(tested_years(prediction, target), target, card.name, zero_by_design=by_design)


def tested_years(prediction: Any, target: xr.Dataset) -> Any:
    """Return a prediction without the years before the tested ones, which emulators with a history may give too."""
    years = target["time"].values
    if not hasattr(prediction, "indexes") or not set(years.tolist()) <= set(prediction.indexes.get("time", ())):
        return prediction
    return prediction.sel(time=years)


def fit_emulator(
    task: ProjectionTask,
    emulator: Any,
    train: dict[str, xr.Dataset],
    inputs: tuple[str, ...],
    wanted: tuple[str, ...],
    *,
    seed: int,
) -> None:
    """Let an emulator choose its settings on folds, where it has any to choose, and fit it on everything."""
    validation = None
    published = task.card.setting == "as-published"
    if hasattr(emulator, "as_published"):
        emulator.as_published = published
    if hasattr(emulator, "choose"):
        if published:
            validation = task.as_published_validation(inputs, wanted, train)
        else:
            emulator.choose(task.folds(train), seed=seed)
    emulator.fit(train, validation, seed=seed)


def _training(work: Run, inputs: tuple[str, ...], wanted: tuple[str, ...]) -> dict[str, xr.Dataset]:
    """Return training data, read once for emulators that want the same."""
    if work.training is None or work.training_of != (inputs, wanted):
        work.training = None
        work.training = work.opened.task.training(
            inputs, wanted, progress=lambda name: work.progress.stage(f"reading {name}")
        )
        work.training_of = (inputs, wanted)
    return work.training


def _score(work: Run, card: ModelCard, scorer: ProjectionScorer | EarthSystemModelsScorer) -> ModelScores:
    work.progress.stage(f"{card.name}: scoring")
    stores = Predictions(work.folder / "predictions", [c.name for c in work.models])
    prediction = stores[card.name].load()
    if hasattr(load_emulator(card, work.preset), "leave_one_out"):
        return scorer.score_leave_one_out(card.name, prediction)
    against = work.opened.card.skill_against
    reference = stores[against].load() if against in stores else None
    why = f"'{against}' was not run; add --model {against}"
    return scorer.score(card.name, prediction, reference, why_no_skill=why)


def score(
    task: str | Path,
    predictions: str | Path,
    *,
    data: str | Path | None = None,
    set: Mapping[str, Any] | None = None,
    include: Sequence[str | Path] = (),
    out: str | Path | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Score a projection made anywhere; see `climbench.harness.score`."""
    from climbench import evaluate

    progress = progress or Progress()
    opened = evaluate.open_task(task, data, set, [Path(folder) for folder in include], progress.step)
    progress.announce(opened.source.why)
    progress.stage("scoring")
    scored = evaluate.score(opened, Path(predictions))
    if out is None:
        return scored.result()
    return _record_scored(scored, Path(predictions), RunDirectory(Path(out)), fresh, progress)


def _record_scored(scored: Scored, path: Path, directory: RunDirectory, fresh: bool, progress: Progress) -> Result:
    """Write the record of a scored file into a folder."""
    from climbench.recording import write_record, write_store

    assert scored.inspection.prediction is not None
    source = {"file": path.name, "sha256": records.fingerprint_files([path])}
    identity = identity_of(scored.opened.card, scored.data, {"predictions": source})
    if not fresh and directory.finished(identity):
        return read_result(directory.path)
    with directory.work(identity, fresh=fresh) as folder, writing(directory.path):
        prediction = scored.inspection.prediction
        prediction = prediction.mean("member", keep_attrs=True) if "member" in prediction.dims else prediction
        write_store(prediction, store_of(folder, scored.model))
        write_record(
            folder,
            scored.opened,
            scored.data,
            {scored.model: scored.scores},
            scored.target,
            identity=identity,
            costs={},
            extra={"scored_file": source, "notes": scored.result().notes},
            stage=progress.stage,
        )
    return read_result(directory.path)
