"""Scenarios as changes from a reference climate, made of archives that hold absolute values."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from climbench.data.readers.annual import SPACE, changes, mean_of_years
from climbench.data.stores import open_store
from climbench.errors import DataError
from climbench.records import WORLD_ATTRIBUTE

PAST = "historical"
EARLY = (1850, 1900)


class AbsoluteScenarios(ABC):
    """Gives the experiments of an archive of absolute values as a projection task wants them: as annual changes.

    Attributes
    ----------
    notes : list of str
        What was done to the data, for the record.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._references: dict[str, xr.Dataset] = {}

    @abstractmethod
    def absolute(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return annual means of shape (member, time, latitude, longitude), lazily, in the card's units."""

    @abstractmethod
    def experiments(self, part: str) -> list[str]:
        """Return the experiments there are of "inputs" or "outputs"."""

    def control(self, variable: str) -> xr.Dataset | None:
        """Return the mean of a control run, of shape (latitude, longitude), or None where there is none."""
        return None

    def outputs(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return the climate of an experiment as changes from the reference.

        Parameters
        ----------
        experiment : str
            For example ``"ssp245"``.
        variables : sequence of str
            Names on the data set's card.

        Returns
        -------
        Dataset
            Variables of shape (member, time, latitude, longitude), in the card's units, lazily; ``time`` in integer
            years.

        Raises
        ------
        DataError
            If there is no such experiment or variable, or nothing that could be the reference.
        """
        data = self.absolute(experiment, variables)
        return changes(data, self.reference(variables), variables)

    def reference(self, variables: Sequence[str]) -> xr.Dataset:
        """Return what changes are from: the control's mean, or else that of 1850-1900 over the historical members.

        Parameters
        ----------
        variables : sequence of str
            Names on the data set's card.

        Returns
        -------
        Dataset of shape (latitude, longitude)
            Absolute values in the card's units, float64.

        Raises
        ------
        DataError
            If there is neither.
        """
        for variable in variables:
            if variable not in self._references:
                self._references[variable] = self._found_reference(variable)
        return xr.merge([self._references[v] for v in variables], compat="override", join="exact")

    def _found_reference(self, variable: str) -> xr.Dataset:
        control = self.control(variable)
        if control is not None:
            return control[[variable]]
        found = None
        if PAST in self.experiments("outputs"):
            found = mean_of_years(self.absolute(PAST, [variable]), *EARLY)
        if found is None:
            raise DataError(
                f"{variable} is absolute, and there is nothing to take changes from: neither a control run nor "
                f"'{PAST}' in {EARLY[0]}-{EARLY[1]}. Put one of them into the folder."
            )
        self.add_note(f"{variable}: changes are from the mean of {PAST} over {EARLY[0]}-{EARLY[1]} and its members")
        return found[[variable]]

    def add_note(self, text: str) -> None:
        """Keep one line for the record, once."""
        if text not in self.notes:
            self.notes.append(text)

    def origin(self, paths: Sequence[Path]) -> dict[str, Any] | None:
        """Return the mark of a simulated world in the first of some files, or None for real data."""
        return world_mark(paths[0]) if paths else None


def world_mark(path: Path) -> dict[str, Any] | None:
    """Return the mark of the simulated world that made a file, or None where it has none.

    Parameters
    ----------
    path : Path
        A file or store.

    Returns
    -------
    dict or None

    Raises
    ------
    DataError
        If the mark cannot be read.
    """
    with open_store(path) as data:
        mark = data.attrs.get(WORLD_ATTRIBUTE)
    if mark is None:
        return None
    try:
        return dict(json.loads(mark))
    except (TypeError, ValueError):
        raise DataError(f"{path}: the mark of the world that made the file cannot be read: {mark!r}.") from None


def members_joined(annual: Sequence[xr.Dataset], members: Sequence[str], where: str) -> xr.Dataset:
    """Return the members of an experiment along ``member``, by their numbers, lazily.

    Parameters
    ----------
    annual : sequence of Dataset of shape (time, latitude, longitude)
        One for each member.
    members : sequence of str
        Their names, such as ``r3i1p1f1``.
    where : str
        What to call the experiment in messages.

    Returns
    -------
    Dataset of shape (member, time, latitude, longitude)

    Raises
    ------
    DataError
        If they differ in their years or grids.
    """
    first = annual[0]
    for data, member in zip(annual[1:], members[1:], strict=True):
        for dim in ("time", *SPACE):
            if data.sizes[dim] != first.sizes[dim] or not np.allclose(data[dim], first[dim], atol=1e-4):
                raise DataError(
                    f"{where}: the members {members[0]} and {member} differ in their {dim} "
                    f"({first[dim].values[0]}..{first[dim].values[-1]} and {data[dim].values[0]}.."
                    f"{data[dim].values[-1]}). Leave one out."
                )
    joined = xr.concat(annual, "member", join="override", combine_attrs="override", coords="minimal")
    return joined.assign_coords(member=member_numbers(members))


def member_numbers(labels: Sequence[Hashable]) -> list[int]:
    """Return numbers for members: those after the r of their names where these differ, otherwise 1, 2, ...

    Parameters
    ----------
    labels : sequence of hashable
        Such as ``r3i1p1f1``.

    Returns
    -------
    list of int
    """
    heads = [str(label).removeprefix("r").partition("i")[0] for label in labels]
    numbers = [int(head) for head in heads if head.isdigit()]
    return numbers if len(set(numbers)) == len(labels) else list(range(1, len(labels) + 1))
