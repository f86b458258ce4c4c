"""ClimateBench's layout as its archives have it: 96 x 144 with the poles, integer years, dimensions spelt two ways."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from climbench.cards import find_dataset
from climbench.data.readers.climatebench import ClimateBenchReader
from climbench.errors import DataError
from climbench.records import WORLD_ATTRIBUTE
from tests import synthetic

LATITUDE = np.linspace(-90.0, 90.0, 96)
LONGITUDE = np.arange(144) * 2.5
YEARS = np.arange(1850, 1853)
CO2 = np.array([0.1883, 0.3772, 0.5738])  # the first three years of historical
ALL = ("tas", "diurnal_temperature_range", "pr", "pr90")


def outputs():
    """Two members of three years; the first lacks the diurnal range in 1851."""
    rng = np.random.default_rng(0)
    fields = {name: rng.standard_normal((2, 3, 96, 144)).astype("float32") for name in ALL}
    fields["pr"] *= np.float32(1e-6)
    fields["pr90"] = fields["pr90"].astype("float64") * 3e-6
    fields["diurnal_temperature_range"][0, 1] = np.nan
    coords = {"member": [1, 2], "time": YEARS, "lat": LATITUDE, "lon": LONGITUDE, "quantile": 0.9}
    return xr.Dataset({name: (("member", "time", "lat", "lon"), f) for name, f in fields.items()}, coords=coords)


def inputs():
    flux = np.random.default_rng(1).random((3, 96, 144)) * 1e-11
    maps = {name: (("time", "latitude", "longitude"), flux * scale) for name, scale in (("SO2", 1.0), ("BC", 0.1))}
    coords = {"time": YEARS, "latitude": LATITUDE, "longitude": LONGITUDE}
    return xr.Dataset({"CO2": ("time", CO2), "CH4": ("time", [0.03131, 0.03174, 0.03218]), **maps}, coords=coords)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The folders that the two archives unpack into."""
    folder = tmp_path_factory.mktemp("archive")
    for part in ("train_val", "test"):
        (folder / part).mkdir()
    outputs().to_netcdf(folder / "train_val" / "outputs_historical.nc")
    inputs().to_netcdf(folder / "train_val" / "inputs_historical.nc")
    synthetic.outputs("ssp245").to_netcdf(folder / "test" / "outputs_ssp245.nc")
    synthetic.inputs("ssp245").to_netcdf(folder / "test" / "inputs_ssp245.nc")
    return folder


def reader(folder):
    return ClimateBenchReader(folder, find_dataset("climatebench"))


def write(folder, data, name="outputs_ssp126", **options):
    folder.mkdir(exist_ok=True)
    data.to_netcdf(folder / f"{name}.nc", **options)
    return folder


def small(variables=ALL):
    return synthetic.outputs("ssp126")[list(variables)]


def test_outputs_come_in_canonical_form_with_nothing_changed_but_names(archive):
    data = reader(archive).outputs("historical", ALL)
    source = outputs()
    assert list(data) == list(ALL)
    assert set(data.coords) == {"member", "time", "latitude", "longitude"}, "the scalar coordinate quantile is dropped"
    for name in ALL:
        assert data[name].dims == ("member", "time", "latitude", "longitude")
        assert data[name].dtype == source[name].dtype
        np.testing.assert_array_equal(data[name].values, source[name].values)
    assert data["time"].dtype == "int64"
    np.testing.assert_array_equal(data["time"], YEARS)
    np.testing.assert_array_equal(data["member"], [1, 2])
    np.testing.assert_array_equal(data["latitude"], LATITUDE)
    np.testing.assert_array_equal(data["longitude"], LONGITUDE)


def test_inputs_come_in_canonical_form(archive):
    data = reader(archive).inputs("historical", ("CO2", "CH4", "SO2", "BC"))
    source = inputs()
    np.testing.assert_array_equal(data["CO2"], CO2)
    assert data["CO2"].dims == data["CH4"].dims == ("time",)
    for name in ("SO2", "BC"):
        assert data[name].dims == ("time", "latitude", "longitude")
        np.testing.assert_array_equal(data[name].values, source[name].values)


def test_inputs_and_outputs_lie_on_one_grid_though_they_spell_it_differently(archive):
    found = reader(archive)
    forcing, climate = found.inputs("historical", ["SO2"]), found.outputs("historical", ["tas"])
    xr.testing.assert_equal(forcing["latitude"].drop_attrs(), climate["latitude"].drop_attrs())
    place = {"time": 1852, "latitude": LATITUDE[70], "longitude": 30.0}
    assert forcing["SO2"].sel(place).item() == inputs()["SO2"].values[2, 70, 12]
    assert climate["tas"].sel(place).values[1] == outputs()["tas"].values[1, 2, 70, 12]


