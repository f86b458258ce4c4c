"""ClimateBench's layout through the contract of all readers: its parts, and anomalies, which have no absolute range."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.cards import find_dataset
from climbench.data.readers.climatebench import ClimateBenchReader
from climbench.errors import DataError
from tests import synthetic


def test_a_part_is_inputs_or_outputs_of_an_experiment(synthetic_folder):
    assert ClimateBenchReader(synthetic_folder).parts() == [
        f"{kind} {experiment}" for kind in ("inputs", "outputs") for experiment in ("historical", "ssp126")
    ]


@pytest.fixture
def synthetic_folder(tmp_path):
    return synthetic.write(tmp_path / "data", ("historical", "ssp126"))


def test_outputs_are_anomalies_in_the_units_of_the_card(synthetic_folder):
    data = ClimateBenchReader(synthetic_folder).open("outputs ssp126")
    assert data["tas"].dims == ("member", "time", "latitude", "longitude")
    assert {name: a.attrs["units"] for name, a in data.items()} == {
        name: entry.units for name, entry in find_dataset("climatebench").variables.items()
    }
    np.testing.assert_array_equal(data["tas"], synthetic.outputs("ssp126")["tas"])
    assert any("states no units; taken as K" in note for note in data.attrs["climbench_changes"])


def test_inputs_and_chosen_variables(synthetic_folder):
    data = ClimateBenchReader(synthetic_folder, chunks={}).open("inputs ssp126", ["CO2", "SO2"])
    assert list(data) == ["CO2", "SO2"]
    assert data["SO2"].chunks is not None
    np.testing.assert_array_equal(data["CO2"], synthetic.cumulative_co2("ssp126"))


def test_without_the_card_s_word_anomalies_would_be_refused(synthetic_folder):
    card = find_dataset("climatebench")
    absolute = {n: e.model_copy(update={"anomaly": False}) for n, e in card.variables.items()}
    reader = ClimateBenchReader(synthetic_folder, card.model_copy(update={"variables": absolute}))
    with pytest.raises(DataError, match=r"tas runs from .* K, outside 170 to 350"):
        reader.open("outputs ssp126", ["tas"])


def test_a_member_that_lacks_the_diurnal_range_is_known_and_one_that_lacks_another_variable_is_not(tmp_path):
    """The first member of historical lacks some years of it: a known defect, which the card declares."""
    data = synthetic.outputs("historical")
    data["diurnal_temperature_range"][0] = np.nan
    (tmp_path / "data").mkdir()
    data.to_netcdf(tmp_path / "data" / "outputs_historical.nc")
    found = ClimateBenchReader(tmp_path / "data").open()
    assert found["diurnal_temperature_range"].isnull().sum(("time", "latitude", "longitude")).values.tolist() == [
        1200,
        0,
        0,
    ]
    data["tas"][0] = np.nan
    data.to_netcdf(tmp_path / "data" / "outputs_ssp126.nc")
    with pytest.raises(DataError, match="tas has no value at"):
        ClimateBenchReader(tmp_path / "data").open("outputs ssp126")


def test_a_part_that_is_not_there_is_named_with_what_is(synthetic_folder):
    with pytest.raises(DataError, match=r"has no part 'outputs ssp162'\. Did you mean 'outputs ssp126'\?"):
        ClimateBenchReader(synthetic_folder).open("outputs ssp162")


def test_which_places_are_recognised(synthetic_folder, tmp_path):
    assert ClimateBenchReader.recognises(synthetic_folder)
    (tmp_path / "archive").mkdir()
    synthetic_folder.rename(tmp_path / "archive" / "train_val")
    assert ClimateBenchReader.recognises(str(tmp_path / "archive"))
    assert not ClimateBenchReader.recognises(tmp_path / "gone")
    assert not ClimateBenchReader.recognises(tmp_path)
    assert not ClimateBenchReader.recognises("https://server/data")


def test_real_output_in_this_layout(cesm2):
    reader = ClimateBenchReader(cesm2)
    assert reader.parts()[-2:] == ["outputs ssp126", "outputs ssp585"]
    assert reader.open("outputs ssp585").sizes == {"member": 3, "time": 85, "latitude": 48, "longitude": 72}
