"""ARCO-ERA5's store: a time axis longer than the data, latitude from the north, hourly amounts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.cards import DatasetCard
from climbench.data.layouts import recognise
from climbench.data.readers.arco import ArcoReader
from climbench.errors import DataError
from tests.data.readers.known_fields import assert_expected, expected

LATITUDE = np.linspace(90.0, -90.0, 7, dtype="float32")
LONGITUDE = np.arange(0.0, 360.0, 60.0, dtype="float32")
TIME = pd.date_range("2020-01-01", "2020-01-04T23:00", freq="h").values
ATTRIBUTES = {"valid_time_start": "2020-01-02", "valid_time_stop": "2020-01-02", "valid_time_stop_era5t": "2020-01-03"}


def source(time=TIME, **attributes):
    coords = {"time": time, "level": np.array([500, 1000]), "latitude": LATITUDE, "longitude": LONGITUDE}
    arrays = {name: xr.DataArray(values, dims=name) for name, values in coords.items()}
    on_levels, flat = ("time", "level", "latitude", "longitude"), ("time", "latitude", "longitude")
    values = {
        "temperature": (on_levels, expected(arrays, 270.0).transpose(*on_levels).values, {"units": "K"}),
        "total_precipitation": (flat, np.full((time.size, 7, 6), 1e-3), {"units": "m"}),
        "top_net_thermal_radiation": (flat, np.full((time.size, 7, 6), -8.64e5), {"units": "J m**-2"}),
    }
    data = xr.Dataset({n: (d, v.astype("f4"), a) for n, (d, v, a) in values.items()}, coords)
    valid = (data["time"] >= np.datetime64("2020-01-02")) & (data["time"] < np.datetime64("2020-01-03"))
    data["temperature"] = data["temperature"].where(valid).assign_attrs(units="K")
    return data.assign_attrs(attributes or ATTRIBUTES)


def written(data, path):
    data.to_zarr(path, zarr_format=2, consolidated=True, write_empty_chunks=True)
    return path


def test_times_outside_the_valid_ones_are_cut_off_and_said(tmp_path):
    path = written(source(), tmp_path / "arco.zarr")
    assert recognise(path) == "arco"
    data = ArcoReader(path).open()
    np.testing.assert_array_equal(data["time"], pd.date_range("2020-01-02", "2020-01-02T23:00", freq="h"))
    assert np.isfinite(data["temperature"]).all()
    notes = [note for note in data.attrs["climbench_changes"] if "72 times outside" in note]
    assert len(notes) == 1
    assert "2020-01-02..2020-01-02T23:00 left out" in notes[0]


def test_values_stand_where_they_belong_and_stay_lazy(tmp_path):
    data = ArcoReader(written(source(), tmp_path / "arco.zarr")).open()
    assert not isinstance(data["temperature"].variable._data, np.ndarray)
    assert data["temperature"].dims == ("time", "level", "latitude", "longitude")
    assert (np.diff(data["latitude"]) > 0).all()
    assert_expected(data["temperature"], 270.0)


def test_amounts_of_an_hour_become_fluxes(tmp_path):
    data = ArcoReader(written(source(), tmp_path / "arco.zarr")).open()
    np.testing.assert_allclose(data["top_net_thermal_radiation"], -240.0)  # 864 kJ m-2 in 3600 s
    np.testing.assert_allclose(data["total_precipitation"], 1e-3)
    assert data["total_precipitation"].attrs["units"] == "m"


def thinned():
    return source().isel(time=slice(0, None, 6))


def test_times_that_are_no_longer_hourly_leave_the_hours_in_doubt(tmp_path):
    path = written(thinned(), tmp_path / "arco.zarr")
    with pytest.raises(
        DataError, match=r"its times are 6-hourly. Declare them on a card .*window: .*1 for ERA5's hourly"
    ):
        ArcoReader(path).open(variables=["top_net_thermal_radiation"])
    assert ArcoReader(path).open(variables=["temperature"]).sizes["time"] == 4


def test_a_card_settles_the_doubt(tmp_path):
    variables = {"top_net_thermal_radiation": {"units": "W m-2", "window": 1}}
    card = DatasetCard(name="mine", title="Mine", reader="arco", licence="none", variables=variables)
    data = ArcoReader(written(thinned(), tmp_path / "arco.zarr"), card).open(variables=["ttr"])
    np.testing.assert_allclose(data["top_net_thermal_radiation"], -240.0)


def test_a_copy_that_holds_valid_times_only_is_given_whole(tmp_path):
    path = written(source().isel(time=slice(24, 48)), tmp_path / "arco.zarr")
    data = ArcoReader(path).open()
    assert data.sizes["time"] == 24
    assert not any("left out" in note for note in data.attrs["climbench_changes"])


@pytest.mark.parametrize(
    ("stop", "message"), [("1999-12-31", "has no time within valid_time_start and"), ("soon", "is no date: 'soon'")]
)
def test_attributes_that_cannot_be_right_are_refused(tmp_path, stop, message):
    path = written(source(valid_time_stop=stop), tmp_path / "arco.zarr")
    with pytest.raises(DataError, match=message):
        ArcoReader(path).open()
