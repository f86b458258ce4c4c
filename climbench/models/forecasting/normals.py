"""What is normal in the training years, from which anomalies are taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.data.climatology import at_valid_times, climatology

TWO_YEARS = np.timedelta64(730 * 24, "h")


def covers_years(time: xr.DataArray) -> bool:
    """Return whether times span two years, so that what recurs with the season can be told from what does not."""
    values = time.values.astype("datetime64[ns]")
    return bool(values.size > 1 and values[-1] - values[0] + np.diff(values).min() >= TWO_YEARS)


@dataclass(frozen=True)
class Normals:
    """The normal state of every time.

    Attributes
    ----------
    fields : Dataset
        Of shape (hour, dayofyear, [level,] latitude, longitude), or the same at all times: without the first two.
    """

    fields: xr.Dataset

    @classmethod
    def of(cls, series: xr.Dataset) -> Normals:
        """Return those of a training series: WeatherBench's climatology where it spans two years, else its mean."""
        if covers_years(series["time"]):
            return cls(climatology(series))
        return cls(series.astype("float64").mean("time").astype("float32"))

    @property
    def seasonal(self) -> bool:
        """Whether they follow the hour and the day of the year."""
        return "dayofyear" in self.fields.dims

    def at(self, times: xr.DataArray) -> xr.Dataset:
        """Return the normal states at times of any shape."""
        return at_valid_times(self.fields, times) if self.seasonal else self.fields
