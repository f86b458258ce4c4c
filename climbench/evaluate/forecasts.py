"""Scores forecasts made anywhere: any store in WeatherBench's layout, lazily, by path or URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from climbench import records
from climbench.cards import DatasetCard, ForecastCard, find_dataset, list_cards
from climbench.data.stores import is_url
from climbench.errors import CardError, DataError, did_you_mean
from climbench.evaluate.opening import task_card
from climbench.records import Data, Predictions, Result
from climbench.tasks.forecast.scoring import Forecasts, ForecastScores
from climbench.tasks.forecast.stores import Places, forget
from climbench.tasks.forecast.training_climatology import OWN, refuse_overlap, training_climatology
from climbench.tasks.sources import make_world

if TYPE_CHECKING:
    from distributed import Client

Told = Callable[[str, int, int], None]
GLOBE = "global"


def _silent(what: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass
class ForecastTask:
    """A forecast task with its truth found.

    Attributes
    ----------
    card : ForecastCard
        With the changed settings.
    modified : bool
        Whether settings differ from the card's.
    dataset : DatasetCard
        Declares variables and units.
    truth : str
        Path or URL.
    climatology : str or None
        Path or URL.
    data : Data
        What the record says of the truth.
    notes : list of str
        What was assumed.
    include : tuple of str
        Further folders with cards.
    """

    card: ForecastCard
    modified: bool
    dataset: DatasetCard
    truth: str
    climatology: str | None
    data: Data
    notes: list[str] = field(default_factory=list)
    include: tuple[str, ...] = ()

    def places(self, forecast: str | Path) -> Places:
        """Return where everything is that a forecast is scored with."""
        return Places(str(forecast), self.truth, self.climatology, self.dataset.name, self.include)

    def open_truth(self) -> xr.Dataset:
        """Return the truth, canonical and lazy."""
        return self.places("").open("truth")


def open_forecast_task(
    task: str | Path,
    data: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    include: Sequence[Path] = (),
    progress: Told = _silent,
) -> ForecastTask:
    """Return a forecast task with its truth and climatology found.

    Parameters
    ----------
    task : str or Path
        A task's name, or a card file.
    data : str, Path or None
        The truth: a file, folder or store by path or URL, or the name of a data set; the task's own without it.
    settings : mapping of str to object, optional
        Dotted keys of the task's card and their values.
    include : sequence of Path
        Further folders with cards.
    progress : callable
        Called with what is being made, steps done and steps in all.

    Returns
    -------
    ForecastTask

    Raises
    ------
    ClimbenchError
        If there is no such task, setting or data, or the climatology saw the test period.
    """
    opened = find_forecast_task(task, data, settings, include, progress)
    card = opened.card
    if card.climatology == OWN:
        progress("making the climatology of the training period", 0, 1)
        opened.climatology = str(training_climatology(card, opened.open_truth(), opened.data.fingerprint))
    elif card.climatology is not None:
        opened.notes += refuse_overlap(card, opened.places("").open("climatology"), card.climatology)
    return opened


def find_forecast_task(
    task: str | Path,
    data: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    include: Sequence[Path] = (),
    progress: Told = _silent,
) -> ForecastTask:
    """Return a forecast task with its truth opened; its climatology is named, and neither made nor looked at.

    A truth that is simulated is made where it was not before.

    Parameters
    ----------
    task, data, settings, include, progress
        As for `open_forecast_task`.

    Returns
    -------
    ForecastTask

    Raises
    ------
    ClimbenchError
        If there is no such task, setting or data.
    """
    forget()
    card, modified = task_card(task, settings or {}, include)
    if not isinstance(card, ForecastCard):
        raise CardError(f"'{card.name}' is a task of the protocol '{card.protocol}'; this is for forecasts.")
    dataset = find_dataset(card.dataset, include)
    truth, dataset = _truth(card, dataset, data, include, progress)
    folders = tuple(str(folder) for folder in include)
    try:
        described = _described(truth, dataset, folders)
    except DataError as error:
        if data is not None:
            raise
        raise DataError(f"{error}\nOr name a truth on this machine with --data.") from error
    return ForecastTask(card, modified, dataset, truth, card.climatology, described, [], folders)


def _truth(
    card: ForecastCard, dataset: DatasetCard, data: str | Path | None, include: Sequence[Path], progress: Told
) -> tuple[str, DatasetCard]:
    """Return the place of the truth, and the card that declares it."""
    if data is not None and (is_url(data) or Path(data).exists()):
        return str(data), dataset
    if data is not None:
        names = [c.name for c in list_cards("dataset", include)]
        if str(data) not in names:
            raise DataError(
                f"--data names {data}, which is no file, folder or URL, nor a data set. "
                f"{did_you_mean(str(data), names)}"
            )
        dataset = find_dataset(str(data), include)
    home = records.data_home() / dataset.name
    if dataset.world is not None and not home.is_dir():
        home = make_world(dataset, progress=progress)
    if home.is_dir() and any(home.iterdir()):
        stores = sorted(p for p in home.iterdir() if not p.name.startswith("."))
        fitting = [p for p in stores if any(grid in p.name for grid in card.grids)] or stores
        return str(fitting[0] if len(fitting) == 1 or fitting != stores else home), dataset
    for grid in card.grids:
        if grid in dataset.stores:
            return dataset.stores[grid], dataset
    raise DataError(
        f"The data of '{dataset.name}' is not on this machine ({home}). Name the truth, a store or file, with --data."
        + (f" It is at {dataset.url}." if dataset.url else "")
    )


def _described(truth: str, dataset: DatasetCard, include: tuple[str, ...]) -> Data:
    """Return what the record says of a truth, from its coordinates and metadata: values are not read for it."""
    opened = Places("", truth, None, dataset.name, include).open("truth")
    content = {
        "coordinates": {str(c): _digest(opened[c].values) for c in opened.coords},
        "variables": {str(v): [list(map(str, opened[v].dims)), str(opened[v].dtype)] for v in opened.data_vars},
        "size": _size(truth),
    }
    world = _mark(opened)
    content |= {"world": world} if world else {}
    kind: Literal["real", "simulated"] = "simulated" if world else "real"
    return Data(world.get("world", dataset.name), kind, records.fingerprint(content), world)


def _mark(opened: xr.Dataset) -> dict[str, Any]:
    """Return what a store says of the world that made it; empty where it names none."""
    text = str(opened.attrs.get(records.WORLD_ATTRIBUTE, ""))
    try:
        mark = json.loads(text or "{}")
    except ValueError:
        mark = {"world": text}
    return dict(mark) if isinstance(mark, dict) else {"world": text}


def _digest(values: np.ndarray) -> str:
    return records.fingerprint([str(values.dtype), values.shape, values.astype("str").tolist()])


def _size(place: str) -> list[int] | None:
    """Return the number of files of a local store and their bytes, or None elsewhere."""
    if is_url(place):
        return None
    path = Path(place)
    files = [f for f in path.rglob("*") if f.is_file()] if path.is_dir() else [path]
    return [len(files), sum(f.stat().st_size for f in files)]


@dataclass(frozen=True)
class ScoredForecast:
    """Scores of a forecast, with what a record needs beside them."""

    task: ForecastTask
    scores: ForecastScores
    model: str
    forecast: str

    @property
    def modified(self) -> bool:
        """Whether settings, or what was scored, are not the task's own."""
        return self.task.modified or bool(self.scores.matched.departures)

    @property
    def notes(self) -> list[str]:
        """Coverage first, then what departs from the task, and what was assumed or is missing."""
        matched = self.scores.matched
        departures = [f"modified: {text}" for text in matched.departures]
        return [matched.coverage, *departures, *self.task.notes, *self.scores.notes]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Rows of the score table."""
        return [{"model": self.model, **row} for row in self.scores.rows]

    def result(self) -> Result:
        """Return the result as it is shown, where nothing was written."""
        card = self.task.card
        none = Predictions(None, [])
        impossible = {self.model: self.scores.impossible}
        return Result(card.name, self.task.data, self.modified, self.rows, None, self.notes, none, impossible)


def score_forecast(
    task: ForecastTask,
    forecast: str | Path,
    *,
    model: str | None = None,
    profile: str | None = None,
    client: Client | None = None,
    threads: int | None = None,
    progress: Told = _silent,
) -> ScoredForecast:
    """Score a forecast store.

    Parameters
    ----------
    task : ForecastTask
        From `open_forecast_task`.
    forecast : str or Path
        A file or store by path or URL.
    model : str, optional
        What to call the model; the store's name without it.
    profile : str, optional
        Whose conventions hold; the card's without it.
    client : Client, optional
        Of a dask cluster that does the work.
    threads : int, optional
        Threads of this process; as many as cores without it.
    progress : callable
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    ScoredForecast

    Raises
    ------
    ClimbenchError
        If the store cannot be opened, or does not answer the task.
    """
    name = profile or task.card.profile
    return score_forecast_by(task, forecast, [name], model=model, client=client, threads=threads, progress=progress)[
        name
    ]


def score_forecast_by(
    task: ForecastTask,
    forecast: str | Path,
    profiles: Sequence[str],
    *,
    model: str | None = None,
    client: Client | None = None,
    threads: int | None = None,
    progress: Told = _silent,
) -> dict[str, ScoredForecast]:
    """Score a forecast store by the conventions of several profiles.

    Parameters
    ----------
    profiles : sequence of str
        Whose conventions hold.
    task, forecast, model, client, threads, progress
        As for `score_forecast`.

    Returns
    -------
    dict of str to ScoredForecast
        By profile.

    Raises
    ------
    ClimbenchError
        As `score_forecast` does.
    """
    name = model or str(forecast).rstrip("/").rpartition("/")[2].removesuffix(".zarr").removesuffix(".nc")
    scores = Forecasts.open(task.card, task.dataset, task.places(forecast)).score_by(
        profiles, client=client, threads=threads, told=lambda done, total: progress("scoring", done, total)
    )
    return {profile: ScoredForecast(task, found, name, str(forecast)) for profile, found in scores.items()}
