"""Ensembles by the name of their dimension: how many members there are, and kernels applied at each point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from climbench.errors import DataError

MEMBER = "member"


def check_members(ensemble: xr.DataArray, member: str, least: int) -> None:
    """Raise `DataError` if an array has no dimension of members, or fewer than a score needs."""
    name = "The ensemble" if ensemble.name is None else f"The ensemble of {ensemble.name}"
    if member not in ensemble.dims:
        raise DataError(f"{name} has no dimension '{member}'; it has {', '.join(map(str, ensemble.dims)) or 'none'}.")
    if ensemble.sizes[member] < least:
        raise DataError(f"{name} has {ensemble.sizes[member]} {member}; the score needs {least} at least.")


def at_each_point(
    kernel: Callable[..., Any],
    ensemble: xr.DataArray,
    other: xr.DataArray | None,
    member: str,
    *,
    both: bool = False,
    outputs: int = 1,
    **options: float,
) -> Any:
    """Return what a kernel makes of the members at each point, lazily under dask.

    Parameters
    ----------
    kernel : callable
        Takes arrays with members along the last axis, and returns one or more arrays of points.
    ensemble : DataArray of shape (..., member, ...)
        Its first argument.
    other : DataArray or None
        Its second argument: one value a point.
    member : str
        The name of the dimension of members.
    both : bool
        Whether `other` has members as well, of its own.
    outputs : int
        How many arrays the kernel returns.
    **options : float
        Its further arguments.

    Returns
    -------
    DataArray, or tuple of them
        Without members, float64.
    """
    arrays, dims = [whole(ensemble, member)], [[member]]
    if other is not None:
        theirs = f"target_{member}"
        arrays.append(whole(other, member).rename({member: theirs}) if both else other)
        dims.append([theirs] if both else [])
    return xr.apply_ufunc(
        kernel,
        *arrays,
        input_core_dims=dims,
        output_core_dims=[[]] * outputs,
        output_dtypes=[np.float64] * outputs,
        kwargs=options,
        dask="parallelized",
    )


def whole(array: xr.DataArray, member: str) -> xr.DataArray:
    """Return an array whose members, if it has any, lie in one chunk."""
    return array.chunk({member: -1}) if array.chunks is not None and member in array.dims else array
