"""Cuts the scoring of a forecast into pieces along the chunks of its store, each small enough to hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.tasks.forecast.reading import chunk_size, map_bytes
from climbench.tasks.forecast.targets import Target

BLOCK_BYTES = 24 * 2**20


@dataclass(frozen=True)
class Piece:
    """One piece of work: some targets that are read together, over some initial and lead times.

    Attributes
    ----------
    targets : tuple of Target
        Of the same components, at levels that lie in one chunk.
    inits, leads : slice
        Of what is scored (not of the store).
    """

    targets: tuple[Target, ...]
    inits: slice
    leads: slice

    @property
    def levels(self) -> tuple[int, ...] | None:
        """The targets' levels, or None where they have none."""
        levels = tuple(target.level for target in self.targets if target.level is not None)
        return levels or None


def plan(
    targets: Sequence[Target],
    forecast: xr.Dataset,
    init_positions: np.ndarray,
    lead_positions: np.ndarray,
    block_bytes: int = BLOCK_BYTES,
) -> list[Piece]:
    """Return the pieces of work, in the order of the store.

    Parameters
    ----------
    targets : sequence of Target
        What is scored.
    forecast : Dataset of shape ([member,] init_time, lead_time, [level,] latitude, longitude)
        Canonical.
    init_positions, lead_positions : ndarray of int
        Where the initial and lead times that are scored are in the store.
    block_bytes : int
        About how much of the forecast one piece reads; at least one chunk.

    Returns
    -------
    list of Piece
    """
    pieces = []
    for group in _groups(targets, forecast):
        array = forecast[group[0].components[0]]
        one = map_bytes(array) * array.sizes.get("member", 1) * len(group) * len(group[0].components)
        chunks = [chunk_size(array, dim, 10**9) for dim in ("init_time", "lead_time")]
        if array.encoding.get("chunks") is None and array.chunks is None:
            chunks = [1, 1]
        leads = along_chunks(lead_positions, chunks[1], max(1, block_bytes // (one * chunks[0])))
        longest = max(part.stop - part.start for part in leads)
        inits = along_chunks(init_positions, chunks[0], max(1, block_bytes // (one * longest)))
        pieces += [Piece(group, i, j) for i in inits for j in leads]
    return pieces


def _groups(targets: Sequence[Target], forecast: xr.Dataset) -> Iterator[tuple[Target, ...]]:
    """Yield targets whose levels lie in one chunk of the same variables."""
    groups: dict[tuple[object, ...], list[Target]] = {}
    for target in targets:
        array = forecast[target.components[0]]
        block = 0
        if target.level is not None and "level" in array.dims:
            place = int(np.flatnonzero(array["level"].values == target.level)[0])
            block = place // chunk_size(array, "level", 1)
        groups.setdefault((target.components, target.is_vector, block), []).append(target)
    yield from map(tuple, groups.values())


def along_chunks(positions: np.ndarray, chunk: int, room: int) -> list[slice]:
    """Return slices of ascending positions that lie in whole chunks, of about `room` positions each."""
    chunks = positions // chunk
    starts = np.flatnonzero(np.diff(chunks, prepend=-1))
    cuts = [0]
    for start, stop in zip(starts, [*starts[1:], positions.size], strict=True):
        if stop - cuts[-1] > room and start > cuts[-1]:
            cuts.append(int(start))
    return [slice(a, b) for a, b in zip(cuts, [*cuts[1:], positions.size], strict=True)]
