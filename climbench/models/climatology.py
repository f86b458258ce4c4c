"""Climatology as a forecast: what is usual for the hour and day of the year, in the training years alone.

Reference: Rasp et al. (2023), WeatherBench 2, arXiv:2308.15560, for the recipe and the probabilistic form.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import xarray as xr

from climbench.data.climatology import at_valid_times, climatology
from climbench.data.convert import convert
from climbench.data.day_windows import DAYS, CalendarDays
from climbench.data.stores import open_store
from climbench.errors import ModelError
from climbench.models.fitted_fields import read_fields, write_fields
from climbench.models.forecaster import Forecaster, in_forecast_order, one_series, valid_times

FIELDS = "climatology"
SERIES = "years.zarr"


class Climatology(Forecaster):
    """Forecasts the mean for the valid hour and day of the year, smoothed by WeatherBench's window of 61 days.

    Attributes
    ----------
    fields : Dataset of shape (hour, dayofyear, [level,] latitude, longitude)
        The climatology of the training years (`climbench.data.climatology`).
    """

    def __init__(self) -> None:
        self.fields: xr.Dataset | None = None

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""
        return 0 if self.fields is None else sum(field.size for field in self.fields.values())

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Take the mean of the training years; the validation years are not looked at."""
        self.fields = climatology(one_series(train))

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return the mean at the valid times; of the inputs, only the initial times count."""
        if self.fields is None:
            raise ModelError("The climatology was not fitted; call fit(train, seed=...) first.")
        return in_forecast_order(at_valid_times(self.fields, valid_times(inputs, leads)).drop_attrs(deep=False))

    def save(self, directory: Path) -> None:
        """Write the climatology into a folder."""
        write_fields(self.fields, directory, FIELDS)

    @classmethod
    def load(cls, directory: Path) -> Climatology:
        """Return the emulator that `save` wrote into a folder."""
        emulator = cls()
        emulator.fields = read_fields(directory, FIELDS)
        return emulator


class ProbabilisticClimatology(Climatology):
    """Forecasts the distribution over training years: each is a member, on the same hour and day of the year.

    One member is the mean, as from `Climatology`. Of more, at most as many as there are whole training years are given,
    the latest years first to count; fewer years give fewer members, for a year given twice would be no other draw. On
    day 366 a year without one gives its day 365, as it does in the mean. Training data is read anew for each forecast,
    and kept whole when the emulator is saved.

    Attributes
    ----------
    series : Dataset of shape (time, [level,] latitude, longitude)
        The training data, lazy.
    """

    ensemble: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.series: xr.Dataset | None = None

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Take the mean of the training years, and remember where they are."""
        super().fit(train, validation, seed=seed)
        assert self.fields is not None
        self.series = one_series(train)[list(self.fields)]

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return the mean, or training years at the valid times; ``member`` has the years."""
        if members == 1 or self.series is None:
            return super().predict(inputs, leads=leads, members=members, seed=seed)
        where = positions_by_year(self.series["time"], valid_times(inputs, leads))
        if not where.sizes["member"]:
            raise ModelError("No training year is whole; a probabilistic climatology has no member to give.")
        where = where.isel(member=slice(-members, None))
        needed, inverse = np.unique(where.values, return_inverse=True)
        read = self.series.isel(time=needed).load().drop_vars("time")
        return in_forecast_order(read.isel(time=where.copy(data=inverse.reshape(where.shape))).drop_attrs(deep=False))

    def save(self, directory: Path) -> None:
        """Write the climatology and the training years into a folder."""
        super().save(directory)
        if self.series is not None:
            convert(self.series, directory / SERIES, identity="training years")

    @classmethod
    def load(cls, directory: Path) -> ProbabilisticClimatology:
        """Return the emulator that `save` wrote into a folder; its training years stay there and are read as needed."""
        emulator = cls()
        emulator.fields = read_fields(directory, FIELDS)
        emulator.series = open_store(directory / SERIES)
        return emulator


def positions_by_year(time: xr.DataArray, valid: xr.DataArray) -> xr.DataArray:
    """Return where each whole year of a series has the hours and days of valid times.

    Parameters
    ----------
    time : DataArray of shape (time,)
        The series' times.
    valid : DataArray of datetime64 of any shape
        Valid times.

    Returns
    -------
    DataArray of int, of the shape of `valid` and (member,)
        Positions along ``time``; the coordinate ``member`` has the years that are whole.

    Raises
    ------
    ModelError
        If the series does not have an hour of day.
    """
    days = CalendarDays.of(time)
    table = np.full((days.years.size, days.hours.size, DAYS), -1)
    every = np.arange(time.size)
    table[days.year, days.hour, days.day] = every
    table[days.year[days.twice], days.hour[days.twice], DAYS - 1] = every[days.twice]
    whole = (table >= 0).all(axis=(1, 2))
    index = pd.DatetimeIndex(valid.values.ravel())
    hours = pd.Index(days.hours).get_indexer(index.hour)
    if (hours < 0).any():
        raise ModelError(
            f"The training years have the hours {', '.join(map(str, days.hours))} UTC, and a forecast is for "
            f"{index[hours < 0][0]}. Train on that hour too, or choose other initial or lead times."
        )
    found = table[whole][:, hours, np.asarray(index.day_of_year) - 1]
    years = xr.DataArray(days.years[whole], dims="member", name="member")
    shape = (years.size, *valid.shape)
    return xr.DataArray(
        found.reshape(shape), {**valid.coords, "member": years.astype("int64")}, ("member", *valid.dims)
    ).transpose(*valid.dims, "member")
