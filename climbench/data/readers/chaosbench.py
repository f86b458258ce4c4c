"""ChaosBench: a folder for each data set (ERA5, LRA5, ORAS5 and four centres' forecasts) with one zarr for each day.

Stores are named ``era5_full_1.5deg_20220101.zarr``; forecasts have a dimension ``step`` and are named by their initial
day. Geopotential height is stored in gpm; it leaves as geopotential in m2 s-2, as the card declares.

Reference: Nathaniel et al. (2024), arXiv:2402.00712.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import xarray as xr

from climbench.calendars import label
from climbench.data.daily_stores import DailyVariable, Day, Make, lazily, one_day
from climbench.data.files import names_in
from climbench.data.readers.base import Reader
from climbench.data.stores import is_url, open_store
from climbench.errors import DataError

NAME = re.compile(r".+_(\d{4})(\d{2})(\d{2})\.zarr")
SIGNS = {"z", "q", "t", "u", "v", "w", "t2m", "sosstsst"}
SHOWN = 3
ONE_DAY = np.timedelta64(1, "D")


class ChaosBenchReader(Reader):
    """Reads a folder of ChaosBench's daily stores, or a folder of such folders."""

    layout = "chaosbench"
    own_card = "chaosbench"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether stores named by their day stand in a local folder or those in it, with ChaosBench's names."""
        if is_url(place) or not Path(place).is_dir():
            return False
        folders = [Path(place), *(Path(place) / name for name in names_in(place) if "." not in name)]
        first = next((f / n for f in folders for n in names_in(f) if NAME.fullmatch(n)), None)
        return first is not None and bool(SIGNS & set(map(str, open_store(first).data_vars)))

    def parts(self) -> list[str]:
        """Return the names of the folders that hold daily stores."""
        return list(self._folders)

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return the days of one folder as one data set; only the first of its stores is opened."""
        days, where = self._folders[part], self.describe(part)
        empty = "error" if self.card is None else self.card.empty_chunks
        first = open_store(days[0].place, empty_chunks=empty, storage_options=self.storage_options)
        notes = list(first.encoding["climbench_notes"])
        first = one_day(first, days[0])
        fields = [str(v) for v in first.data_vars if first[v].dims]
        time = xr.DataArray(np.array([day.date for day in days]), dims="time", name="time")
        arrays = {
            name: (
                ("time", *first[name].dims),
                lazily(DailyVariable(days, name, Make.of(first[name]), empty, self.storage_options)),
                first[name].attrs,
            )
            for name in fields
        }
        data = xr.Dataset(arrays, {**first.coords, "time": time}, first.attrs)
        notes += _missing_days(days, where) if "step" not in data.dims else []
        data.encoding["climbench_notes"] = notes
        return data.chunk(self.chunks) if self.chunks else data

    @cached_property
    def _folders(self) -> dict[str, list[Day]]:
        """The parts, and of each the stores in order of their days."""
        own = str(self.place).rstrip("/")
        here = self._days(own)
        if here:
            return {own.rpartition("/")[2]: here}
        names = [name for name in names_in(self.place, self.storage_options) if "." not in name]
        found = {name: self._days(f"{own}/{name}") for name in names}
        found = {name: days for name, days in found.items() if days}
        if not found:
            raise DataError(f"{self.place} has no stores named by their day, such as era5_full_1.5deg_20220101.zarr.")
        return found

    def _days(self, folder: str) -> list[Day]:
        place: str | Path = folder if is_url(self.place) else Path(folder)
        days = [
            Day(f"{folder}/{name}", np.datetime64("-".join(match.groups()), "us"))
            for name in names_in(place, self.storage_options)
            if (match := NAME.fullmatch(name))
        ]
        days.sort(key=lambda day: day.date)
        for day, after in pairwise(days):
            if day.date == after.date:
                raise DataError(f"{folder} has two stores for {label(day.date)}: {day.place} and {after.place}.")
        return days


def _missing_days(days: Sequence[Day], where: str) -> list[str]:
    """Return a note that names the days for which there is no store."""
    there = np.array([day.date for day in days]).astype("datetime64[D]")
    missing = np.setdiff1d(np.arange(there[0], there[-1] + ONE_DAY), there)
    if not missing.size:
        return []
    named = ", ".join(map(str, missing[:SHOWN])) + (" and so on" if missing.size > SHOWN else "")
    return [f"{where}: no store for {missing.size} days between its first and its last: {named}"]
