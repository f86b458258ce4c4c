"""The files of the rain world, as RainShift has them: stores of coarse and of fine fields, and fixed fields."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from climbench.constants import GRAVITY
from climbench.worlds.rain_regions import CELLS, STEP, region_of
from climbench.worlds.rain_terrain import terrain

TARGET = "precipitation"
# In the files' names: unit and name in words.
VARIABLES = {
    "precipitation": ("mm", "precipitation of one hour"),
    "tp": ("mm", "precipitation of one hour, mean over the fine cells"),
    "cape": ("J kg-1", "convective available potential energy"),
    "sp": ("Pa", "surface pressure"),
    "tcw": ("kg m-2", "water path"),
    "u": ("m s-1", "eastward wind"),
    "v": ("m s-1", "northward wind"),
    "lsm": ("1", "land fraction"),
    "z": ("m2 s-2", "geopotential at the surface"),
}
INPUTS = ("tp", "cape", "sp", "tcw", "u", "v")
GRID = ("latitude", "longitude")


def coordinates(region: str, factor: int) -> dict[str, tuple[str, np.ndarray, dict[str, str]]]:
    """Return latitudes and longitudes of a region's cells, or of squares of them.

    Parameters
    ----------
    region : str
        Its name.
    factor : int
        Cells along each side of a square.
    """
    offset = (np.arange(CELLS) - (CELLS - 1) / 2.0) * STEP
    means = offset.reshape(-1, factor).mean(axis=1)
    place = region_of(region)
    return {
        "latitude": ("latitude", np.round(place.latitude + means, 6), {"units": "degrees_north"}),
        "longitude": ("longitude", np.round(place.longitude + means, 6), {"units": "degrees_east"}),
    }


def static(region: str) -> xr.Dataset:
    """Return the fixed fields of a region on its fine grid.

    Parameters
    ----------
    region : str
        Its name.

    Returns
    -------
    Dataset of shape (latitude, longitude)
        ``lsm``, 1 on land and 0 on sea, and ``z``, the geopotential of the surface in m2 s-2, float32.
    """
    land, height = terrain(region_of(region))
    return xr.Dataset(
        {"lsm": _array(GRID, "lsm", land), "z": _array(GRID, "z", height * GRAVITY)}, coordinates(region, 1)
    )


def write_store(
    path: Path,
    region: str,
    times: np.ndarray,
    fields: Mapping[str, np.ndarray],
    about: Mapping[str, str],
    *,
    chunk: int,
) -> None:
    """Write fields of one grid as a zarr store.

    Parameters
    ----------
    path : Path
        The store.
    region : str
        Whose coordinates to write.
    times : ndarray of datetime64
        Ascending.
    fields : mapping of str to ndarray of shape (time, rows, columns)
        By the names of `VARIABLES`.
    about : mapping of str to str
        The store's attributes.
    chunk : int
        Times in a chunk.
    """
    rows = next(iter(fields.values())).shape[-1]
    variables = {name: _array(("time", *GRID), name, values) for name, values in fields.items()}
    time = ("time", times.astype("datetime64[ns]"), {"long_name": "time of a made-up calendar"})
    data = xr.Dataset(variables, {"time": time, **coordinates(region, CELLS // rows)}, about)
    encoding: dict[str, dict[str, Any]] = {name: {"chunks": (chunk, rows, rows)} for name in variables}
    encoding["time"] = {"units": f"hours since {str(times[0])[:4]}-01-01", "dtype": "int64"}
    with zarr.config.set({"array.write_empty_chunks": True}):
        data.to_zarr(path, zarr_format=3, consolidated=False, encoding=encoding)


def _array(dims: tuple[str, ...], name: str, values: np.ndarray) -> xr.Variable:
    units, words = VARIABLES[name]
    return xr.Variable(dims, values.astype("float32"), {"units": units, "long_name": words})
