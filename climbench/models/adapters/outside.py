"""What adapters of other packages have in common: they learn nothing, and are saved as their settings alone."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import xarray as xr

from climbench.errors import MissingExtraError, ModelError
from climbench.models.forecaster import Forecaster
from climbench.models.forecasting.steps import HOUR, step_of

SETTINGS = "settings.json"


def installed(module: str, what: str, extra: str) -> Any:
    """Import a module of an optional package.

    Raises
    ------
    MissingExtraError
        If the package is not installed.
    ModelError
        If it is, and fails on import.
    """
    root = module.partition(".")[0]
    try:
        importlib.import_module(root)
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name == root:
            raise MissingExtraError(what, extra) from None
        raise ModelError(f"{what} needs the module '{error.name}', which '{module}' imports and is missing.") from error
    except ImportError as error:
        raise ModelError(f"{what}: '{module}' cannot be imported: {error}.") from error


class OutsideForecaster(Forecaster):
    """A forecaster trained elsewhere: `fit` checks that it serves the task, and no more.

    Parameters
    ----------
    settings : mapping
        The forecaster's own settings, JSON-able, from which its class can make it again.

    Attributes
    ----------
    seed : int
        That of `fit`.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = dict(settings)
        self.history = 1
        self.seed = 0

    def require(self, data: xr.Dataset) -> None:
        """Raise `ModelError` where the model does not serve states; ready it otherwise."""
        raise NotImplementedError

    def lags(self) -> np.ndarray:
        """Return the times of the states that the model starts from, relative to the initial time; zero is last."""
        raise NotImplementedError

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Learn nothing; check grid, fields, units and step.

        Raises
        ------
        ModelError
            If the model does not serve the task.
        """
        self.seed = seed
        self.require(next(iter(train.values())))
        self.history = self._states_back(step_of(train))

    def _states_back(self, step: np.timedelta64) -> int:
        back = -int(self.lags().min() / np.timedelta64(1, "ns"))
        one = int(step / np.timedelta64(1, "ns"))
        if any(int(lag / np.timedelta64(1, "ns")) % one for lag in self.lags()):
            told = ", ".join(f"{lag / HOUR:g}" for lag in self.lags())
            raise ModelError(
                f"The model starts from states at {told} h, and the task has one every {step / HOUR:g} h. Give it data "
                "of a finer step."
            )
        return back // one + 1

    def starts(self, inputs: xr.Dataset) -> xr.Dataset:
        """Return the states at the model's lags.

        Raises
        ------
        ModelError
            If one is not there.
        """
        given = inputs["history"].values.astype("timedelta64[ns]")
        lacking = [f"{lag / HOUR:g} h" for lag in self.lags() if lag not in given]
        if lacking:
            raise ModelError(f"The inputs have no state at {', '.join(lacking)} from the initial time.")
        return inputs.isel(history=[int(np.flatnonzero(given == lag)[0]) for lag in self.lags()])

    def save(self, directory: Path) -> None:
        """Write the settings into a folder; the model stays where it came from."""
        directory.mkdir(parents=True, exist_ok=True)
        content = {"emulator": type(self).__name__, "settings": self.settings, "seed": self.seed}
        content["history"] = self.history
        (directory / SETTINGS).write_text(json.dumps(content, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Return the forecaster that `save` wrote; raise `ModelError` where the folder holds none."""
        try:
            content = json.loads((directory / SETTINGS).read_text(encoding="utf-8"))
            if content["emulator"] != cls.__name__:
                raise ModelError(f"{directory} holds a '{content['emulator']}', not a '{cls.__name__}'.")
            forecaster = cls(**content["settings"])
            forecaster.seed, forecaster.history = int(content["seed"]), int(content["history"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{directory} holds no whole '{cls.__name__}': {type(error).__name__}: {error}."
            ) from error
        return forecaster
