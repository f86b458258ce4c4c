"""No change: the climate stays what the anomalies are measured from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import xarray as xr

from climbench.errors import ModelError
from climbench.models.base import Emulator


class NoChange(Emulator):
    """Predicts an anomaly of zero in every cell and year."""

    inputs: ClassVar[tuple[str, ...] | None] = ()
    zero_by_design: ClassVar[bool] = True
    parameters: ClassVar[int] = 0

    def __init__(self) -> None:
        self.grid: xr.Dataset | None = None

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Remember the grid and the names of the targets; there is nothing to learn."""
        first = next(iter(train.values()))
        maps = [v for v in first if {"latitude", "longitude"} <= set(first[v].dims)]
        self.grid = xr.zeros_like(first[maps].isel(time=0, drop=True), dtype="float64")

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return zeros for every year of the inputs, of shape (time, latitude, longitude)."""
        if self.grid is None:
            raise ModelError("NoChange was not fitted; call fit(train, seed=...) first.")
        return self.grid.expand_dims(time=inputs["time"])

    def save(self, directory: Path) -> None:
        """Write the grid and the names into a folder."""
        if self.grid is None:
            raise ModelError("NoChange was not fitted; there is nothing to save.")
        directory.mkdir(parents=True, exist_ok=True)
        grid = {d: self.grid[d].values.tolist() for d in ("latitude", "longitude")}
        (directory / "grid.json").write_text(json.dumps({**grid, "variables": [str(v) for v in self.grid]}))

    @classmethod
    def load(cls, directory: Path) -> NoChange:
        """Return the emulator that `save` wrote into a folder."""
        content = json.loads((directory / "grid.json").read_text())
        emulator = cls()
        coordinates = {d: content[d] for d in ("latitude", "longitude")}
        zeros = xr.DataArray(0.0, coords=coordinates, dims=("latitude", "longitude"))
        emulator.grid = xr.Dataset(dict.fromkeys(content["variables"], zeros))
        return emulator
