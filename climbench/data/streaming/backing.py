"""Which zarr array a lazily opened variable stands for.

Xarray has no public way to what it has wrapped around an array. Here its wrappers are known by name, and wherever one
is met that is not known the answer is None: then values are read through xarray, which is right for all of them.
"""

from __future__ import annotations

from typing import Any

import xarray as xr
import zarr

TRANSPARENT = ("MemoryCachedArray", "CopyOnWriteArray")
Array = zarr.Array[Any]


def array_below(variable: xr.Variable) -> Array | None:
    """Return the array that a variable is made of, however it was cut or decoded."""
    inner = getattr(variable, "_data", None)
    while inner is not None and not isinstance(inner, zarr.Array):
        inner = getattr(inner, "array", None) if hasattr(inner, "array") else getattr(inner, "_array", None)
    return inner


def same_array(variable: xr.Variable) -> Array | None:
    """Return the array that a variable is, value for value and dimension for dimension; None where it is not one."""
    inner: Any = getattr(variable, "_data", None)
    while type(inner).__name__ != "ZarrArrayWrapper":
        if type(inner).__name__ in TRANSPARENT or _indexed_by_nothing(inner):
            inner = inner.array
        else:
            return None
    array = getattr(inner, "_array", None)
    same = isinstance(array, zarr.Array) and array.shape == variable.shape and array.dtype == variable.dtype
    return array if same else None


def _indexed_by_nothing(inner: object) -> bool:
    key = getattr(getattr(inner, "key", None), "tuple", None)
    everything = key is not None and all(isinstance(k, slice) and k == slice(None) for k in key)
    return type(inner).__name__ == "LazilyIndexedArray" and everything
