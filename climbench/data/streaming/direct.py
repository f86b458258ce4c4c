"""Decodes chunks straight into the place where windows are taken from, where a variable is a zarr array as it stands.

Through xarray they go into an array of their own first. This spares that copy, and gives the same values.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from zarr.core.buffer.cpu import NDBuffer

from climbench.data.streaming.backing import Array

ORDER = ("time", "member", "level", "latitude", "longitude")
Where = Mapping[str, slice | None]
Picked = tuple[tuple[int | None, int], ...]  # which of the levels that are read, and the channel it goes to


def room_as_stored(variable: xr.Variable, picked: Picked, there: np.ndarray) -> np.ndarray | None:
    """Return the part of an array that a variable fills, seen with the variable's own dimensions.

    Parameters
    ----------
    variable : Variable
        As opened.
    picked : tuple of (int or None, int)
        Levels within those that are read, and their channels.
    there : ndarray of shape (time, member, channel, latitude, longitude)
        float32.

    Returns
    -------
    ndarray or None
        A view; None where values must be spread, picked or converted, and so cannot be put there as they are.
    """
    spread = "member" not in variable.dims and there.shape[1] > 1
    if spread or variable.dtype != there.dtype or not set(variable.dims) <= set(ORDER):
        return None
    first = picked[0][1]
    if [(level or 0, channel) for level, channel in picked] != [(n, first + n) for n in range(len(picked))]:
        return None
    kept = [dim for dim in ORDER if dim in variable.dims]
    absent = tuple(axis for axis, dim in enumerate(ORDER) if dim not in kept)
    room = there[:, :, first : first + len(picked)].squeeze(absent)
    return room.transpose([kept.index(str(dim)) for dim in variable.dims])


def read_directly(array: Array, variable: xr.Variable, where: Where, room: np.ndarray) -> None:
    """Read a part of an array into a view from `room_as_stored`.

    Parameters
    ----------
    array : zarr Array
        What the variable stands for.
    variable : Variable
        Names the array's dimensions.
    where : mapping of str to slice or None
        What to read along time, member and level.
    room : ndarray
        Where to put it.
    """
    selection = tuple(where.get(str(dim)) or slice(None) for dim in variable.dims)
    out = NDBuffer.from_ndarray_like(room)  # type: ignore[arg-type]  # zarr spells NumPy's own methods otherwise
    array.get_basic_selection(selection, out=out)
