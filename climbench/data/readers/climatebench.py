"""ClimateBench's layout: ``inputs_{experiment}.nc`` and ``outputs_{experiment}.nc`` (or the same as zarr stores).

Inputs name their dimensions ``latitude, longitude``, outputs ``lat, lon``; years are integers; outputs carry a scalar
coordinate ``quantile`` and a ``member`` axis in which members may lack years or variables (NaN).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import xarray as xr

from climbench.cards import DatasetCard
from climbench.data.canonical import canonical, with_units
from climbench.data.readers.base import Reader
from climbench.data.stores import Chunks, is_url, open_store
from climbench.errors import DataError, did_you_mean
from climbench.records import WORLD_ATTRIBUTE

Part = Literal["inputs", "outputs"]
FOLDERS = (".", "train_val", "test")


class ClimateBenchReader(Reader):
    """Reads a folder in ClimateBench's layout; its parts are ``"outputs ssp245"``, ``"inputs ssp245"`` and so on.

    Parameters
    ----------
    place : str or Path
        The folder with the files, or the one that holds ``train_val/`` and ``test/``.
    card : DatasetCard, optional
        Says which variables there are and the units of those that state none; ClimateBench's own without.
    chunks : None, "auto" or mapping
        How `open` chunks; without, nothing needs dask.
    storage_options : mapping, optional
        Not used: the folder is local.

    Raises
    ------
    DataError
        If the folder does not exist or holds no file of this layout.
    """

    layout = "climatebench"
    own_card = "climatebench"
    card: DatasetCard

    def __init__(
        self,
        place: str | Path,
        card: DatasetCard | None = None,
        *,
        chunks: Chunks = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(place, card, chunks=chunks, storage_options=storage_options)
        self.directory = Path(place)
        self.notes: list[str] = []
        if not self.directory.is_dir():
            raise DataError(f"There is no data folder {self.directory}. Name one with --data.")
        if not self.files:
            raise DataError(
                f"{self.directory} holds no file named inputs_{{experiment}}.nc or outputs_{{experiment}}.nc "
                "(as ClimateBench's archives unpack). Name the folder that does with --data."
            )

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether the place is a folder with files of this layout."""
        return not is_url(place) and bool(layout_files(Path(place)))

    @cached_property
    def files(self) -> dict[tuple[str, str], Path]:
        """All files of the layout, by part and experiment."""
        return layout_files(self.directory)

    def parts(self) -> list[str]:
        """Return the parts: inputs or outputs, and the experiment."""
        return [" ".join(key) for key in sorted(self.files)]

    def describe(self, part: str) -> str:
        """Return the name of a part's file."""
        kind, _, experiment = part.partition(" ")
        return self.files[kind, experiment].name

    def expected(self, part: str) -> list[str]:
        """Return the card's inputs or outputs."""
        return list(self.card.inputs if part.startswith("inputs") else self.card.variables)

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return one file as it is stored."""
        kind, _, experiment = part.partition(" ")
        path = self.files[kind, experiment]
        return open_store(path, chunks=self.chunks, empty_chunks=self.card.empty_chunks)

    def experiments(self, part: Part) -> list[str]:
        """Return the experiments that have a file of a part ("inputs" or "outputs")."""
        return sorted(experiment for kind, experiment in self.files if kind == part)

    def path(self, part: Part, experiment: str) -> Path:
        """Return the file of one part of one experiment.

        Parameters
        ----------
        part : {"inputs", "outputs"}
            Forcings or climate.
        experiment : str
            For example ``"ssp245"``.

        Returns
        -------
        Path

        Raises
        ------
        DataError
            If there is none; what there is, is named.
        """
        path = self.files.get((part, experiment))
        if path is None:
            known = did_you_mean(experiment, self.experiments(part))
            raise DataError(f"{self.directory} has no {part} of the scenario '{experiment}'. {known}")
        return path

    def paths(self, inputs: Sequence[str], outputs: Sequence[str]) -> list[Path]:
        """Return the files that given inputs and outputs are read from."""
        return [self.path("inputs", e) for e in inputs] + [self.path("outputs", e) for e in outputs]

    def inputs(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return forcings of an experiment.

        Parameters
        ----------
        experiment : str
            For example ``"ssp126"``.
        variables : sequence of str
            Names on the data set's card, for example ``["CO2", "SO2"]``.

        Returns
        -------
        Dataset
            Variables of shape (time,) or (time, latitude, longitude), in the card's units; scalars are held constant
            in time.
        """
        return self._read("inputs", experiment, variables)

    def outputs(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return the climate of an experiment.

        Parameters
        ----------
        experiment : str
            For example ``"ssp245"``.
        variables : sequence of str
            Names on the data set's card, for example ``["tas", "pr"]``.

        Returns
        -------
        Dataset
            Variables of shape (member, time, latitude, longitude), in the card's units.
        """
        data = self._read("outputs", experiment, variables)
        data = data if "member" in data.dims else data.expand_dims(member=[1])
        return data

    def _read(self, part: Part, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        path = self.path(part, experiment)
        data, notes = canonical(open_store(path), path.name, self.card, wanted=variables, annual=True)
        self._note(notes)
        entries = self.card.inputs if part == "inputs" else self.card.variables
        missing = [v for v in variables if v not in data]
        if missing:
            raise DataError(f"{path} has no variable '{missing[0]}'. {did_you_mean(missing[0], map(str, data))}")
        chosen = {}
        for name in variables:
            units = entries[name].units
            chosen[name], _ = with_units(data[name], units, assumed=units, where=f"{path.name}: {name}")
            if "time" not in data[name].dims and "time" in data.dims:
                chosen[name] = chosen[name].expand_dims(time=data["time"])
        return data[[]].assign(chosen)

    def _note(self, notes: Sequence[str]) -> None:
        self.notes += [note for note in notes if note not in self.notes]

    def origin(self, paths: Sequence[Path]) -> dict[str, Any] | None:
        """Return the mark of the simulated world that made some files, or None for real data.

        Parameters
        ----------
        paths : sequence of Path
            Files of the folder.

        Returns
        -------
        dict or None
            Name, version, seed and members of the world.

        Raises
        ------
        DataError
            If only some of the files carry a mark, their marks differ, or the mark cannot be read.
        """
        marks = {}
        for path in paths:
            with open_store(path) as data:
                marks[path.name] = data.attrs.get(WORLD_ATTRIBUTE)
        if len(set(marks.values())) > 1:
            odd = ", ".join(f"{name}: {mark or 'real'}" for name, mark in marks.items())
            raise DataError(f"{self.directory} mixes files of different origin ({odd}). Keep them in separate folders.")
        mark = next(iter(marks.values()), None)
        if mark is None:
            return None
        try:
            found = dict(json.loads(mark))
        except (TypeError, ValueError):
            found = {}
        if "world" not in found:
            raise DataError(f"{self.directory}: the mark of the world that made the files cannot be read: {mark!r}.")
        return found


def layout_files(directory: Path) -> dict[tuple[str, str], Path]:
    """Return the files of the layout in a folder and the two that the archives unpack into.

    Parameters
    ----------
    directory : Path
        May be missing, or no folder.

    Returns
    -------
    dict of (str, str) to Path
        By part ("inputs" or "outputs") and experiment.
    """
    found: dict[tuple[str, str], Path] = {}
    for folder in FOLDERS:
        for path in sorted((directory / folder).glob("*puts_*")):
            match = re.fullmatch(r"(inputs|outputs)_(.+)\.(nc|zarr)", path.name)
            if match:
                found.setdefault((match[1], match[2]), path)
    return found
