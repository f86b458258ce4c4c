"""Members that all scenarios share, means over some of them, and what is wrong with members."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.evaluate import open_task
from climbench.experiments.ensemble import Ensemble
from tests import synthetic
from tests.experiments.conftest import MEMBERS, SETTINGS
from tests.tasks.on_folder import rewrite


@pytest.fixture
def folder(tmp_path):
    """A folder of four members for a test to spoil."""
    return synthetic.write(tmp_path / "data", ("historical", "ssp126", "ssp245", "ssp585"), members=4)


def opened_on(folder):
    return open_task("climatebench", folder, SETTINGS).task


def test_the_mean_over_all_members_is_what_a_run_is_trained_on(opened):
    ensemble = Ensemble(opened.task)
    assert ensemble.members == tuple(range(1, MEMBERS + 1))
    ours = ensemble.training(ensemble.members, ("CO2", "SO2"), ("tas", "pr"))
    theirs = opened.task.training(("CO2", "SO2"), ("tas", "pr"))
    assert list(ours) == list(theirs)
    for scenario in theirs:
        xr.testing.assert_allclose(ours[scenario], theirs[scenario], rtol=1e-13)
        assert ours[scenario]["pr"].attrs["units"] == theirs[scenario]["pr"].attrs["units"] == "mm/day"


def test_the_mean_over_some_members_is_theirs(opened, ensemble_folder):
    found = Ensemble(opened.task).training((5, 2), (), ("pr",))
    with xr.open_dataset(ensemble_folder / "outputs_ssp126.nc") as stored:
        by_hand = 86400.0 * stored["pr"].sel(member=[2, 5]).mean("member").values
    np.testing.assert_allclose(found["ssp126"]["pr"].values, by_hand, rtol=1e-12)


def test_scenarios_may_differ_in_length(opened):
    found = Ensemble(opened.task).training((1,), ("CO2",), ("tas",))
    assert [data.sizes["time"] for data in found.values()] == [25, 86, 86]


def test_only_members_of_every_scenario_are_used(folder):
    rewrite(folder / "outputs_ssp126.nc", lambda data: data.isel(member=[0, 1, 3]))
    task = opened_on(folder)
    assert Ensemble(task).members == (1, 2, 4)
    assert "ssp126 lacks the members 3; they are used in no scenario" in task.notes


def test_members_can_be_left_out(folder):
    ensemble = Ensemble(opened_on(folder), leave_out=["2"])
    assert ensemble.members == (1, 3, 4)
    assert ensemble.target()["member"].values.tolist() == [1, 3, 4]
    with pytest.raises(DataError, match="ssp245 has no member 9 to leave out; it has 1, 2, 3, 4"):
        Ensemble(opened_on(folder), leave_out=["9"])


def test_no_member_in_common_is_refused(folder):
    rewrite(folder / "outputs_ssp585.nc", lambda data: data.assign_coords(member=[5, 6, 7, 8]))
    with pytest.raises(DataError, match=r"No member is in every scenario .*ssp585: 5, 6, 7, 8"):
        Ensemble(opened_on(folder))


@pytest.mark.parametrize("kept", [0.0, 1e9])
def test_a_member_with_missing_years_is_named_with_the_way_out(folder, kept, monkeypatch):
    monkeypatch.setattr("climbench.experiments.ensemble.KEPT_BYTES", kept)

    def spoil(data):
        data["tas"].values[2, 4:7] = np.nan
        return data

    rewrite(folder / "outputs_ssp126.nc", spoil)
    ensemble = Ensemble(opened_on(folder))
    message = r"ssp126: tas of member 3 has missing values in 3 years, first 2019\. .* --leave-out 3"
    with pytest.raises(DataError, match=message):
        ensemble.training((1, 3), (), ("tas",))
    without = Ensemble(opened_on(folder), leave_out=["3"])
    assert set(without.training(without.members, (), ("tas",))) == set(SETTINGS["train"])


def test_a_target_member_with_missing_years_is_named(folder):
    def spoil(data):
        data["pr"].values[1] = np.nan
        return data

    rewrite(folder / "outputs_ssp245.nc", spoil)
    with pytest.raises(DataError, match=r"The target ssp245: pr of member 2 has missing values in 21 years"):
        Ensemble(opened_on(folder)).target()
