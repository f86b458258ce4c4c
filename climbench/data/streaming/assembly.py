"""Puts batches together: copies the steps of each window from where a block holds them into tensors."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch

from climbench.data.epoch_plan import Block
from climbench.data.streaming.channels import Channel, Part
from climbench.data.streaming.normaliser import Normaliser
from climbench.data.streaming.source import Source, numbers_of_times
from climbench.errors import DataError

Batch = dict[str, torch.Tensor]
NAMES = ("time", "member", "scenario", "static")  # of tensors that are no parts


class Assembler:
    """Makes batches of the windows of blocks.

    Parameters
    ----------
    source : Source
        What is streamed; its series and static fields are read here and held.
    parts : mapping of str to Part
        What a batch is made of.
    nan : {"error", "keep", "zero"}
        What to do about values that are not numbers.
    normaliser : Normaliser, optional
        Applied to series and static fields; blocks come normalised.
    pinned : bool
        Whether tensors are made in page-locked memory.
    """

    def __init__(
        self, source: Source, parts: Mapping[str, Part], nan: str, normaliser: Normaliser | None, *, pinned: bool
    ) -> None:
        if clash := [name for name in parts if name in NAMES]:
            raise DataError(f"A part of a batch cannot be named '{clash[0]}'; these are taken: {', '.join(NAMES)}.")
        self._source, self._nan, self._normaliser, self._pinned = source, nan, normaliser, pinned
        self._series, self._series_bases, self._members = self._held_series()
        self._static = self._held_static()
        self._times = [numbers_of_times(one["time"]) for one in source.datasets]
        self._parts = {name: self._layout(name, part) for name, part in parts.items()}

    def _finished(self, values: np.ndarray, channel: Channel) -> np.ndarray:
        missing = np.isnan(values)
        if self._nan == "error" and missing.any():
            raise DataError(f"'{channel.name}' has {int(missing.sum())} NaN. If that is meant, set nan='keep'.")
        if self._normaliser is not None:
            mean, std = self._normaliser.of_channels([channel])
            values = (values - mean[0]) / std[0]
        return np.where(missing, 0.0, values) if self._nan == "zero" else values

    def _held_series(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the series of all data sets end to end, where each begins, and how many members each has."""
        source = self._source
        columns, sizes, members = [], [0], []
        for number, data in enumerate(source.datasets):
            count = max([source.of_channel(c, number).sizes.get("member", 1) for c in source.channels.series] or [1])
            rows = []
            for channel in source.channels.series:
                values = source.of_channel(channel, number)
                values = values if channel.level is None else values.sel(level=channel.level)
                loaded = values.transpose("member", "time", missing_dims="ignore").values.astype("float64")
                rows.append(np.broadcast_to(self._finished(loaded, channel), (count, data.sizes["time"])).ravel())
            columns.append(np.array(rows, "float32").reshape(len(rows), count * data.sizes["time"]))
            sizes.append(count * data.sizes["time"])
            members.append(count)
        return np.concatenate(columns, axis=1), np.cumsum(sizes[:-1]), np.array(members)

    def _held_static(self) -> torch.Tensor | None:
        fixed = self._source.channels.static
        maps = []
        for channel in fixed:
            values = self._source.of_channel(channel)
            values = values if channel.level is None else values.sel(level=channel.level)
            loaded = values.transpose("latitude", "longitude").values.astype("float64")
            maps.append(self._finished(loaded, channel).astype("float32"))
        held = torch.from_numpy(np.stack(maps)) if maps else None
        return held.pin_memory() if held is not None and self._pinned else held

    def _layout(self, name: str, part: Part) -> _Layout:
        channels, source = self._source.channels, self._source
        offsets = [source.offsets.index(offset) for offset in part.offsets]
        runs, series = [], []
        for place, channel in enumerate(channels.parts[name]):
            if channel in channels.series:
                series.append((place, channels.series.index(channel)))
            else:
                runs.append((place, channels.maps.index(channel)))
        return _Layout(np.array(offsets), np.array(part.offsets), len(channels.parts[name]), _joined(runs), series)

    def empty(self, size: int) -> Batch:
        """Return the tensors of a batch that is still to be filled."""
        batch = {}
        for name, layout in self._parts.items():
            shape = (size, len(layout.offsets), layout.channels, *self._source.plane)
            batch[name] = torch.empty(shape, pin_memory=self._pinned)
        if self._static is not None:
            batch["static"] = self._static.expand(size, -1, -1, -1)
        for name in ("time", "member", "scenario"):
            batch[name] = torch.empty(size, dtype=torch.int64)
        return batch

    def fill(self, batch: Batch, at: int, block: Block, held: torch.Tensor, chosen: slice) -> None:
        """Put some of a block's windows into a batch.

        Parameters
        ----------
        batch : dict of Tensor
            From `empty`.
        at : int
            Where the first of them goes.
        block : Block
            The windows.
        held : Tensor of shape (slot, member, channel, latitude, longitude)
            Its steps.
        chosen : slice
            Which of its windows.
        """
        member, position = block.member[chosen], block.position[chosen]
        origins = [self._source.origins[track] for track in block.track[chosen]]
        dataset = np.array([origin.dataset for origin in origins])
        first = np.array([origin.member for origin in origins])
        stop = at + member.size
        batch["member"][at:stop] = torch.from_numpy(first + member)
        batch["scenario"][at:stop] = torch.from_numpy(dataset)
        times = [self._times[d][p] for d, p in zip(dataset, position, strict=True)]
        batch["time"][at:stop] = torch.from_numpy(np.array(times, np.int64))
        rows = block.slots[chosen] * held.shape[1] + member[:, None]
        for name, layout in self._parts.items():
            out = batch[name][at:stop]
            _gather(held.flatten(0, 1), rows[:, layout.offsets], out, layout)
            if layout.series:
                self._spread(out, layout, dataset, first + member, position)

    def _spread(
        self, out: torch.Tensor, layout: _Layout, dataset: np.ndarray, member: np.ndarray, position: np.ndarray
    ) -> None:
        """Spread series over the map."""
        lengths = np.array([one.sizes["time"] for one in self._source.datasets])[dataset]
        row = self._series_bases[dataset] + np.minimum(member, self._members[dataset] - 1) * lengths + position
        for place, channel in layout.series:
            values = torch.from_numpy(self._series[channel][row[:, None] + layout.steps])
            out[:, :, place] = values[:, :, None, None]


