"""Tasks on the archives as their authors give them: Em-MPI's and ClimateSet's own folders."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench import members, run
from climbench.cards import find_dataset, find_task, with_settings
from climbench.data.readers.climateset import ClimateSetReader
from climbench.data.readers.em_mpi import EmMpiReader
from climbench.errors import DataError
from climbench.grids import cell_areas
from climbench.tasks.earth_system_models import projection_task
from climbench.tasks.fixed_fields import control_climatology
from tests import synthetic
from tests.data.readers import climateset_files, em_mpi_files
from tests.data.readers.em_mpi_files import ALL, CELSIUS, RAIN, annual, control, folder

WARMING = np.array([0.5, 1.0, 1.5])  # by latitude, of 1e-3 K and mm/day per GtCO2
YEARS = range(2091, 2101)
LATITUDE = np.array([-60.0, 0.0, 60.0])


@pytest.fixture(scope="module")
def em_mpi(tmp_path_factory):
    """Em-MPI's layout with climate exactly linear in cumulative carbon dioxide, but for members that lie 0.1 apart."""
    root = tmp_path_factory.mktemp("em-mpi")
    synthetic.write(root / "emissions", ["ssp126", "ssp245", "ssp585"])
    for experiment in ("ssp126", "ssp245", "ssp585"):
        carbon = synthetic.cumulative_co2(experiment)[-len(YEARS) :]
        for variable, base in (("tas", CELSIUS), ("pr", RAIN)):
            place = folder(root, "interim", ALL, experiment, variable, "mon", "2091-2100")
            data = annual(variable, experiment, base, {"tas": "K", "pr": "kg m-2 s-1"}[variable], years=YEARS)
            data[variable] += xr.DataArray(carbon * 1e-3, dims="time") * xr.DataArray(WARMING, dims="latitude")
            data.assign_coords(latitude=LATITUDE).to_netcdf(place / "ensemble.nc")
    for variable in ("tas", "pr"):
        place = folder(root, "raw", "r1i1p1f1", "piControl", variable, "mon", "1850")
        control(variable, 1850, 1).assign_coords(lat=LATITUDE).to_netcdf(place / "control.nc")
    return root


EM_MPI = {"train": ["ssp126", "ssp585"], "test.years": [2091, 2100], "scoring.metrics": ["below_zero"]}


def test_pattern_scaling_is_exact_on_em_mpi_where_climate_is_linear(em_mpi, tmp_path):
    result = run("em-mpi", ["lps"], data=em_mpi, set=EM_MPI, out=tmp_path / "run")
    assert result.data.kind == "real"
    scores = result.scores.set_index(["variable", "metric", "region"])["value"]
    assert scores["tas", "rmse_spatial", "global"] == pytest.approx(0.0, abs=1e-4)
    assert scores["pr", "rmse_spatial", "global"] == pytest.approx(0.0, abs=1e-4)
    assert "pr: changes are from the mean of piControl, 1850..1850" in result.notes


def test_the_members_experiment_runs_on_em_mpis_own_folders(em_mpi, tmp_path):
    """Members differ by the same everywhere and always, so that the error does not depend on how many are averaged."""
    found = members("em-mpi", ["lps"], data=em_mpi, n=[1, 3], draws=2, set=EM_MPI, out=tmp_path / "members")
    draws = found.draws
    spatial = draws[(draws["metric"] == "rmse_spatial") & (draws["variable"] == "tas")]
    # Against the same members pattern scaling is exact; of one member in three it is off by its distance from the mean.
    np.testing.assert_allclose(spatial.loc[spatial["target"] == "same", "value"], 0.0, atol=1e-4)
    off = spatial.loc[(spatial["target"] == "all") & (spatial["n"] == 1), "value"]
    assert all(min(abs(value - distance) for distance in (0.0, 0.1)) < 1e-4 for value in off)


def test_the_control_makes_changes_absolute_again(em_mpi):
    card = with_settings(find_task("em-mpi"), EM_MPI)
    dataset = find_dataset("em-mpi")
    task = projection_task(card, EmMpiReader(em_mpi, dataset), dataset)
    target = task.target()
    known = control_climatology(task, target)
    assert set(known) == {"pr"}
    carbon = synthetic.cumulative_co2("ssp245")[-1]
    expected = RAIN + 1e-3 * WARMING * carbon
    np.testing.assert_allclose((target["pr"] + known["pr"]).isel(member=0, time=-1, longitude=0), expected, rtol=1e-5)


