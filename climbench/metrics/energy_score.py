r"""The energy score: the CRPS of whole fields, with the area-weighted distance between fields in place of a difference.

The CRPS at each cell does not see whether cells that belong together vary together; this does, a little. With a target
that has members :math:`y_n` of its own, the score is the mean over them. Arrays may be dask arrays; a field is then put
in one chunk.

References
----------
Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, and estimation, J. Am. Stat. Assoc. 102,
section 4.3, doi:10.1198/016214506000001437.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.metrics.base import SPACE
from climbench.metrics.ensemble_kernels import difference_share
from climbench.metrics.fields import FieldScore, each_field, of_fields
from climbench.metrics.members import MEMBER, check_members

Differences = Literal["pairs", "adjacent"]


def energy_score(
    prediction: xr.DataArray,
    target: xr.DataArray,
    weights: xr.DataArray,
    *,
    fair: bool = True,
    differences: Differences = "pairs",
    dim: Sequence[str] = SPACE,
    member: str = MEMBER,
) -> xr.DataArray:
    r"""Return the energy score of each field.

    .. math:: \frac{1}{M} \sum_i \lVert x_i - y \rVert - \frac{1}{2 M (M - 1)} \sum_{i,j} \lVert x_i - x_j \rVert,
              \quad \lVert d \rVert = \sqrt{\langle d^2 \rangle_w}

    Parameters
    ----------
    prediction : DataArray of shape (..., member, latitude, longitude)
        At least two members, if it shall be fair.
    target : DataArray of shape (..., [member,] latitude, longitude)
        In the same unit.
    weights : DataArray
        Along some of `dim`: area weights; they need not be normalised.
    fair : bool
        Whether to average over pairs of different members, so that the expectation does not depend on their number;
        otherwise over all :math:`M^2`.
    differences : {"pairs", "adjacent"}
        Whether distances between members are averaged over pairs, or, as in WeatherBench 2, only over the M - 1 pairs
        of members that follow one another. Members that are alike make the second have the same expectation as the
        fair score, with more noise; it depends on their order, and `fair` must then be true.
    dim : sequence of str
        The dimensions of a field.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members and the field's dimensions, float64, in the unit of the target.

    Raises
    ------
    DataError
        If the prediction has no such dimension or too few members, or adjacent members shall not be fair.
    """
    check_members(prediction, member, 2 if fair else 1)
    return of_fields(_score(fair, differences), prediction, target, weights, dim, member)


def energy_score_of_fields(
    members: np.ndarray,
    targets: np.ndarray,
    weight: np.ndarray,
    *,
    fair: bool = True,
    differences: Differences = "pairs",
) -> np.ndarray:
    """Return the energy score of each field of NumPy arrays.

    Parameters
    ----------
    members : ndarray of shape (..., member, cell)
        At least two members, if it shall be fair.
    targets : ndarray of shape (..., target member, cell)
        In the same unit; one member or more.
    weight : ndarray of shape (cell,)
        Area weights; they need not be normalised.
    fair, differences
        As for `energy_score`.

    Returns
    -------
    ndarray of shape (...)
        In the unit of the target, float64.
    """
    return each_field(_score(fair, differences), members, targets, weight)


def _score(fair: bool, differences: Differences) -> FieldScore:
    if differences == "adjacent" and not fair:
        raise DataError("Adjacent members are different ones, so that their energy score is fair; leave fair as it is.")
    return partial(_energy_score, fair=fair, adjacent=differences == "adjacent")


def _energy_score(ours: np.ndarray, theirs: np.ndarray, weight: np.ndarray, *, fair: bool, adjacent: bool) -> float:
    ours, theirs = (_scaled(fields, theirs[:1], weight) for fields in (ours, theirs))
    across = _distances(ours, theirs).mean()
    if adjacent:
        return float(across - 0.5 * np.linalg.norm(np.diff(ours, axis=0), axis=-1).mean())
    return float(across - 0.5 * difference_share(len(ours), float(fair)) * _distances(ours, ours).sum())


def _scaled(fields: np.ndarray, origin: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return fields less an origin, so that the square of a difference's length is its area mean square."""
    return (fields - origin) * np.sqrt(weight)


def _distances(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the distance of each of some vectors, of shape (m, cell), from each of others, of shape (m, n)."""
    squares = np.einsum("ic,ic->i", ours, ours)[:, None] + np.einsum("jc,jc->j", theirs, theirs)
    squares -= 2.0 * (ours @ theirs.T)
    if ours is theirs:
        np.fill_diagonal(squares, 0.0)
    return np.sqrt(squares.clip(min=0.0))


def energy_distance_within(
    ensemble: xr.DataArray, weights: xr.DataArray, *, dim: Sequence[str] = SPACE, member: str = MEMBER
) -> xr.DataArray:
    r"""Return half the mean distance between two different members.

    .. math:: \frac{1}{2 M (M - 1)} \sum_{i,j} \lVert x_i - x_j \rVert

    Over the target's members it is the fair energy score that an ensemble of the target's own distribution has in
    expectation.

    Parameters
    ----------
    ensemble : DataArray of shape (..., member, latitude, longitude)
        At least two members.
    weights : DataArray
        As for `energy_score`.
    dim : sequence of str
        The dimensions of a field.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members and the field's dimensions, float64, in the unit of the ensemble.

    Raises
    ------
    DataError
        If there is no such dimension, or only one member.
    """
    check_members(ensemble, member, 2)
    share = difference_share(ensemble.sizes[member], 1.0)

    def half(ours: np.ndarray, first: np.ndarray, weight: np.ndarray) -> float:
        differences = _scaled(ours, first, weight)
        return float(0.5 * share * _distances(differences, differences).sum())

    return of_fields(half, ensemble, ensemble.isel({member: 0}, drop=True), weights, dim, member)
