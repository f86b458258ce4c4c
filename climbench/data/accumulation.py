"""The hours that ERA5's accumulated fields count over, where the times of a data set tell them.

ERA5's hourly fields are accumulated over the hour that ends at their time; those of its ensemble over three hours; its
monthly means are amounts of a day. A data set of hourly times can only be the first. In all others the hours are in
doubt (hourly fields may have been picked every six hours), and the card has to declare them.

Source: ECMWF, "Conversion table for accumulated variables" (confluence.ecmwf.int, page 197702790).
"""

from __future__ import annotations

import xarray as xr

from climbench.calendars import time_axis
from climbench.cards import DatasetCard
from climbench.data.sanity import declared
from climbench.errors import DataError
from climbench.units import is_amount
from climbench.variables import LEXICON

HOURLY = "1-hourly"


def era5_windows(data: xr.Dataset, where: str, card: DatasetCard | None) -> dict[str, float]:
    """Return the hours that each accumulated variable of ERA5 counts over.

    Parameters
    ----------
    data : Dataset
        Canonical, in its stored units.
    where : str
        What to call it in messages.
    card : DatasetCard, optional
        Its word on a variable, a window or a unit that leaves amounts as they are, comes first.

    Returns
    -------
    dict of str to float
        For the variables that the card does not declare.

    Raises
    ------
    DataError
        If the times are not hourly and the card does not declare the hours.
    """
    entries = declared(card, [str(v) for v in data.data_vars])
    windows = {}
    for name in map(str, data.data_vars):
        entry, known = entries.get(name), LEXICON.get(name)
        units = str((entry and entry.stored_units) or data[name].attrs.get("units", ""))
        if known is None or not is_amount(units, known.kind) or (known.window or 1.0) > 1.0:
            continue
        if entry is not None and (entry.window or (known.kind == "energy" and is_amount(entry.units, "energy"))):
            continue
        if _step(data) != HOURLY:
            raise DataError(
                f"{where}: {name} is accumulated ({units}) over hours that the files do not state; its times are "
                f"{_step(data)}. Declare them on a card ({name}: {{units: {known.units}, window: ...}}): 1 for ERA5's "
                "hourly fields, at whatever times they were picked; 3 for its ensemble; 24 for its monthly means."
            )
        windows[name] = 1.0
    return windows


def _step(data: xr.Dataset) -> str:
    return time_axis(data["time"]).step if "time" in data.coords else "missing"
