"""The one door: names, orders, longitudes, dates and units, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data.canonical import canonical, open_file, with_units
from climbench.errors import DataError


def made(lat=(-45.0, 45.0), lon=(0.0, 90.0, 180.0, 270.0), time=(2080, 2081), dims=("time", "lat", "lon"), name="tas"):
    sizes = {"time": len(time), "lat": len(lat), "lon": len(lon)}
    values = np.arange(np.prod(list(sizes.values())), dtype="f8").reshape([sizes[d] for d in dims])
    data = xr.DataArray(values, dims=dims, coords={"time": list(time), "lat": list(lat), "lon": list(lon)}, name=name)
    return data.to_dataset()


def test_names_and_order():
    data, notes = canonical(made(dims=("lon", "lat", "time"), name="t2m").assign_coords(quantile=0.9), "file")
    assert data["tas"].dims == ("time", "latitude", "longitude")
    assert "quantile" not in data.coords
    assert notes == ["file: 't2m' read as 'tas'"]


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
    assert notes == []
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
        open_file(path)


@pytest.mark.parametrize("name", ["nothing.nc", "text.nc", "folder"])
def test_what_is_no_file_of_ours(tmp_path, name):
    (tmp_path / "text.nc").write_text("hello")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=r"cannot be opened|There is no file"):
        open_file(tmp_path / name)


def test_pickles_are_not_read(tmp_path):
    import pickle

    path = tmp_path / "evil.nc"

    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match="cannot be opened"):
        open_file(path)
