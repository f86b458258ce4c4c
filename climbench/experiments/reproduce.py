"""Published numbers and what this suite gets on the same data: met, or not, each with its definition and tolerance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from climbench.cards import Reference, TaskCard, find_dataset
from climbench.errors import CardError, ClimbenchError, DataError, did_you_mean
from climbench.evaluate import OpenTask, open_task, task_card
from climbench.experiments.members import members
from climbench.experiments.sampler import FIRST_SEED
from climbench.grids import latitude_weights
from climbench.harness import run
from climbench.metrics.errors import normaliser
from climbench.progress import Progress
from climbench.tasks.sources import how_to_get, whereabouts
from climbench.tasks.training_data import present_members

NORMALISER = "normaliser"
MET, NOT_MET, OTHER_DATA, NOT_RUN, NO_DATA = "met", "not met", "other data", "not run", "no data"


@dataclass(frozen=True)
class Reproduction:
    """What came of it.

    Attributes
    ----------
    task : str
        The task's name.
    rows : list of dict
        One row a published number: ``model``, ``emulator``, ``variable``, ``metric``, ``members``, ``published``,
        ``found``, ``tolerance`` (absolute, largest difference that counts as met), ``status``, ``reason``,
        ``definition``, ``differs``, ``source``, ``run_dir``.
    data : str
        What the numbers were looked for on, or how the data can be got.
    """

    task: str
    rows: list[dict[str, Any]]
    data: str


def reproduce(
    task: str | Path,
    *,
    data: str | Path | None = None,
    models: Sequence[str] | None = None,
    include: Sequence[str | Path] = (),
    seed: int = 0,
    out: str | Path = "runs",
    fresh: bool = False,
    progress: Progress | None = None,
) -> Reproduction:
    """Run what a task's published numbers were made with, and hold the results against them.

    Parameters
    ----------
    task : str or Path
        A task's name, or a card file.
    data : str or Path, optional
        A folder, or the name of a data set; simulated data has no published numbers.
    models : sequence of str, optional
        Only these emulators are run; all that have published numbers without. They run at their preset ``published``.
    include : sequence of str or Path
        Further folders with cards.
    seed : int
        Seed of the emulators.
    out : str or Path
        The folder to write runs to; those that are there are not done again.
    fresh : bool
        Do everything again.
    progress : Progress, optional
        Told what is going on.

    Returns
    -------
    Reproduction

    Raises
    ------
    ClimbenchError
        If the task or data named is not there, or the task has no published numbers of an emulator asked for.
    """
    progress = progress or Progress()
    folders = [Path(folder) for folder in include]
    card, _ = task_card(task, {}, folders)
    _check(card, models)
    opened, why = _real_data(task, card, data, folders)
    progress.announce(why)
    if opened is None:
        return Reproduction(card.name, [row for r in card.references for row in _rows(r, {}, NO_DATA, why)], why)
    work = _Work(task, card, data, opened, folders, seed, Path(out), fresh, progress)
    chosen = set(models or [r.emulator for r in card.references if r.emulator])
    rows = [row for reference in card.references for row in work.rows_of(reference, chosen)]
    return Reproduction(card.name, _told_by_data(rows), why)


def _check(card: TaskCard, models: Sequence[str] | None) -> None:
    if not card.references:
        raise CardError(f"The task '{card.name}' has no published numbers.")
    known = {r.emulator for r in card.references if r.emulator}
    for name in models or ():
        if name not in known:
            raise CardError(f"'{card.name}' has no published numbers of '{name}'. {did_you_mean(name, known)}")


def _real_data(
    task: str | Path, card: TaskCard, data: str | Path | None, include: Sequence[Path]
) -> tuple[OpenTask | None, str]:
    """Return the task on real data and what that is, or None and how the data can be got."""
    dataset = find_dataset(card.dataset, include)
    if data is None and whereabouts(dataset) is None:
        return None, f"The data of '{dataset.name}' is not on this machine: {how_to_get(dataset)}."
    opened = open_task(task, data, None, include)
    found = opened.source.data(opened.task.target_files())
    if found.kind == "simulated":
        raise DataError(f"{found.name} is simulated; published numbers are of real data ({how_to_get(dataset)}).")
    return opened, opened.source.why


@dataclass
class _Work:
    """The runs behind the rows of a task, each made once."""

    task: str | Path
    card: TaskCard
    data: str | Path | None
    opened: OpenTask
    include: Sequence[Path]
    seed: int
    out: Path
    fresh: bool
    progress: Progress

    def __post_init__(self) -> None:
        self._done: dict[str, tuple[dict[Any, float], str]] = {}

    def rows_of(self, reference: Reference, chosen: set[str]) -> list[dict[str, Any]]:
        """Return the rows of one published model; a failure of ours is told, and ends nothing."""
        if reference.emulator is None:
            own = any(NORMALISER in scores for scores in reference.scores.values())
            return _rows(reference, _normalisers(self.opened) if own else {}, MET)
        if reference.emulator not in chosen:
            return _rows(reference, {}, NOT_RUN, "left out; name it with --model")
        try:
            found, folder = self._members(reference) if reference.members else self._run(reference)
        except ClimbenchError as error:
            return _rows(reference, {}, NOT_RUN, str(error))
        return _rows(reference, found, MET, run_dir=folder)

    def _run(self, reference: Reference) -> tuple[dict[Any, float], str]:
        """Return scores by variable and metric, and the folder of the run."""
        key = json.dumps([reference.emulator, reference.settings], sort_keys=True)
        if key not in self._done:
            assert reference.emulator is not None
            result = run(
                self.task,
                [reference.emulator],
                data=self.data,
                set=reference.settings,
                preset="published",
                include=self.include,
                seed=self.seed,
                out=self.out / f"reproduce-{self.card.name}-{len(self._done)}-{reference.emulator}",
                fresh=self.fresh,
                progress=self.progress,
            )
            rows = [r for r in result.rows if r["region"] == "global" and r["value"] is not None]
            self._done[key] = {(r["variable"], r["metric"]): r["value"] for r in rows}, str(result.run_dir)
        return self._done[key]

    def _members(self, reference: Reference) -> tuple[dict[Any, float], str]:
        """Return scores of one draw of some members; all sizes of an emulator are run together."""
        alike = [
            r for r in self.card.references if (r.emulator, r.settings) == (reference.emulator, reference.settings)
        ]
        key = json.dumps(["members", reference.emulator, reference.settings], sort_keys=True)
        if key not in self._done:
            assert reference.emulator is not None
            result = members(
                self.task,
                [reference.emulator],
                n=sorted({r.members for r in alike if r.members}),
                draws=max(r.memberseed for r in alike) - FIRST_SEED + 1,
                data=self.data,
                set=reference.settings,
                preset="published",
                include=self.include,
                seed=self.seed,
                out=self.out / f"reproduce-{self.card.name}-members-{reference.emulator}",
                fresh=self.fresh,
                progress=self.progress,
            )
            found = {
                (row["n"], row["memberseed"], row["target"], row["variable"], row["metric"]): float(row["value"])
                for row in result.draws.to_dict("records")
            }
            self._done[key] = found, str(result.run_dir)
        whole, folder = self._done[key]
        ours = (reference.members, reference.memberseed, reference.target)
        return {k[3:]: v for k, v in whole.items() if k[:3] == ours}, folder


def _normalisers(opened: OpenTask) -> dict[tuple[str, str], float]:
    """Return what the target's own numbers are."""
    target = opened.task.target()
    weights = latitude_weights(target["latitude"], opened.card.scoring.weights)
    means = {str(v): present_members(target[v]).astype("float64").mean("member") for v in target}
    return {(v, NORMALISER): float(normaliser(mean, weights)) for v, mean in means.items()}


