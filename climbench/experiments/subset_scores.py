r"""Scores of many predictions against the mean over any subset of a target's members, from a few inner products.

With R the mean of the target over all members and years, E the time mean of a prediction less R, and :math:`Z_m` that
of member m, the mean square against the mean over a set S of n members is

.. math:: \langle E^2 \rangle - \frac{2}{n} \sum_{m \in S} \langle E, Z_m \rangle
          + \frac{1}{n^2} \sum_{m,l \in S} \langle Z_m, Z_l \rangle .

So a prediction is kept as :math:`\langle E^2 \rangle`, its inner products with the members and its yearly area means;
those are the per-sample statistics that every score and every paired difference follows from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.metrics.base import area_mean
from climbench.metrics.resampling import slow_components
from climbench.metrics.significance import Interval, difference_interval

METRICS = ("rmse_spatial", "rmse_global")


@dataclass(frozen=True)
class Statistics:
    """What is kept of one prediction of one variable.

    Attributes
    ----------
    square : float
        Area mean of the squared time mean, less R.
    products : ndarray of shape (member, component)
        Its inner products with each target member: with the time mean (less R) and with slow cosines in time.
    globes : ndarray of shape (year,)
        Area mean by year.
    true_squares : ndarray of shape (2,)
        Mean square, spatial and global, against the known forced response; NaN where none is known.
    """

    square: float
    products: np.ndarray
    globes: np.ndarray
    true_squares: np.ndarray


class TargetFrame:
    """The members of one target variable, ready to score predictions against any of them.

    Parameters
    ----------
    members : DataArray of shape (member, time, latitude, longitude)
        In scoring units, nothing missing.
    weights : DataArray of shape (latitude,)
        Area weights.
    truth : DataArray of shape (time, latitude, longitude), optional
        The known forced response, in the same unit.
    """

    def __init__(self, members: xr.DataArray, weights: xr.DataArray, truth: xr.DataArray | None = None) -> None:
        members = members.transpose("member", "time", "latitude", "longitude").astype("float64")
        self.years = members.sizes["time"]
        spread = weights.broadcast_like(members.isel(member=0, time=0)).transpose("latitude", "longitude")
        self.weights = spread.values.ravel() / float(spread.sum())
        fields = members.values.reshape(*members.shape[:2], -1)
        self.reference = fields.mean(axis=(0, 1))
        components = slow_components(self.years, 2)
        self._modes = np.einsum("ct,mtp->mcp", components, fields - self.reference, optimize=True)
        self.pairs = (self._modes[:, 0] * self.weights) @ self._modes[:, 0].T
        self.globes = area_mean(members, weights).transpose("member", "time").values
        self._truth = None if truth is None else _flat(truth, members)

    @property
    def members(self) -> int:
        """Number of members."""
        return int(self.pairs.shape[0])

    def of_prediction(self, prediction: xr.DataArray) -> Statistics:
        """Return what is kept of a prediction of shape (time, latitude, longitude)."""
        flat = prediction.transpose("time", "latitude", "longitude").values.reshape(self.years, -1).astype("float64")
        return self.of_means(flat.mean(axis=0)[None], (flat @ self.weights)[None])[0]

    def of_truth(self) -> Statistics | None:
        """Return what is kept of the known forced response, or None where it is not known."""
        if self._truth is None:
            return None
        return self.of_means(self._truth.mean(axis=0)[None], (self._truth @ self.weights)[None])[0]

    def of_means(self, time_means: np.ndarray, globes: np.ndarray) -> list[Statistics]:
        """Return what is kept of many predictions.

        Parameters
        ----------
        time_means : ndarray of shape (prediction, cell)
            Means over the test years, cells in the order of (latitude, longitude).
        globes : ndarray of shape (prediction, year)
            Area means by year.

        Returns
        -------
        list of Statistics
        """
        errors = time_means - self.reference
        weighted = errors * self.weights
        squares = np.einsum("sp,sp->s", weighted, errors)
        size, components, cells = self._modes.shape
        products = (weighted @ self._modes.reshape(-1, cells).T).reshape(-1, size, components)
        true = self._true_squares(errors, globes)
        return [Statistics(float(q), p, g, t) for q, p, g, t in zip(squares, products, globes, true, strict=True)]

    def _true_squares(self, errors: np.ndarray, globes: np.ndarray) -> np.ndarray:
        if self._truth is None:
            return np.full((len(errors), 2), np.nan)
        spatial = (errors - (self._truth.mean(axis=0) - self.reference)) ** 2 @ self.weights
        return np.stack([spatial, ((globes - self._truth @ self.weights) ** 2).mean(axis=1)], axis=1)

    def mean_squares(self, kept: Statistics, chosen: Sequence[int]) -> np.ndarray:
        """Return the mean squares, spatial and global, against the mean over some members, of shape (2,)."""
        rows = list(chosen)
        spatial = (
            kept.square - 2.0 * kept.products[rows, 0].mean() + self.pairs[np.ix_(rows, rows)].mean()
        )  # a sum of squares, up to rounding
        globe = ((kept.globes - self.globes[rows].mean(axis=0)) ** 2).mean()
        return np.array([max(spatial, 0.0), globe])

    def floor_squares(self, size: int) -> np.ndarray:
        """Return the squared floors, spatial and global, of the mean over `size` members; NaN with one in all.

        The variance between members is estimated from all of them.
        """
        if self.members < 2:
            return np.full(2, np.nan)
        spatial = (np.trace(self.pairs) - self.pairs.sum() / self.members) / (self.members - 1)
        return np.array([spatial, self.globes.var(axis=0, ddof=1).mean()]) / size

    def differences(
        self, ours: Sequence[Statistics], theirs: Sequence[Statistics], chosen: Sequence[int]
    ) -> list[tuple[float, Interval]]:
        """Return how much larger our mean squares are than theirs, spatial and global, each with its 95 % interval.

        Parameters
        ----------
        ours, theirs : sequence of Statistics
            Predictions of two emulators, draw by draw; what is compared is the mean over draws. The interval is over
            the target's members and years: it is that of these emulators on another target, not on other draws.
        chosen : sequence of int
            Places of the members whose mean is the target.

        Returns
        -------
        list of (float, Interval)
            In the unit squared.
        """
        rows = list(chosen)
        pairs = list(zip(ours, theirs, strict=True))
        gaps = np.mean([self.mean_squares(a, rows) - self.mean_squares(b, rows) for a, b in pairs], axis=0)
        modes = len(slow_components(self.years, len(rows)))
        spatial = np.mean([b.products - a.products for a, b in pairs], axis=0)[rows, :modes]
        apart = np.mean([b.globes - a.globes for a, b in pairs], axis=0)
        globe = (self.globes[rows] @ apart / self.years)[:, None]
        return [(float(gap), difference_interval(float(gap), a)) for gap, a in zip(gaps, (spatial, globe), strict=True)]


def _flat(truth: xr.DataArray, like: xr.DataArray) -> np.ndarray:
    """Return the forced response on the target's years and grid, of shape (year, cell)."""
    with xr.set_options(arithmetic_join="exact"):  # type: ignore[no-untyped-call]  # of xarray; else what differs is lost
        aligned = truth + 0.0 * like.isel(member=0, drop=True)
    flat: np.ndarray = aligned.transpose("time", "latitude", "longitude").values.reshape(like.sizes["time"], -1)
    return flat
