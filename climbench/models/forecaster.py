"""The contract between a forecast task and an emulator: states at initial times in, states at lead times out.

As with `climbench.models.base.Emulator`, any object with these methods serves; subclassing brings the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import xarray as xr

from climbench.data.stores import in_own_chunks
from climbench.errors import ModelError

NOW = np.timedelta64(0, "ns")
CELL = ("level", "latitude", "longitude")


@runtime_checkable
class Forecaster(Protocol):
    """What a forecast task asks of an emulator.

    Attributes
    ----------
    history : int
        How many states up to the initial time it is given, that of the initial time among them.
    ensemble : bool
        Whether it forecasts a distribution: `predict` then gives members where it is asked for more than one.
    static : bool
        Whether it is given the task's static variables, of shape (latitude, longitude), in both `train` and `inputs`.
    """

    history: int = 1
    ensemble: ClassVar[bool] = False
    static: ClassVar[bool] = False

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Learn from periods.

        Parameters
        ----------
        train : mapping of str to Dataset
            One data set a training period, of shape (time, [level,] latitude, longitude), lazily opened: it may be
            larger than the memory.
        validation : mapping of str to Dataset, optional
            The same for periods held out to choose settings by.
        seed : int
            The seed of everything random.
        """
        ...

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return forecasts.

        Parameters
        ----------
        inputs : Dataset of shape (init_time, history, [level,] latitude, longitude)
            States; the coordinate ``history`` has their times after the initial time, as timedelta64: none is
            positive, the last is zero.
        leads : ndarray of timedelta64 of shape (lead_time,)
            Lead times.
        members : int
            How many members to give where the emulator is an ensemble.
        seed : int
            The seed of everything random.

        Returns
        -------
        Dataset of shape (init_time, lead_time, [member,] [level,] latitude, longitude)
            In the units of the inputs.
        """
        ...

    def save(self, directory: Path) -> None:
        """Write the fitted emulator into a folder, without pickle."""
        ...

    @classmethod
    def load(cls, directory: Path) -> Forecaster:
        """Return the emulator that `save` wrote into a folder."""
        ...


def initial_state(inputs: xr.Dataset) -> xr.Dataset:
    """Return the states at the initial times, of shape (init_time, [level,] latitude, longitude).

    Raises
    ------
    ModelError
        If the inputs have no state at lag zero.
    """
    lags = inputs["history"].values.astype("timedelta64[ns]")
    now = np.flatnonzero(lags == NOW)
    if not now.size:
        raise ModelError(f"The inputs have no state at the initial time; their lags are {', '.join(map(str, lags))}.")
    return inputs.isel(history=int(now[-1])).drop_vars("history")


def valid_times(inputs: xr.Dataset, leads: np.ndarray) -> xr.DataArray:
    """Return the times that forecasts are for, of shape (init_time, lead_time), with both coordinates."""
    ahead = lead_times(leads)
    return inputs["init_time"].reset_coords(drop=True) + ahead


def lead_times(leads: np.ndarray) -> xr.DataArray:
    """Return lead times as a coordinate, in nanoseconds as WeatherBench has them."""
    values = np.asarray(leads).astype("timedelta64[ns]")
    return xr.DataArray(values, {"lead_time": values}, ("lead_time",))


def in_forecast_order(forecast: xr.Dataset) -> xr.Dataset:
    """Return a forecast with the dimensions of each variable in the order of the contract."""
    return forecast.transpose("init_time", "lead_time", "member", *CELL, missing_dims="ignore")


def one_series(train: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Return all training periods as one series in order of time, lazily.

    Raises
    ------
    ModelError
        If there is none.
    """
    periods = sorted(train.values(), key=lambda data: data["time"].values[0])
    if not periods:
        raise ModelError("There is no training period to learn from.")
    if len(periods) == 1:
        return periods[0]
    return xr.concat([in_own_chunks(data) for data in periods], "time", join="exact", combine_attrs="override")
