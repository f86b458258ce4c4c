"""What lets one definition serve NumPy, dask and torch: the array's own namespace, float64, and axes from the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_dask_array, is_numpy_array

# An array of NumPy, dask or torch; there is no static type for what they share.
Array = Any

LEVEL = -3
SPACE = (-2, -1)


def namespace(*arrays: Array) -> Any:
    """Return the array-API namespace of arrays; numbers and None do not count.

    Parameters
    ----------
    *arrays : array, float or None
        Of one library; arrays of NumPy beside those of another are constants, and do not count either.

    Returns
    -------
    module
        Of NumPy where there is no array at all.
    """
    found = [a for a in arrays if a is not None and not isinstance(a, (int, float))]
    others = [a for a in found if not is_numpy_array(a) and not isinstance(a, np.generic)]
    return array_namespace(*(others or found or [np.empty(0)]))


def double(values: Array, like: Array) -> Array:
    """Return values in float64, as an array of the library and on the device of another.

    Parameters
    ----------
    values : array, sequence or float
        Any numbers.
    like : array
        Of NumPy, dask or torch.

    Returns
    -------
    array
        Of NumPy where `like` is dask: dask takes those as they are.
    """
    xp = namespace(values, like)
    if hasattr(values, "dtype") and not is_numpy_array(values) and not isinstance(values, np.generic):
        return xp.astype(values, xp.float64, copy=False)
    if is_dask_array(like) or is_numpy_array(like):
        return np.asarray(values, dtype="float64")
    return xp.asarray(values, dtype=xp.float64, device=device(like))


def along(coefficients: np.ndarray, axis: int) -> np.ndarray:
    """Return a profile shaped to go along an axis that is counted from the end.

    Parameters
    ----------
    coefficients : ndarray of shape (level,)
        One number a level.
    axis : int
        Negative.

    Returns
    -------
    ndarray of shape (level, 1, ...)

    Raises
    ------
    ValueError
        If the axis is counted from the front: arrays of other ranks could not be put beside it.
    """
    if axis >= 0:
        raise ValueError(f"Axes are counted from the end here (-3 is that of levels before rows and columns): {axis}.")
    return coefficients.reshape(-1, *(1,) * (-axis - 1))


def part(values: Array, axis: int, start: int | None, stop: int | None) -> Array:
    """Return a slice of an array along an axis that is counted from the end.

    Parameters
    ----------
    values : array
        With that axis.
    axis : int
        Negative.
    start, stop : int or None
        As in Python's slices.

    Returns
    -------
    array
    """
    return values[(..., slice(start, stop), *(slice(None),) * (-axis - 1))]


def in_dtype_of(values: Array, like: Array) -> Array:
    """Return values in the dtype of another array, which a correction in float64 was made of.

    Parameters
    ----------
    values, like : array
        Of one library.

    Returns
    -------
    array
        `values` itself where it has that dtype.
    """
    return namespace(values, like).astype(values, like.dtype, copy=False)
