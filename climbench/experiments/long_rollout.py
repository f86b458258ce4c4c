"""Long roll-outs of a forecaster that a run has fitted: does it stay finite, within range, without drift, and sharp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from climbench import records
from climbench.cards import UNCORRECTED, ForecastCard
from climbench.errors import RunError, did_you_mean
from climbench.evaluate.forecasts import ForecastTask, find_forecast_task
from climbench.experiments.compare_forecast_runs import is_forecast_run
from climbench.experiments.long_rollout_limiter import SpectralLimiter
from climbench.experiments.long_rollout_record import RolloutResult, read_rollout, write_rollout
from climbench.experiments.long_rollout_steps import Rollout
from climbench.experiments.long_rollout_tables import JUDGED
from climbench.experiments.long_rollout_truth import Truth
from climbench.harness import emulators_fault, source_fingerprint
from climbench.harness.forecasts import corrections_of
from climbench.models import find_any_model
from climbench.models.forecasting.steps import step_of
from climbench.models.step_corrections import StepCorrections
from climbench.progress import Progress
from climbench.registry import load_object
from climbench.run_directory import RunDirectory, writing
from climbench.tasks.forecast.task import (
    history_of,
    startable,
    state_of,
    states_at,
    static_of,
    training,
    vertical_of,
)

Limiter = Literal["spectral"]
CAP = 1.2  # times the largest power in the training period


def long_rollout(
    run: str | Path,
    model: str,
    *,
    steps: int = 1460,
    starts: int = 16,
    limiter: Limiter | None = None,
    data: str | Path | None = None,
    include: Sequence[str | Path] = (),
    seed: int = 0,
    out: str | Path | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> RolloutResult:
    """Roll a fitted forecaster out, and hold it against the truth of the training period.

    Parameters
    ----------
    run : str or Path
        Folder of a finished run of a forecast task.
    model : str
        One of its models; a name, or the card or ``FILE.py:CLASS`` that it was named by. One with correctors is rolled
        out both corrected step by step and uncorrected; with ``-uncorrected`` after its name only that, as a model
        without correctors is (``unaided``).
    steps : int
        How many steps, of the length that the training data has.
    starts : int
        How many initial times, evenly spread over those of the test period.
    limiter : {"spectral"}, optional
        Rolls out once more, with every degree's power capped at 1.2 times the largest of the training period; of a
        model with correctors, what these have left.
    data : str or Path, optional
        The truth, where the run was not made on its task's own.
    include, out, fresh, progress
        As for `climbench.run`.
    seed : int
        Step n is asked for with ``seed + n``.

    Returns
    -------
    RolloutResult

    Raises
    ------
    ClimbenchError
        If the run, its model or the data is not there or does not fit.
    """
    progress = progress or Progress()
    for what, count in (("steps", steps), ("starts", starts)):
        if count < 1:
            raise RunError(f"--{what} is {count}; it must be 1 or more.")
    opened, fitted, forecaster, corrections, source = _opened(
        Path(run), model, data, [Path(f) for f in include], progress
    )
    truth = opened.open_truth()
    train = training(opened.card, truth)[0]
    step = step_of(train)
    begun = _starts(opened.card, truth, starts, history_of(forecaster))
    static = static_of(opened.card, truth, forecaster).load()
    identity = records.fingerprint(
        {
            "experiment": "rollout",
            "task": opened.card.settings(),
            "fitted": records.fingerprint_files([fitted]),
            "source": source,
            "data": opened.data.summary(),
            "asked": [steps, starts, limiter, seed],
            "code": records.fingerprint_code(),
        }
    )
    directory = RunDirectory(Path(out) if out is not None else Path("runs") / f"rollout-{fitted.name}-{identity[:8]}")
    if not fresh and directory.finished(identity):
        return read_rollout(directory.path)
    label = fitted.name + (UNCORRECTED if model.endswith(UNCORRECTED) else "")
    needed = begun.isel(history=0).nbytes * steps * (1 + (limiter is not None) + (corrections is not None))
    with directory.work(identity, fresh=fresh, needed_bytes=needed) as folder, writing(directory.path):
        progress.stage("reading the truth")
        known = Truth.of(next(iter(train.values())))
        powers_at = sorted({n for n in (1, 10, JUDGED, 1000, steps) if n <= steps})
        runs = {}
        for name, (mending, acting) in _acting(corrections, limiter, known).items():
            rollout = Rollout(
                *(forecaster, known, begun, step, steps, powers_at, static, acting, seed, label),
                vertical_of(truth),
                mending,
            )
            runs[name] = rollout.into(folder / name, progress)
        progress.stage("writing the report")
        write_rollout(
            folder,
            opened,
            known,
            runs,
            begun,
            step,
            powers_at,
            {"model": label, "fitted_in": Path(run).name, "steps": steps, "starts": starts, "seed": seed}
            | {"limiter": limiter, "cap": CAP if limiter else None, "fingerprint": identity},
        )
    return read_rollout(directory.path)


def _opened(
    run: Path, model: str, data: str | Path | None, include: list[Path], progress: Progress
) -> tuple[ForecastTask, Path, Any, StepCorrections | None, list[Any]]:
    """Return task and truth, the folder of the fitted forecaster, itself, its correctors, what else it depends on."""
    if not is_forecast_run(run):
        raise RunError(f"{run} holds no run of a forecast task; only forecasters are rolled out.")
    record = RunDirectory(run).record() or {}
    opened = find_forecast_task(run / "task.yaml", data, None, include, progress.step)
    if opened.data.fingerprint != record["data"]["fingerprint"]:
        raise RunError(
            f"The run in {run} was made on other data ({record['data']['name']}) than {opened.truth}. "
            "Name the data it was made on with --data."
        )
    names = [name for kept in record.get("models", ()) for name in _names(kept)]
    if model not in names and ".py:" not in model and not model.endswith((".yaml", ".yml")):
        raise RunError(f"The run in {run} has no model '{model}'. {did_you_mean(model, names)}")
    card = find_any_model(model.removesuffix(UNCORRECTED), opened.card, include)
    fitted = run / "fitted" / card.name
    if not fitted.is_dir():
        raise RunError(
            f"{fitted} is not there: the run did not keep '{card.name}' as it was fitted. Fit it again with "
            f"climbench run --task {opened.card.name} --model {card.name}."
        )
    kind = load_object(card.class_path, beside=card.path.parent if card.path is not None else None)
    if not callable(getattr(kind, "load", None)):
        raise RunError(f"'{card.name}' cannot be read back: its class has no method load (climbench.models.base).")
    with emulators_fault(card.name, "load"):
        forecaster = kind.load(fitted)
    corrections = None if model.endswith(UNCORRECTED) else corrections_of(card, opened.card, opened.open_truth())
    about = None if corrections is None else corrections.about
    return opened, fitted, forecaster, corrections, [source_fingerprint(card), about]


def _names(card: Mapping[str, Any]) -> list[str]:
    """Return what the models of a recorded card are named."""
    name = str(card["name"])
    return [name, name + UNCORRECTED] if card.get("correct") else [name]


def _starts(card: ForecastCard, truth: xr.Dataset, count: int, history: int) -> xr.Dataset:
    """Return states at initial times of the test period, evenly spread."""
    state = state_of(card, truth)
    there = startable(card, state["time"].values, history)
    if count > there.size:
        raise RunError(f"{count} starts were asked for; the test period has {there.size} initial times with states.")
    chosen = there[np.linspace(0, there.size - 1, count).round().astype(int)]
    return states_at(state, chosen, history)


def _acting(
    corrections: StepCorrections | None, limiter: Limiter | None, truth: Truth
) -> dict[str, tuple[StepCorrections | None, SpectralLimiter | None]]:
    """Return what acts in each run: nothing, the correctors, and where it is asked for, the limiter after them."""
    found: dict[str, tuple[StepCorrections | None, SpectralLimiter | None]] = {"unaided": (None, None)}
    if corrections is not None:
        found = {"corrected": (corrections, None), "uncorrected": (None, None)}
    if limiter is not None:
        if truth.transform is None or truth.largest is None:
            raise RunError("The spectral limiter needs a global grid with a transform; roll out without --limiter.")
        found["limited"] = corrections, SpectralLimiter(truth.transform, truth.usual, CAP * truth.largest)
    return found
