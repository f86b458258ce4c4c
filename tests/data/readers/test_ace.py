"""ACE's layout: layers and interfaces as suffixes, names of the Unified Forecast System, a Gaussian grid."""

from __future__ import annotations

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data.layouts import recognise
from climbench.data.readers.ace import AceReader
from climbench.data.readers.plain import PlainReader
from climbench.errors import DataError

LAYERS = 8
AK = np.array([64.247, 5167.146, 12905.424, 13982.469, 12165.284, 8910.078, 4955.727, 2155.794, 0.0])
BK = np.array([0.0, 0.0, 0.01755, 0.11746, 0.26882, 0.46284, 0.68089, 0.84406, 1.0])
GAUSSIAN = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(6)[0])).astype("f4")  # from south to north
LONGITUDE = np.arange(0.0, 360.0, 90.0, dtype="f4")
TIME = pd.date_range("2020-01-01", periods=8, freq="6h").values


def source(time=TIME, latitude=GAUSSIAN, layers=LAYERS, **sizes):
    """Layer k is k kelvin above 200, and hours and rows add to it; surface pressure is 1000 hPa."""
    dims = (*sizes, "time", "latitude", "longitude")
    shape = (*sizes.values(), len(time), latitude.size, LONGITUDE.size)
    row = (
        np.arange(latitude.size)[:, None] * 0.01 * np.sign(latitude[-1] - latitude[0])
        + np.arange(len(time))[:, None, None]
    )
    fields = {
        f"air_temperature_{k}": (dims, np.broadcast_to(200.0 + k + row, shape).astype("f4"), {"units": "K"})
        for k in range(layers)
    }
    fields["PRESsfc"] = (dims, np.full(shape, 1e5, "f4"), {"units": "Pa"})
    fields["PRATEsfc"] = (dims, np.full(shape, 1e-4, "f4"), {"units": "kg/m**2/s"})
    fields["LHTFLsfc"] = (dims, np.full(shape, 80.0, "f4"), {"units": "W/m**2"})
    fields["HGTsfc"] = (dims[-2:], np.zeros(shape[-2:], "f4") + 5.0, {"units": "m"})
    fields["land_fraction"] = (dims[-2:], np.full(shape[-2:], 0.3, "f4"), {"units": "unitless"})
    scalars = {f"ak_{i}": ((), a, {"units": "Pa"}) for i, a in enumerate(AK)} | {
        f"bk_{i}": ((), b) for i, b in enumerate(BK)
    }
    return xr.Dataset({**fields, **scalars}, {"time": time, "latitude": latitude, "longitude": LONGITUDE})


def written(data, path):
    data.to_zarr(path, zarr_format=3, consolidated=False, write_empty_chunks=True)
    return path


def test_layers_and_interfaces_become_dimensions(tmp_path):
    path = written(source(), tmp_path / "ace.zarr")
    assert recognise(path) == "ace"
    data = AceReader(path).open()
    assert data["air_temperature"].dims == ("time", "layer", "latitude", "longitude")
    np.testing.assert_array_equal(data["layer"], np.arange(LAYERS))
    np.testing.assert_allclose(data["air_temperature"][0, :, 0, 0], 200.0 + np.arange(LAYERS), atol=1e-4)
    np.testing.assert_allclose(data["ak"], AK)
    np.testing.assert_allclose(data["bk"], BK)
    assert data["ak"].dims == ("interface",)
    assert not [name for name in data if name.startswith(("ak_", "bk_", "air_temperature_"))]


def test_interfaces_keep_the_unit_that_the_store_states(tmp_path):
    data = source()
    for i in range(AK.size):
        data[f"ak_{i}"] = data[f"ak_{i}"].assign_attrs(units="hPa")
    assert AceReader(written(data, tmp_path / "ace.zarr")).open()["ak"].attrs["units"] == "hPa"
    data["ak_3"].attrs["units"] = "Pa"
    with pytest.raises(DataError, match="ak is in 'Pa' and 'hPa'"):
        AceReader(written(data, tmp_path / "both.zarr")).open()


def test_layer_0_is_the_top_and_the_layers_fill_the_column(tmp_path):
    data = AceReader(written(source(), tmp_path / "ace.zarr")).open()
    pressure = data["ak"] + data["bk"] * data["PRESsfc"].isel(time=0, latitude=0, longitude=0)
    assert (np.diff(pressure) > 0).all()
    assert float(pressure[0]) == pytest.approx(64.247)
    assert float(pressure[-1]) == pytest.approx(1e5)


