"""Variability of a field: red in time at each cell, correlated in space over a distance chosen by validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from climbench.grids import latitude_weights
from climbench.models.variability.localisation import (
    LARGEST,
    NUGGET,
    choose_radius,
    great_circle,
    localised_correlation,
)
from climbench.models.variability.red_noise import lag_one, red_noise
from climbench.regrid import regrid_bilinear

RADII = (1000.0, 1500.0, 2000.0, 3000.0, 4500.0, 6500.0, LARGEST)  # km
MOST_NODES = 3500  # a correlation matrix of so many rows is factored in seconds
VALIDATED_NODES = 500  # enough to choose a distance by
SPIN_UP = 20  # years
SPACE = ("latitude", "longitude")
AT_ONCE = 250


@dataclass(frozen=True)
class LocalVariability:
    r"""First-order autoregression in every cell with innovations that are correlated in space.

    .. math:: \epsilon_i(t) = \phi_i \epsilon_i(t - 1) + \sigma_i \sqrt{1 - \phi_i^2}\, u_i(t)

    u has variance one and the localised sample correlation of the training years
    (`climbench.models.variability.localisation`). The covariance of two cells is
    :math:`\sigma_i \sigma_j \rho_{ij} \sqrt{1 - \phi_i^2} \sqrt{1 - \phi_j^2} / (1 - \phi_i \phi_j)`. On grids of more
    than 3500 cells u is drawn on every second (third, ...) row and column and interpolated.

    Localisation cuts off the distant compensation that keeps a global mean quiet (energy, for precipitation). So of
    the global mean g of a draw, as much is taken away again, along each cell's regression on g, as leaves it the
    variance it has in the samples.

    Attributes
    ----------
    samples : DataArray of shape (sample, latitude, longitude)
        The training years' variability at the nodes, at their full size.
    radius : float
        Of the localisation, in km.
    grid : Dataset
        With ``spread``, :math:`\sigma` in the field's unit, and ``memory``, :math:`\phi`, of shape
        (latitude, longitude).
    """

    samples: xr.DataArray
    radius: float
    grid: xr.Dataset

    @classmethod
    def fitted(cls, rest: Sequence[np.ndarray], grid: xr.Dataset) -> LocalVariability:
        """Return the variability of scenarios.

        Parameters
        ----------
        rest : sequence of ndarray of shape (time, latitude, longitude)
            One a scenario, with mean zero.
        grid : Dataset
            Has the coordinates.

        Returns
        -------
        LocalVariability

        Raises
        ------
        ModelError
            If some cell does not vary.
        """
        together = np.concatenate(rest)
        maps = {"spread": (SPACE, np.sqrt((together**2).mean(axis=0))), "memory": (SPACE, lag_one(rest))}
        coordinates = {d: grid[d] for d in SPACE}
        samples = xr.DataArray(together, dims=("sample", *SPACE), coords=coordinates)
        few = _thinned(samples, VALIDATED_NODES)
        radius, _ = choose_radius(_flat(few), _distances(few), RADII)
        return cls(_thinned(samples, MOST_NODES), radius, xr.Dataset(maps, coords=coordinates))

    @cached_property
    def _factor(self) -> np.ndarray:
        """The lower triangular root of the nodes' correlation."""
        correlation = localised_correlation(_flat(self.samples), _distances(self.samples), self.radius)
        correlation[np.diag_indices_from(correlation)] += NUGGET
        factor: np.ndarray = np.linalg.cholesky(correlation)
        return factor

    @cached_property
    def _scale(self) -> np.ndarray:
        """What makes the variance of interpolated innovations one in every cell."""
        square = np.zeros((self.grid.sizes["latitude"], self.grid.sizes["longitude"]))
        for start in range(0, len(self._factor), AT_ONCE):
            square += (self._on_grid(self._factor.T[start : start + AT_ONCE]) ** 2).sum(axis=0)
        scale: np.ndarray = 1.0 / np.sqrt(square)
        return scale

    def _on_grid(self, nodes: np.ndarray) -> np.ndarray:
        """Return fields given at the nodes, of shape (n, node), in all cells."""
        shape = (self.samples.sizes["latitude"], self.samples.sizes["longitude"])
        if all(self.samples.sizes[d] == self.grid.sizes[d] for d in SPACE):
            return nodes.reshape(-1, *shape)
        coordinates = {d: self.samples[d] for d in SPACE}
        coarse = xr.DataArray(nodes.reshape(-1, *shape), dims=("sample", *SPACE), coords=coordinates)
        fine: np.ndarray = regrid_bilinear(coarse, self.grid).values
        return fine

    @cached_property
    def _quieting(self) -> np.ndarray:
        """What is taken away from each cell for each unit of the global mean of a draw, of shape (node)."""
        memory, spread = (_thinned(self.grid[n], MOST_NODES).values.ravel() for n in ("memory", "spread"))
        damped = np.multiply.outer(*[np.sqrt(1.0 - memory**2)] * 2) / (1.0 - np.multiply.outer(memory, memory))
        covariance = (self._factor @ self._factor.T) * damped * np.multiply.outer(spread, spread)
        weights = _area_weights(self.samples)
        with_mean = covariance @ weights
        drawn, sampled = float(weights @ with_mean), float(((_flat(self.samples) @ weights) ** 2).mean())
        quieting: np.ndarray = (1.0 - min(np.sqrt(sampled / drawn), 1.0)) * with_mean / drawn
        return quieting

    def draw(self, rng: np.random.Generator, members: int, years: int) -> np.ndarray:
        """Return draws.

        Parameters
        ----------
        rng : Generator
            Source of the noise.
        members, years : int
            How many.

        Returns
        -------
        ndarray of shape (member, year, latitude, longitude)
            In the field's unit.
        """
        memory, spread = self.grid["memory"].values, self.grid["spread"].values
        weights = _area_weights(self.grid["spread"]).reshape(spread.shape)
        quieting = self._on_grid(self._quieting[None])[0]
        drawn = np.empty((members, years, *memory.shape))
        for member in range(members):
            white = rng.standard_normal((SPIN_UP + years, len(self._factor))) @ self._factor.T
            innovations = self._on_grid(white) * self._scale * spread
            noise = red_noise(innovations[None], memory)[0, SPIN_UP:]
            drawn[member] = noise - np.multiply.outer((noise * weights).sum(axis=(1, 2)), quieting)
        return drawn


def _area_weights(grid: xr.DataArray) -> np.ndarray:
    """Return weights of cells as their area, adding up to one, of shape (cell,)."""
    rows = latitude_weights(grid["latitude"], "cos_latitude").values
    weights = np.repeat(rows, grid.sizes["longitude"])
    normalised: np.ndarray = weights / weights.sum()
    return normalised


def _thinned(samples: xr.DataArray, most: int) -> xr.DataArray:
    """Return every row and column, or every second, third, ... of both, so that so many cells are left at most."""
    stride = 1
    while np.prod([-(-samples.sizes[d] // stride) for d in SPACE]) > most:
        stride += 1
    start = {d: (samples.sizes[d] - 1) % stride // 2 if d == "latitude" else 0 for d in SPACE}
    return samples.isel({d: slice(start[d], None, stride) for d in SPACE})


def _flat(samples: xr.DataArray) -> np.ndarray:
    return samples.transpose("sample", *SPACE).values.reshape(samples.sizes["sample"], -1)


def _distances(samples: xr.DataArray) -> np.ndarray:
    rows, columns = np.meshgrid(samples["latitude"].values, samples["longitude"].values, indexing="ij")
    return great_circle(rows.ravel(), columns.ravel())
