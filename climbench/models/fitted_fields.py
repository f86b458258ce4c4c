"""Fitted fields on disk: one netCDF file in the emulator's folder."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from climbench.errors import ModelError


def write_fields(fields: xr.Dataset | None, directory: Path, name: str) -> None:
    """Write fitted fields as ``{name}.nc`` into a folder.

    Raises
    ------
    ModelError
        If there are none yet.
    """
    if fields is None:
        raise ModelError("The emulator was not fitted; there is nothing to save.")
    directory.mkdir(parents=True, exist_ok=True)
    fields.drop_encoding().to_netcdf(directory / f"{name}.nc")


def read_fields(directory: Path, name: str) -> xr.Dataset:
    """Return the fields that `write_fields` wrote, in memory.

    Raises
    ------
    ModelError
        If there are none, or the file is damaged.
    """
    try:
        with xr.open_dataset(directory / f"{name}.nc", engine="netcdf4", decode_timedelta=True) as fields:
            return fields.load()
    except (OSError, ValueError) as error:
        raise ModelError(f"{directory} holds no fitted emulator with {name}.nc that can be read: {error}") from error
