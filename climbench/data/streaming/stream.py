"""Streams the windows of a store as batches of tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal, get_args

import numpy as np
import torch
import xarray as xr
from torch.utils.data import IterableDataset, get_worker_info

from climbench.data.epoch_plan import Block, EpochPlan
from climbench.data.splits import Split
from climbench.data.statistics import Statistics
from climbench.data.streaming.assembly import Assembler, Batch
from climbench.data.streaming.channels import Part
from climbench.data.streaming.normaliser import Normaliser
from climbench.data.streaming.reading import BlockReader
from climbench.data.streaming.source import Source
from climbench.data.window_order import Shard, WindowOrder
from climbench.errors import DataError, did_you_mean

NaN = Literal["error", "keep", "zero"]
MEMORY = 2**29
MOST_PIECES = 64
PIECES_A_PLACE = 2  # neighbours are read in one call, whose chunks zarr decodes side by side


class WindowStream(IterableDataset[Batch]):
    """Batches of windows, straight from the chunks of a store.

    A batch is a dict: each part a float32 tensor of shape (batch, step, channel, latitude, longitude); ``time`` of
    shape (batch,), the time of offset 0 as int64 (years as they are, dates in seconds since 1970-01-01 in their own
    calendar); ``member`` and ``scenario`` of shape (batch,), positions as int64; and ``static`` of shape (batch,
    channel, latitude, longitude) where there are static fields.

    Parameters
    ----------
    data : Dataset, or mapping of str to Dataset
        Canonical data, opened lazily and whole: a data set that was cut in time does not tell any more where its chunks
        begin, which are then read twice. A mapping holds one data set for each scenario.
    parts : mapping of str to Part
        Such as ``{"inputs": Part(["t2m"], (-1, 0)), "targets": Part(["t2m"], (1,))}``.
    split : Split
        Periods, scenarios and the stride of the windows.
    batch_size : int
        No batch is larger, and none is smaller by more than one.
    static : sequence of str
        Maps without time.
    shuffle : bool
        Without, a shard's windows are given in the order of time.
    seed : int
        Of the shuffling.
    memory : int
        Bytes that the fields held by a rank may take; its workers share them. The more, the more widely windows are
        shuffled.
    nan : {"error", "keep", "zero"}
        What to do about values that are not numbers: raise, give them as they are, or put zeros after normalising.
    statistics : Statistics, optional
        Those of the training samples; every channel is taken to mean 0 and standard deviation 1.
    rank, ranks : int, optional
        This process among all that share the windows; by default those of ``torch.distributed``.
    drop_uneven : bool
        Whether to leave out the few windows by which ranks would differ; needed only for batches of one sample.

    Raises
    ------
    DataError
        If variables are not there, no window fits, there are fewer windows than batches need, or `memory` is too small;
        while streaming: if data cannot be read, hold NaN, or the store is changed.

    Notes
    -----
    A rank, and within it a worker, has a consecutive range of the windows, equal within one; a chunk at the border of
    two ranges is read by both. Members and scenarios stand behind one another on the same line. A map without members
    is read again for each group of members of the others.
    """

    def __init__(
        self,
        data: xr.Dataset | Mapping[str, xr.Dataset],
        parts: Mapping[str, Part],
        split: Split,
        *,
        batch_size: int,
        static: Sequence[str] = (),
        shuffle: bool = True,
        seed: int = 0,
        memory: int = MEMORY,
        nan: NaN = "error",
        statistics: Statistics | None = None,
        rank: int | None = None,
        ranks: int | None = None,
        drop_uneven: bool = False,
    ) -> None:
        if nan not in get_args(NaN):
            raise DataError(f"nan={nan!r} is not known. {did_you_mean(str(nan), get_args(NaN))}")
        if batch_size < 1:
            raise DataError(f"The batch size is {batch_size}; it must be a positive whole number.")
        self.source = Source(data, parts, split, static)
        self.parts = dict(parts)
        channels = self.source.channels
        self.normaliser = Normaliser.of(statistics, channels.all) if statistics is not None else None
        self._nan, self._memory = nan, memory
        self._batch_size, self._seed, self._shuffle, self._drop_uneven = batch_size, seed, shuffle, drop_uneven
        self._rank, self._ranks = rank, ranks
        self.pinned = False
        # Shared with worker processes that live on from epoch to epoch: the epoch, and the batches given of it.
        self.position = torch.zeros(2, dtype=torch.int64)
        self._reader: BlockReader | None = None
        self._ahead: ThreadPoolExecutor | None = None
        self._room: list[torch.Tensor] = []
        if (rank is None) != (ranks is None) or (rank is not None and ranks is not None and not 0 <= rank < ranks):
            raise DataError(f"The rank {rank} of {ranks} ranks was given; give both, the rank from 0, or neither.")
        self.order().batches(ranks or 1)

    def __getstate__(self) -> dict[str, Any]:
        """Leave threads behind, and take along which rank this is: worker processes cannot ask."""
        self.settle_rank()
        return {**self.__dict__, "_ahead": None, "_reader": None, "_room": []}

    def settle_rank(self) -> tuple[int, int]:
        """Return rank and number of ranks; what was not given is asked of ``torch.distributed``, once."""
        if self._rank is None or self._ranks is None:
            there = torch.distributed.is_available() and torch.distributed.is_initialized()
            self._rank = torch.distributed.get_rank() if there else 0
            self._ranks = torch.distributed.get_world_size() if there else 1
        return self._rank, self._ranks

    @property
    def slot_bytes(self) -> int:
        """Bytes of one time of all maps, with the members that are read together."""
        rows, columns = self.source.plane
        return 4 * self.source.members * len(self.source.channels.maps) * rows * columns

    def order(self, workers: int = 1) -> WindowOrder:
        """Return the order of the windows where so many workers share the memory.

        Raises
        ------
        DataError
            If the memory does not suffice for one piece and the next.
        """
        most = self._memory // (2 * max(1, workers) * max(1, self.slot_bytes))
        piece = self.source.piece(most)
        span = self.source.offsets[-1] - self.source.offsets[0]
        # Beside its pieces, a block keeps the rest of a window at either end of what was read at each place: for two
        # pieces a place, that is one such rest a piece, and one more where their number is odd.
        pieces = min(MOST_PIECES, (most - span) // (piece + span))
        if pieces < 1:
            needed = 2 * max(1, workers) * self.slot_bytes * (piece + 2 * span)
            raise DataError(
                f"memory={self._memory} bytes hold no {piece} times of {self.slot_bytes} bytes and the next ones for "
                f"{workers} workers. Allow {needed} or more, use fewer workers, or rechunk the store in time."
            )
        places = -(-pieces // PIECES_A_PLACE)
        return WindowOrder(
            self.source.tracks,
            self.source.offsets,
            piece,
            pieces,
            places,
            self._batch_size,
            self._seed,
            self._shuffle,
            self._drop_uneven,
        )

    def describe_shuffling(self, workers: int = 1) -> str:
        """Return in words and numbers how random the order is.

        Parameters
        ----------
        workers : int
            Processes that read for a rank.
        """
        order, ranks = self.order(workers), self.settle_rank()[1]
        share = order.samples // (ranks * workers)
        if not self._shuffle:
            return f"Not shuffled: each of {ranks * workers} shards of about {share} windows is given in order of time."
        times = order.piece * order.pieces
        block = min(share, times * self.source.members)
        return (
            f"Each of {ranks * workers} shards has a stretch of about {share} of {order.samples} windows, at borders "
            f"that turn from epoch to epoch. It is read in blocks of up to {order.pieces} pieces of {order.piece} "
            f"times from up to {order.places} places of the stretch; the places turn too, and which comes next is "
            f"drawn. The windows of a block, about {block} ({100 * block / share:.3g} % of the shard's), are shuffled "
            "fully: a batch is a random draw from one block, or from two that follow one another. Windows that a piece "
            "holds whole are given in the same block."
        )

    def set_epoch(self, epoch: int, given: int = 0) -> None:
        """Say which epoch comes next, and how many of this rank's batches of it were given already."""
        self.position[0], self.position[1] = epoch, given

    def __len__(self) -> int:
        """Return the number of batches of this rank in an epoch."""
        return self.order().batches(self.settle_rank()[1])

    def plan(self) -> EpochPlan:
        """Return what this process, which may be a worker, has to do next.

        The n-th batch of a rank comes from the worker n modulo the number of workers. A loader asks its first worker
        first: so, in mid-epoch, the first takes the place of the one whose turn it is.
        """
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info is not None else (0, 1)
        epoch, given = self.position.tolist()
        worker = (worker + given) % workers
        skip = len(range(worker, given, workers))
        return EpochPlan(self.order(workers), epoch, Shard(*self.settle_rank(), worker, workers), skip=skip)

    def __iter__(self) -> Iterator[Batch]:
        """Give the batches of the epoch, from where it stands."""
        plan = self.plan()
        assembler = Assembler(self.source, self.parts, self._nan, self.normaliser, pinned=self.pinned)
        sizes = iter(plan.sizes.tolist())
        batch, size, filled = {}, 0, 0
        for block, held in self._blocks(plan):
            done, windows = 0, block.position.size
            while done < windows:
                if filled == size:
                    size, filled = next(sizes), 0
                    batch = assembler.empty(size)
                count = min(size - filled, windows - done)
                assembler.fill(batch, filled, block, held, slice(done, done + count))
                done, filled = done + count, filled + count
                if filled == size:
                    yield batch

    def _blocks(self, plan: EpochPlan) -> Iterator[tuple[Block, torch.Tensor]]:
        """Give blocks with what they hold; while one is used, the next is read in the background."""
        if self._reader is None:
            self._reader = BlockReader(self.source, self._nan, self.normaliser)
        if self._ahead is None:
            self._ahead = ThreadPoolExecutor(1, "climbench-read-ahead")
        self._reader.begin()
        buffers = self._take_room(plan.live_steps)
        arrays: list[np.ndarray] = [buffer.numpy() for buffer in buffers]
        # Each buffer is read into when the block before the last is done with; the block between is used meanwhile.
        ahead: tuple[Future[None], Block, torch.Tensor] | None = None
        try:
            for turn, block in enumerate(plan.blocks()):
                into, before = turn % 2, (turn + 1) % 2
                reading = self._ahead.submit(self._reader.read, block, arrays[before], arrays[into])
                if ahead is not None:
                    yield _finished(*ahead)
                ahead = reading, block, buffers[into]
            if ahead is not None:
                yield _finished(*ahead)
        finally:
            if ahead is not None:
                reading.cancel()
            self._room = buffers

    def _take_room(self, steps: int) -> list[torch.Tensor]:
        """Return room for two blocks; it is used again in the next epoch, as fresh memory is slow to write to."""
        room, self._room = self._room, []
        if room and len(room[0]) >= steps:
            return room
        shape = (steps, self.source.members, len(self.source.channels.maps), *self.source.plane)
        return [torch.empty(shape), torch.empty(shape)]


def _finished(reading: Future[None], block: Block, held: torch.Tensor) -> tuple[Block, torch.Tensor]:
    reading.result()
    return block, held
