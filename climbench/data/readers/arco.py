"""ARCO-ERA5: ERA5 as one zarr store on object storage, hourly on 37 levels, in WeatherBench's names.

Its time axis reaches beyond its data, in both directions; the attributes ``valid_time_start`` and ``valid_time_stop``
say where there are values. What lies between ``valid_time_stop`` and ``valid_time_stop_era5t`` is preliminary.

Reference: Carver and Merose (2023), https://github.com/google-research/arco-era5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from climbench.calendars import label
from climbench.cards import DatasetCard
from climbench.data.accumulation import era5_windows
from climbench.data.readers.plain import is_store
from climbench.data.readers.weatherbench import WeatherBenchReader
from climbench.data.stores import open_store
from climbench.errors import DataError

START, STOP = "valid_time_start", "valid_time_stop"


class ArcoReader(WeatherBenchReader):
    """Reads ARCO-ERA5's store, or a copy of a part of it that kept its attributes."""

    layout = "arco"
    own_card = "arco-era5"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether the place is a store that says until when its times are valid."""
        return is_store(place) and STOP in open_store(place).attrs

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return the store without the times that lie outside its valid ones."""
        data = super().raw(part, variables)
        return valid_times(data, self.describe(part)) if "time" in data.coords else data

    def windows(self, data: xr.Dataset, where: str, card: DatasetCard | None) -> Mapping[str, float]:
        """Return one hour for what ERA5 accumulates; an error where the times are no longer hourly."""
        return era5_windows(data, where, card)


def valid_times(data: xr.Dataset, where: str) -> xr.Dataset:
    """Return the times for which the store's attributes promise final values; a note says what was left out.

    Parameters
    ----------
    data : Dataset
        With the attributes ``valid_time_start`` and ``valid_time_stop``: dates, the last of them inclusive.
    where : str
        What to call it in messages.

    Returns
    -------
    Dataset
        ``encoding["climbench_notes"]`` has the note.

    Raises
    ------
    DataError
        If an attribute is no date, or no time is left.
    """
    times = data["time"].values
    begin, end = _date(data, START, where), _date(data, STOP, where)
    inside = np.ones(times.size, dtype=bool)
    if begin is not None:
        inside &= times >= begin
    if end is not None:
        inside &= times < end + np.timedelta64(1, "D")
    if inside.all():
        return data
    if not inside.any():
        raise DataError(f"{where} has no time within {START} and {STOP} ({data.attrs.get(START)}..{data.attrs[STOP]}).")
    kept = np.flatnonzero(inside)
    even = kept.size == kept[-1] - kept[0] + 1
    cut = data.isel(time=slice(int(kept[0]), int(kept[-1]) + 1) if even else kept)
    note = f"{where}: {times.size - kept.size} times outside {label(times[kept[0]])}..{label(times[kept[-1]])} left out"
    cut.encoding["climbench_notes"] = [
        *data.encoding.get("climbench_notes", ()),
        f"{note}: they are empty or preliminary by the store's own attributes ({STOP}: {data.attrs.get(STOP)})",
    ]
    return cut


def _date(data: xr.Dataset, name: str, where: str) -> np.datetime64 | None:
    """Return the day that an attribute of a store names."""
    if name not in data.attrs:
        return None
    try:
        return np.datetime64(pd.Timestamp(str(data.attrs[name])).date(), "us")
    except ValueError as error:
        raise DataError(f"{where}: the attribute {name} is no date: '{data.attrs[name]}'. Mend the store.") from error
