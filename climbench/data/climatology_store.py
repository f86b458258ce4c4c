"""Writes a climatology as one zarr store, whole or not at all, holding no more in memory than it is made with."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import xarray as xr
import zarr

from climbench.data.climatology import climatology
from climbench.errors import DataError
from climbench.run_directory import locked, writing


def write_climatology(series: xr.Dataset, out: Path, **options: Any) -> Path:
    """Make the climatology of a series and write it as a zarr 3 store.

    Parameters
    ----------
    series : Dataset
        Canonical, lazy.
    out : Path
        The store to make. Work goes on in ``{out}.partial``, and is done anew after an interruption.
    **options
        Those of `climbench.data.climatology.climatology`.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    DataError
        If `out` exists, another process makes it, or the climatology cannot be made.
    RunError
        If the folder cannot be written to.
    """
    if out.exists():
        raise DataError(f"{out} exists already. Name another store, or remove it.")
    partial = out.with_name(out.name + ".partial")
    with writing(out):
        partial.mkdir(parents=True, exist_ok=True)
    with locked(partial / ".lock", wait=False) as ours:
        if not ours:
            raise DataError(f"Another process makes {out}. Wait for it, or name another store.")
        try:
            with writing(out):
                _write(series, partial, options)
                (partial / "store").rename(out)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return out


def _write(series: xr.Dataset, partial: Path, options: dict[str, Any]) -> None:
    for name in ("fields", "store"):
        shutil.rmtree(partial / name, ignore_errors=True)
    (partial / "fields").mkdir()
    made = climatology(series, scratch=partial / "fields", **options)
    encoding = {name: {"chunks": array.data.chunksize} for name, array in made.data_vars.items()}
    with zarr.config.set({"array.write_empty_chunks": True}), warnings.catch_warnings(action="ignore"):
        made.to_zarr(partial / "store", mode="w", zarr_format=3, consolidated=True, encoding=encoding)
