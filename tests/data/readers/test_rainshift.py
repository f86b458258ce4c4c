"""RainShift's layout: folders of regions with packed pairs of stores and fixed fields on the fine grid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data.layouts import recognise
from climbench.data.readers.rainshift import RainShiftReader
from climbench.errors import DataError

TIME = pd.date_range("2010-06-01", periods=5, freq="h").values
COARSE = {"latitude": np.array([10.5, 10.25, 10.0]), "longitude": np.array([-1.0, -0.75, -0.5, -0.25])}
FINE = {"latitude": np.round(np.arange(10.5, 9.95, -0.1), 2), "longitude": np.round(np.arange(-1.0, -0.15, 0.1), 2)}
PARTS = ["train inputs", "train targets", "test inputs", "test targets", "static"]


def packed(name, low, high):
    scale = (high - low) / 60000.0
    return {name: {"dtype": "int16", "scale_factor": scale, "add_offset": (low + high) / 2, "_FillValue": -32768}}


def rain(name, grid, scale, units, seed):
    values = np.random.default_rng(seed).random((TIME.size, *(v.size for v in grid.values()))) * scale
    return xr.Dataset({name: (("time", *grid), values, {"units": units} if units else {})}, {"time": TIME, **grid})


def region(folder):
    """A region whose packed values are known to half a step of the packing."""
    folder.mkdir()
    wanted = {}
    for i, split in enumerate(("train", "test")):
        inputs, target = rain("tp", COARSE, 0.02, "m", i), rain("precipitation", FINE, 60.0, "mm", i + 10)
        inputs["tisr"] = (inputs["tp"].dims, np.full(inputs["tp"].shape, 3.6e6), {"units": "J m**-2"})
        inputs["u"] = (inputs["tp"].dims, np.full(inputs["tp"].shape, -12.0), {"units": "m s**-1"})
        encoding = packed("tp", 0.0, 0.02) | packed("tisr", 0.0, 5e6) | packed("u", -50.0, 50.0)
        inputs.to_zarr(folder / f"{split}_data_in.zarr", zarr_format=2, encoding=encoding)
        target.to_zarr(folder / f"{split}_data_out.zarr", zarr_format=2, encoding=packed("precipitation", 0.0, 60.0))
        wanted |= {f"{split} inputs": inputs, f"{split} targets": target}
    shape = tuple(v.size for v in FINE.values())
    static = {"lsm": (tuple(FINE), np.ones(shape)), "z": (tuple(FINE), np.full(shape, 3000.0))}
    xr.Dataset(static, FINE).to_netcdf(folder / "static_variables.nc")
    return wanted


@pytest.fixture
def regions(tmp_path):
    return {name: region(tmp_path / name) for name in ("europe_west", "horn-of-africa")}


def test_regions_and_their_parts_are_named(tmp_path, regions):
    assert recognise(tmp_path) == "rainshift"
    assert recognise(tmp_path / "europe_west") == "rainshift"
    assert RainShiftReader(tmp_path).parts() == [f"{name} {part}" for name in regions for part in PARTS]
    assert RainShiftReader(tmp_path / "europe_west").parts() == [f"europe_west {part}" for part in PARTS]


@pytest.mark.parametrize("part", ["train inputs", "test inputs"])
def test_packed_inputs_are_unpacked_lazily(tmp_path, regions, part):
    data = RainShiftReader(tmp_path).open(f"europe_west {part}")
    assert not isinstance(data["total_precipitation"].variable._data, np.ndarray)
    source = regions["europe_west"][part]["tp"]
    found = data["total_precipitation"].sel(latitude=10.5, longitude=359.0)
    np.testing.assert_allclose(found, source.sel(latitude=10.5, longitude=-1.0), atol=0.02 / 60000)
    np.testing.assert_allclose(data["u_component_of_wind"], -12.0, atol=100 / 60000)


def test_targets_are_on_the_fine_grid_in_millimetres(tmp_path, regions):
    data = RainShiftReader(tmp_path).open("horn-of-africa train targets")
    assert data["precipitation"].attrs["units"] == "mm"
    assert (data.sizes["latitude"], data.sizes["longitude"]) == (6, 9)
    source = regions["horn-of-africa"]["train targets"]["precipitation"]
    np.testing.assert_allclose(data["precipitation"].values[:, ::-1], source.values, atol=60 / 60000)


def test_fixed_fields_have_the_geopotential_of_the_surface(tmp_path, regions):
    data = RainShiftReader(tmp_path).open("europe_west static")
    assert set(data) == {"land_sea_mask", "geopotential_at_surface"}
    np.testing.assert_allclose(data["geopotential_at_surface"], 3000.0)
    assert data["geopotential_at_surface"].dims == ("latitude", "longitude")


def test_energy_stays_as_it_is_stored_because_its_hours_are_not_stated(tmp_path, regions):
    data = RainShiftReader(tmp_path).open("europe_west train inputs", variables=["tisr"])
    assert data["toa_incident_solar_radiation"].attrs["units"] == "J m-2"
    np.testing.assert_allclose(data["toa_incident_solar_radiation"], 3.6e6, atol=5e6 / 60000)


def test_rows_and_columns_that_carry_latitudes_and_longitudes(tmp_path):
    region(tmp_path / "blacksea")
    path = tmp_path / "blacksea" / "static_variables.nc"
    with xr.open_dataset(path) as opened:
        static = opened.load()
    renamed = static.rename_dims(latitude="y", longitude="x").rename_vars(latitude="lat", longitude="lon")
    renamed.reset_index(["lat", "lon"]).to_netcdf(path)
    data = RainShiftReader(tmp_path).open("blacksea static")
    assert data["land_sea_mask"].dims == ("latitude", "longitude")
    path.unlink()
    static.rename_dims(latitude="y", longitude="x").drop_vars(["latitude", "longitude"]).to_netcdf(path)
    with pytest.raises(DataError, match=r"rows and columns \(y, x\) without latitude and longitude"):
        RainShiftReader(tmp_path).open("blacksea static")


def test_a_part_that_is_not_there_and_a_folder_without_regions(tmp_path, regions):
    with pytest.raises(DataError, match=r"no part 'europe_west train'.*Did you mean 'europe_west static'|There is"):
        RainShiftReader(tmp_path).open("europe_west train")
    (tmp_path / "empty").mkdir()
    assert not RainShiftReader.recognises(tmp_path / "empty")
    with pytest.raises(DataError, match="no folder of a region"):
        RainShiftReader(tmp_path / "empty").parts()


def test_files_of_parts_and_that_they_are_of_no_world(tmp_path, regions):
    reader = RainShiftReader(tmp_path)
    paths = reader.paths(["europe_west train inputs", "europe_west static"])
    assert paths == [tmp_path / "europe_west" / name for name in ("train_data_in.zarr", "static_variables.nc")]
    assert reader.origin(paths) is None
    assert reader.origin([]) is None
    with pytest.raises(DataError, match="no part 'europe_west dynamic'"):
        reader.paths(["europe_west dynamic"])