def test_emission_maps_on_another_global_grid_are_regridded_with_a_note(em_mpi):
    card = with_settings(find_task("em-mpi"), EM_MPI)
    dataset = find_dataset("em-mpi")
    task = projection_task(card, EmMpiReader(em_mpi, dataset), dataset)
    train = task.training(["CO2", "SO2"], ["tas"])
    assert train["ssp126"]["SO2"].shape == (10, 3, 4)
    assert "SO2 regridded conservatively from 6 x 8 to 3 x 4 cells onto the outputs' grid" in task.notes
    flux = synthetic.inputs("ssp126")["SO2"].isel(time=-1)
    ours = train["ssp126"]["SO2"].isel(time=-1)
    total = [float((f * cell_areas(f)).sum()) for f in (flux, ours)]
    assert total[1] == pytest.approx(total[0], rel=1e-6)


CLIMATESET = {"train": ["ssp126", "ssp585"], "test.years": [2015, 2018], "scoring.metrics": ["below_zero"]}


@pytest.fixture(scope="module")
def climateset(tmp_path_factory):
    return climateset_files.write(tmp_path_factory.mktemp("climateset"))


@pytest.mark.parametrize("emulators", ["one-each", "one-for-all"])
def test_climatesets_own_folders_are_scored_model_by_model(climateset, tmp_path, emulators):
    """Its tiny climates warm by a rate times years, as cumulative emissions do, and members' noise is 0.1 K."""
    settings = {**CLIMATESET, "emulators": emulators}
    result = run("climateset", ["no-change", "lps"], data=climateset, set=settings, out=tmp_path / "run")
    assert result.data.kind == "real"
    scores = result.scores.set_index(["model", "variable", "metric", "region"])["value"]
    for model in ("A-ESM", "B-ESM"):
        assert scores["lps", f"tas.{model}", "rmse_spatial", "global"] < 0.3
        assert scores["no-change", f"tas.{model}", "rmse_spatial", "global"] == pytest.approx(2.5, abs=0.1)
        assert scores["lps", f"pr.{model}", "below_zero", "global"] == 0.0
    assert any(note.startswith("A-ESM: tas: changes are from the mean of historical") for note in result.notes)


def test_inputs_that_differ_between_models_go_to_each_and_their_mean_to_all(tmp_path):
    place = climateset_files.write(tmp_path / "data", ("A-ESM", "NorESM2-LM"), members=("r1i1p1f1",))
    card = with_settings(find_task("climateset"), CLIMATESET)
    dataset = find_dataset("climateset")
    task = projection_task(card, ClimateSetReader(place, dataset), dataset)
    train = task.training(["CO2", "SO2"], ["tas.A-ESM", "tas.NorESM2-LM"])["ssp126"]
    flux = {n: float(train[n].mean()) for n in ("SO2", "SO2.A-ESM", "SO2.NorESM2-LM")}
    assert flux == pytest.approx({"SO2": 1.25e-12, "SO2.A-ESM": 1.5e-12, "SO2.NorESM2-LM": 1e-12})
    assert "CO2.A-ESM" not in train
    assert "SO2 differs between the models; one emulator for all would get their mean" in task.notes
    given = task.test_inputs(["SO2"], 0, task.target())
    assert float(given["SO2.NorESM2-LM"].mean()) == pytest.approx(1e-12)


def test_a_task_on_one_model_does_not_take_an_archive_of_several_nor_the_other_way_round(climateset, em_mpi):
    dataset = find_dataset("climateset")
    with pytest.raises(DataError, match=r"'climatebench' is a task on one climate model, and .* several: A-ESM, B"):
        projection_task(find_task("climatebench"), ClimateSetReader(climateset, dataset), dataset)
    dataset = find_dataset("em-mpi")
    with pytest.raises(DataError, match="'climateset' is a task on several climate models; 'em-mpi' holds one"):
        projection_task(find_task("climateset"), EmMpiReader(em_mpi, dataset), dataset)


def test_a_folder_in_the_stand_ins_layout_is_read_as_such(tmp_path):
    """Em-MPI's and ClimateSet's tasks take folders in ClimateBench's layout too."""
    from climbench.tasks.sources import find_source

    place = synthetic.write(tmp_path / "one", ["ssp126"])
    assert find_source(find_task("em-mpi"), place).card.name == "mini-esm-50"
    synthetic.write(tmp_path / "several" / "A-ESM", ["ssp126"])
    assert find_source(find_task("climateset"), tmp_path / "several").card.name == "mini-esm-models"
    em_mpi_files.write(tmp_path / "own")
    assert find_source(find_task("em-mpi"), tmp_path / "own").card.name == "em-mpi"
