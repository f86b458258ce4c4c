"""A folder of models, each in ClimateBench's layout: found as such, read model by model, and what is missing named."""

from __future__ import annotations

import pytest
import xarray as xr

from climbench.data import READERS
from climbench.data.layouts import recognise
from climbench.errors import DataError
from tests import synthetic


@pytest.fixture
def place(tmp_path):
    for seed, model in enumerate(("A-ESM", "B-ESM")):
        synthetic.write(tmp_path / "models" / model, ["ssp126"], seed=seed)
    (tmp_path / "models" / "notes").mkdir()
    return tmp_path / "models"


@pytest.fixture
def reader(place):
    return READERS.load("climatebench-models")(place)


def test_the_folder_is_recognised_and_a_models_own_is_not_taken_for_it(place):
    assert recognise(place) == "climatebench-models"
    assert recognise(place / "A-ESM") == "climatebench"


def test_parts_name_model_and_experiment(reader):
    assert reader.parts() == [f"{m} {p} ssp126" for m in ("A-ESM", "B-ESM") for p in ("inputs", "outputs")]
    assert reader.describe("B-ESM outputs ssp126") == "B-ESM/outputs_ssp126.nc"
    assert reader.expected("B-ESM inputs ssp126") == ["CO2", "CH4", "SO2", "BC"]


def test_each_model_is_read_from_its_own_folder(reader, place):
    for model in ("A-ESM", "B-ESM"):
        with xr.open_dataset(place / model / "outputs_ssp126.nc") as stored:
            expected = stored["tas"].values
        read = reader.open(f"{model} outputs ssp126", ["tas"])["tas"]
        assert read.transpose("member", "time", "latitude", "longitude").values.tolist() == expected.tolist()
        assert reader.model(model).outputs("ssp126", ["tas"])["tas"].values.tolist() == expected.tolist()


def test_what_is_missing_is_named(reader, tmp_path):
    with pytest.raises(DataError, match=r"has no model 'A-ESMM'\. Did you mean 'A-ESM'"):
        reader.model("A-ESMM")
    with pytest.raises(DataError, match="holds no folder of a model"):
        READERS.load("climatebench-models")(tmp_path / "models" / "notes").parts()
