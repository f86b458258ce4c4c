"""Reads a series band by band, a stretch of time at a time, and gives the statistics of each band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from climbench.data.day_windows import CalendarDays
from climbench.data.field_room import Band
from climbench.data.window_pools import Moments, Pools

BLOCK_BYTES = 32 * 2**20


class Wanted(NamedTuple):
    """Which statistics are wanted of a variable.

    Attributes
    ----------
    statistics : sequence of {"mean", "std", "quantile", "seeps"}
        Their names.
    quantiles : tuple of float
        For ``quantile``.
    dry : float or None
        Below it precipitation is dry; None where SEEPS is not for the variable.
    window : int
        Days in the window.
    """

    statistics: Sequence[str]
    quantiles: tuple[float, ...]
    dry: float | None
    window: int

    @property
    def moments(self) -> bool:
        """Whether sums are enough for some of them."""
        return bool({"mean", "std"} & set(self.statistics))

    @property
    def pools(self) -> bool:
        """Whether some need all values."""
        return "quantile" in self.statistics or self.dry is not None

    def suffixes(self) -> list[str]:
        """Return the suffixes of the fields they make."""
        found = {"mean": [""], "std": ["_std"], "quantile": ["_quantile"]}
        found["seeps"] = ["_seeps_threshold", "_seeps_dry_fraction"] if self.dry is not None else []
        return [suffix for statistic in self.statistics for suffix in found[statistic]]


def bands(
    variable: xr.DataArray, days: CalendarDays, wanted: Wanted, memory: int
) -> Iterator[tuple[Band, dict[str, np.ndarray]]]:
    """Yield the parts of a variable with their statistics.

    Parameters
    ----------
    variable : DataArray of shape (time, [level,] latitude, longitude)
        Lazy or not.
    days : CalendarDays
        Where its times lie.
    wanted : Wanted
        Which statistics.
    memory : int
        Bytes that a part may take; it is one row at least.

    Yields
    ------
    Band, dict of str to ndarray
        Statistics of shape (hour, 366, [quantile,] cell) by suffix.
    """
    spread = "std" in wanted.statistics
    quantiles = wanted.quantiles if "quantile" in wanted.statistics else ()
    if wanted.moments:
        for band, cells in _cut(variable, Moments.cell_bytes(days, spread), memory):
            yield band, _read(variable, band, Moments(days, cells, wanted.window, spread))
    if wanted.pools:
        for band, cells in _cut(variable, Pools.cell_bytes(days), memory):
            yield band, _read(variable, band, Pools(days, cells, wanted.window, quantiles, wanted.dry))


def _cut(variable: xr.DataArray, cell_bytes: int, memory: int) -> Iterator[tuple[Band, int]]:
    """Yield the bands of a variable, level by level, with the number of cells in each."""
    columns, rows = variable.sizes["longitude"], variable.sizes["latitude"]
    step = int(max(1, memory // (cell_bytes * columns)))
    for level in range(variable.sizes["level"]) if "level" in variable.dims else (None,):
        for start in range(0, rows, step):
            stop = min(start + step, rows)
            yield Band(level, slice(start, stop)), (stop - start) * columns


def _read(variable: xr.DataArray, band: Band, into: Moments | Pools) -> dict[str, np.ndarray]:
    """Read a band of a series in whole chunks of time, and return its statistics."""
    level = {} if band.level is None else {"level": slice(band.level, band.level + 1)}
    part = variable.isel({"latitude": band.rows, **level})
    cells = part.sizes["latitude"] * part.sizes["longitude"]
    step = _stretch(part)
    for start in range(0, part.sizes["time"], step):
        values = part.isel(time=slice(start, start + step)).values
        into.add(start, values.reshape(-1, cells))
    return into.results()


def _stretch(part: xr.DataArray) -> int:
    """Return how many times to read at once: whole chunks, whatever of each is asked for, that fit into a block."""
    stored = part.encoding.get("chunks")
    chunks = dict.fromkeys(map(str, part.dims), 1)
    if part.chunks is not None:
        chunks = {str(d): max(sizes) for d, sizes in zip(part.dims, part.chunks, strict=True)}
    elif isinstance(stored, tuple) and len(stored) == part.ndim:
        chunks = {str(d): int(size) for d, size in zip(part.dims, stored, strict=True)}
    one = part.dtype.itemsize
    for dim in (d for d in map(str, part.dims) if d != "time"):
        one *= -(-part.sizes[dim] // chunks[dim]) * chunks[dim]
    return max(1, BLOCK_BYTES // one // chunks["time"]) * chunks["time"]
