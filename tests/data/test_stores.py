"""Opening files and stores, near and on a server that fails, stalls, cuts connections and lacks chunks."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import xarray as xr

from climbench.data import stores
from climbench.data.stores import filled_chunks, in_own_chunks, is_url, open_store
from climbench.errors import DataError, MissingExtraError
from tests.data.object_store import ObjectStore, start

VALUES = np.random.default_rng(0).normal(280.0, 5.0, (8, 4, 6)).astype("f4")


def made() -> xr.Dataset:
    """Return eight six-hourly maps."""
    coordinates = {
        "time": np.arange("2020-01-01", "2020-01-03", 6, "datetime64[h]").astype("datetime64[ns]"),
        "latitude": np.linspace(-60, 60, 4),
        "longitude": np.arange(6) * 60.0,
    }
    data = xr.Dataset({"2m_temperature": (("time", "latitude", "longitude"), VALUES, {"units": "K"})}, coordinates)
    return data.chunk({"time": 2})


def write(path, *, zarr_format=3, consolidated=True):
    with warnings.catch_warnings():  # zarr says that consolidated metadata is not part of its version 3 yet
        warnings.simplefilter("ignore")
        made().to_zarr(path, zarr_format=zarr_format, consolidated=consolidated)
    return path


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "PAUSES", (0.01, 0.02, 0.04))
    monkeypatch.setattr(stores, "TIMEOUT", 0.3)
    held = ObjectStore(tmp_path)
    server = start(held)
    yield held
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("consolidated", [True, False])
@pytest.mark.parametrize("chunks", [None, {}])
def test_local_stores_of_both_versions(tmp_path, zarr_format, consolidated, chunks):
    path = write(tmp_path / "a.zarr", zarr_format=zarr_format, consolidated=consolidated)
    data = open_store(path, chunks=chunks)
    np.testing.assert_array_equal(data["2m_temperature"], VALUES)
    assert (data["2m_temperature"].chunks is None) is (chunks is None)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_store_on_a_server_is_read_whole(served, tmp_path, zarr_format):
    write(tmp_path / "a.zarr", zarr_format=zarr_format)
    data = open_store(f"{served.url}/a.zarr")
    np.testing.assert_array_equal(data["2m_temperature"], VALUES)


@pytest.mark.parametrize("fault", [500, 503, 429, "drop", "stall"])
def test_a_server_that_fails_is_asked_again(served, tmp_path, fault):
    write(tmp_path / "a.zarr")
    chunk = "a.zarr/2m_temperature/c/1/0/0"
    served.faults[chunk] = [fault, fault]
    data = open_store(f"{served.url}/a.zarr")
    np.testing.assert_array_equal(data["2m_temperature"], VALUES)
    assert served.requests.count(chunk) == 3


def test_faults_while_opening_are_waited_for(served, tmp_path):
    write(tmp_path / "a.zarr")
    served.faults["a.zarr/zarr.json"] = [500, "drop"]
    assert open_store(f"{served.url}/a.zarr").sizes["time"] == 8


def test_a_server_that_goes_on_failing_is_named_with_the_chunk(served, tmp_path):
    write(tmp_path / "a.zarr")
    served.faults["a.zarr/2m_temperature/c/1/0/0"] = [500] * 20
    data = open_store(f"{served.url}/a.zarr")
    with pytest.raises(DataError, match=r"'2m_temperature/c/1/0/0' could not be read after 4 tries: 500"):
        data["2m_temperature"].load()


def test_a_refusal_is_not_tried_again(served, tmp_path):
    write(tmp_path / "a.zarr")
    chunk = "a.zarr/2m_temperature/c/0/0/0"
    served.faults[chunk] = [403] * 9
    with pytest.raises(DataError, match="could not be read: 403"):
        open_store(f"{served.url}/a.zarr")["2m_temperature"].load()
    assert served.requests.count(chunk) == 1


def test_a_store_that_cannot_be_listed_needs_consolidated_metadata(served, tmp_path):
    write(tmp_path / "a.zarr", consolidated=False)
    with pytest.raises(DataError, match=r"cannot list its files needs consolidated metadata"):
        open_store(f"{served.url}/a.zarr")


def test_nothing_at_a_url(served):
    with pytest.raises(DataError, match="gone"):
        open_store(f"{served.url}/gone.zarr")


def test_a_file_on_a_server_is_kept_in_the_cache(served, tmp_path):
    made().to_netcdf(tmp_path / "a.nc")
    for _ in range(2):
        np.testing.assert_array_equal(open_store(f"{served.url}/a.nc")["2m_temperature"], VALUES)
    assert sum(r == "a.nc" for r in served.requests) <= 3  # a look at the size, and the file once


@pytest.mark.parametrize("remote", [True, False])
def test_a_missing_chunk_is_named(served, tmp_path, remote):
    path = write(tmp_path / "a.zarr")
    (path / "2m_temperature" / "c" / "2" / "0" / "0").unlink()
    data = open_store(f"{served.url}/a.zarr" if remote else path)
    with pytest.raises(DataError, match=r"the chunk 'c/2/0/0' of '2m_temperature' is missing.*empty_chunks: fill"):
        data["2m_temperature"].load()


def test_missing_chunks_of_zarr_2_are_named(tmp_path):
    path = write(tmp_path / "a.zarr", zarr_format=2)
    (path / "2m_temperature" / "2.0.0").unlink()
    with pytest.raises(DataError, match=r"the chunk '2.0.0' of '2m_temperature' is missing"):
        open_store(path, chunks={})["2m_temperature"].compute()


def test_missing_chunks_that_are_declared_are_filled_and_counted(tmp_path):
    path = write(tmp_path / "a.zarr")
    (path / "2m_temperature" / "c" / "2" / "0" / "0").unlink()
    data = open_store(path, empty_chunks="fill")
    values = data["2m_temperature"].values
    assert np.isnan(values[4:6]).all() or not values[4:6].any()
    np.testing.assert_array_equal(values[:4], VALUES[:4])
    assert filled_chunks(data) == 1


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("damage", ["cut", "changed"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_damaged_chunk_is_named_with_its_array(served, tmp_path, remote, damage, zarr_format):
    path = write(tmp_path / "a.zarr", zarr_format=zarr_format)
    key = "c/2/0/0" if zarr_format == 3 else "2.0.0"
    chunk = path / "2m_temperature" / key
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"\0" * len(whole))
    data = open_store(f"{served.url}/a.zarr" if remote else path)
    with pytest.raises(DataError, match=rf"a\.zarr: the chunk '{key}' of '2m_temperature' is damaged or cut short"):
        data["2m_temperature"].load()
    np.testing.assert_array_equal(data["2m_temperature"][:4], VALUES[:4])


def test_coordinates_that_equal_the_fill_value_are_no_missing_chunks(tmp_path):
    data = made().expand_dims(member=[0])
    data.to_zarr(tmp_path / "a.zarr", zarr_format=3, consolidated=False)
    assert open_store(tmp_path / "a.zarr")["member"].values.tolist() == [0]


def test_scalar_coordinates_that_equal_the_fill_value_are_no_missing_chunks(tmp_path):
    """A store of one day writes its time as 0 days since that day, which equals the fill value."""
    made().isel(time=0).to_zarr(tmp_path / "a.zarr", zarr_format=3, consolidated=False)
    assert not (tmp_path / "a.zarr" / "time" / "c").exists()
    assert open_store(tmp_path / "a.zarr")["time"].values == np.datetime64("2020-01-01")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_store_s_own_chunks_are_kept_by_the_names_its_dimensions_have_now(tmp_path, zarr_format):
    data = open_store(write(tmp_path / "a.zarr", zarr_format=zarr_format)).rename(time="when")
    lazy = in_own_chunks(data, {"time": "when"})["2m_temperature"]
    assert lazy.chunks == ((2, 2, 2, 2), (4,), (6,))
    np.testing.assert_array_equal(lazy, VALUES)


def test_a_store_goes_to_another_process(tmp_path):
    data = open_store(write(tmp_path / "a.zarr"), chunks={})
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(data))["2m_temperature"], VALUES)


def test_grib_names_its_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(stores.importlib.util, "find_spec", lambda name: None)
    (tmp_path / "a.grib").write_bytes(b"GRIB")
    with pytest.raises(MissingExtraError, match=r"climbench\[grib\]"):
        open_store(tmp_path / "a.grib")


def test_remote_stores_are_anonymous_unless_told_otherwise():
    assert stores._options("gs://bucket/a.zarr", None) == {"token": "anon"}
    assert stores._options("s3://bucket/a.zarr", {"anon": False, "profile": "x"}) == {"anon": False, "profile": "x"}


@pytest.mark.parametrize(("place", "expected"), [("gs://a/b", True), ("a/b.zarr", False), ("https://a/b.nc", True)])
def test_urls(place, expected):
    assert is_url(place) is expected
