"""Whether a series has a number everywhere: what is missing is named before anything is learned from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr

from climbench.calendars import label
from climbench.errors import ModelError

BLOCK_BYTES = 64 * 2**20


def blocks_of(series: xr.Dataset) -> Iterator[xr.Dataset]:
    """Yield a series a stretch of time at a time, in memory."""
    one = sum(values.nbytes for values in series.isel(time=[0]).data_vars.values())
    count = max(1, BLOCK_BYTES // max(1, one))
    for start in range(0, series.sizes["time"], count):
        yield series.isel(time=slice(start, start + count)).load()


def require_complete(periods: Mapping[str, xr.Dataset]) -> None:
    """Raise where data to train or choose on are not finite.

    Parameters
    ----------
    periods : mapping of str to Dataset
        Of shape (time, ...), lazy or not; each is read once, up to the first fault.

    Raises
    ------
    ModelError
        It names the variable and the first time, and how many times in that stretch are not whole.
    """
    for name, series in periods.items():
        for block in blocks_of(series):
            for variable, values in block.data_vars.items():
                flat = np.isfinite(values.transpose("time", ...).values).reshape(values.sizes["time"], -1)
                faulty = np.flatnonzero(~flat.all(axis=1))
                if faulty.size:
                    when = label(values["time"].values[faulty[0]])
                    raise ModelError(
                        f"The data of '{name}' are not complete: {variable} has {int((~flat[faulty[0]]).sum())} "
                        f"values that are not finite at {when}, the first of {faulty.size} such times by "
                        f"{label(values['time'].values[-1])}. Fill or cut out what is missing."
                    )
