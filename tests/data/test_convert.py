"""Conversion to sharded zarr 3: the same values, whole or not there, going on where it was cut."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr

from climbench.data import convert as module
from climbench.data.convert import convert
from climbench.data.stores import open_store
from climbench.errors import DataError, RunError


def made(times=100, chunk=10):
    rng = np.random.default_rng(0)
    coordinates = {
        "time": pd.date_range("2001-01-01", periods=times, freq="6h"),
        "latitude": np.linspace(-80, 80, 9),
        "longitude": np.arange(0.0, 360.0, 20.0),
    }
    maps = rng.normal(280, 5, (times, 9, 18)).astype("f4")
    data = xr.Dataset(
        {
            "2m_temperature": (("time", "latitude", "longitude"), maps, {"units": "K"}),
            "land_sea_mask": (("latitude", "longitude"), np.zeros((9, 18), "f4"), {"units": "1"}),
        },
        coordinates,
        {"title": "made up"},
    )
    return data.chunk({"time": chunk})


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 5 * 9 * 18 * 4)
    monkeypatch.setattr(module, "SHARD_BYTES", 20 * 9 * 18 * 4)


def test_values_attributes_and_layout(tmp_path, small_shards):
    out = convert(made(), tmp_path / "a.zarr", identity="x")
    data = open_store(out)
    xr.testing.assert_identical(data.drop_attrs(), made().compute().drop_attrs())
    assert data["2m_temperature"].attrs["units"] == "K"
    assert data.attrs["title"] == "made up"
    array = zarr.open_group(out, mode="r")["2m_temperature"]
    assert (array.chunks, array.shards) == ((5, 9, 18), (20, 9, 18))
    assert array.metadata.zarr_format == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zarr"]


def test_sizes_can_be_named(tmp_path):
    out = convert(made(), tmp_path / "a.zarr", identity="x", chunks={"time": 25, "latitude": 3}, shards={"time": 50})
    array = zarr.open_group(out, mode="r")["2m_temperature"]
    assert (array.chunks, array.shards) == ((25, 3, 18), (50, 9, 18))
    np.testing.assert_array_equal(open_store(out)["2m_temperature"], made()["2m_temperature"])


def test_chunks_of_the_source_may_cut_across_those_of_the_store(tmp_path, small_shards):
    data = made().chunk({"time": 7, "latitude": 4, "longitude": 5})
    out = convert(data, tmp_path / "a.zarr", identity="x")
    xr.testing.assert_identical(open_store(out).drop_attrs(), made().compute().drop_attrs())


def test_what_is_whole_is_not_made_again_and_another_store_is_not_overwritten(tmp_path, small_shards):
    out = convert(made(), tmp_path / "a.zarr", identity="x")
    before = (out / "zarr.json").stat().st_mtime_ns
    convert(made(), out, identity="x")
    assert (out / "zarr.json").stat().st_mtime_ns == before
    with pytest.raises(DataError, match="exists already and is not what this conversion makes"):
        convert(made(), out, identity="y")


def test_a_conversion_that_is_cut_goes_on_where_it_was(tmp_path, small_shards, monkeypatch):
    original, written = module._write_slab, []

    def failing(data, store, along, part):
        if part.start == 60 and not written.count("failed"):
            written.append("failed")
            raise OSError(28, "No space left on device")
        written.append(part.start)
        original(data, store, along, part)

    monkeypatch.setattr(module, "_write_slab", failing)
    with pytest.raises(RunError, match="the disk is full"):
        convert(made(), tmp_path / "a.zarr", identity="x")
    assert not (tmp_path / "a.zarr").exists()
    convert(made(), tmp_path / "a.zarr", identity="x")
    assert written == [0, 20, 40, "failed", 60, 80]
    np.testing.assert_array_equal(open_store(tmp_path / "a.zarr")["2m_temperature"], made()["2m_temperature"])


def test_leavings_of_another_conversion_are_not_gone_on_from(tmp_path, small_shards):
    partial = tmp_path / "a.zarr.partial"
    partial.mkdir()
    (partial / "done.json").write_text(json.dumps({"identity": "other", "done": [0, 1, 2]}))
    convert(made(), tmp_path / "a.zarr", identity="x")
    np.testing.assert_array_equal(open_store(tmp_path / "a.zarr")["2m_temperature"], made()["2m_temperature"])


def test_all_zero_maps_leave_no_missing_chunks(tmp_path):
    data = made().assign({"2m_temperature": made()["2m_temperature"] * 0})
    out = convert(data, tmp_path / "a.zarr", identity="x")
    assert not open_store(out).load()["2m_temperature"].any()


def test_progress_ends_at_the_whole(tmp_path, small_shards):
    seen = []
    convert(made(), tmp_path / "a.zarr", identity="x", progress=lambda *step: seen.append(step))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1][1] == seen[-1][2] == made().nbytes


def test_data_without_time(tmp_path):
    out = convert(made()[["land_sea_mask"]], tmp_path / "a.zarr", identity="x")
    assert open_store(out)["land_sea_mask"].shape == (9, 18)


def test_other_calendars_survive(tmp_path, small_shards):
    data = made()
    data["time"] = xr.date_range("0101-01-01", periods=100, freq="D", calendar="360_day", use_cftime=True)
    out = convert(data, tmp_path / "a.zarr", identity="x")
    assert open_store(out)["time"].values[59].strftime("%m-%d") == "02-30"
