"""How much of each cell of a grid is land: from a field of land fraction, or from a global mask of one kilometre.

The mask is that of the package global-land-mask (derived from the GLOBE digital elevation model, NOAA 1999; MIT
licence). Importing the package would hold 930 MB in memory; its file is read here in strips instead and averaged by
area to a quarter of a degree, which is kept in the cache. Lakes and the Caspian are land in it, and ice shelves sea.
"""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.grids import describe_grid, grid_offset
from climbench.records import cache_home
from climbench.regrid import regrid_conservative

PACKAGE = "global-land-mask"
MASK_FILE = "global_land_mask/globe_combined_mask_compressed.npz"
ROWS, COLUMNS = 720, 1440
SAME_GRID = 0.01
PERCENT = ("%", "percent")


def land_fraction(grid: xr.Dataset | xr.DataArray, sftlf: xr.DataArray | None = None) -> xr.DataArray:
    """Return the fraction of land in each cell of a grid.

    Parameters
    ----------
    grid : Dataset or DataArray
        With coordinates ``latitude`` and ``longitude`` (canonical, degrees).
    sftlf : DataArray of shape (latitude, longitude), optional
        Land fraction, in per cent or as a fraction as its attribute ``units`` says, and without one by its size; on
        the grid, or on another one from which it is averaged by area. Without it a global mask is taken.

    Returns
    -------
    DataArray of shape (latitude, longitude)
        From 0 (sea) to 1 (land), without unit, on the grid's coordinates.

    Raises
    ------
    DataError
        If the field does not cover the grid or holds no fractions, or there is no mask.
    """
    if sftlf is None:
        axes = (grid["latitude"].values, grid["longitude"].values)
        values = _from_mask(*(tuple(map(float, axis)) for axis in axes))
        coordinates = {name: grid[name] for name in ("latitude", "longitude")}
        return xr.DataArray(values, coords=coordinates, dims=tuple(coordinates), name="land_fraction")
    fraction = _as_fraction(sftlf)
    if grid_offset(fraction, grid) > SAME_GRID:
        fraction = regrid_conservative(fraction, grid, dtype="float64")
        if bool(fraction.isnull().any()):
            raise DataError(
                f"The land fraction on {describe_grid(sftlf)} does not cover the grid {describe_grid(grid)}."
            )
    fraction = fraction.transpose("latitude", "longitude").clip(0.0, 1.0).drop_attrs()
    return fraction.assign_coords(latitude=grid["latitude"], longitude=grid["longitude"]).rename("land_fraction")


def _as_fraction(sftlf: xr.DataArray) -> xr.DataArray:
    field = sftlf.squeeze(drop=True).astype("float64")
    if set(field.dims) != {"latitude", "longitude"}:
        raise DataError(f"A land fraction has the dimensions (latitude, longitude); found {sftlf.dims}.")
    lowest, highest = float(field.min(skipna=False)), float(field.max(skipna=False))
    units = str(sftlf.attrs.get("units", "")).strip().lower()
    whole = 100.0 if units in PERCENT or (not units and highest > 1.5) else 1.0
    if not (lowest >= -1e-3 * whole and highest <= (1.0 + 1e-3) * whole):
        raise DataError(
            f"A land fraction lies between 0 and {whole:g} in every cell; found {lowest:g} to {highest:g}. "
            "Its units attribute must be % or 1."
        )
    return field / whole


@cache
def _from_mask(latitude: tuple[float, ...], longitude: tuple[float, ...]) -> np.ndarray:
    target = xr.Dataset(coords={"latitude": list(latitude), "longitude": list(longitude)})
    fraction = regrid_conservative(_quarter_degree(), target)
    return np.clip(fraction.values, 0.0, 1.0)


@cache
def _quarter_degree() -> xr.DataArray:
    """Return the mask's land fraction in boxes of a quarter of a degree, made once and kept in the cache."""
    try:
        kept = cache_home() / "land" / f"{PACKAGE}-{metadata.version(PACKAGE)}.npy"
        values = _kept(kept)
        if values is None:
            values = _averaged(Path(str(metadata.distribution(PACKAGE).locate_file(MASK_FILE))))
            _keep(values, kept)
    except (metadata.PackageNotFoundError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"Land and sea cannot be told apart: the package {PACKAGE} is not installed or is damaged ({error!r}). "
            f"Run: pip install {PACKAGE}, or give a field of land fraction (sftlf)."
        ) from error
    step = 360.0 / COLUMNS
    axes = {
        "latitude": -90.0 + step * (np.arange(ROWS) + 0.5),
        "longitude": step * (np.arange(COLUMNS) + 0.5),
    }
    return xr.DataArray(values.astype("float64"), coords=axes, dims=tuple(axes))


def _averaged(path: Path) -> np.ndarray:
    """Return land fractions of shape (720, 1440), rows from south to north, columns from 0 to 360 degrees east."""
    strips = list(_strips(path))
    eastward = np.roll(np.stack(strips[::-1]), COLUMNS // 2, axis=1)
    return eastward.astype("float32")


def _strips(path: Path) -> Iterator[np.ndarray]:
    """Give the land fraction in each row of boxes, from north to south and from 180 degrees west.

    The file holds one Boolean a pixel of 1/120 degree, true over the sea, its edges on those of the boxes.
    """
    with zipfile.ZipFile(path) as archive, archive.open("mask.npy") as mask:
        np.lib.format.read_magic(mask)
        (rows, columns), fortran, dtype = np.lib.format.read_array_header_1_0(mask)
        if (rows, columns, fortran, dtype) != (30 * ROWS, 30 * COLUMNS, False, np.dtype(bool)):
            raise OSError(f"{path} holds {dtype} of shape {rows} x {columns}")
        edges = np.deg2rad(90.0 - 180.0 * np.arange(rows + 1) / rows)
        areas = -np.diff(np.sin(edges)).reshape(ROWS, 30)
        for area in areas:
            pixels = np.frombuffer(mask.read(30 * columns), bool).reshape(30, COLUMNS, 30)
            sea = np.count_nonzero(pixels, axis=2) / 30.0
            yield 1.0 - (area / area.sum()) @ sea


def _kept(path: Path) -> np.ndarray | None:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return values if isinstance(values, np.ndarray) and values.shape == (ROWS, COLUMNS) else None


def _keep(values: np.ndarray, path: Path) -> None:
    """Write the boxes whole or not at all; a cache that cannot be written costs two seconds each time."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.save(file, values, allow_pickle=False)
        temporary.replace(path)
