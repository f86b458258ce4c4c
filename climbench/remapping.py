"""Weights from one latitude-longitude grid to another, and their product with maps.

On such grids a cell's weights are those of its row times those of its column. So two small sparse matrices stand for
the large one between all cells, and cost little more than copying the maps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

# Fractions of a cell are sums in the precision of the maps, and coordinates may be float32: smaller differences are
# rounding.
ROUND_OFF = 1e-5
# Maps that are worked on together: what a processor's cache holds.
BLOCK_BYTES = 2**19


@dataclass(frozen=True)
class Remapping:
    """Weights along each axis, to be called on maps.

    Attributes
    ----------
    rows : csr_array of shape (target latitude, source latitude)
        Each row adds up to 1, or is empty where the source does not reach. The source has a row more at a pole that is
        in `poles`.
    columns : csr_array of shape (target longitude, source longitude)
        Likewise.
    covered : ndarray of shape (target latitude, target longitude)
        The fraction of each target cell that the source covers.
    min_valid : float
        The smallest fraction of a target cell, from 0 to 1, that must be covered by valid values; elsewhere the result
        is NaN. With 0, any covered part will do.
    poles : (bool, bool)
        Whether the maps get a row on the south and the north pole first: the mean of their outermost row.
    """

    rows: sparse.csr_array
    columns: sparse.csr_array
    covered: np.ndarray
    min_valid: float
    poles: tuple[bool, bool] = (False, False)

    def __call__(self, maps: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return maps on the target grid.

        Parameters
        ----------
        maps : ndarray of shape (..., source latitude, source longitude)
            NaN where a value is missing. Maps do not affect one another.
        dtype : dtype
            That of the arithmetic and of the result.

        Returns
        -------
        ndarray of shape (..., target latitude, target longitude)
            Of `dtype`.
        """
        size = max(1, BLOCK_BYTES // (maps.shape[-2] * maps.shape[-1] * dtype.itemsize))
        weights = _Weights(self, size, dtype)
        stack = maps.reshape(-1, *maps.shape[-2:])
        out = np.empty((len(stack), *self.covered.shape), dtype)
        for start in range(0, len(stack), size):
            block = slice(start, start + size)
            out[block] = weights.apply(stack[block].astype(dtype, copy=False))
        return out.reshape(*maps.shape[:-2], *self.covered.shape)

    def enough(self, valid: np.ndarray) -> np.ndarray:
        """Return where the result stands, from the valid fraction of the covered part of each target cell."""
        return valid * self.covered >= max(self.min_valid - ROUND_OFF, ROUND_OFF)


class _Weights:
    """The matrices of a remapping in one precision, for blocks of maps of a fixed size."""

    def __init__(self, remapping: Remapping, size: int, dtype: np.dtype) -> None:
        self.remapping, self.size, self.dtype = remapping, size, dtype
        self.columns = remapping.columns.astype(dtype)
        # One product serves the whole block.
        self.rows = _along_diagonal(remapping.rows.astype(dtype), size)
        self.outside = ~remapping.enough(np.ones(remapping.covered.shape))

    def apply(self, maps: np.ndarray) -> np.ndarray:
        """Return a block of maps on the target grid: (map, latitude, longitude)."""
        out = self.product(maps)
        # A missing value shows in the result, which is the smaller array to look through.
        missing = np.isnan(out)
        if self.outside.any():
            out[:, self.outside] = np.nan
        if missing.any():
            affected = missing.any(axis=(1, 2))
            out[affected] = self.of_valid_parts(maps[affected])
        return out

    def of_valid_parts(self, maps: np.ndarray) -> np.ndarray:
        """Return the mean over the valid part of each target cell, where that part is large enough."""
        valid = ~np.isnan(maps)
        # A value's bits times one are the value, a NaN's times zero are zero. Choosing by a mask takes several times
        # as long, as a processor cannot foresee scattered gaps.
        bits = maps.view(f"u{self.dtype.itemsize}") * valid
        total = self.product(bits.view(self.dtype))
        part = self.product(valid.astype(self.dtype))
        enough = self.remapping.enough(part)
        return np.where(enough, total / np.where(enough, part, 1), np.nan)

    def product(self, maps: np.ndarray) -> np.ndarray:
        """Return the plain weighted sums."""
        maps = _with_poles(maps, self.remapping.poles)
        n, source_rows, source_columns = maps.shape
        target_rows, target_columns = self.remapping.covered.shape
        rows = self.rows if n == self.size else self.rows[: n * target_rows, : n * source_rows]
        inner = rows @ maps.reshape(-1, source_columns)
        return (self.columns @ inner.T).T.reshape(n, target_rows, target_columns)


def _along_diagonal(matrix: sparse.csr_array, n: int) -> sparse.csr_array:
    """Return a matrix repeated n times along the diagonal (`scipy.sparse.kron` takes ten times as long)."""
    height, width = matrix.shape
    step = np.arange(n, dtype=matrix.indices.dtype)[:, None]
    columns = (matrix.indices + width * step).ravel()
    starts = np.append(matrix.indptr[0], matrix.indptr[1:] + matrix.nnz * step)
    return sparse.csr_array((np.tile(matrix.data, n), columns, starts), shape=(n * height, n * width))


def _with_poles(maps: np.ndarray, poles: tuple[bool, bool]) -> np.ndarray:
    if not any(poles):
        return maps
    south, north = (row.mean(axis=2, keepdims=True) + np.zeros_like(row) for row in (maps[:, :1], maps[:, -1:]))
    return np.concatenate([*[south] * poles[0], maps, *[north] * poles[1]], axis=1)
