"""A look at the first values: a unit that is not the one stated would make a budget of nonsense."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from climbench.data.sanity import sane_range
from climbench.errors import DataError
from climbench.variables import LEXICON


def refuse_insane(block: xr.Dataset, variables: Iterable[str]) -> None:
    """Raise where the first time of a variable has values that none on Earth has.

    Parameters
    ----------
    block : Dataset
        In memory, in stored units.
    variables : iterable of str
        Those to look at, by their names in the lexicon.

    Raises
    ------
    DataError
        If one is outside the sane range of its unit, or infinite.
    """
    for name in dict.fromkeys(variables):
        values = block[name].isel(time=0).values if "time" in block[name].dims else block[name].values
        if np.isnan(values).all():
            continue
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        units = str(block[name].attrs.get("units", LEXICON[name].units))
        sane = sane_range(name, units)
        if not np.isfinite([low, high]).all() or (sane is not None and not sane[0] <= low <= high <= sane[1]):
            between = "" if sane is None else f", outside {sane[0]:.4g} to {sane[1]:.4g}"
            raise DataError(
                f"'{name}' runs from {low:.4g} to {high:.4g} {units} at its first time{between}. Its unit is not the "
                "one its 'units' attribute says, or its fill value is not declared ('_FillValue'): mend the file."
            )
