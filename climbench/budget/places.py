"""The files and stores that paths name: files, zarr stores, folders of both, and URLs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import xarray as xr

from climbench.data.checked_store import METADATA
from climbench.data.files import files_under
from climbench.data.readers.cmip6_drs import facets_of
from climbench.data.readers.plain import FILES, is_store
from climbench.data.stores import is_url, open_store
from climbench.errors import DataError

RUN = ("source_id", "experiment_id", "member_id")
IN_ATTRIBUTES = {"member_id": "variant_label"}


def open_all(paths: Sequence[str | Path]) -> dict[str, xr.Dataset]:
    """Return the files that paths name, opened lazily and as they are stored.

    Parameters
    ----------
    paths : sequence of str or Path
        Files, zarr stores, folders, or URLs of stores; a URL that ends in a slash is a folder.

    Returns
    -------
    dict of str to Dataset
        By place.

    Raises
    ------
    DataError
        If there is nothing, something cannot be opened, or files are of several runs of CMIP.
    """
    places = list(dict.fromkeys(place for path in paths for place in _expanded(path)))
    if not places:
        raise DataError("No files were named. Give netCDF files, zarr stores or folders of them.")
    opened = {place: open_store(place) for place in places}
    _refuse_several_runs(opened)
    return opened


def _expanded(path: str | Path) -> list[str]:
    """Return the files and stores of one path."""
    if is_store(path) or (is_url(path) and not str(path).endswith("/")):
        return [str(path)]
    if not is_url(path) and not Path(path).is_dir():
        return [str(path)]  # a file of another name, or none: opening it will tell
    found = [file for suffix in FILES for file in files_under(path, suffix)]
    if not is_url(path):
        found += _stores_under(Path(path))
    if not found:
        raise DataError(f"There are no netCDF files or zarr stores in {path}. Name the folder that has them.")
    return sorted(found)


def _stores_under(folder: Path) -> Iterator[str]:
    """Yield the zarr stores below a local folder, which are not entered."""
    for place, folders, files in os.walk(folder):
        if any(name in files for name in METADATA):
            folders.clear()
            yield place


def _refuse_several_runs(opened: dict[str, xr.Dataset]) -> None:
    """Raise where what varies in time comes from several models, experiments or members."""
    runs: dict[tuple[str, ...], str] = {}
    for place, data in opened.items():
        run = _run_of(place, data)
        if "time" in data.dims and any(run):
            runs.setdefault(run, place)
    if len(runs) > 1:
        words = ", ".join(f"{' '.join(filter(None, run))} ({Path(place).name})" for run, place in runs.items())
        raise DataError(f"The files are of several runs: {words}. Name those of one run.")


def _run_of(place: str, data: xr.Dataset) -> tuple[str, ...]:
    by_name = facets_of(Path(place).as_posix()) or {}
    return tuple(str(by_name.get(facet) or data.attrs.get(IN_ATTRIBUTES.get(facet, facet), "")) for facet in RUN)
