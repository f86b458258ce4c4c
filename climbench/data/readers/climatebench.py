"""ClimateBench's layout: ``inputs_{experiment}.nc`` and ``outputs_{experiment}.nc`` (or the same as zarr stores).

Inputs name their dimensions ``latitude, longitude``, outputs ``lat, lon``; years are integers; outputs carry a scalar
coordinate ``quantile`` and a ``member`` axis in which members may lack years or variables (NaN).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from climbench.errors import DataError, did_you_mean
from climbench.records import WORLD_ATTRIBUTE

if TYPE_CHECKING:
    import xarray as xr

    from climbench.cards import DatasetCard

Part = Literal["inputs", "outputs"]
FOLDERS = (".", "train_val", "test")


class ClimateBenchReader:
    """Reads a folder in ClimateBench's layout.

    Parameters
    ----------
    directory : Path
        The folder with the files, or the one that holds ``train_val/`` and ``test/``.
    card : DatasetCard
        Says which variables there are and the units of those that state none.

    Raises
    ------
    DataError
        If the folder does not exist or holds no file of this layout.
    """

    def __init__(self, directory: Path, card: DatasetCard) -> None:
        self.directory = Path(directory)
        self.card = card
        self.notes: list[str] = []
        if not self.directory.is_dir():
            raise DataError(f"There is no data folder {self.directory}. Name one with --data.")
        if not self.files:
            raise DataError(
                f"{self.directory} holds no file named inputs_{{experiment}}.nc or outputs_{{experiment}}.nc "
                "(as ClimateBench's archives unpack). Name the folder that does with --data."
            )

    @cached_property
    def files(self) -> dict[tuple[str, str], Path]:
        """All files of the layout, by part and experiment."""
        found: dict[tuple[str, str], Path] = {}
        for folder in FOLDERS:
            for path in sorted((self.directory / folder).glob("*puts_*")):
                match = re.fullmatch(r"(inputs|outputs)_(.+)\.(nc|zarr)", path.name)
                if match:
                    found.setdefault((match[1], match[2]), path)
        return found

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
        return data if "member" in data.dims else data.expand_dims(member=[1])

    def _read(self, part: Part, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        from climbench.data.canonical import canonical, open_file, with_units

        path = self.path(part, experiment)
        data, notes = canonical(open_file(path), path.name)
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
            If only some of the files carry a mark, or their marks differ.
        """
        from climbench.data.canonical import open_file

        marks = {}
        for path in paths:
            with open_file(path) as data:
                marks[path.name] = data.attrs.get(WORLD_ATTRIBUTE)
        if len(set(marks.values())) > 1:
            odd = ", ".join(f"{name}: {mark or 'real'}" for name, mark in marks.items())
            raise DataError(f"{self.directory} mixes files of different origin ({odd}). Keep them in separate folders.")
        mark = next(iter(marks.values()), None)
        return None if mark is None else dict(json.loads(mark))
