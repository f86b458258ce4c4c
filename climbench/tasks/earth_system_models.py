"""A projection of several Earth system models: an emulator for each, or one for all.

Variables of a model bear its name: ``tas.NorESM2-LM``. An emulator for all is trained on all of them at once; where it
wants a variable to learn from, such as the temperature that pattern scaling takes global warming from, that is the mean
over the models. In a network the last layer is then a head for each model, on a body that all share.

Reference: Kaltenborn et al. (2023), arXiv:2311.03721, who call an emulator for all a super-emulator.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from climbench.cards import DatasetCard, ProjectionCard
from climbench.errors import DataError, did_you_mean
from climbench.grids import describe_grid, grid_offset
from climbench.models.one_each import MEMBERS, OneEach
from climbench.tasks.projection import SAME_GRID, ProjectionTask, ScenarioReader
from climbench.variables import of_model, without_model

SPACE = ("latitude", "longitude")


def projection_task(card: ProjectionCard, reader: Any, dataset: DatasetCard) -> ProjectionTask:
    """Return a projection task on one climate model, or on several where the card names them.

    Parameters
    ----------
    card : ProjectionCard
        What is fed, predicted and scored.
    reader : object
        Where the data is; that of several models has ``models``, their names, and ``model(name)``, the reader of one.
    dataset : DatasetCard
        What the data holds.

    Returns
    -------
    ProjectionTask

    Raises
    ------
    DataError
        If the task is of one model and the data of several, or the other way round.
    """
    several = hasattr(reader, "models")
    if card.earth_system_models is None and several:
        raise DataError(
            f"'{card.name}' is a task on one climate model, and {reader.place} holds several: "
            f"{', '.join(reader.models)}. Name the folder of one with --data, or say --set earth_system_models=all."
        )
    if card.earth_system_models is not None and not several:
        raise DataError(
            f"'{card.name}' is a task on several climate models; '{dataset.name}' holds one. Leave out --set "
            "earth_system_models, or name data of several with --data."
        )
    return EarthSystemModelsTask(card, reader, dataset) if several else ProjectionTask(card, reader, dataset)


class _OneModel(ProjectionTask):
    """The task on one of the models; what is to be noted is noted of the whole, with the model's name."""

    def __init__(
        self,
        whole: EarthSystemModelsTask,
        model: str,
        card: ProjectionCard,
        reader: ScenarioReader,
        dataset: DatasetCard,
    ) -> None:
        self.whole, self.model = whole, model
        super().__init__(card, reader, dataset)

    def note(self, text: str) -> None:
        """Keep one line for the record of the whole."""
        self.whole.note(f"{self.model}: {text}")


