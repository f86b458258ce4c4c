"""What one chunk of a variable says about the whole: moments of its values and one-step differences, and its edges.

Chunks that follow one another in time are joined by their edges, so that each step between them is counted once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from climbench.calendars import label
from climbench.data.moments import Moments, pooled, spread, stacked
from climbench.data.splits import evenly
from climbench.errors import DataError

NaN = Literal["error", "mask"]
LEFT_OUT, BEGINS, FOLLOWS = 0, 1, 2  # what a time is: not in the split; without one before it; one step after that
PIECE = 2**16  # values worked on at a time: two buffers of as many float64 fit a core's cache
CACHE_LINE = 8  # float64 values
NUMBERS = 11  # of a cell's totals
SHIFT_FROM = 4096  # values whose mean is the shift


@dataclass(frozen=True)
class Totals:
    """What a part of the data says about the whole; arrays over the cells that are kept apart.

    Attributes
    ----------
    values, differences : Moments
        Of the values, and of their one-step differences in time.
    minimum, maximum : ndarray
        Infinite where there is no value.
    missing : ndarray
        Number of NaN that were masked.
    """

    values: Moments
    differences: Moments
    minimum: np.ndarray
    maximum: np.ndarray
    missing: np.ndarray

    def to_array(self) -> np.ndarray:
        """Return all of it as one array of shape (NUMBERS, *cells)."""
        moments = [getattr(part, field.name) for part in (self.values, self.differences) for field in fields(Moments)]
        return np.stack([*moments, self.minimum, self.maximum, self.missing])

    @classmethod
    def from_array(cls, numbers: np.ndarray) -> Totals:
        """Return what `to_array` put together."""
        return cls(Moments(*numbers[:4]), Moments(*numbers[4:8]), *numbers[8:])


@dataclass(frozen=True)
class Stretch:
    """A stretch of time of a part of the grid: its totals, and what joining it to its neighbours takes.

    Attributes
    ----------
    totals : Totals
        Over the whole stretch.
    first, last : ndarray of shape (*kept, ...)
        The earliest and the latest time, as they were read.
    follows : bool
        Whether the first time is one step after the last time of the stretch before.
    weights : ndarray or None
        Broadcasts against the dimensions that are not kept.
    """

    totals: Totals
    first: np.ndarray
    last: np.ndarray
    follows: bool
    weights: np.ndarray | None


class _UnusableError(ValueError):
    """A chunk holds a value that is not allowed; which one is looked for afterwards."""


class Piece(NamedTuple):
    """Rows (times) and columns (points) that are worked on at once, and whether they go on from the piece before."""

    rows: slice
    columns: slice
    follows: bool


def summarise(
    block: np.ndarray,
    kinds: np.ndarray,
    times: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    kept: int = 0,
    nan: NaN = "error",
    variable: str = "data",
) -> Stretch:
    """Return what one chunk says.

    Parameters
    ----------
    block : ndarray of shape (time, *kept, ...)
        Numbers; time first, then the dimensions that are kept apart.
    kinds : ndarray of shape (time,)
        `LEFT_OUT`, `BEGINS` or `FOLLOWS`; at least one time is not left out.
    times : ndarray of shape (time,)
        Labels, for messages.
    weights : ndarray, optional
        Broadcasts against the dimensions that are not kept.
    kept : int
        Number of dimensions kept apart.
    nan : {"error", "mask"}
        Whether a NaN is an error, or left out and counted.
    variable : str
        Its name, for messages.

    Returns
    -------
    Stretch

    Raises
    ------
    DataError
        If there is a NaN and `nan` is "error", or an infinite value.
    """
    used = evenly(np.flatnonzero(kinds != LEFT_OUT))
    block, kinds, times = block[used], kinds[used], times[used]
    cells = block.shape[1 : 1 + kept]
    spread_out = None if weights is None else np.broadcast_to(weights, block.shape[1 + kept :]).reshape(-1)
    points = block.reshape(len(block), math.prod(cells), -1)
    pieces = list(_pieces(kinds, points.shape[2]))
    try:
        table = np.array([_of_cell(points[:, i], pieces, spread_out, nan) for i in range(points.shape[1])])
    except _UnusableError:
        raise _refusal(points, times, variable) from None
    shift, low, high, missing, *sums = table.transpose(2, 1, 0).reshape(10, len(pieces), *cells)
    values = pooled(Moments(sums[0], shift, sums[1], sums[2]))
    differences = pooled(Moments(sums[3], np.zeros_like(shift), sums[4], sums[5]))
    totals = Totals(values, differences, low.min(0), high.max(0), missing.sum(0))
    return Stretch(totals, block[0].copy(), block[-1].copy(), bool(kinds[0] == FOLLOWS), weights)


def joined(stretches: Sequence[Stretch]) -> Stretch:
    """Return stretches of time that follow one another as one.

    Parameters
    ----------
    stretches : sequence of Stretch
        Of the same part of the grid, in order of time.

    Returns
    -------
    Stretch
    """
    borders = [_border(a, b) for a, b in pairwise(stretches) if b.follows]
    first, last = stretches[0], stretches[-1]
    totals = total([stretch.totals for stretch in stretches], borders)
    return Stretch(totals, first.first, last.last, first.follows, first.weights)


def total(parts: Sequence[Totals], borders: Sequence[Moments] = ()) -> Totals:
    """Return the totals of several parts of the data together.

    Parameters
    ----------
    parts : sequence of Totals
        Of the same cells, in a fixed order.
    borders : sequence of Moments
        Of the differences from one part to the next.

    Returns
    -------
    Totals
    """
    return Totals(
        pooled(stacked([part.values for part in parts])),
        pooled(stacked([*(part.differences for part in parts), *borders])),
        np.min([part.minimum for part in parts], axis=0),
        np.max([part.maximum for part in parts], axis=0),
        np.sum([part.missing for part in parts], axis=0),
    )


def _border(before: Stretch, after: Stretch) -> Moments:
    """Return the moments of the differences between two stretches: those of a chunk of the two times at the border."""
    times, kinds = np.stack([before.last, after.first]), np.array([BEGINS, FOLLOWS])
    kept = before.totals.minimum.ndim
    return summarise(times, kinds, kinds, before.weights, kept=kept, nan="mask").totals.differences


def _pieces(kinds: np.ndarray, points: int) -> Iterator[Piece]:
    """Yield what to work on at once: runs of times without a gap, cut to the size of the cache."""
    width = max(1, min(points, PIECE // 4))
    height = max(1, PIECE // width)
    starts = [*np.flatnonzero(kinds != FOLLOWS), len(kinds)]
    starts = starts if starts[0] == 0 else [0, *starts]
    for left in range(0, points, width):
        for start, stop in pairwise(starts):
            for top in range(start, stop, height):
                yield Piece(slice(top, min(top + height, stop)), slice(left, left + width), top > start)


def _of_cell(points: np.ndarray, pieces: Sequence[Piece], weights: np.ndarray | None, nan: NaN) -> list[list[float]]:
    """Return for each piece: shift, extremes, number missing, and the moments of its values and of its steps."""
    shift = _shift(points[0, :SHIFT_FROM])
    size = max(points[piece.rows, piece.columns].size + points[0, piece.columns].size for piece in pieces)
    buffers = _aligned(size), _aligned(size)
    table = []
    for piece in pieces:
        part = points[piece.rows, piece.columns]
        over = None if weights is None else np.tile(weights[piece.columns], len(part))
        table.append([shift, *_of_piece(part, piece.follows, shift, over, nan, buffers)])
    return table


def _of_piece(
    part: np.ndarray,
    follows: bool,
    shift: float,
    weights: np.ndarray | None,
    nan: NaN,
    buffers: tuple[np.ndarray, np.ndarray],
) -> tuple[float, ...]:
    """Return extremes, number missing, and the moments of the shifted values and of their steps."""
    rows, columns = part.shape
    low, high = part.min(), part.max()
    present = None if np.isfinite(low) and np.isfinite(high) else _present(part.reshape(-1), nan)
    plane = buffers[0][: (rows + 1) * columns].reshape(rows + 1, columns)
    plane[1:] = part
    plane[1:] -= shift
    begin = 0 if follows else 1  # the first row is the last of the piece before
    steps = buffers[1][: (rows - begin) * columns]
    np.subtract(plane[begin + 1 :], plane[begin:-1], out=steps.reshape(-1, columns))
    known = ~np.isnan(steps) if nan == "mask" else None  # a step may be missing for what is missing before
    plane[0] = plane[-1]
    values = plane[1:].reshape(-1)
    missing = 0.0
    if present is not None:
        inside = part.reshape(-1)[present]
        low, high = (inside.min(), inside.max()) if inside.size else (np.inf, -np.inf)
        missing = float(values.size - inside.size)
    return (low, high, missing, *_spread(values, weights, present), *_spread(steps, weights, known))


def _spread(
    values: np.ndarray, weights: np.ndarray | None, chosen: np.ndarray | None = None
) -> tuple[float, float, float]:
    """Return the moments of the chosen values; the weights are those of whole rows, and may be more."""
    over = None if weights is None else weights[: values.size]
    if chosen is not None and not chosen.all():
        values, over = values[chosen], None if over is None else over[chosen]
    return spread(values, over)


def _present(values: np.ndarray, nan: NaN) -> np.ndarray:
    """Return which values are there; raise for what is not allowed."""
    missing = np.isnan(values)
    if np.isinf(values).any() or (nan == "error" and missing.any()):
        raise _UnusableError
    return ~missing


def _refusal(points: np.ndarray, times: np.ndarray, name: str) -> DataError:
    """Return the error that says which values of a chunk cannot be used."""
    infinite = np.isinf(points)
    odd, what = (infinite, "infinite") if infinite.any() else (np.isnan(points), "missing (NaN)")
    first = label(times[int(np.argmax(odd.any((1, 2))))])
    advice = "Mend the data" if infinite.any() else "If they are a mask (land, sea), say so with nan='mask'"
    return DataError(
        f"'{name}' has {np.count_nonzero(odd)} {what} values in {label(times[0])}..{label(times[-1])}, the first at "
        f"{first}. {advice}."
    )


def _aligned(size: int) -> np.ndarray:
    """Return float64 memory that begins at a cache line, where NumPy's own need not: differences take half the time."""
    memory = np.empty(size + CACHE_LINE)
    return memory[-memory.ctypes.data // memory.itemsize % CACHE_LINE :][:size]


def _shift(values: np.ndarray) -> float:
    """Return a rough mean: whatever is near the values will do."""
    finite = values[np.isfinite(values)]
    return float(finite.mean(dtype="float64")) if finite.size else 0.0
