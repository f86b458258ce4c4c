"""Persistence: the weather stays what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import xarray as xr

from climbench.models.forecaster import Forecaster, in_forecast_order, initial_state, lead_times


class Persistence(Forecaster):
    """Forecasts the state at the initial time for all lead times."""

    parameters: ClassVar[int] = 0

    def __init__(self) -> None:
        """Make it; there is nothing to set."""

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Learn nothing, for there is nothing to learn."""

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return the state at the initial time for each lead time; the values are shared, not copied."""
        state = initial_state(inputs)
        return in_forecast_order(state.expand_dims(lead_time=lead_times(leads)))

    def save(self, directory: Path) -> None:
        """Write that this is persistence into a folder."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "persistence.json").write_text(json.dumps({"emulator": "Persistence"}), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Persistence:
        """Return the emulator; there is nothing to read."""
        return cls()
