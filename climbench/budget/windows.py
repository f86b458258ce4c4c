"""Amounts that were accumulated over hours: which hours, and a refusal where nothing tells."""

from __future__ import annotations

from collections.abc import Collection

import xarray as xr

from climbench.calendars import time_axis
from climbench.data.accumulation import HOURLY
from climbench.errors import DataError
from climbench.units import is_amount
from climbench.variables import LEXICON


def windows_of(data: xr.Dataset, variables: Collection[str], window: float | None) -> dict[str, float]:
    """Return the hours that each accumulated variable counts over.

    Parameters
    ----------
    data : Dataset
        Canonical, in its stored units.
    variables : collection of str
        Those to look at.
    window : float or None
        The user's word, for variables whose names do not tell.

    Returns
    -------
    dict of str to float
        Variables whose names tell (``total_precipitation_6hr``) are not among them.

    Raises
    ------
    DataError
        If the hours of one are not known: its times are not hourly, and the user does not say.
    """
    if window is not None and not 0.0 < window < float("inf"):
        raise DataError(f"--window takes hours above 0; found {window:g}.")
    windows = {}
    for name in variables:
        known = LEXICON[name]
        units = str(data[name].attrs.get("units", known.units))
        if not is_amount(units, known.kind) or (known.window or 1.0) > 1.0:
            continue
        step = time_axis(data["time"]).step if "time" in data.coords else "missing"
        if window is None and step != HOURLY:
            raise DataError(
                f"'{name}' is an amount ({units}), accumulated over hours that the files do not state; its times are "
                f"{step}. Say them: --window 1 for ERA5's hourly fields, at whatever times they were picked; 3 for its "
                "ensemble; 24 for its monthly means."
            )
        windows[name] = 1.0 if window is None else window
    return windows
