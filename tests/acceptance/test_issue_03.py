"""What issue 3 asks to be shown: the small real data passes the door, and a store on a failing server is read whole."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data import stores
from climbench.data.layouts import recognise
from climbench.data.readers.weatherbench import WeatherBenchReader
from tests.data.object_store import ObjectStore, start

CARDS = Path(__file__).resolve().parents[1] / "data" / "cards"
CLIMBENCH = str(Path(sys.executable).with_name("climbench"))

# Folder or files, the card that declares what they leave open, and what must be said of their traps.
PLACES = [
    (["climatebench-cesm2"], None, ["climatebench layout, 6 parts", "3 members", "no variable 'pr90'"]),
    (
        ["cmip6-ipsl"],
        None,
        ["cmip6-drs layout", "dates, one a year, read as the years 1850..2014", "1032 times, monthly"],
    ),
    (["cmip6-access"], None, ["cmip6-drs layout, 4 parts", "0101-01-16", "areacella [m2]", "rsdt [W m-2]"]),
    (["cmip5-ensembles"], "cmip5-ensembles", ["250 years 1850..2099", "tas [K]"]),
    (["cmip5-hadgem2-360day"], None, ["1 part", "900 times, monthly, 360_day calendar 2005-12-16..2080-11-16"]),
    (["pcm"], None, ["110 years 1890..1999", "4 members"]),
    (["era5"], None, ["'z' read as 'geopotential'", "latitude was not ascending", "10 members", "2 levels"]),
    (["ncep"], None, ["2922 times, daily", "17 x 33 (latitude 30..70"]),
    (["winds"], None, ["latitude was not ascending", "12 times"]),
    (["iberia/CORDEX_Iberia_pr.nc", "iberia/EOBS_Iberia_pr.nc"], "iberia", ["pr [mm/day]", "19 gaps in time"]),
    (
        [f"iberia/NCEP_Iberia_{name}.nc" for name in ("hus850", "pr", "psl", "ta850", "tas")],
        "iberia-ncep",
        ["turned from kg m-2 s-1 into mm/day", "turned from degC into K"],
    ),
]


@pytest.mark.parametrize(
    ("places", "card", "said"), PLACES, ids=lambda value: value[0] if isinstance(value, list) else ""
)
def test_the_small_real_data_passes_the_door(shared_data, places, card, said):
    options = [] if card is None else ["--card", str(CARDS / f"{card}.yaml")]
    command = [CLIMBENCH, "data", "check", *(str(shared_data / place) for place in places), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    print("\n" + done.stdout)
    assert done.returncode == 0, done.stderr
    for words in said:
        assert words in done.stdout


def weatherbench_store(path: Path) -> xr.Dataset:
    """Write a small store in WeatherBench's layout, longitude before latitude and latitude descending."""
    rng = np.random.default_rng(0)
    coordinates = {
        "time": pd.date_range("2020-01-01", periods=40, freq="6h"),
        "level": [500, 850],
        "longitude": np.arange(64) * 5.625,
        "latitude": 87.1875 - 5.625 * np.arange(32),
    }
    dims = tuple(coordinates)
    shape = tuple(len(c) for c in coordinates.values())
    data = xr.Dataset(
        {
            "temperature": (dims, rng.normal(270, 10, shape).astype("f4"), {"units": "K"}),
            "2m_temperature": (("time", *dims[2:]), rng.normal(285, 10, (40, 64, 32)).astype("f4"), {"units": "K"}),
        },
        coordinates,
    )
    with warnings.catch_warnings():  # zarr says that consolidated metadata is not part of its version 3 yet
        warnings.simplefilter("ignore")
        data.chunk({"time": 8}).to_zarr(path, zarr_format=3, consolidated=True)
    return data


def test_a_store_on_a_failing_server_is_read_whole(tmp_path, monkeypatch):
    data = weatherbench_store(tmp_path / "era5.zarr")
    monkeypatch.setattr(stores, "PAUSES", (0.01, 0.02, 0.04, 0.08))
    monkeypatch.setattr(stores, "TIMEOUT", 0.5)
    served = ObjectStore(tmp_path)
    server = start(served)
    chunks = [str(p.relative_to(tmp_path)) for p in sorted((tmp_path / "era5.zarr").rglob("c/*/*/*/*")) if p.is_file()]
    assert len(chunks) == 5
    faults = ([500], ["drop"], ["stall"], [503, "drop"], [500, 429, "stall"])
    served.faults = {"era5.zarr/zarr.json": [500, "drop"], **dict(zip(chunks, faults, strict=True))}
    try:
        place = f"{served.url}/era5.zarr"
        assert recognise(place) == "weatherbench"
        found = WeatherBenchReader(place).open()
        values = found["temperature"].transpose("time", "level", "longitude", "latitude")
        np.testing.assert_array_equal(values[..., ::-1], data["temperature"])
        np.testing.assert_array_equal(
            found["2m_temperature"].transpose("time", "longitude", "latitude")[..., ::-1], data["2m_temperature"]
        )
    finally:
        server.shutdown()
        server.server_close()
    print(f"\n{len(served.requests)} requests; every fault was met: {not any(served.faults.values())}")
    assert not any(served.faults.values())
