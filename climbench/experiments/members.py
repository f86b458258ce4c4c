"""Scores against the number of members: emulators trained on n-member means, scored on all members and on the same n.

Each (model, n, draw) is kept in the run directory when it is done; what is there is not done again, also when more
sizes, draws or models are asked for later.

Reference: Lütjens et al. (2025), doi:10.1029/2024MS004619.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from climbench import records
from climbench.cards import ModelCard
from climbench.experiments.members_record import MembersResult, read_members, write_members
from climbench.experiments.members_request import Asked, check_models
from climbench.experiments.members_work import IN_PROCESS, Work
from climbench.experiments.sampler import DRAWS
from climbench.experiments.subset_runs import Bench, Setting
from climbench.models import Preset, find_any_model
from climbench.progress import Progress
from climbench.run_directory import RunDirectory, writing


def members(
    task: str | Path,
    models: Sequence[str | ModelCard],
    *,
    n: Sequence[int] | None = None,
    draws: int | Mapping[str, int] = DRAWS,
    data: str | Path | None = None,
    set: Mapping[str, Any] | None = None,
    preset: Preset = "standard",
    include: Sequence[str | Path] = (),
    leave_out: Sequence[str] = (),
    seed: int = 0,
    out: str | Path | None = None,
    fresh: bool = False,
    scheduler: str | None = IN_PROCESS,
    progress: Progress | None = None,
) -> MembersResult:
    """Train emulators on means over n members and score them, for several n and draws of members.

    Parameters
    ----------
    task : str or Path
        A task's name, or a card file.
    models : sequence of str
        Names, card files, or ``FILE.py:CLASS``.
    n : sequence of int, optional
        Numbers of members; 1, 2, 3, 5, 10, 20, 50 and all there are, as far as there are so many, without.
    draws : int or mapping of str to int
        Draws of members for each n; a mapping gives the number for some models, and with the key ``""`` for the others.
    data, set, preset, include, out, fresh, progress
        As for `climbench.run`.
    leave_out : sequence of str
        Members not to use.
    seed : int
        Seed of the emulators: draw d is trained with ``seed + d``.
    scheduler : str or None
        ``"threads"`` for this process alone; None for worker processes on this machine; or a dask scheduler's address.

    Returns
    -------
    MembersResult

    Raises
    ------
    ClimbenchError
        If anything asked for is not there or does not fit, such as more members than the data has.
    """
    progress = progress or Progress()
    setting = _setting(task, data, set or {}, include, leave_out)
    opened = setting.open(progress.step)
    progress.announce(opened.source.why)
    cards = [find_any_model(m, opened.card, [Path(f) for f in include]) for m in models]
    check_models(cards, preset)
    described = opened.source.data([*opened.task.training_files(), *opened.task.target_files()])
    progress.stage("reading the target")
    on = Bench.of(opened, leave_out)
    asked = Asked.of(cards, n, draws, len(on.ensemble.members), preset)
    identity = records.fingerprint(
        {
            "experiment": "members",
            "task": opened.card.settings(),
            "data": described.summary(),
            "members": [str(m) for m in on.ensemble.members],
            "seed": seed,
            "code": records.fingerprint_code(),
        }
    )
    directory = RunDirectory(
        Path(out) if out is not None else Path("runs") / f"members-{opened.card.name}-{identity[:8]}"
    )
    if not fresh and directory.finished(identity) and (directory.record() or {}).get("asked") == asked.summary():
        return read_members(directory.path)
    with directory.work(identity, fresh=fresh, needed_bytes=50_000_000) as folder, writing(directory.path):
        if not fresh and (directory.path / "results").is_dir():
            shutil.copytree(directory.path / "results", folder / "results", dirs_exist_ok=True)
        found = Work(on, setting, identity, asked, folder, seed, progress).do(scheduler)
        write_members(
            folder,
            on,
            found,
            described,
            identity=identity,
            asked=asked.summary(),
            about={"seed": seed, "preset": preset},
        )
    return read_members(directory.path)


def _setting(
    task: str | Path,
    data: str | Path | None,
    settings: Mapping[str, Any],
    include: Sequence[str | Path],
    leave_out: Sequence[str],
) -> Setting:
    """Return what an experiment is made on, with paths that hold wherever a worker stands."""
    card = str(Path(task).resolve()) if str(task).endswith((".yaml", ".yml")) else str(task)
    place = None if data is None else str(Path(data).resolve()) if Path(data).exists() else str(data)
    folders = tuple(str(Path(folder).resolve()) for folder in include)
    return Setting(card, place, json.dumps(dict(settings), sort_keys=True), folders, tuple(leave_out))
