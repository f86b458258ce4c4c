"""A run: open, fit, predict, score, record, each stage resumable; and the scoring of predictions made elsewhere.

The two verbs are here; what they do depends on the task's protocol, one file each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from climbench.cards import ModelCard
from climbench.cluster import THREADS
from climbench.errors import RunError
from climbench.harness.projections import fit_emulator, tested_years
from climbench.harness.stages import emulators_fault, refuse_repeats, source_fingerprint
from climbench.models import Preset
from climbench.progress import Progress
from climbench.records import Result
from climbench.registry import Registry

__all__ = ["emulators_fault", "fit_emulator", "refuse_repeats", "run", "score", "source_fingerprint", "tested_years"]

RUNS = Registry(
    "protocol",
    {"projection": "climbench.harness.projections:run", "forecast": "climbench.harness.forecasts:run"},
)
SCORINGS = Registry(
    "protocol",
    {"projection": "climbench.harness.projections:score", "forecast": "climbench.harness.forecasts:score"},
)


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
    """Fit, predict and score emulators on a task, and write a record of it.

    Parameters
    ----------
    task : str or Path
        A task's name, or a card file.
    models : sequence of str, optional
        Names, card files, or ``FILE.py:CLASS``; all the task's baselines without it.
    data : str or Path, optional
        A folder, or the name of a data set; without it the task's own data, or a simulated world in its stead. For
        forecasts a store by path or URL, too.
    set : mapping of str to object, optional
        Dotted keys of the task's card and their values; the result is then marked as modified.
    preset : {"demo", "standard", "published"}
        Which of a model's presets is used.
    include : sequence of str or Path
        Further folders with cards.
    seed : int
        The seed of everything random.
    out : str or Path, optional
        The folder to write; without it one under ``runs/`` named by task and content.
    fresh : bool
        Do everything again, and replace what is in the folder.
    progress : Progress, optional
        Told what is going on.

    Returns
    -------
    Result

    Raises
    ------
    ClimbenchError
        If anything asked for is not there or does not fit.
    """
    verb = RUNS.load(_protocol(task, set, include))
    result: Result = verb(
        task,
        models,
        data=data,
        set=set,
        preset=preset,
        include=include,
        seed=seed,
        out=out,
        fresh=fresh,
        progress=progress,
    )
    return result


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
    """Score predictions made anywhere against a task.

    Parameters
    ----------
    task : str or Path
        A task's name, or a card file.
    predictions : str or Path
        A projection: a netCDF file or zarr store with dimensions time, lat or latitude, lon or longitude, and
        optionally member. A forecast: a store in WeatherBench's layout, by path or URL.
    data : str or Path, optional
        A folder, or the name of a data set; for forecasts the truth, by path or URL.
    set : mapping of str to object, optional
        Dotted keys of the task's card and their values.
    include : sequence of str or Path
        Further folders with cards.
    out : str or Path, optional
        A folder to write a record to; nothing is written without it.
    fresh : bool
        Replace what is in the folder.
    scheduler : str or None
        Of forecasts: ``"threads"`` for this process; None for worker processes on this machine; or the address of a
        dask scheduler whose workers can read the stores.
    progress : Progress, optional
        Told what is going on.

    Returns
    -------
    Result

    Raises
    ------
    PredictionError
        Naming everything that is wrong with the predictions.
    """
    protocol = _protocol(task, set, include)
    options: dict[str, Any] = {"data": data, "set": set, "include": include, "out": out, "fresh": fresh}
    if protocol == "forecast":
        options["scheduler"] = scheduler
    elif scheduler != THREADS:
        raise RunError("Projections are small and scored in this process; leave out the scheduler.")
    result: Result = SCORINGS.load(protocol)(task, predictions, **options, progress=progress)
    return result


def _protocol(task: str | Path, settings: Mapping[str, Any] | None, include: Sequence[str | Path]) -> str:
    """Return the protocol of a task."""
    from climbench.evaluate.opening import task_card

    return task_card(task, settings or {}, [Path(folder) for folder in include])[0].protocol