class EarthSystemModelsTask(ProjectionTask):
    """A projection task on several climate models; parameters and attributes as `ProjectionTask`.

    Attributes
    ----------
    models : tuple of str
        Their names.
    parts : dict of str to ProjectionTask
        The task on each.

    Raises
    ------
    DataError
        If there is no such model.
    """

    def __init__(self, card: ProjectionCard, reader: Any, dataset: DatasetCard) -> None:
        assert card.earth_system_models is not None
        there = tuple(reader.models)
        self.models = there if card.earth_system_models == "all" else card.earth_system_models
        for model in self.models:
            if model not in there:
                raise DataError(f"{reader.place} has no model '{model}'. {did_you_mean(model, there)}")
        alone = card.model_copy(update={"earth_system_models": None})
        named = {of_model(v, m): entry for m in self.models for v, entry in dataset.variables.items()}
        super().__init__(
            card.model_copy(update={"targets": tuple(of_model(v, m) for m in self.models for v in card.targets)}),
            reader,
            dataset.model_copy(update={"variables": {**dataset.variables, **named}}),
        )
        self.parts = {m: _OneModel(self, m, alone, reader.model(m), dataset) for m in self.models}

    def training_files(self) -> list[Path]:
        """Return the files that fitting and predicting read; raise `DataError` for one that is missing."""
        return list(dict.fromkeys(path for part in self.parts.values() for path in part.training_files()))

    def target_files(self) -> list[Path]:
        """Return the files that scoring reads; raise `DataError` for one that is missing."""
        return list(dict.fromkeys(path for part in self.parts.values() for path in part.target_files()))

    def outputs(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Refuse: members of different models have nothing to do with one another."""
        raise DataError(
            f"'{self.card.name}' is a task on several climate models, whose members cannot be told by number. Name the "
            "folder of one with --data, and a task on one, such as climatebench."
        )

    def emulator(self, make: Callable[[], Any]) -> Any:
        """Return what is fitted: an emulator for each model, or the one for all; references are as they are."""
        made = make()
        if self.card.emulators == "one-for-all" or hasattr(made, "leave_one_out"):
            return made
        return OneEach(make, self.models)

    def target(self, members: Sequence[Hashable] | None = None) -> xr.Dataset:
        """Return the members of the test scenario of all models in the test years, in scoring units, in memory.

        Parameters
        ----------
        members : sequence of hashable, optional
            Which of each model's; those of the card, or all there are, without.

        Returns
        -------
        Dataset of shape (member, time, latitude, longitude)
            Members are numbered; those that a model does not have are NaN.

        Raises
        ------
        DataError
            If anything is wrong with the target of a model, or models lie on different grids.
        """
        found = {model: part.target(members) for model, part in self.parts.items()}
        first = self.models[0]
        named = []
        for model, data in found.items():
            numbered = data.assign_coords(member=np.arange(1, data.sizes["member"] + 1))
            named.append(_renamed(self._fitting(numbered, model, found[first], first, "target"), model))
        return xr.merge(named, join="outer", compat="override", combine_attrs="override")

    def _scenario(
        self, scenario: str, inputs: Sequence[str], variables: Sequence[str], others: Mapping[str, xr.Dataset]
    ) -> xr.Dataset:
        """Return inputs and ensemble means of a scenario for all models, and means over the models where asked for."""
        shared = [v for v in variables if v == without_model(v)]
        found: dict[str, xr.Dataset] = {}
        for model, part in self.parts.items():
            own = [without_model(v) for v in variables if v == of_model(without_model(v), model)]
            data = part._scenario(scenario, inputs, list(dict.fromkeys([*own, *shared])), others)
            found[model] = self._fitting(data, model, next(iter(found.values()), data), self.models[0], scenario)
        climate = [_renamed(data.drop_vars(list(inputs)), model) for model, data in found.items()]
        merged = xr.merge(climate, join="exact", compat="override", combine_attrs="override")[
            [v for v in variables if v not in shared]
        ]
        means = {v: _mean([data[v] for data in found.values()]) for v in shared}
        counts = {of_model(MEMBERS, model): data.attrs[MEMBERS] for model, data in found.items()}
        merged = merged.assign(means).assign_attrs({**counts, MEMBERS: min(counts.values())})
        return merged.assign(self._forcing({m: data[list(inputs)] for m, data in found.items()}, inputs))

    def test_inputs(self, inputs: Sequence[str], history: int, grid: xr.Dataset) -> xr.Dataset:
        """Return the forcings of the test years of all models; see `ProjectionTask.test_inputs`."""
        found = {model: part.test_inputs(inputs, history, grid) for model, part in self.parts.items()}
        first = next(iter(found.values()))
        return first.drop_vars(list(first.data_vars)).assign(self._forcing(found, inputs))

    def _forcing(self, found: Mapping[str, xr.Dataset], inputs: Sequence[str]) -> dict[str, xr.DataArray]:
        """Return inputs that all models share, or else each one's and their mean."""
        forcing = {}
        for name in inputs:
            each = [data[name] for data in found.values()]
            if all(each[0].identical(other) or each[0].equals(other) for other in each[1:]):
                forcing[name] = each[0]
                continue
            self.note(f"{name} differs between the models; one emulator for all would get their mean")
            forcing |= {of_model(name, model): data[name] for model, data in found.items()}
            forcing[name] = _mean(each)
        return forcing

    def _fitting(self, data: xr.Dataset, model: str, first: xr.Dataset, name: str, what: str) -> xr.Dataset:
        """Return a model's data on the coordinates of the first one's, or raise `DataError`."""
        if grid_offset(data, first) > SAME_GRID:
            raise DataError(
                f"{what}: {model} lies on another grid than {name}: {describe_grid(data)} against "
                f"{describe_grid(first)}. Regrid it, or name the models with --set 'earth_system_models=[...]'."
            )
        if not np.array_equal(data["time"], first["time"]):
            raise DataError(
                f"{what}: {model} has the years {data['time'].values[0]}..{data['time'].values[-1]} "
                f"({data.sizes['time']}), {name} {first['time'].values[0]}..{first['time'].values[-1]} "
                f"({first.sizes['time']}). Name models that agree with --set 'earth_system_models=[...]'."
            )
        return data.assign_coords({d: first[d] for d in SPACE})


def _renamed(data: xr.Dataset, model: str) -> xr.Dataset:
    return data.rename({v: of_model(str(v), model) for v in data.data_vars})


def _mean(fields: Sequence[xr.DataArray]) -> xr.DataArray:
    total = fields[0].astype("float64")
    for field in fields[1:]:
        total = total + field
    return (total / len(fields)).assign_attrs(fields[0].attrs)
