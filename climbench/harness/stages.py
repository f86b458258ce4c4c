"""What runs of every protocol share: what tells two apart, what stages keep and cost, and whose fault a failure was."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from climbench import records
from climbench.cards import ModelCard, TaskCard
from climbench.errors import CardError, ClimbenchError, ModelError
from climbench.models import Preset
from climbench.records import Data
from climbench.run_directory import RunDirectory, write_text, writing

if TYPE_CHECKING:
    from climbench.recording import Cost


def refuse_repeats(cards: Sequence[ModelCard]) -> None:
    """Raise `CardError` where two models share a name."""
    names = [name for card in cards for name in card.names]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise CardError(f"Two models are named '{repeated[0]}'. Rename one, or give it once.")


def run_identity(task: TaskCard, models: Sequence[ModelCard], data: Data, preset: Preset, seed: int) -> str:
    """Return the fingerprint of everything that can change the numbers of a run."""
    further = {
        "models": [card.settings() for card in models],
        "sources": {card.name: source_fingerprint(card) for card in models},
        "preset": preset,
        "seed": seed,
    }
    return identity_of(task, data, further)


def identity_of(task: TaskCard, data: Data, further: Mapping[str, object]) -> str:
    """Return the fingerprint of a task, its data, this code, and what further can change the numbers."""
    shared = {"task": task.settings(), "data": data.summary(), "code": records.fingerprint_code()}
    return records.fingerprint({**shared, **further})


def source_fingerprint(card: ModelCard) -> str:
    """Return the fingerprint of the file a model stands in, where it is one of the user's; empty otherwise."""
    file = Path(card.class_path.rpartition(":")[0])
    file = file if file.is_absolute() or card.path is None else card.path.parent / file
    return records.fingerprint_files([file]) if file.suffix == ".py" and file.is_file() else ""


def directory_of(task: TaskCard, identity: str, out: str | Path | None) -> RunDirectory:
    """Return the folder of a run: the one that was named, or one under ``runs/`` named by task and content."""
    return RunDirectory(Path(out) if out is not None else Path("runs") / f"{task.name}-{identity[:8]}")


def store_of(folder: Path, model: str) -> Path:
    """Return where a model's predictions are kept."""
    return folder / "predictions" / f"{model}.zarr"


def kept_cost(folder: Path, model: str) -> Cost | None:
    """Return what a model cost whose predictions are kept already; None where they are not."""
    from climbench.recording import Cost

    file = _cost_file(folder, model)
    if not store_of(folder, model).is_dir() or not file.is_file():
        return None
    return Cost(**json.loads(file.read_text()))


def keep_cost(folder: Path, model: str, cost: Cost) -> None:
    """Write what a model cost; last, as it says that the predictions are whole."""
    write_text(_cost_file(folder, model), json.dumps(cost.__dict__))


def _cost_file(folder: Path, model: str) -> Path:
    return folder / "costs" / f"{model}.json"


def save_fitted(folder: Path, model: str, emulator: Any) -> None:
    """Let a fitted model save itself, where it can."""
    if hasattr(emulator, "save"):
        fitted = folder / "fitted" / model
        with emulators_fault(model, "save"), writing(fitted):
            emulator.save(fitted)


@contextmanager
def timed(cost: Cost, what: str) -> Iterator[None]:
    """Note how long the block takes, and the most memory held so far."""
    start = time.perf_counter()
    yield
    setattr(cost, what, time.perf_counter() - start)
    cost.peak_memory_mb = records.peak_memory_mb()


@contextmanager
def emulators_fault(name: str, stage: str) -> Iterator[None]:
    """Say whose fault it is when an emulator's own code fails."""
    try:
        yield
    except ClimbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(f"'{name}' failed in {stage}: {type(error).__name__}: {error}") from error
