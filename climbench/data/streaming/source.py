"""What is streamed from: data sets with one layout, how their chunks lie, and what can be read at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from climbench.calendars import calendar_of
from climbench.data.canonical import DIMENSIONS
from climbench.data.splits import Split
from climbench.data.streaming.channels import Channel, Channels, Part, channels_of
from climbench.data.window_order import Track
from climbench.data.windows import window_starts
from climbench.errors import DataError

WINDOWS_A_PIECE = 4  # a piece spans at least so many windows, so that little is kept from block to block
LEAST_PIECE = 16


@dataclass(frozen=True)
class Origin:
    """Where a track's data are: a data set by number, and its members from `member` on."""

    dataset: int
    member: int


class Source:
    """Data sets that are streamed together.

    Parameters
    ----------
    data : Dataset, or mapping of str to Dataset
        Canonical, lazily opened; or one for each scenario.
    parts : mapping of str to Part
        What a batch is made of.
    split : Split
        The periods and scenarios of its windows.
    static : sequence of str
        Maps without time, taken from the first data set.

    Attributes
    ----------
    scenarios : tuple of str
        Names of the data sets; one empty name where there is a single one without a name.
    datasets : tuple of Dataset
        With the variables that are used.
    channels : Channels
        The same in all of them.
    tracks : tuple of Track
        Where the windows are.
    origins : tuple of Origin
        What each track reads from.

    Raises
    ------
    DataError
        If variables are missing or of the wrong kind, data sets disagree, or no window fits.
    """

    def __init__(
        self,
        data: xr.Dataset | Mapping[str, xr.Dataset],
        parts: Mapping[str, Part],
        split: Split,
        static: Sequence[str] = (),
    ) -> None:
        chosen = {"": data} if isinstance(data, xr.Dataset) else split.select_datasets(data)
        if not chosen or not parts:
            raise DataError("There is nothing to stream: give at least one data set and one part of a batch.")
        self.scenarios = tuple(chosen)
        self.datasets = tuple(chosen.values())
        for one in self.datasets:
            if "time" not in one.dims or "time" not in one.coords:
                raise DataError("Windows are taken along 'time', and the data have no such dimension with labels.")
        self.channels = self._agreed(parts, static)
        self.offsets = tuple(sorted({offset for part in parts.values() for offset in part.offsets}))
        self.tracks, self.origins = self._tracks(split)

    def _agreed(self, parts: Mapping[str, Part], static: Sequence[str]) -> Channels:
        """Return the channels of all data sets, which must have the same grid and levels."""
        first = self.datasets[0]
        channels = channels_of(first, parts, static)
        for scenario, other in zip(self.scenarios[1:], self.datasets[1:], strict=True):
            same = replace(channels_of(other, parts), static=channels.static) == channels
            grids = all(first[d].equals(other[d]) for d in ("latitude", "longitude") if d in first.dims)
            if not same or not grids or calendar_of(first["time"]) != calendar_of(other["time"]):
                raise DataError(
                    f"'{scenario}' has another grid, calendar or other levels than '{self.scenarios[0]}'; "
                    "bring the data sets to one before streaming them together."
                )
        return channels

    @property
    def plane(self) -> tuple[int, int]:
        """Numbers of latitudes and longitudes."""
        sizes = self.datasets[0].sizes
        return int(sizes.get("latitude", 1)), int(sizes.get("longitude", 1))

    @property
    def members(self) -> int:
        """The most members that a track reads together."""
        return max(track.members for track in self.tracks)

    def of_channel(self, channel: Channel, dataset: int = 0) -> xr.DataArray:
        """Return a channel's variable in one of the data sets, with all its levels."""
        return self.datasets[dataset][channel.variable]

    def _tracks(self, split: Split) -> tuple[tuple[Track, ...], tuple[Origin, ...]]:
        tracks, origins = [], []
        split.require([one["time"] for one in self.datasets])
        found = [window_starts(one["time"], split, self.offsets, required=False) for one in self.datasets]
        if not any(starts.size for starts in found):
            window_starts(self.datasets[0]["time"], split, self.offsets)
        for number, (one, starts) in enumerate(zip(self.datasets, found, strict=True)):
            for member, count in self._member_groups(number):
                tracks.append(Track(starts, one.sizes["time"], count))
                origins.append(Origin(number, member))
        return tuple(tracks), tuple(origins)

    def _member_groups(self, dataset: int) -> list[tuple[int, int]]:
        """Return first member and number of those that share chunks."""
        variables = [self.of_channel(c, dataset) for c in (*self.channels.maps, *self.channels.series)]
        having = [variable for variable in variables if "member" in variable.dims]
        if not having:
            return [(0, 1)]
        members = having[0].sizes["member"]
        together = min(members, max(chunk_length(variable, "member") for variable in having))
        return [(first, min(together, members - first)) for first in range(0, members, together)]

    def piece(self, most: int) -> int:
        """Return how many times are read at once: whole chunks of every variable, as far as `most` allows.

        Parameters
        ----------
        most : int
            Times that may be held at once.
        """
        numbers = range(len(self.datasets))
        variables = [self.of_channel(channel, n) for channel in self.channels.maps for n in numbers]
        lengths = sorted({chunk_length(variable, "time") for variable in variables}) or [1]
        base = math.lcm(*lengths)
        # Chunks of different lengths may meet too rarely: then those of the longest are read once, others in two parts.
        base = base if base <= most // 2 else lengths[-1]
        span = self.offsets[-1] - self.offsets[0] + 1
        wanted = max(LEAST_PIECE, WINDOWS_A_PIECE * span)
        grouped = base * -(-wanted // base)
        return grouped if grouped <= most // 8 else base


def chunk_length(variable: xr.DataArray, dim: str) -> int:
    """Return how many indices along a dimension lie in one chunk of the file; 1 where they can be read one by one."""
    if dim not in variable.dims:
        return 1
    if variable.chunks is not None:
        return max(variable.chunksizes[dim])
    preferred = variable.encoding.get("preferred_chunks") or {}
    named = {DIMENSIONS.get(str(name), str(name)): length for name, length in preferred.items()}
    length = named.get(dim, 1)
    return int(max(length) if isinstance(length, Sequence) else length)


def numbers_of_times(time: xr.DataArray) -> np.ndarray:
    """Return times as integers: years as they are, dates as seconds since 1970-01-01 in their calendar."""
    values = time.values
    if values.dtype == object:
        import cftime

        since = cftime.date2num(values, "seconds since 1970-01-01", calendar_of(time))
        return np.asarray(since).astype(np.int64)
    if np.issubdtype(values.dtype, np.datetime64):
        return values.astype("datetime64[s]").astype(np.int64)
    return values.astype(np.int64)
