"""``climbench data`` list, show, pull of slices, convert and stats."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data.stores import open_store
from tests.data.object_store import ObjectStore, start


@pytest.fixture
def store(tmp_path):
    """A store in WeatherBench's layout, latitude descending, level as a dimension."""
    coordinates = {
        "time": pd.date_range("2000-01-01", periods=1096, freq="D"),
        "level": [500, 850],
        "latitude": 80.0 - 20.0 * np.arange(9),
        "longitude": np.arange(12) * 30.0,
    }
    shape = tuple(len(c) for c in coordinates.values())
    values = np.random.default_rng(0).normal(270, 10, shape).astype("f4")
    data = xr.Dataset({"temperature": (tuple(coordinates), values, {"units": "K"})}, coordinates)
    data["2m_temperature"] = data["temperature"].isel(level=1, drop=True)
    data["2m_temperature"].attrs["units"] = "K"
    data.chunk({"time": 100}).to_zarr(tmp_path / "era5.zarr", zarr_format=2, consolidated=True)
    return tmp_path / "era5.zarr"


def test_data_sets_are_listed_with_where_they_are(climbench, tmp_path, monkeypatch):
    monkeypatch.setenv("CLIMBENCH_DATA", str(tmp_path))
    (tmp_path / "climatebench").mkdir()
    (tmp_path / "climatebench" / "outputs_ssp245.nc").write_bytes(b"")
    done = climbench("data", "list")
    assert done.code == 0
    line = next(line for line in done.out.splitlines() if line.startswith("climatebench "))
    assert line.endswith(f"({tmp_path / 'climatebench'})")
    rows = json.loads(climbench("data", "list", "--json").out)["datasets"]
    assert {row["name"]: row["where"] for row in rows}["cmip6-pangeo"] is None


def test_a_place_is_shown(climbench, store):
    done = climbench("data", "show", store)
    assert done.code == 0
    for said in ("1096 times, daily", "2 levels", "9 x 12", "temperature [K]", "2m_temperature [K]"):
        assert said in done.out


def test_a_slice_of_a_remote_store_is_pulled(climbench, store, tmp_path):
    served = ObjectStore(tmp_path)
    server = start(served)
    try:
        options = ("--variables", "temperature", "--years", "2001:2001", "--levels", "850", "--latitude", "-30:30")
        place = f"{served.url}/era5.zarr"
        done = climbench("data", "pull", place, *options, "--scheduler", "threads", "--out", tmp_path / "slice.zarr")
        assert (done.code, done.err) == (0, "")
    finally:
        server.shutdown()
        server.server_close()
    found, source = open_store(tmp_path / "slice.zarr"), xr.open_zarr(store)
    expected = source["temperature"].sel(time="2001", level=[850], latitude=slice(30, -30)).sortby("latitude")
    np.testing.assert_array_equal(found["temperature"], expected)
    assert list(found.data_vars) == ["temperature"]
    touched = {r for r in served.requests if r.startswith("era5.zarr/temperature/") and r[-1].isdigit()}
    assert len(touched) == 6  # of eleven chunks in time, the first and the five of 2001


def test_conversion_names_layout_and_goes_through_the_door(climbench, store, tmp_path):
    out = tmp_path / "canonical.zarr"
    done = climbench(
        "data", "convert", store, out, "--chunk", "time=50", "--shard", "time=200", "--scheduler", "threads"
    )
    assert (done.code, done.err) == (0, "")
    data = open_store(out)
    assert data["latitude"].values[0] == -80.0
    assert data["temperature"].encoding["chunks"] == (50, 2, 9, 12)
    np.testing.assert_array_equal(data["temperature"], xr.open_zarr(store)["temperature"][:, :, ::-1])
    again = climbench("data", "convert", store, out, "--scheduler", "threads")
    assert again.code == 2
    assert "exists already" in again.err


def test_statistics_of_training_years(climbench, store, tmp_path):
    out = tmp_path / "stats.json"
    options = ("--years", "2000:2001", "--variables", "2m_temperature", "--scheduler", "threads")
    done = climbench("data", "stats", store, *options, "--out", out)
    assert (done.code, done.err) == (0, "")
    values = xr.open_zarr(store)["2m_temperature"].sel(time=slice("2000", "2001")).values.astype("f8")
    text = out.read_text()
    from climbench.data.statistics import Statistics

    table = Statistics.load(out).table["2m_temperature"]
    assert float(table.sel(statistic="mean")) == pytest.approx(values.mean(), rel=1e-12)
    assert float(table.sel(statistic="std")) == pytest.approx(values.std(), rel=1e-9)
    assert "2000" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pull", "cmip6-pangeo"), "A slice needs a place to go to: name a store with --out"),
        (("pull", "weatherbench2-era5", "--out", "x.zarr"), "has several stores: name one with --part"),
        (("convert", "STORE", "x.zarr", "--years", "2000"), "--years wants two ends with a colon"),
        (("convert", "STORE", "x.zarr", "--levels", "low"), "--levels wants pressures in hPa"),
        (("convert", "STORE", "x.zarr", "--latitude", "a:b"), "--latitude wants two numbers"),
        (("convert", "STORE", "x.zarr", "--chunk", "time"), "A size is written DIM=N"),
        (("convert", "STORE", "x.zarr", "--variables", "temperatura"), "Did you mean 'temperature'"),
        (("convert", "absent/file.nc", "x.zarr"), "There is no file or folder"),
        (("stats", "STORE", "--years", "1990:1991", "--out", "s.json"), "No sample lies in the period"),
    ],
)
def test_what_cannot_be_done_is_said(climbench, store, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    given = [str(store) if a == "STORE" else a for a in arguments]
    threads = ("--scheduler", "threads")
    done = climbench("data", *given, *threads)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "x.zarr").exists()
