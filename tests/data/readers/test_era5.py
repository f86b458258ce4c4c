"""ERA5 as the Climate Data Store gives it: netCDF old and new, one file or many, packed, preliminary, accumulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.cards import DatasetCard
from climbench.data.layouts import recognise
from climbench.data.readers.era5 import Era5Reader
from climbench.errors import DataError
from tests.data.readers.known_fields import assert_expected, expected

LATITUDE = np.array([60.0, 0.0, -60.0], dtype="float32")
LONGITUDE = np.array([-180.0, -90.0, 0.0, 90.0], dtype="float32")
HOURS = pd.date_range("2020-01-01", periods=6, freq="h").values
HISTORY = {"Conventions": "CF-1.6", "history": "2024-01-01 by grib_to_netcdf-2.25.1"}
NEW = {"GRIB_centre": "ecmf", "institution": "European Centre for Medium-Range Weather Forecasts"}
PACKED = {"dtype": "int16", "scale_factor": 0.001, "add_offset": 285.0, "_FillValue": -32767}


def fields(time=HOURS, level=None, **units):
    """Variables by their short names, over the same times and grid."""
    coords = {"time": time, "level": level, "latitude": LATITUDE, "longitude": LONGITUDE}
    coords = {name: xr.DataArray(v, dims=name) for name, v in coords.items() if v is not None}
    turned = {**coords, "longitude": xr.DataArray(LONGITUDE % 360.0, dims="longitude")}
    base = {"t2m": 280.0, "d2m": 275.0, "t": 270.0, "z": 5e4, "u": 5.0}
    values = {n: expected(turned, base[n]).transpose(*coords).values.astype("f4") for n in units}
    data = {n: (tuple(coords), v, {"units": units[n]}) for n, v in values.items()}
    return xr.Dataset(data, {n: c.values for n, c in coords.items()}, HISTORY)


def amounts(time=HOURS, **values):
    """Accumulated variables of one value everywhere: name to value and unit."""
    dims, shape = ("time", "latitude", "longitude"), (len(time), 3, 4)
    data = {n: (dims, np.full(shape, v, "f4"), {"units": u}) for n, (v, u) in values.items()}
    return xr.Dataset(data, {"time": time, "latitude": LATITUDE, "longitude": LONGITUDE}, HISTORY)


def card(**variables):
    return DatasetCard(name="mine", title="Mine", reader="era5", licence="none", variables=variables)


def test_an_old_file_packed_as_integers(tmp_path):
    path = tmp_path / "old.nc"
    fields(t2m="K").to_netcdf(path, encoding={"t2m": PACKED})
    assert recognise(path) == "era5"
    data = Era5Reader(path).open()
    assert not isinstance(data["2m_temperature"].variable._data, np.ndarray)
    assert data["2m_temperature"].dtype.kind == "f"
    np.testing.assert_array_equal(data["longitude"], [0.0, 90.0, 180.0, 270.0])
    assert_expected(data["2m_temperature"], 280.0, tolerance=6e-4)


def test_a_new_file_with_other_names_for_its_coordinates(tmp_path):
    source = fields(level=np.array([850.0, 500.0]), t="K", z="m**2 s**-2")
    source = source.rename(time="valid_time", level="pressure_level").assign_attrs(NEW)
    versions = np.array(["0001"] * 4 + ["0005"] * 2)
    source = source.assign_coords(number=0, expver=("valid_time", versions))
    path = tmp_path / "new.nc"
    source.to_netcdf(path)
    assert recognise(path) == "era5"
    data = Era5Reader(path).open()
    assert set(data.coords) == {"time", "level", "latitude", "longitude"}
    np.testing.assert_array_equal(data["level"], [500, 850])
    assert_expected(data["temperature"], 270.0)
    assert_expected(data["geopotential"], 5e4, tolerance=1e-2)
    assert any("2 times are preliminary (ERA5T), first 2020-01-01T04:00" in n for n in data.attrs["climbench_changes"])


def test_preliminary_data_stands_in_where_there_is_no_final(tmp_path):
    whole = fields(t2m="K")
    late = whole["time"] >= HOURS[4]
    both = xr.concat([whole.where(~late), whole.where(late)], xr.DataArray([1, 5], dims="expver", name="expver"))
    path = tmp_path / "mixed.nc"
    both.transpose("time", "expver", ...).assign_attrs(HISTORY).to_netcdf(path, encoding={"t2m": PACKED})
    data = Era5Reader(path).open()
    assert data["2m_temperature"].dims == ("time", "latitude", "longitude")
    assert_expected(data["2m_temperature"], 280.0, tolerance=6e-4)
    assert any("expver 5) taken where final data is missing" in note for note in data.attrs["climbench_changes"])


def test_final_values_come_before_preliminary_ones(tmp_path):
    whole = fields(t2m="K")
    both = xr.concat([whole, whole + 5.0], xr.DataArray([1, 5], dims="expver", name="expver"))
    both["t2m"].attrs["units"] = "K"
    both.assign_attrs(HISTORY).to_netcdf(tmp_path / "mixed.nc")
    assert_expected(Era5Reader(tmp_path / "mixed.nc").open()["2m_temperature"], 280.0)


def test_a_folder_split_in_time_and_by_variable_is_joined(tmp_path):
    for name, units in (("t2m", "K"), ("d2m", "K")):
        whole = fields(**{name: units})
        whole.isel(time=slice(0, 3)).to_netcdf(tmp_path / f"{name}_b.nc")  # names out of the order of time
        whole.isel(time=slice(3, 6)).to_netcdf(tmp_path / f"{name}_a.nc")
    fields(level=np.array([500, 850]), t="K").to_netcdf(tmp_path / "levels.nc")
    assert recognise(tmp_path) == "era5"
    reader = Era5Reader(tmp_path)
    assert reader.parts() == [tmp_path.name]
    data = reader.open()
    assert set(data) == {"2m_temperature", "2m_dewpoint_temperature", "temperature"}
    np.testing.assert_array_equal(data["time"], HOURS)
    assert data["2m_temperature"].chunks is not None
    assert_expected(data["2m_temperature"], 280.0)
    assert_expected(data["2m_dewpoint_temperature"], 275.0)
    assert_expected(data["temperature"], 270.0)


def test_files_that_overlap_are_named(tmp_path):
    fields(t2m="K").to_netcdf(tmp_path / "a.nc")
    fields(t2m="K").isel(time=slice(4, 6)).to_netcdf(tmp_path / "b.nc")
    with pytest.raises(DataError, match=r"t2m: a\.nc and b\.nc overlap: 2 times"):
        Era5Reader(tmp_path).open()


def test_files_on_other_grids_are_parts_of_their_own(tmp_path):
    fields(t2m="K").to_netcdf(tmp_path / "a.nc")
    fields(t2m="K").isel(latitude=slice(0, 2)).to_netcdf(tmp_path / "b.nc")
    assert Era5Reader(tmp_path).parts() == ["a.nc", "b.nc"]
    with pytest.raises(DataError, match="name one of its parts"):
        Era5Reader(tmp_path).open()
    assert Era5Reader(tmp_path).open("b.nc").sizes["latitude"] == 2


def test_only_what_is_asked_for_has_to_fit_together(tmp_path):
    fields(t2m="K").to_netcdf(tmp_path / "a.nc")
    fields(time=HOURS[::2], d2m="K").to_netcdf(tmp_path / "b.nc")
    with pytest.raises(DataError, match="the variables differ in their times"):
        Era5Reader(tmp_path).open()
    assert list(Era5Reader(tmp_path).open(variables=["tas"])) == ["tas"]
    with pytest.raises(DataError, match=r"no variable 'tp'.*There is: 2m_dewpoint_temperature, 2m_temperature"):
        Era5Reader(tmp_path).open(variables=["d2m", "tp"])


def test_fixed_fields_have_no_time_and_short_names_of_other_meaning_are_spelt_out(tmp_path):
    grid = {"latitude": LATITUDE, "longitude": LONGITUDE}
    mask = xr.Dataset({"lsm": (("time", *grid), np.ones((1, 3, 4)), {"units": "(0 - 1)"})}, {"time": HOURS[:1], **grid})
    mask.assign_attrs(HISTORY).to_netcdf(tmp_path / "mask.nc")
    amounts(sd=(0.2, "m of water equivalent"), siconc=(0.5, "(0 - 1)")).to_netcdf(tmp_path / "snow.nc")
    data = Era5Reader(tmp_path).open()
    assert data["land_sea_mask"].dims == ("latitude", "longitude")
    assert data["snow_depth"].attrs["units"] == "m"
    assert data.sizes["time"] == HOURS.size
    assert "sea_ice_cover" in data
    assert "'sd' read as 'snow_depth'" in " ".join(data.attrs["climbench_changes"])


@pytest.mark.parametrize(
    ("beside", "attributes", "name"),
    [
        ("t2m", {}, "geopotential_at_surface"),  # only single-level data has both
        ("t", {}, "geopotential"),  # of one level, which old files do not state
        ("t", {"GRIB_typeOfLevel": "surface"}, "geopotential_at_surface"),
        ("t2m", {"GRIB_typeOfLevel": "isobaricInhPa"}, "geopotential"),
    ],
)
def test_z_without_levels_is_that_of_the_surface_only_where_the_file_tells(tmp_path, beside, attributes, name):
    source = fields(z="m**2 s**-2", **{beside: "K"})
    source["z"].attrs.update(attributes)
    source.to_netcdf(tmp_path / "a.nc")
    data = Era5Reader(tmp_path / "a.nc").open()
    assert name in data
    assert data[name].dims == ("time", "latitude", "longitude")


def test_hourly_amounts_are_those_of_the_hour_before(tmp_path):
    source = amounts(
        ssrd=(1.8e6, "J m**-2"), ttr=(-7.2e5, "J m**-2"), tp=(1e-3, "m"), sf=(1e-4, "m of water equivalent")
    )
    source.to_netcdf(tmp_path / "a.nc")
    data = Era5Reader(tmp_path / "a.nc").open()
    np.testing.assert_allclose(data["surface_solar_radiation_downwards"], 500.0)  # 1.8 MJ m-2 in 3600 s
    np.testing.assert_allclose(data["top_net_thermal_radiation"], -200.0)
    np.testing.assert_allclose(data["total_precipitation"], 1e-3)
    assert data["snowfall"].attrs["units"] == "m"


@pytest.mark.parametrize("name", ["ssrd", "tp"])
@pytest.mark.parametrize(
    ("time", "step"),
    [
        (pd.date_range("2020-01-01", periods=4, freq="6h").values, "6-hourly"),
        (pd.date_range("2020-01-01", periods=4, freq="MS").values, "monthly"),
        (HOURS[:1], "single"),
    ],
)
def test_other_amounts_are_in_doubt_until_the_card_declares_their_hours(tmp_path, name, time, step):
    stored, window, flux = {"ssrd": ((8.64e6, "J m**-2"), 24, 100.0), "tp": ((0.024, "m"), 24, 24.0)}[name]
    amounts(time, **{name: stored}).to_netcdf(tmp_path / "a.nc")
    with pytest.raises(
        DataError, match=rf"is accumulated .* its times are {step}\. Declare .*24 for its monthly means"
    ):
        Era5Reader(tmp_path / "a.nc").open()
    units = {"ssrd": "W m-2", "tp": "mm/day"}[name]
    data = Era5Reader(tmp_path / "a.nc", card(**{name: {"units": units, "window": window}})).open()
    np.testing.assert_allclose(data[next(iter(data))], flux, rtol=1e-6)


def forecast_steps():
    """Accumulations as GRIB has them: starts at 06 and 18, steps to 12 h; of the first only the end was asked for."""
    starts, steps = pd.to_datetime(["2019-12-31T18", "2020-01-01T06"]), np.arange(1, 13) * np.timedelta64(1, "h")
    valid = starts.values[:, None] + steps[None, :]
    hours = (valid - np.datetime64("2020-01-01")) / np.timedelta64(1, "h")
    values = np.where((hours >= 0) & (hours <= 12), 1e-4 * (hours + 1), np.nan)
    grid = {"latitude": LATITUDE, "longitude": LONGITUDE}
    data = np.broadcast_to(values[:, :, None, None], (*values.shape, 3, 4)).astype("f4")
    return xr.Dataset(
        {"tp": (("time", "step", *grid), data, {"units": "m", "GRIB_paramId": 228})},
        {"time": starts, "step": steps, **grid, "valid_time": (("time", "step"), valid), "surface": 0.0},
        NEW,
    )


def test_forecast_steps_become_one_series_without_its_empty_ends(tmp_path):
    forecast_steps().to_netcdf(tmp_path / "a.nc")
    data = Era5Reader(tmp_path / "a.nc").open()
    rain = data["total_precipitation"]
    assert rain.dims == ("time", "latitude", "longitude")
    np.testing.assert_array_equal(data["time"], pd.date_range("2020-01-01", periods=13, freq="h"))
    np.testing.assert_allclose(rain[:, 0, 0], 1e-4 * np.arange(1, 14), rtol=1e-6)
    assert any("11 steps without values at the ends left out" in note for note in data.attrs["climbench_changes"])


def test_forecasts_that_overlap_are_no_reanalysis(tmp_path):
    source = forecast_steps().drop_vars("valid_time")
    source = source.assign_coords(time=pd.to_datetime(["2020-01-01T00", "2020-01-01T06"]))
    source.to_netcdf(tmp_path / "a.nc")
    with pytest.raises(DataError, match=r"forecasts that overlap.*--reader plain"):
        Era5Reader(tmp_path / "a.nc").open()


def test_a_file_of_one_level_keeps_it(tmp_path):
    source = fields(t="K").assign_coords(isobaricInhPa=850.0).assign_attrs(NEW)
    source.to_netcdf(tmp_path / "a.nc")
    data = Era5Reader(tmp_path / "a.nc").open()
    np.testing.assert_array_equal(data["level"], [850])
    assert data["temperature"].dims == ("time", "level", "latitude", "longitude")


def test_files_of_others_are_not_taken_for_era5(tmp_path):
    source = fields(t2m="K").drop_attrs()
    source.to_netcdf(tmp_path / "a.nc")
    assert recognise(tmp_path / "a.nc") == "plain"


def test_the_real_pieces(shared_data):
    folder = shared_data / "era5"
    assert recognise(folder) == "era5"
    reader = Era5Reader(folder)
    members, uk, means = reader.parts()
    data = reader.open(members)
    assert dict(data.sizes) == {"member": 10, "time": 4, "level": 2, "latitude": 61, "longitude": 120}
    with xr.open_dataset(folder / members) as raw:
        place = {"latitude": -30.0, "longitude": 90.0}
        wanted = raw["z"].sel(**place, isobaricInhPa=500, number=3).values
        np.testing.assert_array_equal(data["geopotential"].sel(**place, level=500, member=3), wanted)
    height = data["geopotential"].sel(level=500).mean() / 9.80665
    assert 5200.0 < float(height) < 5900.0  # metres, of the 500 hPa surface
    britain = reader.open(uk, ["tas"])
    assert britain.sizes["time"] == 744
    with xr.open_dataset(folder / uk) as raw:
        wanted = raw["t2m"].sel(latitude=55.0, longitude=-3.0).values
        np.testing.assert_array_equal(britain["tas"].sel(latitude=55.0, longitude=357.0), wanted)
    climate = reader.open(means)
    assert climate["u_component_of_wind"].dims == ("month", "level", "latitude", "longitude")
    jet = climate["u_component_of_wind"].sel(month=1, level=200).mean("longitude").sel(latitude=slice(20, 50))
    assert 25.0 < float(jet.max()) < 60.0  # m s-1: the subtropical jet of January