def _rows(
    reference: Reference, found: Mapping[Any, float], status: str, reason: str = "", run_dir: str | None = None
) -> list[dict[str, Any]]:
    """Return one row a published number; one that was looked for and found is judged."""
    rows = []
    for variable, scores in reference.scores.items():
        for metric, published in scores.items():
            ours = found.get((variable, metric))
            allowed = reference.tolerance * abs(published) + reference.rounding
            judged, why = status, reason
            if status == MET and ours is None:
                judged, why = NOT_RUN, f"this suite gives no {metric} of {variable}"
            elif status == MET and ours is not None:
                judged = MET if abs(ours - published) <= allowed else NOT_MET
            rows.append(
                {
                    **{"model": reference.model, "emulator": reference.emulator, "variable": variable},
                    **{"metric": metric, "members": reference.members, "published": published, "found": ours},
                    **{"tolerance": allowed, "status": judged, "reason": why, "definition": reference.definition},
                    **{"differs": reference.differs, "source": reference.source, "run_dir": run_dir},
                }
            )
    return rows


def _told_by_data(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows in which a number is not called missed where the target's own numbers say the data is another."""
    other = {r["variable"] for r in rows if r["metric"] == NORMALISER and r["status"] == NOT_MET}
    return [
        {**r, "status": OTHER_DATA, "reason": "the target's normaliser is not the published one"}
        if r["variable"] in other and r["status"] in (MET, NOT_MET)
        else r
        for r in rows
    ]
