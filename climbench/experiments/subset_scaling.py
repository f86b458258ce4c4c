r"""Pattern scaling fitted on the mean over any subset of members, from sums over members that are made once.

With S a subset of n members, :math:`T_{mk}` the global-mean temperature of member m in sample k (a year of a scenario),
:math:`y_{mk}` a cell's value, :math:`x_k` the emissions, and a prime for the departure from the mean over samples, the
two regressions on the means over S are

.. math:: b_S = \frac{\sum_k x'_k \bar T_{Sk}}{\sum_k x'^2_k}, \qquad
          B_S = \frac{\sum_k \bar T'_{Sk} \bar y_{Sk}}{\sum_k \bar T'^2_{Sk}}
              = \frac{\sum_{m,l \in S} C_{ml}}{\sum_{m,l \in S} D_{ml}},
          \quad C_{ml} = \sum_k T'_{mk} y_{lk}, \quad D_{ml} = \sum_k T'_{mk} T'_{lk},

because the predictor of the second is the subset's own mean temperature: the slope is a ratio of quadratic forms in the
subset's weights. The cross sums C are kept for pairs of members (C is added to its transpose), so that all slopes of
many subsets are one matrix product. A fit on a subset needs no look at the fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from climbench.errors import ModelError
from climbench.experiments.ensemble import SPACE, Ensemble
from climbench.grids import latitude_weights
from climbench.metrics.base import area_mean
from climbench.models.pattern_scaling import ROUNDING


@dataclass(frozen=True)
class Sums:
    """Sums over the samples of one variable.

    Attributes
    ----------
    mean : ndarray of shape (member, cell)
        Mean over the samples.
    cross : ndarray of shape (pair, cell)
        Cross sums C of each pair of members, both ways together; see `pair_weights` for the order.
    """

    mean: np.ndarray
    cross: np.ndarray


@dataclass(frozen=True)
class Fit:
    """Pattern scaling of one variable on some subsets.

    Attributes
    ----------
    intercept, slope : ndarray of shape (subset,)
        Of the global stage, in K and in K per GtCO2.
    centre : ndarray of shape (subset,)
        Mean temperature over the samples in K.
    mean, pattern : ndarray of shape (subset, cell)
        Of the local stage: the value at `centre`, and the slope per K.
    """

    intercept: np.ndarray
    slope: np.ndarray
    centre: np.ndarray
    mean: np.ndarray
    pattern: np.ndarray

    def warming(self, emissions: np.ndarray) -> np.ndarray:
        """Return the predicted temperature in K, of shape (subset, year), for emissions in GtCO2."""
        warming: np.ndarray = self.intercept[:, None] + self.slope[:, None] * emissions
        return warming

    def time_mean(self, emissions: np.ndarray) -> np.ndarray:
        """Return the predicted mean over the years of some emissions, of shape (subset, cell)."""
        excess = self.warming(emissions).mean(axis=1) - self.centre
        mean: np.ndarray = self.mean + excess[:, None] * self.pattern
        return mean

    def area_mean(self, emissions: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the predicted area means of shape (subset, year), with weights of shape (cell,) that sum to one."""
        excess = self.warming(emissions) - self.centre[:, None]
        mean: np.ndarray = (self.mean @ weights)[:, None] + (self.pattern @ weights)[:, None] * excess
        return mean


