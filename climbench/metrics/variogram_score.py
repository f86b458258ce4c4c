r"""The variogram score: whether differences between places are as large in an ensemble as in the target.

It sees wrong correlations in space better than the energy score does, and does not see a bias that all places share.
With a target that has members :math:`y_n` of its own, the score is the mean over them. Arrays may be dask arrays; a
field is then put in one chunk.

References
----------
Scheuerer and Hamill (2015), Variogram-based proper scoring rules for probabilistic forecasts of multivariate
quantities, Mon. Weather Rev. 143, doi:10.1175/MWR-D-14-00269.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.metrics.base import SPACE
from climbench.metrics.fields import each_field, of_fields
from climbench.metrics.members import MEMBER, check_members

PAIRS_AT_ONCE = 2**14
MOST_CELLS = 4000


def variogram_score(
    prediction: xr.DataArray,
    target: xr.DataArray,
    weights: xr.DataArray,
    *,
    p: float = 0.5,
    fair: bool = True,
    dim: Sequence[str] = SPACE,
    member: str = MEMBER,
) -> xr.DataArray:
    r"""Return the variogram score of each field.

    .. math:: \sum_{a \ne b} w_a w_b
              \left( |y_a - y_b|^p - \frac{1}{M} \sum_i |x_{ia} - x_{ib}|^p \right)^2 / \sum_{a \ne b} w_a w_b

    Parameters
    ----------
    prediction : DataArray of shape (..., member, latitude, longitude)
        At least two members, if it shall be fair.
    target : DataArray of shape (..., [member,] latitude, longitude)
        In the same unit.
    weights : DataArray
        Along some of `dim`: area weights; they need not be normalised.
    p : float
        The order of the variogram.
    fair : bool
        Whether to take off what the finite number of members adds: the variance of :math:`|x_{ia} - x_{ib}|^p` over
        M. What is left can be negative.
    dim : sequence of str
        The dimensions of a field. All pairs of cells are compared: average a large field over boxes first
        (`climbench.metrics.fields.boxes`).
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members and the field's dimensions, float64, in the unit of the target to the power of 2 p.

    Raises
    ------
    DataError
        If the prediction has no such dimension or too few members, or a field has too many cells.
    """
    check_members(prediction, member, 2 if fair else 1)
    return of_fields(partial(_score, p=p, fair=fair), prediction, target, weights, dim, member)


def variogram_score_of_fields(
    members: np.ndarray, targets: np.ndarray, weight: np.ndarray, *, p: float = 0.5, fair: bool = True
) -> np.ndarray:
    """Return the variogram score of each field of NumPy arrays.

    Parameters
    ----------
    members : ndarray of shape (..., member, cell)
        At least two members, if it shall be fair.
    targets : ndarray of shape (..., target member, cell)
        In the same unit; one member or more.
    weight : ndarray of shape (cell,)
        Area weights; they need not be normalised.
    p, fair
        As for `variogram_score`.

    Returns
    -------
    ndarray of shape (...)
        In the unit of the target to the power of 2 p, float64.

    Raises
    ------
    DataError
        If a field has too many cells.
    """
    return each_field(partial(_score, p=p, fair=fair), members, targets, weight)


def _score(ours: np.ndarray, theirs: np.ndarray, weight: np.ndarray, *, p: float, fair: bool) -> float:
    total = 0.0
    for first, second in _pairs(weight.size):
        mean, variance = _powers(ours, first, second, p)
        per_member = np.abs(theirs[:, first] - theirs[:, second]) ** p
        squares = ((per_member - mean) ** 2).mean(axis=0)
        squares = squares - variance / len(ours) if fair else squares
        total += float(squares @ (weight[first] * weight[second]))
    return total / _all_pairs(weight)


def variogram_variance(
    ensemble: xr.DataArray,
    weights: xr.DataArray,
    *,
    p: float = 0.5,
    dim: Sequence[str] = SPACE,
    member: str = MEMBER,
) -> xr.DataArray:
    r"""Return the variance across members of :math:`|x_a - x_b|^p`, averaged over pairs as in `variogram_score`.

    Over the target's members it is the fair variogram score that an ensemble of the target's own distribution has in
    expectation.

    Parameters
    ----------
    ensemble : DataArray of shape (..., member, latitude, longitude)
        At least two members.
    weights : DataArray
        As for `variogram_score`.
    p : float
        The order of the variogram.
    dim : sequence of str
        The dimensions of a field.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members and the field's dimensions, float64, in the unit of the ensemble to the power of 2 p.

    Raises
    ------
    DataError
        If there is no such dimension, only one member, or a field has too many cells.
    """
    check_members(ensemble, member, 2)

    def mean_variance(ours: np.ndarray, _: np.ndarray, weight: np.ndarray) -> float:
        pairs = _pairs(weight.size)
        parts = (_powers(ours, a, b, p)[1] @ (weight[a] * weight[b]) for a, b in pairs)
        return float(sum(parts)) / _all_pairs(weight)

    first = ensemble.isel({member: 0}, drop=True)
    return of_fields(mean_variance, ensemble, first, weights, dim, member)


@lru_cache(maxsize=4)
def _pairs(cells: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the pairs of different cells, some at once."""
    if cells > MOST_CELLS:
        raise DataError(
            f"The variogram score compares all pairs of cells; {cells} are too many (at most {MOST_CELLS}). "
            "Average the fields over larger boxes first."
        )
    first, second = np.triu_indices(cells, k=1)
    parts = range(0, first.size, PAIRS_AT_ONCE)
    return [(first[s : s + PAIRS_AT_ONCE], second[s : s + PAIRS_AT_ONCE]) for s in parts]


def _powers(ours: np.ndarray, first: np.ndarray, second: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and unbiased variance over members of the differences' powers; no variance with one member."""
    powers = np.abs(ours[:, first] - ours[:, second]) ** p
    return powers.mean(axis=0), powers.var(axis=0, ddof=1) if len(ours) > 1 else np.zeros(first.size)


def _all_pairs(weight: np.ndarray) -> float:
    return float(0.5 * (weight.sum() ** 2 - (weight**2).sum()))
