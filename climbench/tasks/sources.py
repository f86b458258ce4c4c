"""Where a task's data comes from: a folder that is named, data that was pulled, or a world that stands in for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from climbench import records
from climbench.cards import DatasetCard, TaskCard, find_dataset, list_cards
from climbench.data import READERS
from climbench.data.check import Report, check
from climbench.errors import DataError, did_you_mean
from climbench.records import Data
from climbench.registry import load_object
from climbench.run_directory import locked, writing

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Source:
    """A data set opened for a task.

    Attributes
    ----------
    card : DatasetCard
        What the data holds.
    reader : object
        Opened on the folder.
    why : str
        One line that says which data this is and why.
    """

    card: DatasetCard
    reader: Any
    why: str

    def data(self, paths: Sequence[Path]) -> Data:
        """Return what the record says of the data: name, kind, and a fingerprint of the files used."""
        world = self.reader.origin(paths)
        prints = records.fingerprint_files(paths)
        return Data(world["world"], "simulated", prints, world) if world else Data(self.card.name, "real", prints)


def no_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""


def find_source(
    task: TaskCard, data: str | Path | None, include: Sequence[Path] = (), progress: Progress = no_progress
) -> Source:
    """Return the data for a task.

    Parameters
    ----------
    task : TaskCard
        The task.
    data : str, Path or None
        A folder, or the name of a data set; without it the task's own data set where it was pulled, otherwise the
        world that stands in for it.
    include : sequence of Path
        Further folders with cards.
    progress : callable
        Called with what is being made, steps done and steps in all.

    Returns
    -------
    Source

    Raises
    ------
    DataError
        If there is neither.
    """
    card = find_dataset(task.dataset, include)
    if data is not None and not Path(data).exists():
        names = [c.name for c in list_cards("dataset", include)]
        if str(data) not in names:
            raise DataError(
                f"--data names {data}, which is no folder, nor a data set. {did_you_mean(str(data), names)}"
            )
        return open_source(find_dataset(str(data), include), None, progress)
    if data is not None:
        return open_source(_of_layout(card, Path(data), include), Path(data))
    if card.stand_in is None or _pulled(card) is not None:
        return open_source(card, None, progress)
    stand_in = find_dataset(card.stand_in, include)
    why = (
        f"SIMULATED DATA: {stand_in.name} stands in for {card.name}, which is not on this machine ({how_to_get(card)})."
    )
    return _made(stand_in, progress, why)


def _of_layout(card: DatasetCard, folder: Path, include: Sequence[Path]) -> DatasetCard:
    """Return the card that a folder is read by: the stand-in's where the folder has the layout of that alone."""
    if card.stand_in is None or READERS.load(card.reader).recognises(folder):
        return card
    stand_in = find_dataset(card.stand_in, include)
    return stand_in if READERS.load(stand_in.reader).recognises(folder) else card


def open_source(card: DatasetCard, folder: Path | None = None, progress: Progress = no_progress) -> Source:
    """Return a data set opened in a folder, where it was pulled, or made where it is simulated.

    Parameters
    ----------
    card : DatasetCard
        The data set.
    folder : Path, optional
        Where it is.
    progress : callable
        Called with what is being made, steps done and steps in all.

    Returns
    -------
    Source

    Raises
    ------
    DataError
        If it is not there.
    """
    if folder is not None:
        return Source(card, READERS.load(card.reader)(folder, card), f"Data: {folder}, in the layout of {card.name}.")
    pulled = _pulled(card)
    if pulled is not None:
        return pulled
    if card.world is not None:
        return _made(card, progress, f"SIMULATED DATA: {card.title}.")
    raise DataError(
        f"The data of '{card.name}' is not on this machine ({home(card)}). "
        f"Run: climbench data pull {card.name}, or name its folder with --data."
    )


def how_to_get(card: DatasetCard) -> str:
    """Return in words how a data set can be brought to this machine."""
    brings = f"climbench data pull {card.name} brings it" if card.source is not None or not card.url else ""
    return f"{brings or f'it is at {card.url}'}; --data names a folder"


