"""A plain file or store: one netCDF or GRIB file or zarr store, or a folder of some, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from climbench.data.checked_store import METADATA
from climbench.data.readers.base import Reader
from climbench.data.stores import GRIB, is_url, open_store

FILES = (".nc", ".nc4", ".cdf", *GRIB)


def is_store(place: str | Path) -> bool:
    """Return whether a place is one file or zarr store, by its name and, on disk, its metadata."""
    name = str(place).rstrip("/")
    if is_url(place):
        return name.endswith((".zarr", *FILES))
    path = Path(place)
    return (path.is_file() and path.suffix in FILES) or any((path / name).is_file() for name in METADATA)


def stores_in(folder: str | Path) -> list[Path]:
    """Return the files and stores that stand in a folder on disk, by name."""
    if is_url(folder) or not Path(folder).is_dir():
        return []
    return [path for path in sorted(Path(folder).iterdir()) if is_store(path)]


class PlainReader(Reader):
    """Reads one file or store as it is, or each of those in a folder; the layout of last resort."""

    layout = "plain"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether the place is one file or zarr store, or a folder of some."""
        return is_store(place) or bool(stores_in(place))

    def parts(self) -> list[str]:
        """Return the files by their names."""
        if is_store(self.place):
            return [str(self.place).rstrip("/").rpartition("/")[2]]
        return [path.name for path in stores_in(self.place)]

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return a file as it is stored."""
        empty = "error" if self.card is None else self.card.empty_chunks
        place = self.place if is_store(self.place) else Path(self.place) / part
        return open_store(place, chunks=self.chunks, empty_chunks=empty, storage_options=self.storage_options)
