"""The members of a task's scenarios: which all scenarios share, one after the other, and means over some of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from climbench.data.canonical import with_units
from climbench.errors import DataError
from climbench.tasks.projection import SAME_GRID, ProjectionTask
from climbench.tasks.training_data import common_years, on_one_grid, refuse_empty

BLOCK_BYTES = 300e6  # of members read at once
KEPT_BYTES = 1e9  # an ensemble below this stays in memory
SPACE = ("latitude", "longitude")


class Ensemble:
    """The members that every scenario of a projection task has.

    Parameters
    ----------
    task : ProjectionTask
        The task, its data opened.
    leave_out : sequence of str
        Members not to use, as they are called in the data.

    Attributes
    ----------
    members : tuple
        Their labels, in the order of the test scenario.

    Raises
    ------
    DataError
        If a member to leave out is not there, or no member is in every scenario.
    """

    def __init__(self, task: ProjectionTask, leave_out: Sequence[str] = ()) -> None:
        self.task = task
        self._opened: dict[tuple[str, str], xr.DataArray] = {}
        self._kept: dict[tuple[str, str], xr.DataArray] = {}
        self._forcings: dict[tuple[str, tuple[str, ...]], xr.Dataset] = {}
        self.members = self._shared(leave_out)

    def _shared(self, leave_out: Sequence[str]) -> tuple[Hashable, ...]:
        card = self.task.card
        first = card.targets[0]
        there = {s: self._lazy(s, first)["member"].values.tolist() for s in (card.test.scenario, *card.train)}
        known = there[card.test.scenario]
        unknown = [m for m in leave_out if m not in map(str, known)]
        if unknown:
            raise DataError(f"{card.test.scenario} has no member {unknown[0]} to leave out; it has {_few(known)}.")
        wanted = known if card.test.members is None else list(card.test.members)
        shared = [m for m in wanted if str(m) not in leave_out and all(m in names for names in there.values())]
        odd = {s: [m for m in known if m not in names] for s, names in there.items()}
        for scenario, lacking in odd.items():
            if lacking:
                self.task.note(f"{scenario} lacks the members {_few(lacking)}; they are used in no scenario")
        if not shared:
            counts = "; ".join(f"{s}: {_few(names)}" for s, names in there.items())
            raise DataError(f"No member is in every scenario ({counts}).")
        return tuple(shared)

    def _lazy(self, scenario: str, variable: str) -> xr.DataArray:
        key = (scenario, variable)
        if key not in self._opened:
            self._opened[key] = self.task.outputs(scenario, [variable])[variable]
        return self._opened[key]

    def grid(self, scenario: str) -> xr.Dataset:
        """Return the years and the grid of a scenario, without any field."""
        array = self._lazy(scenario, self.task.card.targets[0])
        return xr.Dataset(coords={d: array[d] for d in ("time", *SPACE)})

    def places(self, variable: str) -> list[slice]:
        """Return places in `members`, as many at once as fit into memory over all training scenarios.

        Parameters
        ----------
        variable : str
            A climate variable.

        Returns
        -------
        list of slice
        """
        arrays = [self._lazy(scenario, variable) for scenario in self.task.card.train]
        one = sum(array.nbytes // array.sizes["member"] for array in arrays)
        chunk = max(int(array.encoding.get("preferred_chunks", {}).get("member", 1)) for array in arrays)
        size = max(1, int(BLOCK_BYTES / one))
        size = max(size - size % chunk, min(chunk, len(self.members)))  # whole chunks, so that none is read twice
        return [slice(start, start + size) for start in range(0, len(self.members), size)]

    def read(self, scenario: str, variable: str, place: slice) -> xr.DataArray:
        """Return some members of a training scenario, in memory.

        Parameters
        ----------
        scenario : str
            One of the task's.
        variable : str
            A climate variable.
        place : slice
            Their places in `members`.

        Returns
        -------
        DataArray of shape (member, time, latitude, longitude)
            In the unit they are trained in.

        Raises
        ------
        DataError
            If a member lacks a year.
        """
        return self._read(scenario, variable, self.members[place])

    def _read(self, scenario: str, variable: str, members: Sequence[Hashable]) -> xr.DataArray:
        """Return some members in memory, every one of them whole."""
        array = self._lazy(scenario, variable)
        key = (scenario, variable)
        if key not in self._kept and self._fits():
            self._kept[key] = self._loaded(array, scenario, self.members)
        if key in self._kept:
            return self._kept[key].sel(member=list(members))
        return self._loaded(array, scenario, members)

    def _fits(self) -> bool:
        """Return whether all that was opened fits into memory at once, with as much again to spare."""
        return 2 * sum(array.nbytes for array in self._opened.values()) < KEPT_BYTES

    def _loaded(self, array: xr.DataArray, scenario: str, members: Sequence[Hashable]) -> xr.DataArray:
        where = f"{scenario}: {array.name}"
        places = array.get_index("member").get_indexer(pd.Index(list(members)))
        together = bool((np.diff(places) == 1).all())
        chosen = array.isel(member=slice(places[0], places[-1] + 1) if together else places)
        try:
            chosen = chosen.load()
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(f"{where} cannot be read; a file may be cut short: {error}") from error
        _refuse_gaps(chosen, where)
        refuse_empty(chosen, where)
        units = self.task.units(str(array.name))
        return with_units(chosen, units, assumed=None, where=where)[0].transpose("member", "time", *SPACE)

    def training(
        self, members: Sequence[Hashable], inputs: Sequence[str], variables: Sequence[str]
    ) -> dict[str, xr.Dataset]:
        """Return the training scenarios with the mean over some members, as an emulator is fitted on.

        Parameters
        ----------
        members : sequence of hashable
            Which members are averaged.
        inputs : sequence of str
            Forcings the emulator uses.
        variables : sequence of str
            Climate variables it is trained on.

        Returns
        -------
        dict of str to Dataset
            As from `climbench.tasks.projection.ProjectionTask.training`.

        Raises
        ------
        DataError
            If a member lacks a year, or grids do not fit.
        """
        scenarios: dict[str, xr.Dataset] = {}
        for scenario in self.task.card.train:
            means = {v: self._mean(scenario, v, members) for v in variables}
            fields = on_one_grid(xr.Dataset(means), scenario, scenarios, tolerance=SAME_GRID)
            fields = fields.assign_attrs(members=len(members))
            scenarios[scenario] = fields.assign(self.forcing(scenario, inputs, fields).data_vars)
        return scenarios

    def _mean(self, scenario: str, variable: str, members: Sequence[Hashable]) -> xr.DataArray:
        size = self.places(variable)[0].stop
        parts = [
            self._read(scenario, variable, members[i : i + size]).sum("member", dtype="float64", keep_attrs=True)
            for i in range(0, len(members), size)
        ]
        total = parts[0] if len(parts) == 1 else sum(parts[1:], start=parts[0])
        mean: xr.DataArray = (total / len(members)).assign_attrs(parts[0].attrs)
        return mean

    def forcing(self, scenario: str, inputs: Sequence[str], grid: xr.Dataset) -> xr.Dataset:
        """Return what drives a training scenario in its years, on a grid; read once."""
        key = (scenario, tuple(inputs))
        if key not in self._forcings:
            data = self.task.reader.inputs(scenario, inputs)
            if inputs:
                years = common_years(data, grid, scenario, self.task.note)
                data = self.task.on_grid(data.sel(time=years), grid, scenario)
            self._forcings[key] = data
        return self._forcings[key]

    def target(self) -> xr.Dataset:
        """Return the shared members of the test scenario in the test years, in memory.

        Returns
        -------
        Dataset of shape (member, time, latitude, longitude)
            In scoring units.

        Raises
        ------
        DataError
            If a member lacks a year.
        """
        test = self.task.card.test
        try:
            target = self.task.target(self.members)
        except DataError:  # where it is a gap, this experiment has another way out
            years = slice(*test.years)
            for name in self.task.card.targets:
                array = self.task.outputs(test.scenario, [name])[name].sel(member=list(self.members), time=years)
                _refuse_gaps(array, f"The target {test.scenario}: {name}")
            raise
        for name in map(str, target.data_vars):
            _refuse_gaps(target[name], f"The target {test.scenario}: {name}")
        return target


def _refuse_gaps(array: xr.DataArray, where: str) -> None:
    """Raise `DataError` that names a member with missing values, and the years."""
    if not np.isnan(array.values).any():
        return
    bad = np.isnan(array.transpose("member", "time", *SPACE).values).any(axis=(2, 3))
    first = int(np.flatnonzero(bad.any(axis=1))[0])
    member, years = array["member"].values[first], array["time"].values[bad[first]]
    raise DataError(
        f"{where} of member {member} has missing values in {years.size} years, first {years[0]}. The members "
        f"experiment needs whole members: leave it out with --leave-out {member}."
    )


def _few(names: Sequence[Hashable]) -> str:
    shown = ", ".join(map(str, names[:6]))
    return shown if len(names) <= 6 else f"{shown}, ... {names[-1]} ({len(names)})"
