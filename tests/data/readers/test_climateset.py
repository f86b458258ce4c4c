"""ClimateSet's folders: a file a year, inputs beside outputs, and emissions told apart by their fires."""

from __future__ import annotations

import cftime
import numpy as np
import pytest
import xarray as xr

from climbench.cards import find_dataset
from climbench.data.readers.climateset import ClimateSetReader, facets_of
from climbench.errors import DataError
from tests.data.readers.cmip_files import LATITUDE, LONGITUDE, monthly

PART = "outputs.NorESM2-LM.r1i1p1f1.ssp126.250_km.mon"
FLUX = {"BC": 1e-12, "SO2": 1e-11, "CO2": 1e-8}


def put(root, tail, name, data):
    path = root.joinpath(*tail.split("/")) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data.to_netcdf(path)
    return path


def put_output(root, variable, year, *, member="r1i1p1f1", scenario="ssp126", calendar="noleap"):
    tail = f"outputs/CMIP6/NorESM2-LM/{member}/{scenario}/{variable}/250_km/mon/{year}"
    name = f"CMIP6_NorESM2-LM_{member}_{scenario}_{variable}_250_km_mon_gn_{year}.nc"
    return put(root, tail, name, monthly(variable, year, 1, calendar=calendar))


def put_input(root, gas, year, fires="", *, scenario="ssp126", factor=1.0, resolution="250_km", units=None):
    dates = [cftime.datetime(year, month, 1, calendar="noleap") for month in range(1, 13)]
    field = np.full((12, 3, 4), factor * FLUX[gas])
    data = xr.Dataset({gas: (("time", "lat", "lon"), field, {"units": units} if units else {})})
    data = data.assign_coords(time=dates, lat=LATITUDE, lon=LONGITUDE)
    mark = f"_{fires}" if fires else ""
    name = f"input4mips_{scenario}_{gas}{mark}_sum_250_km_mon_gn_{year}.nc"
    return put(root, f"inputs/input4mips/{scenario}/{gas}_sum/{resolution}/mon/{year}", name, data)


@pytest.fixture
def climateset(tmp_path):
    for year in (2015, 2016):
        for variable in ("tas", "pr"):
            put_output(tmp_path, variable, year)
        for factor, fires in ((1.0, "no-fires"), (2.0, "all-fires")):
            put_input(tmp_path, "BC", year, fires, factor=factor)
            put_input(tmp_path, "SO2", year, fires, factor=factor)
        put_input(tmp_path, "CO2", year, units="kg m-2 s-1")
    return tmp_path


INPUTS = [f"inputs.ssp126.250_km.mon.{fires}" for fires in ("all-fires", "no-fires")]


def test_parts_are_models_members_scenarios_and_ways_of_counting_fires(climateset):
    assert ClimateSetReader(climateset).parts() == [*INPUTS, PART]


def test_the_years_of_a_run_are_joined(climateset):
    data = ClimateSetReader(climateset).open(PART)
    assert data.sizes["time"] == 24
    assert data["time"].values[0].calendar == "noleap"
    for name, units in (("tas", "K"), ("pr", "kg m-2 s-1")):
        np.testing.assert_array_equal(data[name], monthly(name, 2015, 2)[name])
        assert data[name].attrs["units"] == units
    assert data["tas"].chunks is not None, "many files are not read on opening"


def test_emissions_by_their_fires_with_those_that_have_none_beside_them(climateset):
    reader = ClimateSetReader(climateset)
    for part, factor in zip(INPUTS, (2.0, 1.0), strict=True):
        data = reader.open(part)
        assert set(data) == {"BC_sum", "SO2_sum", "CO2_sum"}
        np.testing.assert_allclose(data["BC_sum"], factor * FLUX["BC"])
        np.testing.assert_allclose(data["CO2_sum"], FLUX["CO2"])
        assert data.sizes["time"] == 24
    notes = "; ".join(data.attrs["climbench_changes"])
    assert "BC_sum is called 'BC' in its files" in notes
    assert "BC_sum states no units; taken as kg m-2 s-1" in notes
    assert "CO2_sum states no units" not in notes
    assert list(reader.select(fires="no-fires", variable_id="CO2_sum").open()) == ["CO2_sum"]


