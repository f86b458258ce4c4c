"""In which order an epoch reads the pieces of a store and gives its windows: shuffled, sharded, in constant memory.

A *piece* is a stretch of time that is read at once (whole chunks of the store). The pieces of a shard are cut into as
many consecutive segments as there are *places*, at borders that turn from epoch to epoch, and a cursor walks through
each segment; which cursor moves next is drawn at random. A *block* is what some such moves read together. A window is
given in the block that completes it, and all windows of a block are shuffled. Steps that windows of a later block still
need are kept: at most a window's length at either end of what each cursor has read. So every piece is read once, every
window is given once, and what is held does not grow with the store.

The plan is a function of seed, epoch, shard and sizes alone: an epoch is resumed by planning it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from climbench.data.window_order import BLOCK, SEGMENTS, Shard, WindowOrder, running_totals


@dataclass(frozen=True)
class Read:
    """Times ``start`` to ``stop`` of a track, which are put into the slots from ``slot`` on."""

    track: int
    start: int
    stop: int
    slot: int


@dataclass(frozen=True)
class Block:
    """What is read together and the windows it completes, in the order in which they are given.

    Attributes
    ----------
    number : int
        Counts up through the epoch.
    kept : ndarray of shape (kept,)
        Slots of the block before, which become the first slots of this one.
    reads : tuple of Read
        Into the slots after them.
    size : int
        Number of slots.
    track, position, member : ndarray of shape (window,)
        Which window.
    slots : ndarray of shape (window, offset)
        Where its steps are.
    """

    number: int
    kept: np.ndarray
    reads: tuple[Read, ...]
    size: int
    track: np.ndarray
    position: np.ndarray
    member: np.ndarray
    slots: np.ndarray


class EpochPlan:
    """How one shard goes through one epoch.

    Attributes
    ----------
    sizes : ndarray of int64
        Sizes of the batches still to be given.

    Parameters
    ----------
    order : WindowOrder
        All windows.
    epoch : int
        Counts from 0.
    shard : Shard
        Whose share.
    skip : int
        Number of the shard's batches that were given already; what only they needed is not read again.
    """

    def __init__(self, order: WindowOrder, epoch: int = 0, shard: Shard | None = None, *, skip: int = 0) -> None:
        shard = shard or Shard()
        self._order, self._epoch, self._shard = order, epoch, shard
        sizes = order.batch_sizes(shard)
        self.sizes = sizes[skip:]
        self._track, self._position, self._member = self._windows(order.share(epoch, shard))
        self._offsets = np.array(order.offsets, np.int64)
        block_of_piece = self._blocks_of_pieces()
        self._sequence, self._bounds = self._by_block(block_of_piece)
        self._skip(int(sizes[:skip].sum()))
        self._last_use = self._last_uses()
        self._block_of_piece = np.where(block_of_piece < 0, -1, np.maximum(block_of_piece, self._first))
        self._needed = np.flatnonzero(self._last_use >= 0)
        self._read_in = self._block_of_piece[self._piece_of(self._needed)]

    @property
    def n_blocks(self) -> int:
        """Number of blocks of the whole epoch."""
        return self._bounds.size - 1

    def _windows(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return track, position and member of samples given by number."""
        order = self._order
        track = np.searchsorted(order.sample_bases, samples, side="right") - 1
        members = np.array([t.members for t in order.tracks], np.int64)[track]
        number, member = np.divmod(samples - order.sample_bases[track], members)
        position = np.empty_like(samples)
        for index in np.unique(track):
            of_track = track == index
            position[of_track] = order.tracks[index].starts[number[of_track]]
        return track, position, member

    def _lines(self, windows: np.ndarray) -> np.ndarray:
        """Return where on the line of all times the steps of windows are: shape (window, offset)."""
        bases = self._order.line_bases[self._track[windows]] + self._position[windows]
        return bases[:, None] + self._offsets

    def _piece_of(self, lines: np.ndarray) -> np.ndarray:
        order = self._order
        track = np.searchsorted(order.line_bases, lines, side="right") - 1
        return order.piece_bases[track] + (lines - order.line_bases[track]) // order.piece

    def _blocks_of_pieces(self) -> np.ndarray:
        """Return for each piece in which block it is read; -1 where this shard does not need it."""
        order = self._order
        blocks = np.full(order.piece_bases[-1], -1, np.int64)
        for offset in self._offsets:
            times = self._position + offset
            blocks[order.piece_bases[self._track] + times // order.piece] = 0
        needed = np.flatnonzero(blocks == 0)
        blocks[self._reading_order(needed)] = np.arange(needed.size) // order.pieces
        return blocks

    def _reading_order(self, pieces: np.ndarray) -> np.ndarray:
        order = self._order
        if not order.shuffle or pieces.size < 2:
            return pieces
        random = order.random(SEGMENTS, self._epoch, self._shard)
        segments = np.array_split(np.roll(pieces, random.integers(pieces.size)), min(order.places, pieces.size))
        moves = random.permutation(np.repeat(np.arange(len(segments)), [segment.size for segment in segments]))
        read = np.empty_like(pieces)
        for cursor, segment in enumerate(segments):
            read[moves == cursor] = segment
        return read

    def _by_block(self, block_of_piece: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows sorted by the block that completes them, and where each block's begin."""
        order = self._order
        completed = np.full(self._position.size, -1, np.int64)
        for offset in self._offsets:
            pieces = order.piece_bases[self._track] + (self._position + offset) // order.piece
            np.maximum(completed, block_of_piece[pieces], out=completed)
        n_blocks = int(block_of_piece.max(initial=-1)) + 1
        counts = np.bincount(completed, minlength=n_blocks) if completed.size else np.zeros(n_blocks, np.int64)
        return np.argsort(completed, kind="stable"), running_totals(counts)

    def _skip(self, given: int) -> None:
        """Leave out the windows that were given already."""
        self._first = int(np.searchsorted(self._bounds[1:], given, side="right"))
        self._given = given
        if self._first < self.n_blocks:
            start, stop = self._bounds[self._first : self._first + 2]
            self._sequence[start:stop] = self._shuffled(self._first)

    def _shuffled(self, number: int) -> np.ndarray:
        """Return the windows of a block in the order in which they are given."""
        windows = self._sequence[self._bounds[number] : self._bounds[number + 1]]
        if not self._order.shuffle:
            return windows
        return self._order.random(BLOCK, self._epoch, self._shard, number).permutation(windows)

    def _left(self, number: int) -> np.ndarray:
        """Return the windows of a block that are still to be given, in their order."""
        if number > self._first:
            return self._shuffled(number)
        return self._sequence[self._given : self._bounds[number + 1]]

    def _last_uses(self) -> np.ndarray:
        """Return for each time on the line the last block with a window that needs it; -1 where there is none."""
        last = np.full(self._order.line_bases[-1], -1, np.int64)
        to_give = self._sequence[self._given :]
        blocks = np.repeat(np.arange(self.n_blocks), np.diff(self._bounds))[self._given :]
        bases = self._order.line_bases[self._track[to_give]] + self._position[to_give]
        for offset in self._offsets:
            np.maximum.at(last, bases + offset, blocks)
        return last

    @cached_property
    def live_steps(self) -> int:
        """The most slots of a block: times held at once, each with all members of its track."""
        return int(self._sizes().max(initial=0))

    def _sizes(self) -> np.ndarray:
        """Return the number of slots of each block: what it reads, and what is kept from blocks before."""
        changes = np.zeros(self.n_blocks + 2, np.int64)
        np.add.at(changes, self._read_in + 1, 1)
        np.add.at(changes, self._last_use[self._needed] + 1, -1)
        sizes = np.cumsum(changes)[: self.n_blocks]
        for piece, start, stop in zip(*self._spans, strict=True):
            sizes[self._block_of_piece[piece]] += stop - start
        return sizes

    @cached_property
    def _spans(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pieces to be read, and from where to where on the line: from the first time needed to the last."""
        pieces, first = np.unique(self._piece_of(self._needed), return_index=True)
        if not pieces.size:
            return pieces, pieces, pieces
        last = np.append(first[1:], self._needed.size) - 1
        return pieces, self._needed[first], self._needed[last] + 1

    def blocks(self) -> Iterator[Block]:
        """Give the blocks one after another."""
        order = self._order
        slot_of = np.full(order.line_bases[-1], -1, np.int64)
        held = np.empty(0, np.int64)
        for number in range(self._first, self.n_blocks):
            held = held[self._last_use[held] >= number]
            kept = slot_of[held]
            slot_of[held] = np.arange(held.size)
            reads = self._reads(number, held.size)
            lines = [np.arange(r.start, r.stop) + order.line_bases[r.track] for r in reads]
            for read, there in zip(reads, lines, strict=True):
                slot_of[there] = np.arange(read.slot, read.slot + there.size)
            held = np.concatenate([held, *lines])
            windows = self._left(number)
            yield Block(
                number,
                kept,
                reads,
                held.size,
                self._track[windows],
                self._position[windows],
                self._member[windows],
                slot_of[self._lines(windows)],
            )

    def _reads(self, number: int, slot: int) -> tuple[Read, ...]:
        """Return what a block reads; pieces that follow one another are read as one."""
        reads: list[Read] = []
        pieces, starts, stops = self._spans
        for index in np.flatnonzero(self._block_of_piece[pieces] == number):
            track = int(np.searchsorted(self._order.piece_bases, pieces[index], side="right")) - 1
            start, stop = (int(line[index] - self._order.line_bases[track]) for line in (starts, stops))
            if reads and reads[-1].track == track and reads[-1].stop == start:
                reads[-1] = Read(track, reads[-1].start, stop, reads[-1].slot)
            else:
                reads.append(Read(track, start, stop, slot))
            slot += stop - start
        return tuple(reads)
