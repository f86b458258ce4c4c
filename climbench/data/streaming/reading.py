"""Reads the pieces of a block from the data sets into one array, on dask's threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import dask.threaded
import numpy as np
import xarray as xr
from dask.system import CPU_COUNT

from climbench.calendars import label
from climbench.data.epoch_plan import Block, Read
from climbench.data.streaming.backing import same_array
from climbench.data.streaming.channels import Channel
from climbench.data.streaming.direct import ORDER, Picked, Where, read_directly, room_as_stored
from climbench.data.streaming.normaliser import Normaliser
from climbench.data.streaming.source import Source, chunk_length
from climbench.data.streaming.watch import StoreWatch
from climbench.errors import ClimbenchError, DataError

# A thread waits for a store's answer, or for zarr's own threads, most of the time: so no fewer than four.
THREADS = max(4, CPU_COUNT)


@dataclass(frozen=True)
class Field:
    """What is read at once of a variable: everything, or the levels of one chunk.

    Attributes
    ----------
    variable : str
        Its name.
    levels : slice or None
        Where along ``level``.
    picked : tuple of (int or None, int)
        Position within these levels, and the channel it goes to.
    """

    variable: str
    levels: slice | None
    picked: Picked


class BlockReader:
    """Reads blocks.

    Parameters
    ----------
    source : Source
        What is read from.
    nan : {"error", "keep", "zero"}
        What to do about values that are not numbers. Zero is put after normalising, and then is the mean.
    normaliser : Normaliser, optional
        Applied to what is read.

    Raises
    ------
    DataError
        When reading: if data cannot be read or decoded, hold NaN, or the store was changed.
    """

    def __init__(self, source: Source, nan: str, normaliser: Normaliser | None) -> None:
        self._source, self._nan = source, nan
        maps = source.channels.maps
        self._fields = fields_of(source, maps)
        self._scale = normaliser.of_channels(maps) if normaliser else None
        self._watch = StoreWatch(source.datasets, {channel.variable for channel in maps})

    def begin(self) -> None:
        """Look whether the stores are still those that were opened."""
        self._watch.check()

    def read(self, block: Block, before: np.ndarray, into: np.ndarray) -> None:
        """Fill the slots of a block.

        Parameters
        ----------
        block : Block
            What to read, and which slots to keep.
        before, into : ndarray of shape (slot, member, channel, latitude, longitude)
            The block before, and where this one goes.
        """
        self._watch.glance(block.number)
        np.take(before, block.kept, axis=0, out=into[: block.kept.size], mode="clip")
        work = {
            (number, place): (partial(self._place, read, field, into),)
            for number, read in enumerate(block.reads)
            for place, field in enumerate(self._fields)
        }
        workers = dask.config.get("num_workers", None) or THREADS
        dask.threaded.get(work, list(work), num_workers=workers)

    def _place(self, read: Read, field: Field, into: np.ndarray) -> None:
        """Read one field into the slots of one stretch of time."""
        track = self._source.tracks[read.track]
        there = into[read.slot : read.slot + read.stop - read.start, : track.members]
        origin = self._source.origins[read.track]
        variable = self._source.datasets[origin.dataset].variables[field.variable]
        where = {
            "time": slice(read.start, read.stop),
            "member": slice(origin.member, origin.member + track.members),
            "level": field.levels,
        }
        array, room = same_array(variable), room_as_stored(variable, field.picked, there)
        try:
            if array is not None and room is not None:
                read_directly(array, variable, where, room)
            else:
                _read_through_xarray(variable, where, field.picked, there)
        except ClimbenchError:
            raise
        except Exception as error:  # a store, a codec and a network raise whatever they like
            times = self._source.datasets[origin.dataset]["time"].values
            raise DataError(
                f"'{field.variable}' cannot be read from {label(times[read.start])} to {label(times[read.stop - 1])}; "
                f"the file may be damaged: {error!r}."
            ) from error
        for _, channel in field.picked:
            self._finish(there[:, :, channel], channel, read)

    def _finish(self, there: np.ndarray, channel: int, read: Read) -> None:
        """Look for NaN, and normalise."""
        missing = bool(np.isnan(there.min()))  # the least of some values is NaN if one is; this needs no room
        if missing and self._nan == "error":
            raise DataError(self._first_missing(there, channel, read))
        if self._scale is not None:
            there -= float(self._scale[0][channel])
            there /= float(self._scale[1][channel])
        if missing and self._nan == "zero":
            there[np.isnan(there)] = 0.0

    def _first_missing(self, values: np.ndarray, channel: int, read: Read) -> str:
        time, member, *_ = np.argwhere(np.isnan(values))[0]
        origin = self._source.origins[read.track]
        data = self._source.datasets[origin.dataset]
        name = self._source.channels.maps[channel].name
        of_member = f", member {data['member'].values[origin.member + member]}" if "member" in data.coords else ""
        return (
            f"'{name}' has {int(np.isnan(values[time, member]).sum())} NaN at "
            f"{label(data['time'].values[read.start + time])}{of_member}. If that is meant, set nan='keep', or "
            "nan='zero' to put zeros, which are the mean where fields are normalised."
        )


def _read_through_xarray(variable: xr.Variable, where: Where, picked: Picked, there: np.ndarray) -> None:
    """Read what xarray decodes into channels of an array of shape (time, member, channel, latitude, longitude)."""
    part = variable.isel({dim: chosen for dim, chosen in where.items() if dim in variable.dims and chosen is not None})
    part = part.compute(scheduler="synchronous").transpose(*(dim for dim in ORDER if dim in part.dims))
    values = part.values if "member" in part.dims else part.values[:, None]
    for level, channel in picked:
        np.copyto(there[:, :, channel], values if level is None else values[:, :, level], casting="same_kind")


def fields_of(source: Source, maps: Sequence[Channel]) -> list[Field]:
    """Return what is read of each variable: levels of one chunk together, so that each chunk is read once."""
    groups: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for number, channel in enumerate(maps):
        if channel.level is None:
            groups[channel.variable, -1] = [(0, number)]
            continue
        variable = source.of_channel(channel)
        level = int(np.flatnonzero(variable["level"].values == channel.level)[0])
        groups.setdefault((channel.variable, level // chunk_length(variable, "level")), []).append((level, number))
    return [_field(name, chunk, members) for (name, chunk), members in groups.items()]


def _field(variable: str, chunk: int, picked: Sequence[tuple[int, int]]) -> Field:
    if chunk < 0:
        return Field(variable, None, ((None, picked[0][1]),))
    first, last = min(level for level, _ in picked), max(level for level, _ in picked)
    return Field(variable, slice(first, last + 1), tuple((level - first, channel) for level, channel in picked))
