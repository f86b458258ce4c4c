"""GRIB files, by cfgrib: each as the data sets that its messages form."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import xarray as xr

from climbench.errors import DataError, MissingExtraError


def open_grib(path: str | Path) -> list[xr.Dataset]:
    """Open a GRIB file lazily, without leaving an index beside it.

    Parameters
    ----------
    path : str or Path
        A file on disk.

    Returns
    -------
    list of Dataset
        Messages that share level type and times are one data set.

    Raises
    ------
    DataError
        If it is damaged or no GRIB file.
    MissingExtraError
        If cfgrib is not installed.
    """
    if importlib.util.find_spec("cfgrib") is None:
        raise MissingExtraError(f"The GRIB file {path}", "grib")
    import cfgrib

    try:
        found: list[xr.Dataset] = cfgrib.open_datasets(str(path), backend_kwargs={"indexpath": "", "errors": "raise"})
    except Exception as error:  # a damaged file trips its library in any way
        reason = (str(error) or type(error).__name__).strip().splitlines()[0]
        raise DataError(
            f"The GRIB file {path} cannot be opened; it may be cut short or damaged: {reason}. Download it again."
        ) from error
    if not found:
        raise DataError(f"The GRIB file {path} has no messages. Download it again.")
    return found
