"""Lead times of forecasts: whatever numbers and units a store has them in, they leave the door as durations."""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.errors import DataError

# Nanoseconds of a unit, by the spellings of CF and of NumPy.
UNITS = {
    name: size
    for size, names in (
        (1, "ns nanosecond nanoseconds"),
        (10**3, "us microsecond microseconds"),
        (10**6, "ms millisecond milliseconds"),
        (10**9, "s sec second seconds"),
        (60 * 10**9, "m min minute minutes"),
        (3600 * 10**9, "h hr hour hours"),
        (86400 * 10**9, "d D day days"),
    )
    for name in names.split()
}
HOUR = UNITS["h"]


def as_durations(lead: xr.DataArray, where: str, notes: list[str]) -> xr.DataArray:
    """Return lead times as timedelta64.

    Parameters
    ----------
    lead : DataArray of shape (lead_time,)
        Durations, or numbers whose unit is in the attribute ``units``. Numbers without one are taken for nanoseconds
        where all of them are whole hours of nanoseconds, as xarray wrote them once.
    where : str
        What to call the data set in messages.
    notes : list of str
        Takes a line on what was assumed.

    Returns
    -------
    DataArray of shape (lead_time,)

    Raises
    ------
    DataError
        If the numbers have no unit, or one that is no duration, or are not finite.
    """
    if lead.dtype.kind == "m":
        if np.isnat(lead.values).any():
            raise DataError(f"{where}: the lead times have missing values. Mend the store.")
        return lead
    units = lead.attrs.get("units")
    if lead.dtype.kind not in "iuf" or not np.isfinite(lead.values).all():
        raise DataError(f"{where}: the lead times are no durations (type {lead.dtype}). Write them as hours.")
    size = UNITS.get(str(units)) if units is not None else _unstated(lead.values)
    if size is None:
        found = "no units" if units is None else f"the unit '{units}'"
        raise DataError(f"{where}: the lead times are numbers with {found}; write one such as units='hours'.")
    if units is None:
        notes.append(f"{where}: lead times state no units; taken as nanoseconds")
    exact = lead.values * size if lead.dtype.kind in "iu" else np.round(lead.values.astype("float64") * size)
    kept = {k: v for k, v in lead.attrs.items() if k not in ("units", "dtype")}
    return xr.DataArray(exact.astype("int64").astype("timedelta64[ns]"), dims=lead.dims, attrs=kept)


def _unstated(values: np.ndarray) -> int | None:
    """Return the size of nanoseconds where whole numbers can be nothing else."""
    whole = values.dtype.kind in "iu" and bool((values % HOUR == 0).all()) and bool((values != 0).any())
    return UNITS["ns"] if whole else None