def home(card: DatasetCard) -> Path:
    """Return the folder a data set is pulled into."""
    return records.data_home() / card.name


def whereabouts(card: DatasetCard) -> Path | None:
    """Return the folder on this machine that a data set was pulled into or made in, or None."""
    if _is_pulled(card):
        return home(card)
    folder = None if card.world is None else _world_home(card, card.world.members, card.world.seed)
    return folder if folder is not None and folder.is_dir() else None


def _is_pulled(card: DatasetCard) -> bool:
    return home(card).is_dir() and bool(READERS.load(card.reader).recognises(home(card)))


def _world_home(card: DatasetCard, members: int, seed: int) -> Path:
    """Return the folder in the cache that a world's data is made in."""
    assert card.world is not None
    world = load_object(card.world.class_path)
    name = f"{world.name}-v{world.version}-members{members}-seed{seed}"
    if card.world.init_args:
        name += f"-{records.fingerprint(card.world.init_args)[:8]}"
    return records.cache_home() / "worlds" / name


def _pulled(card: DatasetCard) -> Source | None:
    if not _is_pulled(card):
        return None
    folder = home(card)
    return Source(card, READERS.load(card.reader)(folder, card), f"Data: {card.title}, in {folder}.")


def _made(card: DatasetCard, progress: Progress, why: str) -> Source:
    folder = make_world(card, progress=progress)
    return Source(card, READERS.load(card.reader)(folder, card), why)


def make_world(
    card: DatasetCard,
    *,
    members: int | None = None,
    seed: int | None = None,
    out: Path | None = None,
    progress: Progress = no_progress,
) -> Path:
    """Make a world's data, once, and return its folder.

    Parameters
    ----------
    card : DatasetCard
        The card of a simulated data set.
    members : int, optional
        Members of each scenario; the card's number without it.
    seed : int, optional
        The world's seed; the card's without it.
    out : Path, optional
        The folder to make; a folder in the cache without it.
    progress : callable
        Called with what is being made, steps done and steps in all.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If the card names no world, or `out` exists already.
    """
    if card.world is None:
        raise DataError(
            f"'{card.name}' is no simulated data set: nothing makes it. Run: climbench data pull {card.name}."
        )
    world = load_object(card.world.class_path)(**card.world.init_args)
    members = members or card.world.members
    seed = card.world.seed if seed is None else seed
    folder = out or _world_home(card, members, seed)
    if out is None and folder.is_dir():
        return folder
    if folder.exists():
        raise DataError(f"{folder} exists already. Name another folder with --out.")
    with locked(folder.with_name(folder.name + ".lock"), wait=True):
        if not folder.is_dir():
            temporary = folder.with_name(folder.name + ".partial")
            shutil.rmtree(temporary, ignore_errors=True)
            with writing(folder.parent):
                temporary.mkdir(parents=True)
                what = f"making {world.name} (simulated, {members} members)"
                world.write(temporary, members=members, seed=seed, progress=lambda d, t: progress(what, d, t))
                temporary.rename(folder)
    folder.with_name(folder.name + ".lock").unlink(missing_ok=True)
    return folder


def check_dataset(card: DatasetCard, folder: Path | None = None, progress: Progress = no_progress) -> Report:
    """Read a data set through and say what is there and what is wrong.

    Parameters
    ----------
    card : DatasetCard
        The data set.
    folder : Path, optional
        Where it is; where it was pulled or made without.
    progress : callable
        Called with what is being read, parts done and parts in all.

    Returns
    -------
    Report

    Raises
    ------
    DataError
        If there is no data at all.
    """
    source = open_source(card, folder, progress)
    report = check(source.reader.place, layout=card.reader, card=card, progress=progress)
    report.lines.insert(0, source.why)
    there = source.reader.experiments("outputs") if hasattr(source.reader, "experiments") else card.experiments
    lacking = [e for e in card.experiments if e not in there]
    if lacking:
        report.lines.append(f"no outputs of: {', '.join(lacking)}")
    return report