def test_gaps_of_a_member_stay_gaps(archive):
    data = reader(archive).outputs("historical", ("diurnal_temperature_range", "tas"))
    missing = data["diurnal_temperature_range"].isnull()
    assert int(missing.sum()) == 96 * 144
    assert bool(missing.sel(member=1, time=1851).all())
    assert not bool(data["tas"].isnull().any())


def test_both_folders_of_the_archives_are_read(archive):
    found = reader(archive)
    assert found.experiments("outputs") == found.experiments("inputs") == ["historical", "ssp245"]
    assert found.path("outputs", "ssp245") == archive / "test" / "outputs_ssp245.nc"
    assert [p.parent.name for p in found.paths(["historical"], ["ssp245"])] == ["train_val", "test"]
    assert found.outputs("ssp245", ["tas"]).sizes["time"] == 86
    assert reader(archive / "test").experiments("inputs") == ["ssp245"]


def test_other_files_of_the_folder_are_not_read(tmp_path):
    folder = write(tmp_path / "data", small())
    for name in ("outputs_ssp585.nc.part", "outputs_.nc", "my_outputs_ssp370.nc", "outputs_ssp126.csv", "readme.txt"):
        (folder / name).write_text("nothing")
    assert reader(folder).experiments("outputs") == ["ssp126"]


def test_an_unknown_experiment_offers_the_closest(archive):
    with pytest.raises(
        DataError, match=r"no outputs of the scenario 'ssp254'\. Did you mean 'ssp245'\? There is: hist"
    ):
        reader(archive).outputs("ssp254", ["tas"])
    with pytest.raises(DataError, match=r"no inputs of the scenario 'piControl'\. There is: historical, ssp245\."):
        reader(archive).inputs("piControl", ["CO2"])


def test_an_unknown_variable_offers_the_closest(archive):
    with pytest.raises(DataError, match=r"outputs_historical\.nc has no variable 'tos'\. Did you mean 'tas'\?"):
        reader(archive).outputs("historical", ["tas", "tos"])


def test_no_folder_and_no_files(tmp_path):
    with pytest.raises(DataError, match=r"no data folder .*gone\. Name one with --data"):
        reader(tmp_path / "gone")
    with pytest.raises(DataError, match=r"holds no file named inputs_\{experiment\}\.nc or outputs_\{experiment\}\.nc"):
        reader(tmp_path)


# Units


def test_files_that_state_no_units_are_in_those_of_the_card(archive):
    """The archives state none: temperatures are K, precipitation is kg m-2 s-1."""
    data = reader(archive).outputs("historical", ALL)
    assert [data[name].attrs["units"] for name in ALL] == ["K", "K", "kg m-2 s-1", "kg m-2 s-1"]
    forcing = reader(archive).inputs("historical", ("CO2", "CH4", "SO2", "BC"))
    assert [f.attrs["units"] for f in forcing.values()] == ["GtCO2", "GtCH4/year", "kg m-2 s-1", "kg m-2 s-1"]


@pytest.mark.parametrize(
    ("name", "units", "factor"),
    [("pr", "mm/day", 1 / 86400.0), ("pr90", "mm day-1", 1 / 86400.0), ("tas", "degC", 1.0), ("tas", "mK", 1e-3)],
)
def test_other_units_are_converted_by_what_the_file_states(tmp_path, name, units, factor):
    data = small()
    data[name].attrs["units"] = units
    found = reader(write(tmp_path / "data", data)).outputs("ssp126", [name])[name]
    np.testing.assert_allclose(found, factor * data[name].values, rtol=1e-12)
    assert found.attrs["units"] in ("K", "kg m-2 s-1")


def test_units_that_measure_something_else_are_refused(tmp_path):
    data = small()
    data["pr"].attrs["units"] = "K"
    with pytest.raises(DataError, match=r"outputs_ssp126\.nc: pr: .*'K' cannot be turned into 'kg m-2 s-1'"):
        reader(write(tmp_path / "data", data)).outputs("ssp126", ["tas", "pr"])


# Other forms of the same


def test_outputs_without_a_member_axis_are_one_member(tmp_path):
    folder = write(tmp_path / "data", small().isel(member=0, drop=True))
    data = reader(folder).outputs("ssp126", ["tas"])
    assert data["tas"].dims == ("member", "time", "latitude", "longitude")
    np.testing.assert_array_equal(data["member"], [1])
    np.testing.assert_array_equal(data["tas"][0], small()["tas"][0])


