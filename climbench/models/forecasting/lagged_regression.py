r"""Ridge regression of a series on its own past, with settings chosen by cross-validation.

With :math:`x_t` the amplitudes at time t and at the lags before it, the operator to lead n is
:math:`M_n = (X^T X + r \bar\lambda I)^{-1} X^T Y_n`, where the ridge r is in units of the mean eigenvalue of
:math:`X^T X`. Iterated, the operator to one step is applied n times instead, to the state and its lags.

References
----------
Penland and Sardeshmukh (1995), The optimal growth of tropical sea surface temperature anomalies, J. Climate 8,
1999-2024 (linear inverse models); Hoerl and Kennard (1970), doi:10.1080/00401706.1970.10488634 (ridge).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

Operator = Literal["direct", "iterated"]
RIDGES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True)
class Choice:
    """Settings of a regression.

    Attributes
    ----------
    eofs, lags : int
        How many amplitudes, at how many times.
    operator : {"direct", "iterated"}
        Whether each lead has an operator of its own.
    ridges : dict of int to float
        By lead in steps; of the one-step operator alone where it is iterated.
    error : float
        Mean square error over the variance of what is predicted, in the mean over the leads that it was chosen by.
    """

    eofs: int
    lags: int
    operator: Operator
    ridges: dict[int, float]
    error: float = float("nan")

    def ridge(self, steps: int) -> float:
        """Return the ridge for a lead: that of the nearest lead, by ratio, that it was chosen for."""
        return self.ridges[min(self.ridges, key=lambda known: (abs(np.log(known / steps)), known))]


class Amplitudes:
    """A series of amplitudes that knows which of its times follow one another.

    Parameters
    ----------
    values : ndarray of shape (time, mode)
        Amplitudes.
    times : ndarray of datetime64 of shape (time,)
        Ascending.
    step : timedelta64
        Between neighbours.
    """

    def __init__(self, values: np.ndarray, times: np.ndarray, step: np.timedelta64) -> None:
        self.values, self.times = values, times.astype("datetime64[ns]")
        self.step = step.astype("timedelta64[ns]")

    def samples(self, lags: int, steps: int, among: slice = slice(None)) -> np.ndarray:
        """Return positions of initial times whose lags and lead lie in an unbroken run of some of the times."""
        times = self.times[among]
        now = np.arange(lags - 1, times.size - steps)
        whole = times[now + steps] - times[now - lags + 1] == (steps + lags - 1) * self.step
        return now[whole] + (among.start or 0)

    def past(self, now: np.ndarray, eofs: int, lags: int) -> np.ndarray:
        """Return predictors of shape (sample, lags eofs), the latest state first."""
        return np.concatenate([self.values[now - lag, :eofs] for lag in range(lags)], axis=1)

    def operator(self, eofs: int, lags: int, steps: int, ridge: float) -> np.ndarray:
        """Return the operator of shape (lags eofs, eofs) that is fitted to all samples."""
        now = self.samples(lags, steps)
        past, ahead = self.past(now, eofs, lags), self.values[now + steps, :eofs]
        return Ridge(past.T @ past).solve(past.T @ ahead, ridge)


class Ridge:
    """Solves the normal equations for many ridges, from one decomposition."""

    def __init__(self, gram: np.ndarray) -> None:
        self.values, self.vectors = np.linalg.eigh(gram)

    def solve(self, moments: np.ndarray, ridge: float) -> np.ndarray:
        """Return the coefficients for X'Y of shape (predictor, target); directions of no variance get none."""
        values = np.maximum(self.values, 0.0)
        damped = values + ridge * values.mean()
        inverse = np.where(values > 1e-12 * values.max(), 1.0 / np.where(damped > 0.0, damped, 1.0), 0.0)
        return np.asarray(self.vectors @ (inverse[:, None] * (self.vectors.T @ moments)))


def iterated(one: np.ndarray, steps: int) -> np.ndarray:
    """Return the operator of n steps, of shape (lags eofs, eofs), from that of one."""
    size, eofs = one.shape
    companion = np.zeros((size, size))
    companion[:, :eofs] = one
    companion[: size - eofs, eofs:] = np.eye(size - eofs)
    return np.asarray(np.linalg.matrix_power(companion, steps)[:, :eofs])


@dataclass(frozen=True)
class Fold:
    """Moments of a stretch that is held out: products of predictors with themselves and with what is to be predicted.

    Attributes
    ----------
    gram : ndarray of shape (predictor, predictor)
        X'X, of the samples that have all leads.
    moments : ndarray of shape (lead, predictor, mode)
        X'Y.
    count : int
        Samples.
    """

    gram: np.ndarray
    moments: np.ndarray
    count: int


