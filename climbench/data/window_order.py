"""All windows of a data set, and which of them each rank and each of its workers gives in an epoch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from climbench.errors import DataError

ROTATION, SEGMENTS, BLOCK = 1, 2, 3  # apart, so that no two streams of random numbers share a seed


@dataclass(frozen=True)
class Track:
    """A stretch of data that is read together: one time axis, and the members that share its chunks.

    Attributes
    ----------
    starts : ndarray of int64
        Positions of its windows, ascending.
    times : int
        Length of the time axis.
    members : int
        Each has all the windows.
    """

    starts: np.ndarray
    times: int
    members: int = 1


@dataclass(frozen=True)
class Shard:
    """Whose share of an epoch: a rank's among all ranks of all nodes, and within it a worker's."""

    rank: int = 0
    ranks: int = 1
    worker: int = 0
    workers: int = 1


@dataclass(frozen=True, eq=False)
class WindowOrder:
    """All windows, and how each epoch goes through them.

    Parameters
    ----------
    tracks : tuple of Track
        Where the windows are.
    offsets : tuple of int
        The steps of a window, ascending.
    piece : int
        Times read at once; a multiple of the store's chunks.
    pieces : int
        Pieces in a block.
    places : int
        How many places of a shard are read from in turns.
    batch_size : int
        No batch is larger; batches differ by one sample at most.
    seed : int
        Of all random choices.
    shuffle : bool
        Without, each shard is gone through in order.
    drop_uneven : bool
        Whether to leave out the few windows (less than one a rank, others in each epoch) by which ranks would differ.

    Raises
    ------
    DataError
        If there are fewer windows than batches need (when a plan is asked for).
    """

    tracks: tuple[Track, ...]
    offsets: tuple[int, ...]
    piece: int
    pieces: int
    places: int
    batch_size: int
    seed: int = 0
    shuffle: bool = True
    drop_uneven: bool = False

    @cached_property
    def sample_bases(self) -> np.ndarray:
        """Number of samples before each track, and at the end that of all samples."""
        return running_totals([track.starts.size * track.members for track in self.tracks])

    @cached_property
    def line_bases(self) -> np.ndarray:
        """Number of times before each track: the times of all tracks form one line."""
        return running_totals([track.times for track in self.tracks])

    @cached_property
    def piece_bases(self) -> np.ndarray:
        """Number of pieces before each track."""
        return running_totals([-(-track.times // self.piece) for track in self.tracks])

    @property
    def samples(self) -> int:
        """Number of windows of all tracks and members."""
        return int(self.sample_bases[-1])

    def batches(self, ranks: int = 1) -> int:
        """Return how many batches each rank takes an epoch: the same for all, so that none waits for another for ever.

        Raises
        ------
        DataError
            If a rank would have no sample, or less than one batch, or the ranks cannot do the same number of batches.
        """
        what = f"The {self.samples} windows of this split"
        least, rest = divmod(self.samples, ranks)
        if least == 0:
            raise DataError(f"{what} leave some of the {ranks} ranks without a sample; use fewer ranks or more data.")
        if least < self.batch_size:
            each = f" on each of {ranks} ranks" if ranks > 1 else ""
            raise DataError(f"{what} are fewer than one batch of {self.batch_size}{each}; lower the batch size.")
        batches = -(-(least + (rest > 0 and not self.drop_uneven)) // self.batch_size)
        if batches > least:
            raise DataError(
                f"{what} give {ranks} ranks unequal numbers of batches of one sample each: one would hang. Use a "
                f"batch size of 2 or more, or drop_uneven=True, which leaves out {rest} windows in each epoch."
            )
        return batches

    def batch_sizes(self, shard: Shard) -> np.ndarray:
        """Return the sizes of a shard's batches: of its rank's batches, those that its worker makes in turn."""
        first, last = self._rank_range(shard)
        batches = self.batches(shard.ranks)
        sizes = np.full(batches, (last - first) // batches)
        sizes[: (last - first) % batches] += 1
        return sizes[shard.worker :: shard.workers]

    def _rank_range(self, shard: Shard) -> tuple[int, int]:
        kept = self.samples - (self.samples % shard.ranks if self.drop_uneven else 0)
        return kept * shard.rank // shard.ranks, kept * (shard.rank + 1) // shard.ranks

    def share(self, epoch: int, shard: Shard) -> np.ndarray:
        """Return the numbers of a shard's samples: a consecutive range, whose borders turn from epoch to epoch."""
        first, _ = self._rank_range(shard)
        before = [Shard(shard.rank, shard.ranks, worker, shard.workers) for worker in range(shard.worker)]
        first += sum(int(self.batch_sizes(other).sum()) for other in before)
        numbers = np.arange(first, first + int(self.batch_sizes(shard).sum()), dtype=np.int64)
        turn = self.random(ROTATION, epoch).integers(self.samples) if self.shuffle else 0
        return np.sort((numbers + turn) % self.samples)

    def random(self, purpose: int, epoch: int, shard: Shard | None = None, block: int = 0) -> np.random.Generator:
        """Return a generator of random numbers that depends on nothing but its arguments and the seed."""
        rank, worker = (shard.rank, shard.worker) if shard else (0, 0)
        return np.random.default_rng([purpose, self.seed, epoch, rank, worker, block])


def running_totals(counts: object) -> np.ndarray:
    """Return running totals, beginning with 0."""
    return np.concatenate([[0], np.cumsum(np.asarray(counts, np.int64))]).astype(np.int64)