def test_what_is_in_layers_stays_lazy_in_the_chunks_of_the_store(tmp_path):
    path = written(source().chunk(time=2), tmp_path / "ace.zarr")
    data = AceReader(path).open(variables=["air_temperature", "PRESsfc"])
    assert data["air_temperature"].chunks[0] == (2, 2, 2, 2)
    assert not isinstance(data["PRESsfc"].variable._data, np.ndarray)


def test_names_and_units_are_the_community_s(tmp_path):
    data = AceReader(written(source(), tmp_path / "ace.zarr")).open()
    assert {"PRESsfc", "PRATEsfc", "LHTFLsfc", "HGTsfc", "land_fraction"} <= set(data)
    assert data["PRATEsfc"].attrs["units"] == "kg m-2 s-1"
    np.testing.assert_allclose(data["PRATEsfc"], 1e-4)
    np.testing.assert_allclose(data["LHTFLsfc"], 80.0)
    assert data["HGTsfc"].dims == ("latitude", "longitude")


def test_a_folder_of_sorted_files_is_joined_from_either_pole(tmp_path):
    whole = source(latitude=GAUSSIAN[::-1])
    for i in range(4):
        whole.isel(time=slice(2 * i, 2 * i + 2)).to_netcdf(tmp_path / f"{i:03d}.nc")
    assert recognise(tmp_path) == "ace"
    reader = AceReader(tmp_path)
    assert reader.parts() == [tmp_path.name]
    data = reader.open()
    np.testing.assert_array_equal(data["time"], TIME)
    np.testing.assert_allclose(data["latitude"], GAUSSIAN)
    column = data["air_temperature"].isel(time=5, longitude=1)
    np.testing.assert_allclose(column[3, 0], 200.0 + 3 + 5 - 0.05, atol=1e-4)  # the southernmost was the sixth row
    assert data["air_temperature"].chunks is not None


def test_files_of_two_models_are_not_joined(tmp_path):
    source(TIME[:4]).to_netcdf(tmp_path / "a.nc")
    other = source(TIME[4:])
    other["ak_3"] = other["ak_3"] * 1.1
    other.to_netcdf(tmp_path / "b.nc")
    with pytest.raises(DataError, match=r"a\.nc and b\.nc differ in their layers \('ak_3'\)"):
        AceReader(tmp_path).open()


@pytest.mark.parametrize("name", ["ensemble", "sample"])
def test_an_ensemble_has_members(tmp_path, name):
    data = AceReader(written(source(**{name: 2}), tmp_path / "ace.zarr")).open()
    assert data["PRESsfc"].dims == ("member", "time", "latitude", "longitude")
    assert data["air_temperature"].dims == ("member", "time", "layer", "latitude", "longitude")


def test_the_model_s_own_names_of_its_grid_and_its_calendar(tmp_path):
    time = np.array([cftime.DatetimeJulian(2020, 1, 1, 6 * i) for i in range(4)])
    path = written(source(time).rename(latitude="grid_yt", longitude="grid_xt"), tmp_path / "ace.zarr")
    data = AceReader(path).open()
    assert data["PRESsfc"].dims == ("time", "latitude", "longitude")
    assert data["time"].dt.calendar == "julian"


def test_layers_that_do_not_fit_the_interfaces_are_refused(tmp_path):
    path = written(source(layers=7), tmp_path / "ace.zarr")
    with pytest.raises(DataError, match=r"air_temperature has 7 layers \(air_temperature_0 to air_temperature_6\)"):
        AceReader(path).open()


def test_a_missing_interface_is_refused(tmp_path):
    path = written(source().drop_vars("bk_8"), tmp_path / "ace.zarr")
    with pytest.raises(DataError, match="there are 9 of ak and 8 of bk"):
        AceReader(path).open()


def test_other_numbered_variables_are_left_as_they_are(tmp_path):
    soil = {f"soil_moisture_{k}": source()["PRESsfc"].drop_attrs() * 0.0 + k for k in range(4)}
    data = AceReader(written(source().assign(soil), tmp_path / "ace.zarr")).open()
    assert set(soil) <= set(data)


def test_layers_are_never_taken_for_pressures(tmp_path):
    source().drop_vars([f"{k}k_{i}" for k in "ab" for i in range(9)]).to_netcdf(tmp_path / "a.nc")
    data = PlainReader(tmp_path / "a.nc").open()
    assert "level" not in data.dims
    assert "air_temperature_7" in data
