"""Em-MPI as a task reads it: changes from the control run, and ClimateBench's emissions beside them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.data.readers.em_mpi import EmMpiReader
from climbench.errors import DataError
from tests import synthetic
from tests.data.readers.em_mpi_files import CELSIUS, YEARS, annual, control, folder, write


@pytest.fixture
def em_mpi(tmp_path):
    return write(tmp_path / "em-mpi")


def test_outputs_are_changes_from_the_mean_of_the_control(em_mpi):
    """By hand: the files' degrees Celsius in kelvin, less the control's months, each counting the same."""
    reader = EmMpiReader(em_mpi)
    data = reader.outputs("ssp245", ["tas", "pr"])
    assert data["tas"].dims == ("member", "time", "latitude", "longitude")
    assert data["member"].values.tolist() == [1, 2, 3]
    assert data["time"].values.tolist() == list(YEARS["ssp245"])
    for name, absolute, scale in (("tas", CELSIUS + 273.15, 1.0), ("pr", np.array([1.0, 5.0, 2.0]), 86400.0)):
        mean = control(name)[name].mean("time").values * scale  # (latitude, longitude); the same in every year
        expected = absolute[:, None] + 0.1 - mean  # of the second member
        np.testing.assert_allclose(data[name].isel(member=1, time=0), expected, rtol=1e-5)
    assert {n: a.attrs["units"] for n, a in data.items()} == {"tas": "K", "pr": "mm/day"}
    assert "tas: changes are from the mean of piControl, 1850..1852" in reader.notes
    assert any("tas says 'K'; 'degC' as its card declares" in note for note in reader.notes)


def test_years_of_the_control_after_2250_do_not_count(em_mpi):
    before = EmMpiReader(em_mpi).reference(["tas"])
    place = folder(em_mpi, "raw", "r1i1p1f1", "piControl", "tas", "mon", "2251")
    late = control("tas", 2251, 1)
    late["tas"] += 50.0
    late.to_netcdf(place / "late.nc")
    xr.testing.assert_equal(EmMpiReader(em_mpi).reference(["tas"]), before)


def test_without_a_control_changes_are_from_the_early_past(tmp_path):
    place = write(tmp_path / "em-mpi", past=range(1899, 1903), with_control=False)
    reader = EmMpiReader(place)
    data = reader.outputs("historical", ["tas"])["tas"]
    # Years do not differ, members lie 0, 0.1 and 0.2 above the values: their mean is the second.
    np.testing.assert_allclose(
        data.isel(time=0, longitude=0), np.array([-0.1, 0.0, 0.1])[:, None] * np.ones(3), atol=1e-5
    )
    assert "tas: changes are from the mean of historical over 1850-1900 and its members" in reader.notes


def test_with_nothing_to_take_changes_from_that_is_said(tmp_path):
    reader = EmMpiReader(write(tmp_path / "em-mpi", with_control=False))
    with pytest.raises(DataError, match=r"tas is absolute, and there is nothing to take changes from"):
        reader.outputs("ssp245", ["tas"])


def test_emissions_are_climatebenchs_from_below_the_folder_or_where_it_was_pulled(em_mpi, tmp_path, monkeypatch):
    monkeypatch.setenv("CLIMBENCH_DATA", str(tmp_path / "home"))
    with pytest.raises(DataError, match=r"holds no emissions.*climbench data pull climatebench"):
        EmMpiReader(em_mpi).inputs("ssp126", ["CO2"])
    synthetic.write(tmp_path / "home" / "climatebench" / "train_val", ["ssp126"])
    expected = synthetic.cumulative_co2("ssp126")
    np.testing.assert_array_equal(EmMpiReader(em_mpi).inputs("ssp126", ["CO2"])["CO2"], expected)
    synthetic.write(em_mpi / "emissions", ["ssp126"])
    path = em_mpi / "emissions" / "inputs_ssp126.nc"
    changed = xr.load_dataset(path)
    path.unlink()
    changed.assign(CO2=changed["CO2"] + 1.0).to_netcdf(path)
    reader = EmMpiReader(em_mpi)
    np.testing.assert_array_equal(reader.inputs("ssp126", ["CO2"])["CO2"], expected + 1.0)
    assert reader.experiments("inputs") == ["ssp126"]


def test_files_are_those_of_scenarios_control_and_emissions(em_mpi):
    synthetic.write(em_mpi / "emissions", ["ssp245"])
    paths = EmMpiReader(em_mpi).paths(["ssp245"], ["ssp245"])
    relative = sorted(str(path.relative_to(em_mpi)) for path in paths)
    assert relative[0] == "emissions/inputs_ssp245.nc"
    ensembles = [p for p in relative if p.endswith("ensemble.nc")]
    assert [("/ssp245/" in p) for p in ensembles] == [True, True]
    assert len([p for p in relative if p.startswith("raw/")]) == 6
    assert len(relative) == 9


def test_what_is_not_there_is_named(em_mpi):
    reader = EmMpiReader(em_mpi)
    with pytest.raises(DataError, match=r"has no tas of 'ssp254'\. Did you mean 'ssp245'"):
        reader.outputs("ssp254", ["tas"])
    with pytest.raises(DataError, match=r"has no huss of 'ssp245'\. It has pr, tas"):
        reader.outputs("ssp245", ["huss"])
    with pytest.raises(DataError, match=r"has no outputs of 'ssp254'"):
        reader.paths([], ["ssp254"])
    place = folder(em_mpi, "interim", "r1-r30i1p1f1", "ssp245", "tas", "mon", "2015-2017")
    annual("tas", "ssp245", CELSIUS, "degC").to_netcdf(place / "ensemble.nc")
    with pytest.raises(DataError, match="has tas of ssp245 more than once"):
        EmMpiReader(em_mpi).outputs("ssp245", ["tas"])


def test_it_is_no_world(em_mpi):
    reader = EmMpiReader(em_mpi)
    assert reader.origin(reader.paths([], ["ssp245"])) is None
