"""What a projection task reads: its target and its training scenarios, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.cards import find_dataset, find_task
from climbench.errors import DataError
from climbench.tasks.projection import ProjectionTask
from tests import synthetic
from tests.tasks.on_folder import rewrite, task_on


def test_the_target_holds_all_members_in_the_test_years_in_scoring_units(whole):
    task = task_on(whole)
    target = task.target()
    source = synthetic.outputs("ssp245")
    assert dict(target.sizes) == {"member": 3, "time": 21, "latitude": 6, "longitude": 8}
    np.testing.assert_array_equal(target["time"], np.arange(2080, 2101))
    np.testing.assert_array_equal(target["tas"], source["tas"].sel(time=slice(2080, 2100)))
    np.testing.assert_allclose(target["pr90"], 86400.0 * source["pr90"].sel(time=slice(2080, 2100)), rtol=1e-14)
    assert {v: target[v].attrs["units"] for v in target} == {
        "tas": "K",
        "diurnal_temperature_range": "K",
        "pr": "mm/day",
        "pr90": "mm/day",
    }
    assert task.notes == []


def test_members_can_be_chosen(whole):
    target = task_on(whole, **{"test.members": [3, 1]}).target()
    np.testing.assert_array_equal(target["member"], [3, 1])
    expected = synthetic.outputs("ssp245")["tas"].sel(member=[3, 1], time=2100)
    np.testing.assert_array_equal(target["tas"].sel(time=2100), expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"test.years": [2095, 2105]},
            r"^The target ssp245 lacks the years 2101, 2102, 2103, 2104, 2105; it has 2015\.\.2100\.$",
        ),
        ({"test.years": [2095, 2101]}, r"^The target ssp245 lacks the year 2101; it has 2015\.\.2100\.$"),
        ({"test.years": [2010, 2100]}, r"lacks the years 2010, 2011, 2012, 2013, 2014; it has"),
        ({"test.members": [1, 4]}, r"^The target ssp245 lacks the member 4; it has 1, 2, 3\.$"),
        ({"test.scenario": "ssp254"}, r"no outputs of the scenario 'ssp254'\. Did you mean 'ssp245'\?"),
    ],
)
def test_what_the_target_lacks_is_named_with_what_there_is(whole, settings, message):
    with pytest.raises(DataError, match=message):
        task_on(whole, **settings).target()


def test_a_year_missing_in_the_middle_is_named(folder):
    rewrite(folder / "outputs_ssp245.nc", lambda d: d.drop_sel(time=2090))
    with pytest.raises(DataError, match=r"lacks the year 2090; it has 2015\.\.2100"):
        task_on(folder).target()


def test_a_target_variable_that_the_file_lacks_is_named(folder):
    rewrite(folder / "outputs_ssp245.nc", lambda d: d.drop_vars("pr"))
    with pytest.raises(DataError, match=r"outputs_ssp245\.nc has no variable 'pr'\. Did you mean 'pr90'\?"):
        task_on(folder).target()


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("tas", lambda f: 0 * f, r"^The target ssp245: tas is zero throughout"),
        ("pr", lambda f: f.where(False), r"^The target ssp245: pr is NaN throughout"),
        ("pr90", lambda f: f.where(f["member"] != 2, 0.0), r"^The target ssp245: pr90 is zero throughout in member 2"),
        ("tas", lambda f: f.where(f["time"] != 2090), r"tas has 144 missing values in member 1, 2, 3\. Choose other"),
        ("tas", lambda f: f.where((f["time"] != 2090) | (f["member"] > 1)), r"tas has 48 missing values in member 1\."),
    ],
)
def test_empty_and_broken_targets_are_refused(folder, name, spoil, message):
    rewrite(folder / "outputs_ssp245.nc", lambda d: d.assign({name: spoil(d[name])}))
    with pytest.raises(DataError, match=message):
        task_on(folder).target()


def test_gaps_outside_the_test_years_do_not_matter(folder):
    rewrite(folder / "outputs_ssp245.nc", lambda d: d.where(d["time"] > 2050))
    task = task_on(folder)
    assert bool(task.target()["tas"].notnull().all())
    assert task.notes == []


def test_a_member_without_a_variable_stays_out_of_that_mean_alone(folder):
    rewrite(folder / "outputs_ssp245.nc", lambda d: d.assign(pr=d["pr"].where(d["member"] > 1)))
    task = task_on(folder)
    target = task.target()
    assert bool(target["pr"].sel(member=1).isnull().all())
    assert bool(target["tas"].notnull().all())
    assert task.notes == ["The target ssp245: pr: no values in member 1; the mean is over the other members"]


def test_a_data_set_without_an_input_or_target_of_the_task():
    dataset = find_dataset("climatebench")
    card = find_task("climatebench").model_copy(update={"targets": ("tass",)})
    with pytest.raises(DataError, match=r"'climatebench' has no target 'tass'\. Did you mean 'tas'"):
        ProjectionTask(card, None, dataset)
    card = find_task("climatebench").model_copy(update={"inputs": ("CO",)})
    with pytest.raises(DataError, match=r"'climatebench' has no input 'CO'\. Did you mean 'CO2'"):
        ProjectionTask(card, None, dataset)


def test_training_scenarios_are_member_means_with_their_inputs(whole):
    read = []
    train = task_on(whole).training(("CO2", "SO2"), ("tas", "pr"), progress=read.append)
    assert list(train) == read == ["ssp126", "historical"]
    source = synthetic.outputs("historical")
    np.testing.assert_allclose(train["historical"]["tas"], source["tas"].values.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(train["historical"]["pr"], 86400.0 * source["pr"].values.mean(axis=0), rtol=1e-12)
    assert set(train["historical"]) == {"CO2", "SO2", "tas", "pr"}
    assert train["historical"]["CO2"].dims == ("time",)
    for name in ("SO2", "tas", "pr"):
        assert train["historical"][name].dims == ("time", "latitude", "longitude")
    np.testing.assert_array_equal(train["ssp126"]["CO2"], synthetic.cumulative_co2("ssp126"))
    np.testing.assert_array_equal(train["ssp126"]["SO2"], synthetic.inputs("ssp126")["SO2"])


def test_an_emulator_without_inputs_is_trained_on_the_climate_alone(whole):
    train = task_on(whole).training((), ("tas",))
    assert list(train["ssp126"]) == ["tas"]
    assert train["ssp126"].sizes["time"] == 86


def test_training_years_without_inputs_are_refused_never_cut(folder):
    rewrite(folder / "inputs_ssp126.nc", lambda d: d.sel(time=slice(2015, 2098)))
    with pytest.raises(
        DataError, match=r"^ssp126: outputs .* 2015\.\.2100, but inputs only 2015\.\.2098; 2 are missing"
    ):
        task_on(folder).training(("CO2",), ("tas",))


def test_inputs_that_run_longer_are_noted(folder):
    rewrite(folder / "outputs_ssp126.nc", lambda d: d.sel(time=slice(2015, 2099)))
    task = task_on(folder)
    train = task.training(("CO2",), ("tas",))
    assert train["ssp126"].sizes["time"] == 85
    assert task.notes == ["ssp126: inputs have 1 year that outputs lack (2100), unused"]


@pytest.mark.parametrize(
    ("train", "inputs", "variables", "message"),
    [
        (["ssp216"], ("CO2",), ("tas",), r"has no outputs of the scenario 'ssp216'\. Did you mean 'ssp126'\?"),
        (["ssp126"], ("N2O",), ("tas",), r"inputs_ssp126\.nc has no variable 'N2O'\. .*There is: BC, CH4, CO2, SO2"),
        (["ssp126"], ("CO2",), ("huss",), r"outputs_ssp126\.nc has no variable 'huss'\. There is: diurnal_temp"),
    ],
)
def test_what_training_lacks_is_named(whole, train, inputs, variables, message):
    with pytest.raises(DataError, match=message):
        task_on(whole, train=train).training(inputs, variables)


def test_files_are_named_before_anything_is_read(whole):
    task = task_on(whole)
    assert [f.name for f in task.training_files()] == [
        "inputs_ssp126.nc",
        "inputs_historical.nc",
        "inputs_ssp245.nc",
        "outputs_ssp126.nc",
        "outputs_historical.nc",
    ]
    assert [f.name for f in task.target_files()] == ["outputs_ssp245.nc"]
    with pytest.raises(DataError, match="no inputs of the scenario 'hist-aer'"):
        task_on(whole, train=["hist-aer"]).training_files()


@pytest.mark.parametrize("shift", [30.0, 2.0])
def test_scenarios_on_different_grids_are_refused(folder, shift):
    """Shifted by a whole row, all rows but one have the same names: nothing may be joined on them."""
    rewrite(folder / "outputs_historical.nc", lambda d: d.assign_coords(lat=d["lat"] + shift - 15.0))
    rewrite(folder / "outputs_ssp126.nc", lambda d: d.assign_coords(lat=d["lat"] - 15.0))
    with pytest.raises(DataError, match="The outputs of historical lie on another grid than those of ssp126: 6 x 8"):
        task_on(folder).training((), ("tas",))


def test_latitudes_that_differ_by_rounding_are_the_same_grid(folder):
    rewrite(folder / "outputs_historical.nc", lambda d: d.assign_coords(lat=d["lat"].astype("f4") + np.float32(1e-5)))
    train = task_on(folder).training((), ("tas",))
    np.testing.assert_array_equal(train["historical"]["latitude"], train["ssp126"]["latitude"])