def test_inputs_that_are_one_number_are_held_constant(tmp_path):
    """As in 1pctCO2 and abrupt-4xCO2, where everything but CO2 is a zero without dimensions."""
    data = xr.Dataset({"CO2": ("time", [10.0, 20.0]), "SO2": 0.0, "CH4": 0.25}, coords={"time": [1, 2]})
    folder = write(tmp_path / "data", data, "inputs_1pctCO2")
    found = reader(folder).inputs("1pctCO2", ("CO2", "SO2", "CH4"))
    for name, values in (("CO2", [10.0, 20.0]), ("SO2", [0.0, 0.0]), ("CH4", [0.25, 0.25])):
        assert found[name].dims == ("time",)
        np.testing.assert_array_equal(found[name], values)


def test_a_zarr_store_is_read_like_a_file(tmp_path):
    write(tmp_path / "file", small())
    small().to_zarr(tmp_path / "store" / "outputs_ssp126.zarr", consolidated=False)
    file, store = (reader(tmp_path / name).outputs("ssp126", ALL).load() for name in ("file", "store"))
    for name in ALL:
        np.testing.assert_array_equal(store[name], file[name])
        assert store[name].attrs["units"] == file[name].attrs["units"]
    for name in ("member", "time", "latitude", "longitude"):
        np.testing.assert_array_equal(store[name], file[name])
    assert "quantile" not in store.coords


def test_rows_from_north_to_south_are_put_in_order_with_a_note(tmp_path):
    folder = write(tmp_path / "data", small().isel(lat=slice(None, None, -1)))
    found = reader(folder)
    np.testing.assert_array_equal(found.outputs("ssp126", ["tas"])["tas"], small()["tas"])
    found.outputs("ssp126", ["pr"])
    assert found.notes == ["outputs_ssp126.nc: latitude was not ascending and was put in order, values with it"]


def test_a_file_that_is_cut_short_is_named(tmp_path):
    path = write(tmp_path / "data", small()) / "outputs_ssp126.nc"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"outputs_ssp126\.nc cannot be opened; it may be cut short or damaged"):
        reader(tmp_path / "data").outputs("ssp126", ["tas"])


@pytest.mark.parametrize("kind", ["NETCDF3_64BIT", "NETCDF3_CLASSIC"])
@pytest.mark.parametrize("unlimited", [[], ["time"]])
def test_a_classic_file_that_is_cut_short_is_not_read_as_zeros(tmp_path, kind, unlimited):
    """NetCDF 3 gives zeros beyond a file's end, without an error; with coordinates first nothing else would tell."""
    data = small(["tas"]).drop_vars("quantile").astype("f4").transpose("time", "member", "lat", "lon")
    path = write(tmp_path / "data", data, format=kind, unlimited_dims=unlimited) / "outputs_ssp126.nc"
    np.testing.assert_array_equal(
        reader(tmp_path / "data").outputs("ssp126", ["tas"])["tas"], data["tas"].transpose("member", ...)
    )
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(DataError, match=r"outputs_ssp126\.nc cannot be opened; it may be cut short or damaged"):
        reader(tmp_path / "data").outputs("ssp126", ["tas"])


# Origin


def test_files_without_a_mark_are_real(archive):
    found = reader(archive)
    assert found.origin(found.paths(["historical"], ["ssp245"])) is None


def test_the_mark_of_a_world_is_read(tmp_path):
    mark = {"world": "mini", "version": "1", "seed": 3, "members": 2}
    folder = write(tmp_path / "data", small().assign_attrs({WORLD_ATTRIBUTE: json.dumps(mark)}))
    found = reader(folder)
    assert found.origin(found.paths([], ["ssp126"])) == mark


@pytest.mark.parametrize("mark", ["by hand", "3", "[1]", "{}", 7])
def test_a_mark_that_says_nothing_is_refused(tmp_path, mark):
    found = reader(write(tmp_path / "data", small().assign_attrs({WORLD_ATTRIBUTE: mark})))
    with pytest.raises(DataError, match="the mark of the world that made the files cannot be read"):
        found.origin(found.paths([], ["ssp126"]))


# The real thing, from another model


def test_real_output_in_this_layout(cesm2):
    found = reader(cesm2)
    climate, forcing = found.outputs("ssp126", ["tas", "pr"]), found.inputs("ssp126", ["CO2", "SO2"])
    assert climate["tas"].dims == ("member", "time", "latitude", "longitude")
    assert climate["pr"].attrs["units"] == "kg m-2 s-1"
    assert (climate["time"].values[[0, -1]].tolist(), forcing["time"].values[[0, -1]].tolist()) == (
        [2015, 2099],
        [2015, 2100],
    )
    # The documented spot values of cumulative emissions, GtCO2.
    np.testing.assert_allclose(forcing["CO2"].sel(time=[2015, 2016, 2099, 2100]), [1536, 1572, 2798, 2793], atol=0.5)
    assert float(abs(climate["latitude"] - forcing["latitude"].values).max()) > 0.3, "the grids lie half a degree apart"