def test_inputs_without_any_fires_are_one_part(tmp_path):
    put_input(tmp_path, "CO2", 2015)
    assert ClimateSetReader(tmp_path).parts() == ["inputs.ssp126.250_km.mon"]


def test_models_and_members_are_chosen(climateset):
    put_output(climateset, "tas", 2015, member="r2i1p1f1", scenario="ssp585")
    reader = ClimateSetReader(climateset).select(kind="outputs")
    assert reader.select(member_id="r2i1p1f1").parts() == ["outputs.NorESM2-LM.r2i1p1f1.ssp585.250_km.mon"]
    with pytest.raises(DataError, match=r"has no source_id 'NorESM2'\. Did you mean 'NorESM2-LM'\?"):
        reader.select(source_id="NorESM2")


def test_a_year_that_is_missing_is_noted(climateset):
    put_output(climateset, "tas", 2018)
    data = ClimateSetReader(climateset).open(PART, ["tas"])
    assert any("1 gaps in time, first after 2016-12-16" in note for note in data.attrs["climbench_changes"])


def test_two_files_of_one_year_are_named(climateset):
    path = put_output(climateset, "tas", 2016)
    (path.parent / "again.nc").write_bytes(path.read_bytes())
    with pytest.raises(DataError, match=r"CMIP6_.*_2016\.nc and again\.nc overlap: 12 times|again\.nc and CMIP6_"):
        ClimateSetReader(climateset).open(PART, ["tas"])


def test_a_file_of_another_quantity_is_refused(climateset):
    path = put_output(climateset, "tas", 2016)
    monthly("pr", 2016, 1, calendar="noleap").to_netcdf(path)
    with pytest.raises(DataError, match=r"_2016\.nc holds no variable 'tas', as its name says"):
        ClimateSetReader(climateset).open(PART, ["tas"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/d/outputs/CMIP6/M/r1i1p1f1/ssp126/tas/250_km/mon/2015/a.nc", "outputs M r1i1p1f1 ssp126 250_km mon tas"),
        ("/d/inputs/input4mips/ssp1/BC_sum/map_250_km/mon/2015/no-fires.nc", "inputs ssp1 250_km mon no-fires BC_sum"),
        ("/d/inputs/input4MIPs/ssp126/CO2_sum/250_km/mon/2015/a.nc", "inputs ssp126 250_km mon CO2_sum"),
        ("/d/interim/CMIP6/M/r1i1p1f1/ssp126/tas/250_km/mon/2015/a.nc", None),
        ("/d/outputs/CMIP6/M/r1i1p1f1/ssp126/tas/250_km/mon/a.nc", None),
    ],
)  # fmt: skip
def test_what_a_path_tells(path, expected):
    facets = facets_of(path)
    assert (facets and " ".join(filter(None, facets.values()))) == expected


def test_a_folder_without_such_files_says_so(tmp_path):
    with pytest.raises(DataError, match="holds nothing in the layout 'climateset'"):
        ClimateSetReader(tmp_path).parts()


def test_which_places_are_recognised(climateset, tmp_path):
    assert ClimateSetReader.recognises(climateset)
    assert ClimateSetReader.recognises(climateset / "inputs")
    assert not ClimateSetReader.recognises(tmp_path / "nothing")
    (tmp_path / "other").mkdir()
    monthly("tas", 2000, 1).to_netcdf(tmp_path / "other" / "tas.nc")
    assert not ClimateSetReader.recognises(tmp_path / "other")


def test_the_card_has_inputs_and_outputs():
    card = find_dataset("climateset")
    assert card.reader == ClimateSetReader.layout
    assert set(card.inputs) == {"BC_sum", "SO2_sum", "CH4_sum", "CO2_sum", "BC", "SO2", "CH4", "CO2"}
    assert not any(entry.anomaly for entry in card.variables.values())
