"""Reads whole maps from stores: forecasts by block, truth and climatology by chunk, each chunk read once and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import xarray as xr

KEPT_WINDOWS = 3  # neighbouring pieces, worked on at the same time, ask for nearly the same chunks
UNCHUNKED_BYTES = 16 * 2**20
Key = tuple[tuple[int, ...], tuple[int, ...] | None]


def chunk_size(array: xr.DataArray, dim: str, default: int) -> int:
    """Return how long a variable's chunks on disk are along a dimension, and `default` where it has none."""
    chunks = array.encoding.get("chunks")
    if isinstance(chunks, tuple) and len(chunks) == array.ndim:
        return min(int(chunks[array.dims.index(dim)]), array.sizes[dim])
    if array.chunks is not None:
        return int(max(array.chunks[array.dims.index(dim)]))
    return min(default, array.sizes[dim])


def map_bytes(array: xr.DataArray) -> int:
    """Return the bytes of one map of a variable."""
    return array.sizes["latitude"] * array.sizes["longitude"] * array.dtype.itemsize


def at_levels(array: xr.DataArray, levels: Sequence[int] | None) -> xr.DataArray:
    """Return a variable at some levels (hPa), in that order; as it is where it has no level axis."""
    if "level" not in array.dims:
        return array
    if levels is None:
        return array.isel(level=[0])
    positions = [int(np.flatnonzero(array["level"].values == level)[0]) for level in levels]
    step = positions[1] - positions[0] if len(positions) > 1 else 1
    even = step > 0 and positions == list(range(positions[0], positions[-1] + 1, step))
    return array.isel(level=slice(positions[0], positions[-1] + 1, step) if even else positions)


class KeptMaps:
    """Maps of one variable along one or more axes, read a chunk at a time.

    A few times as many chunks are kept as maps were asked for at once: those from the next initial time are nearly the
    same. So memory does not grow with the number of initial times.

    Parameters
    ----------
    array : DataArray of shape (*axes, [level,] latitude, longitude)
        Canonical, lazy.
    axes : tuple of str
        The dimensions that maps are asked for along.
    """

    def __init__(self, array: xr.DataArray, axes: tuple[str, ...]) -> None:
        self.array, self.axes = array, axes
        self._room = 1
        room = max(1, UNCHUNKED_BYTES // map_bytes(array))
        self.steps = tuple(chunk_size(array, axis, room if n == 0 else 10**9) for n, axis in enumerate(axes))
        self._kept: OrderedDict[Key, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()
        self._reading: dict[Key, threading.Lock] = {}

    def take(
        self, positions: Sequence[np.ndarray], levels: tuple[int, ...] | None, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Return maps at positions along the axes.

        Parameters
        ----------
        positions : sequence of ndarray of shape (n,)
            One array an axis.
        levels : tuple of int or None
            In hPa.
        out : ndarray of shape (n, level, cell), optional
            What an earlier call returned, to be filled anew: making large arrays again and again takes time.

        Returns
        -------
        ndarray of shape (n, level, cell)
        """
        chunks = np.stack([p // step for p, step in zip(positions, self.steps, strict=True)])
        needed = list(dict.fromkeys(map(tuple, chunks.T.tolist())))
        self._room = max(self._room, KEPT_WINDOWS * len(needed))
        for chunk in needed:
            maps = self._chunk(chunk, levels)
            chosen = np.flatnonzero((chunks == np.array(chunk)[:, None]).all(axis=0))
            inner = tuple(p[chosen] - c * s for p, c, s in zip(positions, chunk, self.steps, strict=True))
            shape = (chunks.shape[1], *maps.shape[len(self.axes) :])
            if out is None or out.shape != shape or out.dtype != maps.dtype:
                out = np.empty(shape, maps.dtype)
            for place, source in zip(chosen, zip(*inner, strict=True), strict=True):
                out[place] = maps[source]
        assert out is not None
        return out

    def _chunk(self, chunk: tuple[int, ...], levels: tuple[int, ...] | None) -> np.ndarray:
        key = (chunk, levels)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            reading = self._reading.setdefault(key, threading.Lock())
        with reading:  # another thread may want the same chunk: it is read once
            with self._lock:
                if key in self._kept:
                    return self._kept[key]
            maps = self._read(chunk, levels)
            with self._lock:
                self._kept[key] = maps
                self._reading.pop(key, None)
                while len(self._kept) > self._room:
                    self._kept.popitem(last=False)
        return maps

    def _read(self, chunk: tuple[int, ...], levels: tuple[int, ...] | None) -> np.ndarray:
        where = {a: slice(c * s, (c + 1) * s) for a, c, s in zip(self.axes, chunk, self.steps, strict=True)}
        part = at_levels(self.array.isel(where), levels)
        values = np.asarray(part.values)
        lead = values.shape[: len(self.axes)]
        return values.reshape(*lead, -1, part.sizes["latitude"] * part.sizes["longitude"])


def forecast_block(
    array: xr.DataArray, inits: np.ndarray, leads: np.ndarray, levels: tuple[int, ...] | None
) -> np.ndarray:
    """Return a block of a forecast.

    Parameters
    ----------
    array : DataArray of shape ([member,] init_time, lead_time, [level,] latitude, longitude)
        Canonical, lazy.
    inits, leads : ndarray of int
        Positions.
    levels : tuple of int or None
        In hPa.

    Returns
    -------
    ndarray of shape (member, init, lead, level, cell)
        With one member where the forecast has no dimension of members.
    """
    part = at_levels(array.isel(init_time=as_slice(inits), lead_time=as_slice(leads)), levels)
    values = np.asarray(part.values)
    members = part.sizes.get("member", 1)
    cells = part.sizes["latitude"] * part.sizes["longitude"]
    return values.reshape(members, inits.size, leads.size, -1, cells)


def as_slice(positions: np.ndarray) -> slice | np.ndarray:
    """Return evenly spaced ascending positions as a slice, which stores read faster."""
    if positions.size == 1:
        return slice(int(positions[0]), int(positions[0]) + 1)
    steps = np.diff(positions)
    if (steps == steps[0]).all() and steps[0] > 0:
        return slice(int(positions[0]), int(positions[-1]) + 1, int(steps[0]))
    return positions
