"""Maps that do not change, as Aurora is shown them: from the task's states, or from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.models.adapters.fields import MOVING, SPACE, to_lexicon
from climbench.variables import LEXICON

NAMES: Mapping[str, str] = {"lsm": "land_sea_mask", "z": "geopotential_at_surface", "slt": "soil_type"}
SHORT = {"lat": "latitude", "lon": "longitude"}


def static_maps(wanted: Sequence[str], data: xr.Dataset, file: str | None) -> dict[str, np.ndarray]:
    """Return maps by Aurora's names.

    Parameters
    ----------
    wanted : sequence of str
        Aurora's names.
    data : Dataset
        The task's states; its variables without time are taken first.
    file : str or None
        A netCDF file with the rest, by either name, on the task's grid in any order.

    Returns
    -------
    dict of str to ndarray of float32 of shape (latitude, longitude)
        On the task's grid.

    Raises
    ------
    ModelError
        If a map is nowhere, the file cannot be read or has another grid, or values are missing.
    """
    own = data[[str(name) for name in data if not MOVING & set(data[name].dims)]]
    more = _opened(file, data) if file is not None else xr.Dataset()
    found = {short: _map(short, own, more) for short in wanted}
    lacking = [f"{short} ({NAMES.get(short, short)})" for short in wanted if found[short] is None]
    if lacking:
        raise ModelError(
            f"Aurora needs maps that are nowhere: {', '.join(lacking)}. Name a netCDF file with them: `static: PATH`."
        )
    maps = {short: array for short, array in found.items() if array is not None}
    for short, array in maps.items():
        if not np.isfinite(array).all():
            raise ModelError(f"The map {short} has missing values; Aurora needs all of them.")
    return maps


def _map(short: str, own: xr.Dataset, more: xr.Dataset) -> np.ndarray | None:
    name = NAMES.get(short, short)
    for place, key in ((own, name), (more, name), (more, short)):
        if key in place:
            array = place[key].squeeze(drop=True).transpose(*SPACE)
            how = to_lexicon(array, name) if name in LEXICON and "units" in array.attrs else None
            values = array.values if how is None else array.values * how.factor + how.offset
            return np.asarray(values, "float32")
    return None


def _opened(file: str, data: xr.Dataset) -> xr.Dataset:
    """Return a file's maps on the task's grid."""
    try:
        with xr.open_dataset(Path(file)) as opened:
            maps = opened.rename({old: new for old, new in SHORT.items() if old in opened.dims}).load()
    except (OSError, ValueError) as error:
        raise ModelError(f"The file of maps {file} cannot be read: {error}.") from error
    try:
        return maps.sel({d: data[d].values for d in SPACE}, method="nearest", tolerance=1e-3)
    except KeyError as error:
        raise ModelError(f"The maps of {file} are on another grid than the task; regrid them to it.") from error
