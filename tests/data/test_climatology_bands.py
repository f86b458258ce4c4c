"""Series on disk: read lazily in whole chunks, once for each band, with the same result however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.data import climatology_bands as module
from climbench.data.climatology import STATISTICS, climatology
from climbench.data.stores import open_store
from tests.models.forecast_states import series_of

RAIN = "total_precipitation_24hr"


@pytest.fixture
def series():
    rng = np.random.default_rng(1)
    data = series_of(rng.gamma(0.5, 2e-3, (800, 4, 8)), name=RAIN)
    data[RAIN].attrs["units"] = "m"
    return data


@pytest.fixture
def read(monkeypatch):
    """Which stretches of time were read, and of how many cells."""
    seen = []
    for kind in (module.Moments, module.Pools):
        original = kind.add

        def add(self, start, values, original=original):
            seen.append((start, *values.shape))
            original(self, start, values)

        monkeypatch.setattr(kind, "add", add)
    return seen


@pytest.mark.parametrize("chunks", [None, {}], ids=["lazy", "dask"])
def test_a_store_is_read_in_whole_chunks_that_fit_into_a_block(series, tmp_path, monkeypatch, read, chunks):
    series.to_zarr(tmp_path / "a.zarr", encoding={RAIN: {"chunks": (100, 4, 4)}}, zarr_format=2)
    monkeypatch.setattr(module, "BLOCK_BYTES", 250 * 4 * 8 * 4)
    made = climatology(open_store(tmp_path / "a.zarr", chunks=chunks))
    assert read == [(start, 200, 32) for start in range(0, 800, 200)]
    xr.testing.assert_equal(made, climatology(series))


def test_results_do_not_depend_on_bands_blocks_or_where_they_are_kept(series, monkeypatch, read, tmp_path):
    whole = climatology(series, statistics=STATISTICS)
    read.clear()
    monkeypatch.setattr(module, "BLOCK_BYTES", 1)
    narrow = climatology(series, statistics=STATISTICS, memory=1, scratch=tmp_path)
    assert len(read) == 2 * 4 * 800  # sums and values, four rows, one time after the other
    assert {shape[1:] for shape in read} == {(1, 8)}
    xr.testing.assert_identical(narrow.compute(), whole)


def test_more_memory_makes_wider_bands(series, read):
    climatology(series, memory=module.Moments.cell_bytes(module.CalendarDays.of(series["time"]), False) * 8 * 3)
    assert [cells for _, _, cells in read] == [24, 8]  # three rows, then the last
