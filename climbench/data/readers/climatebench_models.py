"""Several climate models, each a folder in ClimateBench's layout: ``{model}/outputs_{experiment}.nc``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from climbench.data.readers.base import Reader
from climbench.data.readers.climatebench import ClimateBenchReader, Part, layout_files
from climbench.data.stores import is_url
from climbench.errors import DataError, did_you_mean


class ClimateBenchModelsReader(Reader):
    """Reads a folder of such folders; its parts are ``"mini-esm-warm outputs ssp245"`` and so on."""

    layout = "climatebench-models"
    own_card = "mini-esm-models"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether the place is a folder of folders of this layout, and not one itself."""
        return not is_url(place) and not layout_files(Path(place)) and bool(_folders(Path(place)))

    @cached_property
    def models(self) -> dict[str, Path]:
        """The folder of each model, by name."""
        found = _folders(Path(self.place))
        if not found:
            raise DataError(
                f"{self.place} holds no folder of a model with files named outputs_{{experiment}}.nc. Name the folder "
                "that does with --data."
            )
        return found

    def model(self, name: str) -> ClimateBenchReader:
        """Return the reader of one model's folder.

        Parameters
        ----------
        name : str
            The model's name, as its folder is called.

        Returns
        -------
        ClimateBenchReader

        Raises
        ------
        DataError
            If there is no such model.
        """
        if name not in self.models:
            raise DataError(f"{self.place} has no model '{name}'. {did_you_mean(name, self.models)}")
        return ClimateBenchReader(self.models[name], self.card, chunks=self.chunks)

    def experiments(self, part: Part) -> list[str]:
        """Return the experiments of a part ("inputs" or "outputs") that any model has."""
        return sorted({e for name in self.models for e in self.model(name).experiments(part)})

    def origin(self, paths: Sequence[Path]) -> dict[str, Any] | None:
        """Return the mark of the simulated world that made some files, or None for real data.

        Parameters
        ----------
        paths : sequence of Path
            Files of the models' folders.

        Returns
        -------
        dict or None
            Name, version, seed and members of the world, and ``models``: which of its models the files are of.

        Raises
        ------
        DataError
            If the files are of different worlds, or some are real.
        """
        marks: dict[str, dict[str, Any] | None] = {}
        for name, folder in self.models.items():
            own = [path for path in paths if folder.resolve() in path.resolve().parents]
            if own:
                marks[name] = self.model(name).origin(own)
        worlds = {name: mark and {k: v for k, v in mark.items() if k != "model"} for name, mark in marks.items()}
        found = list(worlds.values())
        if any(world != found[0] for world in found[1:]):
            odd = ", ".join(f"{name}: {world or 'real'}" for name, world in worlds.items())
            raise DataError(f"{self.place} mixes models of different origin ({odd}). Keep them in separate folders.")
        return {**found[0], "models": list(worlds)} if found and found[0] else None

    def parts(self) -> list[str]:
        """Return the parts: the model, inputs or outputs, and the experiment."""
        return [f"{name} {part}" for name in self.models for part in self.model(name).parts()]

    def describe(self, part: str) -> str:
        """Return the model and the name of a part's file."""
        name, _, rest = part.partition(" ")
        return f"{name}/{self.model(name).describe(rest)}"

    def expected(self, part: str) -> list[str]:
        """Return the card's inputs or outputs."""
        name, _, rest = part.partition(" ")
        return self.model(name).expected(rest)

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return one file as it is stored."""
        name, _, rest = part.partition(" ")
        return self.model(name).raw(rest, variables)


def _folders(place: Path) -> dict[str, Path]:
    """Return the folders in a folder that hold files of ClimateBench's layout, by name."""
    if not place.is_dir():
        return {}
    return {path.name: path for path in sorted(place.iterdir()) if path.is_dir() and layout_files(path)}
