"""Projection: from yearly forcings of a scenario to its annual climate, having been trained on other scenarios."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from climbench.cards import DatasetCard, ProjectionCard
from climbench.data.canonical import with_units
from climbench.errors import DataError, PredictionError, did_you_mean
from climbench.tasks.fixed_fields import fixed_files
from climbench.tasks.folds import Fold, check_validation, folds
from climbench.tasks.input_maps import SAME_GRID as SAME_GRID
from climbench.tasks.input_maps import on_grid
from climbench.tasks.projection_metrics import check_scoring
from climbench.tasks.training_data import common_years, ensemble_mean, on_one_grid, usable_members
from climbench.variables import LEXICON, without_model

T = TypeVar("T", xr.Dataset, xr.DataArray)


class ScenarioReader(Protocol):
    """What a projection task needs of a reader."""

    directory: Path
    notes: list[str]

    def inputs(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return forcings of an experiment."""
        ...

    def outputs(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return the climate of an experiment, with a member dimension."""
        ...

    def paths(self, inputs: Sequence[str], outputs: Sequence[str]) -> list[Path]:
        """Return the files those are read from."""
        ...


class ProjectionTask:
    """A projection task over one data set.

    Parameters
    ----------
    card : ProjectionCard
        What is fed, predicted and scored.
    reader : ScenarioReader
        Where the data is.
    dataset : DatasetCard
        What the data holds.

    Attributes
    ----------
    notes : list of str
        What was done to the data that a user should know, for the record.

    Raises
    ------
    DataError
        If the data set has no such input or target.
    """

    def __init__(self, card: ProjectionCard, reader: ScenarioReader, dataset: DatasetCard) -> None:
        self.card = card
        self.reader = reader
        self.dataset = dataset
        self.notes: list[str] = []
        for kind, names, there in (
            ("input", card.inputs, dataset.inputs),
            ("target", card.targets, dataset.variables),
        ):
            for name in names:
                if name not in there:
                    raise DataError(f"'{dataset.name}' has no {kind} '{name}'. {did_you_mean(name, there)}")
        check_validation(card)
        check_scoring(card)

    def training_files(self) -> list[Path]:
        """Return the files that fitting and predicting read; raise `DataError` for one that is missing."""
        return self.reader.paths([*self.card.train, self.card.test.scenario], self.card.train)

    def target_files(self) -> list[Path]:
        """Return the files that scoring reads; raise `DataError` for one that is missing."""
        return [*self.reader.paths([], [self.card.test.scenario]), *fixed_files(self)]

    def units(self, name: str) -> str:
        """Return the unit a target is trained and scored in."""
        own = without_model(name)
        return LEXICON[own].units if own in LEXICON else self.dataset.variables[own].units

    def emulator(self, make: Callable[[], Any]) -> Any:
        """Return what is fitted, given what makes an emulator."""
        return make()

    def note(self, text: str) -> None:
        """Keep one line for the record, once."""
        if text not in self.notes:
            self.notes.append(text)

    def outputs(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return the climate of an experiment, of shape (member, time, latitude, longitude), lazily."""
        data = self.reader.outputs(experiment, variables)
        for note in self.reader.notes:
            self.note(note)
        return data

    def target(self, members: Sequence[Hashable] | None = None) -> xr.Dataset:
        """Return the members of the test scenario in the test years, in scoring units, in memory.

        Parameters
        ----------
        members : sequence of hashable, optional
            Which; those of the card, or all there are, without.

        Returns
        -------
        Dataset of shape (member, time, latitude, longitude)
            A member that lacks a variable altogether is NaN in it.

        Raises
        ------
        DataError
            If years or members are missing, or a field is all zero or NaN.
        """
        test = self.card.test
        where = f"The target {test.scenario}"
        data = self.outputs(test.scenario, self.card.targets)
        years = np.arange(test.years[0], test.years[1] + 1)
        data = _at(data, "time", _all_there(data, "time", years, where, "year"))
        members = test.members if members is None else members
        if members is not None:
            data = _at(data, "member", _all_there(data, "member", members, where, "member"))
        converted = {}
        for name in self.card.targets:
            array = _read(self._in_units(data[name], where), f"{where}: {name}")
            converted[name] = usable_members(array, f"{where}: {name}", self.card.nan, self.note)
        return data[[]].assign(converted)

    def _in_units(self, array: xr.DataArray, where: str) -> xr.DataArray:
        return with_units(array, self.units(str(array.name)), assumed=None, where=where)[0]

    def training(
        self,
        inputs: Sequence[str],
        variables: Sequence[str],
        *,
        progress: Callable[[str], None] = lambda _: None,
    ) -> dict[str, xr.Dataset]:
        """Return the training scenarios, members averaged, in memory.

        Parameters
        ----------
        inputs : sequence of str
            Forcings the emulator uses.
        variables : sequence of str
            Climate variables it is trained on.
        progress : callable
            Called with the name of each scenario as it is read.

        Returns
        -------
        dict of str to Dataset
            For each scenario inputs of shape (time,) or (time, latitude, longitude) and variables of shape
            (time, latitude, longitude).

        Raises
        ------
        DataError
            If a file, variable or year is missing, or grids do not fit.
        """
        scenarios: dict[str, xr.Dataset] = {}
        for scenario in self.card.train:
            progress(scenario)
            scenarios[scenario] = self._scenario(scenario, inputs, variables, scenarios)
        return scenarios

    def _scenario(
        self, scenario: str, inputs: Sequence[str], variables: Sequence[str], others: Mapping[str, xr.Dataset]
    ) -> xr.Dataset:
        """Return inputs and ensemble means of a scenario on the grid of the others; ``members`` says how many."""
        climate = self.outputs(scenario, variables)
        forcing = self.reader.inputs(scenario, inputs)
        if inputs:
            forcing = _at(forcing, "time", common_years(forcing, climate, scenario, self.note))
        fields = climate[["time", "latitude", "longitude"]].assign(self._means(climate, scenario, variables))
        fields = on_one_grid(fields, scenario, others, tolerance=SAME_GRID)
        fields = fields.assign_attrs(members=climate.sizes["member"])
        return fields.assign(self.on_grid(forcing, fields, scenario).data_vars)

    def as_published_validation(
        self, inputs: Sequence[str], variables: Sequence[str], train: Mapping[str, xr.Dataset]
    ) -> dict[str, xr.Dataset]:
        """Return the test scenario as validation data, as published networks used it: a leak, and noted as one."""
        scenario = self.card.test.scenario
        self.note(f"as published: training is stopped early on {scenario}, the test scenario itself")
        return {scenario: self._scenario(scenario, inputs, variables, train)}

    def folds(self, train: Mapping[str, xr.Dataset]) -> list[Fold]:
        """Return pairs of training and validation data for choosing settings, and note how they were made."""
        made, words = folds(train, self.card)
        self.note(words)
        return made

    def _means(self, climate: xr.Dataset, scenario: str, variables: Sequence[str]) -> dict[str, xr.DataArray]:
        """Return ensemble means in memory; the next variables are read while one is averaged."""
        where = {name: f"{scenario}: {name}" for name in variables}
        fields = [self._in_units(climate[name], scenario) for name in variables]
        with ThreadPoolExecutor(2) as ahead:
            loaded = ahead.map(_read, fields, where.values())
            return {n: ensemble_mean(field, where[n], self.note) for n, field in zip(variables, loaded, strict=True)}

    def test_inputs(self, inputs: Sequence[str], history: int, grid: xr.Dataset) -> xr.Dataset:
        """Return the forcings of the test years and of the years of history before them, in memory.

        Parameters
        ----------
        inputs : sequence of str
            Forcings the emulator uses.
        history : int
            Years before the first test year that it wants; taken from ``historical`` where the scenario starts later.
            Where there are none, it gets as many as there are.
        grid : Dataset
            Has the grid maps are brought to.

        Returns
        -------
        Dataset
            Of shape (time,) or (time, latitude, longitude).

        Raises
        ------
        DataError
            If years are missing.
        """
        test = self.card.test
        years = np.arange(test.years[0] - history, test.years[1] + 1)
        if not inputs:
            return xr.Dataset(coords={"time": years})
        data = self.reader.inputs(test.scenario, inputs)
        if history and data["time"].values[0] > years[0]:
            data = self._after_historical(data, inputs)
        years = years[years >= min(int(data["time"].values[0]), test.years[0])]
        data = _at(data, "time", _all_there(data, "time", years, f"The inputs of {test.scenario}", "year"))
        return self.on_grid(data, grid, test.scenario)

    def _after_historical(self, data: xr.Dataset, inputs: Sequence[str]) -> xr.Dataset:
        """Return a scenario's inputs after those of ``historical``, where there are any."""
        try:
            past = self.reader.inputs("historical", inputs)
        except DataError:
            self.note(f"no historical inputs: emulators see {self.card.test.scenario} from its own first year on")
            return data
        first = data["time"].values[0]
        return xr.concat([past.sel(time=past["time"] < first), data], "time", coords="minimal", compat="override")

    def on_grid(self, forcing: xr.Dataset, grid: xr.Dataset, scenario: str) -> xr.Dataset:
        """Return forcings in memory with their maps on a grid; see `climbench.tasks.input_maps.on_grid`."""
        return on_grid(_read(forcing, f"The inputs of {scenario}"), grid, scenario, self.note)

    def check_prediction(
        self, prediction: xr.Dataset, target: xr.Dataset, who: str, *, zero_by_design: bool = False
    ) -> xr.Dataset:
        """Return an emulator's output if it answers the task exactly, else raise `PredictionError`.

        Parameters
        ----------
        prediction : Dataset
            What the emulator returned.
        target : Dataset
            What it is scored against.
        who : str
            The emulator's name.
        zero_by_design : bool
            Whether zeros throughout are meant.

        Returns
        -------
        Dataset
            The targets alone, dimensions in canonical order.
        """
        if not isinstance(prediction, xr.Dataset):
            raise PredictionError(f"'{who}' must predict an xarray Dataset; it gave {type(prediction).__name__}.")
        for name in self.card.targets:
            if name not in prediction:
                raise PredictionError(f"'{who}' did not predict {name}; it gave {', '.join(map(str, prediction))}.")
            extra = set(prediction[name].dims) - set(target[name].dims)
            lacking = set(target[name].dims) - {"member"} - set(prediction[name].dims)
            if extra or lacking:
                raise PredictionError(
                    f"'{who}' predicts {name} with dimensions {prediction[name].dims}; wanted are "
                    "([member,] time, latitude, longitude)."
                )
            for dim in ("time", "latitude", "longitude"):
                if not np.array_equal(prediction[dim].values, target[dim].values):
                    raise PredictionError(
                        f"'{who}' predicts {name} on another {dim} than the target: {_ends(prediction, dim)} against "
                        f"{_ends(target, dim)}."
                    )
            if not bool(np.isfinite(prediction[name]).all()):
                raise PredictionError(f"'{who}' predicts values of {name} that are not finite.")
            if not zero_by_design and not bool((prediction[name] != 0.0).any()):
                raise PredictionError(f"'{who}' predicts zero throughout for {name}; that is refused, not scored.")
        # units are those of training: attributes that arithmetic carried along may say anything
        units = {n: prediction[n].drop_attrs().assign_attrs(units=self.units(n)) for n in self.card.targets}
        chosen = prediction[list(self.card.targets)].assign(units)
        return chosen.transpose(*(d for d in ("member", "time", "latitude", "longitude") if d in chosen.dims))


def _read(data: T, where: str) -> T:
    """Return data in memory, or raise `DataError` where its file is damaged."""
    try:
        return data.load()
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(f"{where} cannot be read; a file may be cut short: {error}") from error


def _at(data: xr.Dataset, dim: str, labels: np.ndarray) -> xr.Dataset:
    """Return data at labels that are there, as a slice where they stand together: picked singly they read slowly."""
    places = data.get_index(dim).get_indexer(pd.Index(labels))
    together = places.size > 0 and bool((np.diff(places) == 1).all())
    return data.isel({dim: slice(places[0], places[-1] + 1) if together else places})


def _ends(data: xr.Dataset, dim: str) -> str:
    values = data[dim].values
    return f"{values.size} values {values[0]}..{values[-1]}"


def _all_there(data: xr.Dataset, dim: str, wanted: Sequence[Any] | np.ndarray, where: str, what: str) -> np.ndarray:
    """Return the wanted labels, or raise `DataError` naming those that are missing and what there is."""
    there = data[dim].values
    missing = [w.item() if isinstance(w, np.generic) else w for w in wanted if w not in there]
    if missing:
        span = f"{there[0]}..{there[-1]}" if dim == "time" else ", ".join(map(str, there))
        names = ", ".join(map(str, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise DataError(f"{where} lacks the {what}{'s' if len(missing) > 1 else ''} {names}; it has {span}.")
    return np.asarray(wanted)
