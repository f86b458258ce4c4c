"""The one door: names, orders, longitudes, dates and units, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.cards import DatasetCard
from climbench.data.canonical import canonical, split_levels, with_units
from climbench.data.stores import open_store
from climbench.errors import DataError


def made(lat=(-45.0, 45.0), lon=(0.0, 90.0, 180.0, 270.0), time=(2080, 2081), dims=("time", "lat", "lon"), name="tas"):
    sizes = {"time": len(time), "lat": len(lat), "lon": len(lon)}
    values = np.arange(np.prod(list(sizes.values())), dtype="f8").reshape([sizes[d] for d in dims])
    data = xr.DataArray(values, dims=dims, coords={"time": list(time), "lat": list(lat), "lon": list(lon)}, name=name)
    return data.to_dataset()


def test_names_and_order():
    data, notes = canonical(made(dims=("lon", "lat", "time"), name="t2m").assign_coords(quantile=0.9), "file")
    assert data["2m_temperature"].dims == ("time", "latitude", "longitude")
    assert "quantile" not in data.coords
    assert notes == ["file: 't2m' read as '2m_temperature'"]
    assert data.attrs["climbench_changes"] == notes


@pytest.mark.parametrize("name", ["t2m", "2t", "2m_temperature", "tas"])
def test_of_two_names_of_one_quantity_the_wanted_one_is_given(name):
    data, _ = canonical(made(name=name), "file", wanted=("tas",))
    assert list(data) == ["tas"]


def test_latitude_is_put_in_order_with_its_values_and_said():
    source = made(lat=(45.0, -45.0))
    data, notes = canonical(source, "file")
    np.testing.assert_array_equal(data["latitude"], [-45.0, 45.0])
    np.testing.assert_array_equal(data["tas"].sel(latitude=45.0), source["tas"].sel(lat=45.0))
    assert "latitude was not ascending" in notes[0]


def test_longitude_is_turned_with_its_values_and_said():
    source = made(lon=(-180.0, -90.0, 0.0, 90.0))
    data, notes = canonical(source, "file")
    np.testing.assert_array_equal(data["longitude"], [0.0, 90.0, 180.0, 270.0])
    np.testing.assert_array_equal(data["tas"].sel(longitude=270.0), source["tas"].sel(lon=-90.0))
    assert "longitude was put in [0, 360)" in notes[0]


def test_annual_dates_become_years():
    data, notes = canonical(made(time=pd.to_datetime(["2080-07-01", "2081-07-01"])), "file")
    np.testing.assert_array_equal(data["time"], [2080, 2081])
    assert "2080..2081" in notes[0]


def test_years_are_put_in_order():
    source = made(time=(2081, 2080))
    data, _ = canonical(source, "file")
    np.testing.assert_array_equal(data["tas"].sel(time=2081), source["tas"].sel(time=2081))
    np.testing.assert_array_equal(data["time"], [2080, 2081])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (made(lat=(0.0, 120.0)), "Are latitude and longitude swapped"),
        (made(lon=(0.0, 90.0, 180.0, 360.0)), "the same meridian twice"),
        (made(lat=(10.0, 10.0)), "repeated or missing"),
        (made().drop_vars("lat"), "without coordinate values"),
        (made().rename(lat="latitude").expand_dims(lat=2), "names a dimension twice"),
    ],
)
def test_what_is_refused(data, message):
    with pytest.raises(DataError, match=message):
        canonical(data, "file")


def test_units_are_converted_and_the_assumption_said():
    rain = xr.DataArray([1.0], dims="time", name="pr", attrs={"units": "kg m-2 s-1"})
    converted, notes = with_units(rain, "mm/day", assumed=None, where="file: pr")
    assert float(converted[0]) == 86400.0
    assert notes == ["file: pr turned from kg m-2 s-1 into mm/day"]
    _, notes = with_units(rain.drop_attrs(), "mm/day", assumed="mm/day", where="file: pr")
    assert notes == ["file: pr states no units; taken as mm/day"]


def test_units_that_are_missing_or_wrong():
    rain = xr.DataArray([1.0], dims="time", name="pr")
    with pytest.raises(DataError, match=r"file: pr has no 'units' attribute; write one, such as units='mm/day'"):
        with_units(rain, "mm/day", assumed=None, where="file: pr")
    with pytest.raises(DataError, match=r"file: pr: The unit 'K' cannot be turned into 'mm/day'"):
        with_units(rain.assign_attrs(units="K"), "mm/day", assumed=None, where="file: pr")


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "cut.nc"
    made().to_netcdf(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(DataError, match=r"cut\.nc cannot be opened; it may be cut short or damaged"):
        open_store(path)


@pytest.mark.parametrize("name", ["nothing.nc", "text.nc", "folder"])
def test_what_is_no_file_of_ours(tmp_path, name):
    (tmp_path / "text.nc").write_text("hello")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=r"cannot be opened|There is no file"):
        open_store(tmp_path / name)


def test_pickles_are_not_read(tmp_path):
    import pickle

    path = tmp_path / "evil.nc"

    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match="cannot be opened"):
        open_store(path)


def forecast():
    time = pd.to_datetime(["2020-01-01", "2020-01-02"])
    leads = pd.to_timedelta([6, 12, 18], unit="h")
    values = np.zeros((2, 3, 2), "f4")
    return xr.Dataset(
        {"2m_temperature": (("time", "prediction_timedelta", "lat"), values)},
        {"time": time, "prediction_timedelta": leads, "lat": [-45.0, 45.0]},
    )


def test_forecasts_have_initial_and_lead_times():
    data, _ = canonical(forecast(), "file")
    assert data["2m_temperature"].dims == ("init_time", "lead_time", "latitude")
    assert data["lead_time"].values[0] == np.timedelta64(6, "h")


@pytest.mark.parametrize(
    ("levels", "units"), [([85000.0, 50000.0], "Pa"), ([850.0, 500.0], "hPa"), ([85000, 50000], "")]
)
def test_levels_leave_in_hpa_and_ascending(levels, units):
    source = xr.Dataset({"ta": ("plev", [1.0, 2.0])}, {"plev": ("plev", levels, {"units": units} if units else {})})
    data, notes = canonical(source, "file")
    assert data["level"].values.tolist() == [500, 850]
    assert data["ta"].values.tolist() == [2.0, 1.0]
    assert any("put in ascending order" in note for note in notes)


def test_bounds_and_scalar_coordinates_do_not_come_along():
    source = made().assign_coords(height=2.0).assign(lat_bnds=(("lat", "bnds"), np.zeros((2, 2))))
    data, _ = canonical(source, "file")
    assert set(data.variables) == {"time", "latitude", "longitude", "tas"}


def daily(days):
    source = made(time=tuple(pd.to_datetime("2001-01-01") + pd.to_timedelta(days, unit="D")))
    source["tas"] = source["tas"] + 280.0
    return source


def card(**settings):
    variables = {"tas": {"units": "K"}}
    return DatasetCard(name="mine", title="Mine", reader="plain", licence="none", variables=variables, **settings)


def test_a_time_axis_out_of_order_is_refused_until_it_is_declared():
    source = daily([0, 2, 1, 3])
    with pytest.raises(DataError, match=r"2001-01-02 stands after a later time.*unordered_times: sort"):
        canonical(source, "file")
    data, notes = canonical(source, "file", card(unordered_times="sort"))
    assert (np.diff(data["time"].values) > np.timedelta64(0)).all()
    np.testing.assert_array_equal(data["tas"][1], source["tas"][2])
    assert "times were put in order" in notes[0]


@pytest.mark.parametrize(("keep", "place"), [("first", 1), ("last", 2)])
def test_repeated_times_are_refused_until_it_is_declared_which_to_keep(keep, place):
    source = daily([0, 1, 1, 2])
    with pytest.raises(DataError, match=r"1 times occur twice, first 2001-01-02.*duplicate_times: first"):
        canonical(source, "file")
    data, notes = canonical(source, "file", card(duplicate_times=keep))
    np.testing.assert_array_equal(data["tas"].sel(time="2001-01-02").squeeze(), source["tas"][place])
    assert "1 repeated times left out" in notes[0]


def test_gaps_in_time_are_noted():
    _, notes = canonical(daily([0, 1, 2, 3, 7, 8, 9, 10]), "file")
    assert notes == ["file: 1 gaps in time, first after 2001-01-04"]


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "proleptic_gregorian"])
def test_control_runs_of_year_101_open_in_any_calendar(tmp_path, calendar):
    source = made(time=tuple(range(3)))
    source["time"] = ("time", [15.5, 45.0, 74.5], {"units": "days since 0101-01-01", "calendar": calendar})
    source.to_netcdf(tmp_path / "a.nc")
    data, _ = canonical(open_store(tmp_path / "a.nc"), "file")
    assert int(data["time"].dt.year[0]) == 101
    assert data["time"].size == 3


def test_packed_values_are_unpacked_lazily_and_with_their_scale(tmp_path):
    source = made(name="tas").assign(tas=made()["tas"] * 0.5 + 250.0)
    source.to_netcdf(
        tmp_path / "a.nc",
        encoding={"tas": {"dtype": "int16", "scale_factor": 0.01, "add_offset": 260.0, "_FillValue": -32768}},
    )
    data, _ = canonical(open_store(tmp_path / "a.nc"), "file")
    assert not isinstance(data["tas"].variable._data, np.ndarray)
    np.testing.assert_allclose(data["tas"].transpose("time", "latitude", "longitude"), source["tas"], atol=0.0051)


def test_conversions_stay_lazy_and_keep_the_chunks(tmp_path):
    made(name="pr").to_zarr(tmp_path / "a.zarr", zarr_format=3, consolidated=False)
    rain = open_store(tmp_path / "a.zarr")["pr"].assign_attrs(units="kg m-2 s-1")
    converted, _ = with_units(rain, "mm/day", assumed=None, where="file: pr")
    assert not isinstance(converted.variable._data, np.ndarray)
    assert converted.encoding["chunks"] == rain.encoding["chunks"]
    np.testing.assert_allclose(converted[:, 0], rain.values[:, 0] * 86400.0)


def test_celsius_becomes_kelvin_except_in_differences():
    warm = xr.DataArray([15.0], dims="time", name="tas", attrs={"units": "degC"})
    absolute, _ = with_units(warm, "K", assumed=None, where="file", difference=False)
    anomaly, _ = with_units(warm, "K", assumed=None, where="file", difference=True)
    assert float(absolute[0]) == pytest.approx(288.15)
    assert float(anomaly[0]) == 15.0


def test_level_suffixes_are_joined_lazily(tmp_path):
    source = xr.Dataset({f"temperature_{p}": ("time", np.arange(3.0) + p) for p in (850, 500)}, {"time": [1, 2, 3]})
    source["10m_wind_speed"] = ("time", np.zeros(3))
    source["model_17"] = ("time", np.zeros(3))
    data, notes = canonical(source, "file")
    data = split_levels(data, "file", notes)
    assert data["temperature"].sel(level=850).values.tolist() == [850.0, 851.0, 852.0]
    assert data["level"].values.tolist() == [500, 850]
    assert data["temperature"].chunks is not None
    assert {"10m_wind_speed", "model_17"} <= set(data)
    assert notes == ["file: temperature_500, temperature_850 read as levels of 'temperature'"]
