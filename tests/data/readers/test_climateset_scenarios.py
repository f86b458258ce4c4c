"""One model of ClimateSet as a task reads it: annual changes, and emissions added up over the globe and the years."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.data.readers.climateset import ClimateSetReader
from climbench.errors import DataError
from tests.data.readers.climateset_files import DAYS, flux_of, put_emissions, put_input, put_output, write


@pytest.fixture(scope="module")
def climateset(tmp_path_factory):
    return write(tmp_path_factory.mktemp("climateset"))


def test_the_models_of_the_folder_are_named(climateset):
    reader = ClimateSetReader(climateset)
    assert reader.models == ("A-ESM", "B-ESM")
    assert reader.experiments("outputs") == ["historical", "ssp126", "ssp245", "ssp585"]
    assert reader.model("B-ESM").directory == climateset / "outputs" / "CMIP6" / "B-ESM"
    with pytest.raises(DataError, match=r"has no model 'B-ESMM'\. Did you mean 'B-ESM'"):
        reader.model("B-ESMM")


def test_outputs_are_annual_changes_from_each_models_own_past(climateset):
    for model in ("A-ESM", "B-ESM"):
        data = ClimateSetReader(climateset).model(model).outputs("ssp585", ["tas", "pr"])
        assert data["tas"].dims == ("member", "time", "latitude", "longitude")
        assert data["time"].values.tolist() == [2015, 2016, 2017, 2018]
        assert data["member"].values.tolist() == [1, 2]
        warmth = data["tas"].mean(("member", "latitude", "longitude"))
        np.testing.assert_allclose(warmth, [2.0, 4.0, 6.0, 8.0], atol=0.1)
        assert data["pr"].attrs["units"] == "kg m-2 s-1"


def test_months_count_by_their_lengths(tmp_path):
    """By hand: January and February alone are warm; the mean is their 59 days of 365."""
    month = np.arange(12)[:, None, None]
    put_output(tmp_path, "A-ESM", "r1i1p1f1", "historical", "tas", 1850, 280.0)
    put_output(tmp_path, "A-ESM", "r1i1p1f1", "ssp126", "tas", 2015, np.where(month < 2, 290.0, 280.0))
    change = ClimateSetReader(tmp_path).model("A-ESM").outputs("ssp126", ["tas"])["tas"]
    np.testing.assert_allclose(change, 10.0 * 59 / 365, rtol=1e-9)


def test_absolute_values_come_back_with_the_reference(climateset):
    model = ClimateSetReader(climateset).model("B-ESM")
    whole = model.outputs("ssp245", ["tas"])["tas"] + model.reference(["tas"])["tas"]
    np.testing.assert_allclose(whole.isel(time=0), model.absolute("ssp245", ["tas"])["tas"].isel(time=0))
    assert "tas: changes are from the mean of historical over 1850-1900 and its members" in model.notes


def test_without_a_past_that_is_said(tmp_path):
    put_output(tmp_path, "A-ESM", "r1i1p1f1", "ssp126", "tas", 2015, 280.0)
    with pytest.raises(DataError, match="neither a control run nor 'historical' in 1850-1900"):
        ClimateSetReader(tmp_path).model("A-ESM").outputs("ssp126", ["tas"])


def test_carbon_dioxide_is_added_up_over_the_globe_and_the_years_from_the_past_on(climateset):
    model = ClimateSetReader(climateset).model("A-ESM")
    given = model.inputs("ssp245", ["CO2", "CH4"])
    # Four years of the past with 10 Gt each, then 20 Gt in each year.
    np.testing.assert_allclose(given["CO2"], 40.0 + 20.0 * np.arange(1, 5), rtol=1e-6)
    np.testing.assert_allclose(given["CH4"], 0.45, rtol=1e-6)  # with anthropogenic fires
    assert {n: a.attrs["units"] for n, a in given.items()} == {"CO2": "GtCO2", "CH4": "GtCH4/year"}
    np.testing.assert_allclose(model.inputs("historical", ["CO2"])["CO2"], [10.0, 20.0, 30.0, 40.0], rtol=1e-6)


def test_months_of_emissions_count_by_their_seconds(tmp_path):
    """By hand: only February emits, 28 of 365 days."""
    month = np.arange(12)[:, None, None]
    put_output(tmp_path, "A-ESM", "r1i1p1f1", "historical", "tas", 1850, 280.0)
    put_input(tmp_path, "historical", "CO2", 1850, np.where(month == 1, flux_of(365.0), 0.0))
    given = ClimateSetReader(tmp_path).model("A-ESM").inputs("historical", ["CO2"])
    np.testing.assert_allclose(given["CO2"], DAYS[1], rtol=1e-6)


def test_without_past_emissions_the_known_total_is_taken_with_a_note(tmp_path):
    put_output(tmp_path, "A-ESM", "r1i1p1f1", "ssp126", "tas", 2015, 280.0)
    put_input(tmp_path, "ssp126", "CO2", 2015, flux_of(40.0))
    model = ClimateSetReader(tmp_path).model("A-ESM")
    np.testing.assert_allclose(model.inputs("ssp126", ["CO2"])["CO2"], 1540.0, rtol=1e-6)
    assert any("no inputs of historical: 1500 GtCO2" in note for note in model.notes)


@pytest.mark.parametrize(
    ("name", "past", "future"), [("NorESM2-LM", 1.0, 1.0), ("A-ESM", 1.5, 1.5), ("CESM2", 1.5, 2.0)]
)
def test_each_model_gets_the_fires_that_drove_it(tmp_path, name, past, future):
    put_output(tmp_path, name, "r1i1p1f1", "historical", "tas", 2014, 280.0)
    for scenario, year in (("historical", 2014), ("ssp126", 2015)):
        for fires, factor in (("no-fires", 1.0), ("anthro-fires", 1.5), ("all-fires", 2.0)):
            put_emissions(tmp_path, scenario, year, fires, factor)
    model = ClimateSetReader(tmp_path).model(name)
    for scenario, share in (("historical", past), ("ssp126", future)):
        given = model.inputs(scenario, ["SO2", "BC", "CH4"])
        assert given["SO2"].dims == ("time", "latitude", "longitude")
        np.testing.assert_allclose(given["SO2"], 1e-12 * share)
        np.testing.assert_allclose(given["BC"], 1e-13 * share)
        np.testing.assert_allclose(given["CH4"], 0.3 * share, rtol=1e-6)


def test_one_kind_of_fires_stands_in_with_a_note_and_of_several_none_is_guessed(tmp_path):
    put_output(tmp_path, "NorESM2-LM", "r1i1p1f1", "ssp126", "tas", 2015, 280.0)
    put_input(tmp_path, "ssp126", "BC", 2015, 1e-13, "all-fires")
    model = ClimateSetReader(tmp_path).model("NorESM2-LM")
    np.testing.assert_allclose(model.inputs("ssp126", ["BC"])["BC"], 1e-13)
    assert "ssp126: emissions with all-fires stand in for those with no-fires" in model.notes
    put_input(tmp_path, "ssp126", "BC", 2015, 1e-13, "anthro-fires")
    with pytest.raises(DataError, match=r"driven by emissions with no-fires in ssp126; there are only all-fires, an"):
        ClimateSetReader(tmp_path).model("NorESM2-LM").inputs("ssp126", ["BC"])


def test_files_are_those_of_the_model_with_the_past(climateset):
    paths = ClimateSetReader(climateset).model("A-ESM").paths(["ssp126"], ["ssp126"])
    relative = {path.relative_to(climateset).as_posix() for path in paths}
    assert not [p for p in relative if "B-ESM" in p]
    assert {p.split("/")[4] for p in relative if p.startswith("outputs")} == {"historical", "ssp126"}
    assert {p.split("/")[2] for p in relative if p.startswith("inputs")} == {"historical", "ssp126"}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda m: m.outputs("ssp254", ["tas"]), r"has no outputs of 'ssp254' of A-ESM\. Did you mean 'ssp245'"),
        (lambda m: m.inputs("ssp126", ["CO"]), r"ClimateSet has no input 'CO'\. Did you mean 'CO2'"),
        (lambda m: m.paths(["ssp370"], []), "has no inputs of 'ssp370'"),
    ],
)
def test_what_is_not_there_is_named(climateset, ask, message):
    with pytest.raises(DataError, match=message):
        ask(ClimateSetReader(climateset).model("A-ESM"))


def test_members_of_unlike_years_are_named(tmp_path):
    for member, years in (("r1i1p1f1", (2015, 2016)), ("r2i1p1f1", (2015,))):
        for year in years:
            put_output(tmp_path, "A-ESM", member, "ssp126", "tas", year, 280.0)
    with pytest.raises(DataError, match=r"the members r1i1p1f1 and r2i1p1f1 differ in their time \(2015\.\.2016 and"):
        ClimateSetReader(tmp_path).model("A-ESM").absolute("ssp126", ["tas"])
