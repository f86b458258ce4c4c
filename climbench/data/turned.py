"""Variables on disk with their dimensions in another order: turned as they are read, in whole slices.

xarray's own ``transpose`` of such a variable reads it element by element.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing


class TurnedArray(BackendArray):
    """An array on disk seen with its dimensions in another order.

    Parameters
    ----------
    variable : Variable
        As it is stored, not in memory.
    dims : sequence of str
        The same dimensions in the order they shall have.
    """

    def __init__(self, variable: xr.Variable, dims: Sequence[Any]) -> None:
        self.variable = variable
        self.dims = tuple(dims)
        self.shape = tuple(variable.sizes[d] for d in self.dims)
        self.dtype = variable.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Return a part, turned."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        part = self.variable.isel(dict(zip(self.dims, key, strict=True)))
        kept = [d for d in self.dims if d in part.dims]
        return np.ascontiguousarray(part.values.transpose([part.dims.index(d) for d in kept]))


def turned(array: xr.DataArray, dims: Sequence[Any]) -> xr.DataArray:
    """Return a variable with its dimensions in another order, on disk where it is on disk.

    Parameters
    ----------
    array : DataArray
        In memory, in dask, or on disk.
    dims : sequence of str
        Its dimensions in the order they shall have.

    Returns
    -------
    DataArray
    """
    dims = tuple(dims)
    if dims == array.dims:
        return array
    variable = array.variable
    if variable._in_memory or array.chunks is not None:
        return array.transpose(*dims)
    lazily = xr.Variable(dims, indexing.LazilyIndexedArray(TurnedArray(variable, dims)), variable.attrs)
    lazily.encoding = dict(variable.encoding)
    for key in ("chunks", "shards"):
        if isinstance(lazily.encoding.get(key), tuple):
            lazily.encoding[key] = tuple(lazily.encoding[key][variable.dims.index(d)] for d in dims)
    result = xr.DataArray(lazily, coords=array.coords, name=array.name)
    result.encoding = lazily.encoding
    return result
