r"""Empirical orthogonal functions of several variables together.

Each variable, and each of its levels, is divided by the root of its mean square over time and area, and each cell
weighs by its area: with the weights :math:`w`, the patterns are the leading right singular vectors of
:math:`X_{tc} = a_{tc} \sqrt{w_c} / s_c`.

References
----------
von Storch and Zwiers (1999), Statistical analysis in climate research, chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.grids import latitude_weights
from climbench.models.forecasting.complete_series import blocks_of
from climbench.models.forecasting.normals import Normals

FULL = 3000  # more cells than this, and patterns are found from as many times spread over the series
COLUMNS = 4096
SPACE = ("latitude", "longitude")


@dataclass(frozen=True)
class EOFs:
    """Patterns, and what takes anomalies to their amplitudes.

    Attributes
    ----------
    maps : Dataset of shape (mode, [level,] latitude, longitude)
        The patterns in the units of the variables.
    filters : Dataset of the same shape
        The amplitude of a mode is the sum of anomalies times its filter.
    variance : float
        Mean square of the scaled anomalies, of all modes.
    """

    maps: xr.Dataset
    filters: xr.Dataset
    variance: float

    @classmethod
    def of(cls, series: xr.Dataset, normals: Normals, most: int) -> EOFs:
        """Return the leading patterns of a series.

        Parameters
        ----------
        series : Dataset of shape (time, [level,] latitude, longitude)
            Finite, lazy or not.
        normals : Normals
            What anomalies are taken from.
        most : int
            How many patterns at most.
        """
        stacked = Stacked(series.isel(time=0, drop=True))
        cells, times = stacked.size, series.sizes["time"]
        stride = 1 if cells <= FULL else -(-times // FULL)
        sample = series.isel(time=slice(None, None, stride))
        matrix = np.concatenate([stacked.flat(block - normals.at(block["time"])) for block in blocks_of(sample)])
        matrix *= stacked.root_weights
        scale = stacked.spread(matrix)
        matrix /= scale
        patterns = leading_vectors(matrix, most)
        root = stacked.root_weights
        maps, filters = stacked.named(patterns * scale / root), stacked.named(patterns * root / scale)
        return cls(maps, filters, float((matrix**2).sum() / len(matrix)))

    @property
    def count(self) -> int:
        """How many patterns."""
        return self.maps.sizes["mode"]

    def first(self, count: int) -> EOFs:
        """Return the first of the patterns."""
        return EOFs(self.maps.isel(mode=slice(count)), self.filters.isel(mode=slice(count)), self.variance)

    def amplitudes(self, anomalies: xr.Dataset) -> np.ndarray:
        """Return amplitudes of shape (..., mode) of anomalies of shape (..., [level,] latitude, longitude)."""
        parts = []
        for name, weights in self.filters.data_vars.items():
            cell = [d for d in ("level", *SPACE) if d in weights.dims]
            values = anomalies[name].transpose(..., *cell).values
            shape = values.shape[: values.ndim - len(cell)]
            flat = weights.transpose("mode", *cell).values.reshape(self.count, -1)
            parts.append((values.reshape(-1, flat.shape[1]) @ flat.T).reshape(*shape, self.count))
        return np.asarray(sum(parts), "float64")

    def series(self, series: xr.Dataset, normals: Normals) -> np.ndarray:
        """Return the amplitudes of a series, of shape (time, mode), read a stretch of time at a time."""
        return np.concatenate([self.amplitudes(block - normals.at(block["time"])) for block in blocks_of(series)])

    def fields(self, amplitudes: xr.DataArray) -> xr.Dataset:
        """Return anomalies in units of the variables, float32, for amplitudes of shape (..., mode)."""
        made = {}
        for name, patterns in self.maps.data_vars.items():
            ordered = patterns.transpose("mode", ...)
            flat = ordered.values.reshape(self.count, -1)
            values = amplitudes.transpose(..., "mode").values.astype("float32") @ flat
            outer = [d for d in amplitudes.dims if d != "mode"]
            shape = (*(amplitudes.sizes[d] for d in outer), *ordered.shape[1:])
            made[name] = ((*outer, *ordered.dims[1:]), values.reshape(shape))
        coords = {d: self.maps[d] for d in self.maps.dims if d != "mode" and d in self.maps.coords}
        return xr.Dataset(made, {**amplitudes.drop_vars("mode", errors="ignore").coords, **coords})


class Stacked:
    """All cells of all variables and levels side by side.

    Parameters
    ----------
    state : Dataset of shape ([level,] latitude, longitude)
        One state.
    """

    def __init__(self, state: xr.Dataset) -> None:
        self.state = state
        area = latitude_weights(state["latitude"], "cell_area").values.astype("float64")
        plane = np.repeat(area / area.sum(), state.sizes["longitude"]) / state.sizes["longitude"]
        self.layers = sum(state[name].sizes.get("level", 1) for name in state)
        self.size = self.layers * plane.size
        self.root_weights = np.tile(np.sqrt(plane), self.layers).astype("float32")

    def flat(self, states: xr.Dataset) -> np.ndarray:
        """Return states of shape (time, ...) as a float32 matrix of shape (time, cell)."""
        rows = [states[name].transpose("time", *self._cell(str(name))).values for name in self.state]
        return np.concatenate([values.reshape(len(values), -1) for values in rows], axis=1).astype("float32")

    def _cell(self, name: str) -> list[str]:
        return [d for d in ("level", *SPACE) if d in self.state[name].dims]

    def spread(self, matrix: np.ndarray) -> np.ndarray:
        """Return for each cell the root mean square, over time and area, of its variable and level; 1 for none."""
        squares = (matrix.astype("float64") ** 2).mean(0).reshape(self.layers, -1).sum(1)
        root = np.where(squares > 0.0, np.sqrt(squares), 1.0)
        return np.repeat(root, self.size // self.layers).astype("float32")

    def named(self, vectors: np.ndarray) -> xr.Dataset:
        """Return vectors of shape (mode, cell) as fields of each variable."""
        made, start = {}, 0
        for name in map(str, self.state):
            cell = self._cell(name)
            shape = tuple(self.state.sizes[d] for d in cell)
            stop = start + int(np.prod(shape))
            made[name] = (("mode", *cell), vectors[:, start:stop].reshape(-1, *shape).astype("float32"))
            start = stop
        coords = {d: self.state[d].values for d in ("level", *SPACE) if d in self.state.coords}
        return xr.Dataset(made, coords)


def leading_vectors(matrix: np.ndarray, most: int) -> np.ndarray:
    """Return the leading right singular vectors of a matrix, of shape (mode, column), strongest first.

    Vectors whose singular value is below 1e-3 of the largest are left out: they are rounding. Of each the element of
    the largest size is positive, so that signs do not depend on the library.
    """
    wide = matrix.shape[1] > matrix.shape[0]
    values, vectors = np.linalg.eigh(_squared(matrix) if wide else _squared(matrix.T))
    kept = values[::-1] > 1e-6 * max(values[-1], np.finfo(float).tiny)
    vectors = vectors[:, ::-1][:, kept][:, :most]
    found = matrix.T @ vectors if wide else vectors
    found = found / np.linalg.norm(found, axis=0)
    signs = np.sign(found[np.abs(found).argmax(0), np.arange(found.shape[1])])
    return np.asarray((found * signs).T, "float64")


def _squared(matrix: np.ndarray) -> np.ndarray:
    """Return the products of all rows with one another, summed in float64 a stretch of columns at a time."""
    total = np.zeros((matrix.shape[0],) * 2)
    for start in range(0, matrix.shape[1], COLUMNS):
        part = matrix[:, start : start + COLUMNS].astype("float64")
        total += part @ part.T
    return total