class SubsetScaling:
    """Sums over the members of an ensemble, from which pattern scaling on any subset of them follows.

    Parameters
    ----------
    ensemble : Ensemble
        The members.
    variables : sequence of str
        What is predicted; temperature is read too.
    """

    def __init__(self, ensemble: Ensemble, variables: Sequence[str]) -> None:
        self.ensemble = ensemble
        self.temperature = self._temperatures()
        self.emissions = np.concatenate([self._emissions(s) for s in ensemble.task.card.train])
        self._departure = self.temperature - self.temperature.mean(axis=1, keepdims=True)
        self.sums = {name: self._gather(name) for name in variables}

    def _temperatures(self) -> np.ndarray:
        """Return global-mean temperature of shape (member, sample), scenario after scenario."""
        rows = []
        for place in self.ensemble.places("tas"):
            blocks = [self.ensemble.read(scenario, "tas", place) for scenario in self.ensemble.task.card.train]
            means = [area_mean(block, latitude_weights(block["latitude"], "cos_latitude")) for block in blocks]
            rows.append(np.concatenate([mean.transpose("member", "time").values for mean in means], axis=1))
        return np.concatenate(rows)

    def _emissions(self, scenario: str) -> np.ndarray:
        values: np.ndarray = self.ensemble.forcing(scenario, ("CO2",), self.ensemble.grid(scenario))["CO2"].values
        return values.astype("float64")

    def _gather(self, variable: str) -> Sums:
        """Return the sums of a variable, members one after the other in float64."""
        members, samples = self.temperature.shape
        grid = self.ensemble.grid(self.ensemble.task.card.train[0])
        cells = int(np.prod([grid.sizes[d] for d in SPACE]))
        mean, cross = np.empty((members, cells)), np.zeros((members * (members + 1) // 2, cells))
        fields = np.empty((samples, cells))
        rows = np.vstack([self._departure, np.full((1, samples), 1.0 / samples)])
        for place in self.ensemble.places(variable):
            blocks = [self.ensemble.read(s, variable, place).values for s in self.ensemble.task.card.train]
            for position, member in enumerate(range(members)[place]):
                np.concatenate([block[position].reshape(-1, cells) for block in blocks], out=fields)
                products = rows @ fields
                mean[member] = products[-1]
                _add(cross, products[:-1], member)
        return Sums(mean, cross)

    def fit(self, variable: str, weights: np.ndarray) -> Fit:
        """Return pattern scaling of a variable on the means over some subsets.

        Parameters
        ----------
        variable : str
            One of those the sums were made for.
        weights : ndarray of shape (subset, member)
            Each row 1 / n for the n members of a subset, 0 elsewhere.

        Returns
        -------
        Fit

        Raises
        ------
        ModelError
            If emissions or a subset's temperature do not vary.
        """
        emissions = self.emissions - self.emissions.mean()
        scatter = float(emissions @ emissions)
        spread = np.einsum("sm,ml,sl->s", weights, self._departure @ self._departure.T, weights, optimize=True)
        size = abs(weights @ self.temperature).max(axis=1)
        varied = np.sqrt(spread / emissions.size) > ROUNDING * size
        if not np.ptp(self.emissions) > ROUNDING * abs(self.emissions).max() or not varied.all():
            raise ModelError("Pattern scaling cannot be fitted: the predictor is the same in all training years.")
        centre = weights @ self.temperature.mean(axis=1)
        slope = weights @ (self._departure @ emissions) / scatter
        sums = self.sums[variable]
        pattern = (pair_weights(weights) @ sums.cross) / spread[:, None]
        return Fit(centre - slope * self.emissions.mean(), slope, centre, weights @ sums.mean, pattern)


def pair_weights(weights: np.ndarray) -> np.ndarray:
    """Return the product of two members' weights for each pair: (0, 0), (0, 1), ..., (1, 1), (1, 2), ...

    Parameters
    ----------
    weights : ndarray of shape (subset, member)
        Weights of members.

    Returns
    -------
    ndarray of shape (subset, pair)
    """
    one, other = np.triu_indices(weights.shape[1])
    products: np.ndarray = weights[:, one] * weights[:, other]
    return products


def _add(cross: np.ndarray, rows: np.ndarray, member: int) -> None:
    """Add what one member's fields give with every member's temperature to the sums of its pairs."""
    members = rows.shape[0]
    for other in range(member):  # one row at a time: indexing by an array would copy all of them
        cross[_pair(other, member, members)] += rows[other]
    start = _pair(member, member, members)
    cross[start : start + members - member] += rows[member:]


def _pair(one: int, other: int, members: int) -> int:
    """Return the place of a pair in the order of `pair_weights`; `one` is not after `other`."""
    return one * members - one * (one - 1) // 2 + other - one
