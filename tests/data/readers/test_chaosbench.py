"""ChaosBench's folders: one zarr for each day, height in gpm, forecasts by step, days missing or of another make."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.constants import GRAVITY
from climbench.data import daily_stores
from climbench.data.layouts import recognise
from climbench.data.readers.chaosbench import ChaosBenchReader
from climbench.errors import DataError

LATITUDE = np.linspace(90.0, -90.0, 5, dtype="f4")
LONGITUDE = np.arange(0.0, 360.0, 90.0, dtype="f4")
LEVEL = np.array([500, 850, 1000])
DAYS = pd.date_range("2020-02-27", periods=6)
HEIGHT = {500: 5600.0, 850: 1500.0, 1000: 100.0}


def one_day(day, steps=None, units=None):
    """A day whose temperature counts the days of the year, the levels, and rows from the north; height by level."""
    dims = ("level", "latitude", "longitude")
    shape = (3, 5, 4)
    rows = 0.1 * np.arange(5)[None, :, None] * np.ones(shape)
    t = (250.0 + day.day_of_year + np.arange(3)[:, None, None] + rows).astype("f4")
    z = np.broadcast_to(np.array(list(HEIGHT.values()))[:, None, None], shape).astype("f4")
    fields = {"t": (t, "K"), "z": (z, units), "u": (np.full(shape, 5.0, "f4"), "m s**-1")}
    if steps is not None:
        fields = {n: (np.stack([v + (n == "t") * s for s in range(steps)]), u) for n, (v, u) in fields.items()}
        dims = ("step", *dims)
    data = {n: (dims, v, {"units": u} if u else {}) for n, (v, u) in fields.items()}
    coords = {"level": LEVEL, "latitude": LATITUDE, "longitude": LONGITUDE, "time": day}
    if steps is not None:
        coords |= {
            "step": np.arange(steps) * np.timedelta64(1, "D"),
            "valid_time": ("step", day.to_datetime64() + np.arange(steps) * np.timedelta64(1, "D")),
        }
    return xr.Dataset(data, coords)


def store(folder, day, data, prefix="era5_full_1.5deg"):
    path = folder / f"{prefix}_{day:%Y%m%d}.zarr"
    data.to_zarr(path, zarr_format=2, consolidated=True)
    return path


@pytest.fixture
def folder(tmp_path):
    for day in DAYS:
        store(tmp_path / "era5", day, one_day(day))
    return tmp_path / "era5"


def test_days_are_joined_in_order_and_values_stand_where_they_belong(folder):
    assert recognise(folder) == "chaosbench"
    reader = ChaosBenchReader(folder)
    assert reader.parts() == ["era5"]
    data = reader.open()
    assert data["temperature"].dims == ("time", "level", "latitude", "longitude")
    np.testing.assert_array_equal(data["time"], DAYS)  # the leap day included
    np.testing.assert_allclose(data["latitude"], LATITUDE[::-1])
    rows = 0.1 * np.array([4, 3, 2, 1, 0])  # counted from the north, given from the south
    wanted = 250.0 + DAYS.day_of_year.values[:, None, None] + np.arange(3)[:, None] + rows
    np.testing.assert_allclose(data["temperature"][..., 2], wanted, rtol=1e-6)


@pytest.mark.parametrize("units", [None, "gpm", "m**2 s**-2"])
def test_height_leaves_as_geopotential_whatever_its_attribute_says(tmp_path, units):
    store(tmp_path / "era5", DAYS[0], one_day(DAYS[0], units=units))
    data = ChaosBenchReader(tmp_path / "era5").open()
    height = data["geopotential"].isel(time=0, latitude=0, longitude=0)
    np.testing.assert_allclose(height, np.array(list(HEIGHT.values())) * GRAVITY, rtol=1e-6)
    assert data["geopotential"].attrs["units"] == "m2 s-2"
    notes = " ".join(data.attrs["climbench_changes"])
    assert "height times 9.80665 m s-2" in notes
    assert ("says 'm**2 s**-2'; 'gpm' as its card declares" in notes) == (units == "m**2 s**-2")


def test_geopotential_in_place_of_height_is_caught_by_its_size(tmp_path):
    source = one_day(DAYS[0])
    source["z"] = source["z"] * 9.80665
    store(tmp_path / "era5", DAYS[0], source)
    with pytest.raises(DataError, match=r"geopotential runs from .* outside -2e\+04 to 4e\+05"):
        ChaosBenchReader(tmp_path / "era5").open()


def test_only_the_first_store_is_opened_until_values_are_read(folder, monkeypatch):
    opened = []
    real = daily_stores.open_store
    monkeypatch.setattr(
        daily_stores, "open_store", lambda place, **o: opened.append(str(place)[-13:-5]) or real(place, **o)
    )
    data = ChaosBenchReader(folder).open(variables=["temperature", "u"])
    assert set(opened) <= {"20200227"}  # the check of the first time reads the first day
    opened.clear()
    data["temperature"].sel(time="2020-02-29", level=850).load()
    assert opened == ["20200229"]


def test_there_is_one_task_for_each_day_and_variable(folder):
    data = ChaosBenchReader(folder).raw("era5", None)
    assert data["t"].data.numblocks == (6, 1, 1, 1)
    assert len(data["t"].data.__dask_graph__()) <= 2 * 6


def test_missing_days_are_named(folder):
    for day in DAYS[[2, 3]]:
        shutil.rmtree(folder / f"era5_full_1.5deg_{day:%Y%m%d}.zarr")
    data = ChaosBenchReader(folder).open()
    assert data.sizes["time"] == 4
    notes = " ".join(data.attrs["climbench_changes"])
    assert "no store for 2 days between its first and its last: 2020-02-29, 2020-03-01" in notes


def rewritten(folder, day, change):
    path = folder / f"era5_full_1.5deg_{day:%Y%m%d}.zarr"
    shutil.rmtree(path)
    change(one_day(day)).to_zarr(path, zarr_format=2, consolidated=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.isel(latitude=slice(None, None, -1)), r"'t' is not as in .*: its 'latitude' is another"),
        (lambda d: d.isel(longitude=slice(0, 3)), r"its shape is \(3, 5, 3\), not \(3, 5, 4\)"),
        (lambda d: d.drop_vars("t"), "it is not there"),
        (lambda d: d.astype("f8"), "its dtype is float64, not float32"),
        (lambda d: d.assign(t=d["t"].assign_attrs(units="degC")), "its units is degC, not K"),
        (lambda d: d.assign_coords(time=DAYS[0]), r"its name says 2020-02-29, its time 2020-02-27"),
    ],
)
def test_a_store_of_another_make_is_named_when_it_is_read(folder, change, message):
    rewritten(folder, DAYS[2], change)
    data = ChaosBenchReader(folder).open()
    np.testing.assert_allclose(data["temperature"].isel(time=1, level=0, latitude=4), 250.0 + DAYS[1].day_of_year)
    with pytest.raises(DataError, match=rf"20200229\.zarr: .*{message}"):
        data["temperature"].isel(time=2).load()


def test_a_damaged_store_is_named(folder):
    chunk = folder / "era5_full_1.5deg_20200301.zarr" / "t" / "0.0.0"
    chunk.write_bytes(chunk.read_bytes()[:10])
    data = ChaosBenchReader(folder).open()
    with pytest.raises(DataError, match=r"20200301\.zarr.*damaged or cut short"):
        data["temperature"].isel(time=3).load()


def test_two_stores_for_a_day_are_refused(folder):
    store(folder, DAYS[1], one_day(DAYS[1]), prefix="copy")
    with pytest.raises(DataError, match="two stores for 2020-02-28"):
        ChaosBenchReader(folder).open()


def test_forecasts_have_initial_and_lead_times_on_the_days_there_are(tmp_path):
    days = DAYS[[0, 3]]  # centres start every three or four days
    for day in days:
        store(tmp_path / "ecmwf", day, one_day(day, steps=4), prefix="ecmwf_full_1.5deg")
    data = ChaosBenchReader(tmp_path / "ecmwf").open()
    assert data["temperature"].dims == ("init_time", "lead_time", "level", "latitude", "longitude")
    np.testing.assert_array_equal(data["init_time"], days)
    np.testing.assert_array_equal(data["lead_time"], np.arange(4) * np.timedelta64(24, "h"))
    wanted = 250.0 + days.day_of_year.values[:, None] + np.arange(4)
    np.testing.assert_allclose(data["temperature"].isel(level=0, latitude=4, longitude=0), wanted, rtol=1e-6)


def test_forecast_days_filled_with_missing_values_do_not_hide_the_others(tmp_path):
    for i, day in enumerate(DAYS):
        source = one_day(day, steps=2)
        if i in (0, 1, 2, 4, 5):
            source = source.where(False)
        source.assign_coords(time=day).to_zarr(
            tmp_path / "ecmwf" / f"ecmwf_full_1.5deg_{day:%Y%m%d}.zarr", zarr_format=2, write_empty_chunks=True
        )
    data = ChaosBenchReader(tmp_path / "ecmwf").open(variables=["u"])
    assert data.sizes["init_time"] == 6
    notes = " ".join(data.attrs["climbench_changes"])
    assert "u_component_of_wind has no value at its first time" in notes


def test_a_folder_of_folders_has_a_part_for_each(tmp_path):
    store(tmp_path / "era5", DAYS[0], one_day(DAYS[0]))
    store(tmp_path / "ncep", DAYS[0], one_day(DAYS[0], steps=2), prefix="ncep_full_1.5deg")
    (tmp_path / "climatology").mkdir()
    assert recognise(tmp_path) == "chaosbench"
    reader = ChaosBenchReader(tmp_path)
    assert reader.parts() == ["era5", "ncep"]
    assert "lead_time" in reader.open("ncep").dims


def test_amounts_whose_hours_are_not_stated_stay_amounts(tmp_path):
    dims, grid = ("latitude", "longitude"), {"latitude": LATITUDE, "longitude": LONGITUDE, "time": DAYS[0]}
    land = {"t2m": (280.0, "K"), "ssrd": (2e7, "J m**-2"), "tp": (0.01, "m")}
    data = xr.Dataset({n: (dims, np.full((5, 4), v, "f4"), {"units": u}) for n, (v, u) in land.items()}, grid)
    store(tmp_path / "lra5", DAYS[0], data, prefix="lra5_full_1.5deg")
    opened = ChaosBenchReader(tmp_path / "lra5").open()
    np.testing.assert_allclose(opened["surface_solar_radiation_downwards"], 2e7)
    assert opened["surface_solar_radiation_downwards"].attrs["units"] == "J m-2"


def test_other_daily_stores_are_not_taken_for_chaosbench(tmp_path):
    data = one_day(DAYS[0]).rename(z="geopotential", t="temperature", u="u_component_of_wind")
    store(tmp_path, DAYS[0], data)
    assert not ChaosBenchReader.recognises(tmp_path)
    assert not ChaosBenchReader.recognises(tmp_path / "nothing")
