"""Notices that a store is written to while it is read: what was planned no longer fits what is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr
import zarr

from climbench.data.streaming.backing import Array, array_below
from climbench.errors import ClimbenchError, DataError

DESCRIBED = ("shape", "data_type", "dtype", "chunk_grid", "chunks", "codecs", "compressor", "filters", "fill_value")


@dataclass(frozen=True)
class ArrayMark:
    """The metadata of a zarr array as they were when the data set was opened."""

    array: Array
    variable: str

    def check(self) -> None:
        """Raise if the array now has another shape, type, or way of chunking."""
        before, now = _described(self.array), {}
        try:
            now = _described(_opened_again(self.array))
        except ClimbenchError:
            raise
        except Exception as error:
            raise DataError(f"The array of '{self.variable}' cannot be opened any more: {error!r}.") from error
        if changed := [key for key in before if before[key] != now.get(key)]:
            key = changed[0]
            raise DataError(
                f"The store was changed while it was read: '{self.variable}' had {key} {before[key]} at first, and "
                f"has {now.get(key)} now. Let the writer finish, then open it again."
            )


@dataclass(frozen=True)
class FileMark:
    """Size and time of change of a local file."""

    path: Path
    state: tuple[int, int]

    def check(self) -> None:
        """Raise if the file is another now."""
        if self.state != _state(self.path):
            raise DataError(f"{self.path} was changed while it was read. Let the writer finish, then open it again.")


class StoreWatch:
    """Looks again, from time to time, at the metadata of the stores that data sets are read from.

    Parameters
    ----------
    datasets : sequence of Dataset
        As opened; what is in memory cannot change, and is not watched.
    variables : iterable of str
        Those that are read.

    Notes
    -----
    Only metadata are looked at: values that are replaced by others of the same shape are not noticed.
    """

    def __init__(self, datasets: Sequence[xr.Dataset], variables: Iterable[str]) -> None:
        found = [_mark(data, data[name].variable, name) for name in sorted(set(variables)) for data in datasets]
        files = {mark.path: mark for mark in found if isinstance(mark, FileMark)}
        self.marks: list[ArrayMark | FileMark] = [
            *(mark for mark in found if isinstance(mark, ArrayMark)),
            *files.values(),
        ]

    def check(self) -> None:
        """Look at everything.

        Raises
        ------
        DataError
            If a store was changed; it names the variable and what differs.
        """
        for mark in self.marks:
            mark.check()

    def glance(self, turn: int) -> None:
        """Look at one array, another with each turn: a store that grows shows it in all of them."""
        if self.marks:
            self.marks[turn % len(self.marks)].check()


def _mark(data: xr.Dataset, variable: xr.Variable, name: str) -> ArrayMark | FileMark | None:
    array = array_below(variable)
    if array is not None:
        return ArrayMark(array, name)
    source = variable.encoding.get("source") or data.encoding.get("source")
    path = Path(str(source)) if source and "://" not in str(source) else None
    return FileMark(path, _state(path)) if path is not None and path.is_file() else None


def _opened_again(array: Array) -> Array:
    return zarr.open_array(array.store, path=array.path, mode="r", zarr_format=array.metadata.zarr_format)


def _described(array: Array) -> dict[str, str]:
    content = array.metadata.to_dict()
    return {key: str(content[key]) for key in DESCRIBED if key in content}


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (-1, -1)
    return found.st_size, found.st_mtime_ns