class _Layout:
    """How a part is made: its steps, and which of its channels come from where."""

    def __init__(
        self,
        offsets: np.ndarray,
        steps: np.ndarray,
        channels: int,
        runs: list[tuple[slice, slice]],
        series: list[tuple[int, int]],
    ) -> None:
        self.offsets, self.steps, self.channels, self.runs, self.series = offsets, steps, channels, runs, series


def _joined(pairs: list[tuple[int, int]]) -> list[tuple[slice, slice]]:
    """Return pairs of places and channels as pairs of slices: neighbours on both sides are copied at once."""
    borders = [
        0,
        *(i for i, (a, b) in enumerate(pairwise(pairs), 1) if (b[0] - a[0], b[1] - a[1]) != (1, 1)),
        len(pairs),
    ]
    runs = [(pairs[start], stop - start) for start, stop in pairwise(borders) if stop > start]
    return [(slice(p, p + n), slice(c, c + n)) for (p, c), n in runs]


def _gather(held: torch.Tensor, rows: np.ndarray, out: torch.Tensor, layout: _Layout) -> None:
    """Copy rows of shape (window, step) into a part of shape (window, step, channel, latitude, longitude)."""
    index = torch.from_numpy(rows.ravel())
    flat = out.flatten(0, 1)
    for place, channels in layout.runs:
        if flat[:, place].shape == flat.shape and channels == slice(0, held.shape[1]):
            torch.index_select(held, 0, index, out=flat)
        else:
            for to, row in enumerate(rows.ravel().tolist()):
                flat[to, place].copy_(held[row, channels])
