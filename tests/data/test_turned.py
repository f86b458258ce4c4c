"""Variables on disk in another order: the same values by any index, read in slices."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.data.stores import open_store
from climbench.data.turned import turned

VALUES = np.random.default_rng(0).normal(size=(6, 5, 4)).astype("f4")
DIMS = ("time", "longitude", "latitude")
ORDER = ("time", "latitude", "longitude")


@pytest.fixture
def stored(tmp_path):
    coordinates = {"time": np.arange(6), "longitude": np.arange(5.0), "latitude": np.arange(4.0)}
    data = xr.Dataset({"t": (DIMS, VALUES, {"units": "K"})}, coordinates)
    data.chunk({"time": 2}).to_zarr(tmp_path / "a.zarr", zarr_format=3, consolidated=False)
    return open_store(tmp_path / "a.zarr")["t"]


@pytest.mark.parametrize(
    "index",
    [
        {},
        {"time": 3},
        {"time": slice(1, 5), "latitude": slice(None, None, -1)},
        {"longitude": [4, 0, 2], "latitude": [1, 1]},
        {"time": 0, "latitude": 2, "longitude": 1},
        {"time": xr.DataArray([0, 5], dims="point"), "latitude": xr.DataArray([3, 1], dims="point")},
    ],
)
def test_any_index_gives_what_numpy_gives(stored, index):
    expected = xr.DataArray(VALUES, coords=stored.coords, dims=DIMS).transpose(*ORDER).isel(index)
    found = turned(stored, ORDER).isel(index)
    assert not found.variable._in_memory
    np.testing.assert_array_equal(found, expected)
    assert found.dims == expected.dims


def test_attributes_and_chunks_come_along(stored):
    found = turned(stored, ORDER)
    assert found.attrs == {"units": "K"}
    assert found.encoding["chunks"] == (2, 4, 5)
    assert found.encoding["preferred_chunks"] == stored.encoding["preferred_chunks"]


def test_the_same_order_is_left_alone(stored):
    assert turned(stored, DIMS) is stored


def test_memory_and_dask_are_turned_as_usual(stored):
    assert turned(stored.load(), ORDER).shape == (6, 4, 5)
    assert turned(stored.chunk({"time": 2}), ORDER).chunks == ((2, 2, 2), (4,), (5,))


def test_only_the_chunks_that_are_needed_are_read(stored, tmp_path):
    """The chunk of the last two times is taken away: what does not need it is read all the same."""
    (tmp_path / "a.zarr" / "t" / "c" / "2" / "0" / "0").unlink()
    np.testing.assert_array_equal(turned(stored, ORDER)[:4], VALUES[:4].transpose(0, 2, 1))
