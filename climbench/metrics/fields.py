"""Scores that need whole fields: a kernel applied to each field, and fields averaged over boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from climbench.metrics.base import SPACE

FieldScore = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def each_field(score: FieldScore, members: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return a score of each field.

    Parameters
    ----------
    score : callable
        Takes members of shape (m, cell), target members of shape (n, cell) and weights of shape (cell,) that add up to
        one, all in float64; returns a number.
    members : ndarray of shape (..., m, cell)
        The ensemble.
    targets : ndarray of shape (..., n, cell)
        The target's members, or one.
    weight : ndarray of shape (cell,)
        They need not be normalised.

    Returns
    -------
    ndarray of shape (...)
        In float64.
    """
    shape = np.broadcast_shapes(members.shape[:-2], targets.shape[:-2])
    members, targets = (np.broadcast_to(a, (*shape, *a.shape[-2:])) for a in (members, targets))
    share = (weight / weight.sum()).astype("float64")
    result = np.empty(shape)
    for place in np.ndindex(shape):
        result[place] = score(members[place].astype("float64"), targets[place].astype("float64"), share)
    return result


def of_fields(
    score: FieldScore,
    prediction: xr.DataArray,
    target: xr.DataArray,
    weights: xr.DataArray,
    dim: Sequence[str],
    member: str,
) -> xr.DataArray:
    """Return a score of each field, lazily under dask.

    Parameters
    ----------
    score : callable
        As for `each_field`.
    prediction : DataArray of shape (..., member, latitude, longitude)
        The ensemble.
    target : DataArray of shape (..., [member,] latitude, longitude)
        One field, or members of its own.
    weights : DataArray
        Along some of `dim`.
    dim : sequence of str
        The dimensions of a field.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without members and the field's dimensions, float64.
    """
    theirs = f"target_{member}"
    target = target.rename({member: theirs}) if member in target.dims else target.expand_dims(theirs)
    field = {d: prediction.sizes[d] for d in dim}
    whole = xr.DataArray(np.ones(tuple(field.values())), dims=tuple(field)) * weights.drop_vars(dim, errors="ignore")

    def kernel(ours: np.ndarray, others: np.ndarray, weight: np.ndarray) -> np.ndarray:
        ours, others = (array.reshape(*array.shape[: -len(dim)], -1) for array in (ours, others))
        return each_field(score, ours, others, weight.ravel())

    return xr.apply_ufunc(
        kernel,
        prediction,
        target,
        whole,
        input_core_dims=[[member, *dim], [theirs, *dim], list(dim)],
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True},
        output_dtypes=[np.float64],
    )


def boxes(field: xr.DataArray, weights: xr.DataArray, *, degrees: float = 15.0) -> tuple[xr.DataArray, xr.DataArray]:
    """Return area means over boxes of latitude and longitude.

    Parameters
    ----------
    field : DataArray of shape (..., latitude, longitude)
        Coordinates in degrees. A cell belongs to the box that its centre lies in.
    weights : DataArray of shape (latitude,) or (latitude, longitude)
        Area weights.
    degrees : float
        The boxes' width and height.

    Returns
    -------
    DataArray of shape (..., box)
        In the unit of the field, float64.
    DataArray of shape (box,)
        The sum of weights in each box; boxes without any are left out.
    """
    rows = np.minimum((field["latitude"].values + 90.0) // degrees, np.ceil(180.0 / degrees) - 1)
    columns = np.mod(field["longitude"].values, 360.0) // degrees
    number = (rows[:, None] * np.ceil(360.0 / degrees) + columns).ravel()
    ones = xr.DataArray(np.ones((rows.size, columns.size)), dims=SPACE)
    weight = (ones * weights.drop_vars(SPACE, errors="ignore")).transpose(*SPACE).values.ravel()
    order = np.argsort(number, kind="stable")
    order = order[weight[order] > 0.0]
    first = np.flatnonzero(np.diff(number[order], prepend=-1.0))
    total = np.add.reduceat(weight[order], first)

    def means(values: np.ndarray) -> np.ndarray:
        cells = values.reshape(*values.shape[:-2], -1)[..., order] * weight[order]
        return np.add.reduceat(cells, first, axis=-1) / total

    averaged = xr.apply_ufunc(
        means,
        field,
        input_core_dims=[list(SPACE)],
        output_core_dims=[["box"]],
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True, "output_sizes": {"box": total.size}},
        output_dtypes=[np.float64],
    )
    return averaged, xr.DataArray(total, dims="box")