class CrossValidation:
    """Judges settings on stretches of the series that are left out in turn.

    Samples lie within one stretch each, lags and leads included, so that no state is on both sides.

    Parameters
    ----------
    amplitudes : Amplitudes
        The series.
    lags : int
        The most lags that are tried.
    leads : sequence of int
        In steps, the first 1; those by which a stretch would lose half its samples are left out.
    folds : int
        How many stretches.
    variance : float
        Of what is to be predicted, beyond the modes too.
    """

    def __init__(self, amplitudes: Amplitudes, lags: int, leads: Sequence[int], folds: int, variance: float) -> None:
        self.modes, self.lags, self.variance = amplitudes.values.shape[1], lags, variance
        borders = np.linspace(0, amplitudes.times.size, folds + 1).astype(int).tolist()
        stretches = [slice(start, stop) for start, stop in pairwise(borders)]
        enough = [all(2 * amplitudes.samples(lags, n, s).size > s.stop - s.start for s in stretches) for n in leads]
        self.leads = tuple(lead for lead, fits in zip(leads, enough, strict=True) if fits)
        self.folds = [self._fold(amplitudes, stretch) for stretch in stretches] if self.leads else []
        self.whole = Fold(*(sum(getattr(fold, part) for fold in self.folds) for part in ("gram", "moments", "count")))

    def _fold(self, amplitudes: Amplitudes, stretch: slice) -> Fold:
        now = amplitudes.samples(self.lags, max(self.leads), stretch)
        past = amplitudes.past(now, self.modes, self.lags)
        moments = np.stack([past.T @ amplitudes.values[now + lead] for lead in self.leads])
        return Fold(past.T @ past, moments, now.size)

    def best(
        self, eofs: Sequence[int], lags: Sequence[int], operators: Sequence[Operator], ridges: Sequence[float] = RIDGES
    ) -> Choice:
        """Return the settings of the least error."""
        tried = [choice for k in eofs for n in lags for choice in self._choices(k, n, operators, ridges)]
        return min(tried, key=lambda choice: choice.error)

    def _choices(
        self, eofs: int, lags: int, operators: Sequence[Operator], ridges: Sequence[float]
    ) -> Iterator[Choice]:
        tables = {operator: np.zeros((len(ridges), len(self.leads))) for operator in operators}
        for held in self.folds:
            for operator, found in self._errors(held, eofs, lags, operators, ridges):
                tables[operator] += found / len(self.folds)
        for operator, table in tables.items():
            if operator == "direct":
                by_lead = {lead: ridges[n] for lead, n in zip(self.leads, table.argmin(0), strict=True)}
                yield Choice(eofs, lags, operator, by_lead, float(table.min(0).mean()))
            else:
                place = int(table.mean(1).argmin())
                yield Choice(eofs, lags, operator, {1: ridges[place]}, float(table.mean(1).min()))

    def _errors(
        self, held: Fold, eofs: int, lags: int, operators: Sequence[Operator], ridges: Sequence[float]
    ) -> Iterator[tuple[Operator, np.ndarray]]:
        """Yield relative mean square errors, of shape (ridge, lead), on a stretch, having learned from the others."""
        used = (np.arange(lags)[:, None] * self.modes + np.arange(eofs)).ravel()
        square = np.ix_(used, used)
        trained = Ridge((self.whole.gram - held.gram)[square])
        moments = (self.whole.moments - held.moments)[:, used, :eofs]
        gram, cross = held.gram[square], held.moments[:, used, :eofs]
        judged = {"direct": _judged_direct, "iterated": _judged_iterated}
        for operator in operators:
            explained = [judged[operator](trained, ridge, moments, gram, cross, self.leads) for ridge in ridges]
            yield operator, 1.0 - np.array(explained) / held.count / self.variance


def _judged_direct(
    trained: Ridge, ridge: float, moments: np.ndarray, gram: np.ndarray, cross: np.ndarray, leads: Sequence[int]
) -> list[float]:
    """Return by how much predictions' squared error is less than that of none, for each lead."""
    return [_explained(trained.solve(m, ridge), gram, c) for m, c in zip(moments, cross, strict=True)]


def _judged_iterated(
    trained: Ridge, ridge: float, moments: np.ndarray, gram: np.ndarray, cross: np.ndarray, leads: Sequence[int]
) -> list[float]:
    one = trained.solve(moments[0], ridge)
    return [_explained(iterated(one, lead), gram, c) for lead, c in zip(leads, cross, strict=True)]


def _explained(matrix: np.ndarray, gram: np.ndarray, cross: np.ndarray) -> float:
    """Return by how much a prediction's squared error is less than that of no prediction at all."""
    return float(2 * (matrix * cross).sum() - ((gram @ matrix) * matrix).sum())
