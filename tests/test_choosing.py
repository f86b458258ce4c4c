"""Emulators that choose settings, emulate the distribution, or follow the original: what the harness hands them."""

from __future__ import annotations

import json

import pytest
import xarray as xr

import climbench
from climbench import harness
from climbench.progress import Progress

pytestmark = pytest.mark.usefixtures("without_report")
SOURCE = """
import xarray as xr


class Chooser:
    inputs = ("CO2",)
    history = 400
    ensemble = True
    as_published = False

    def __init__(self):
        self.chosen = {}

    def choose(self, folds, *, seed):
        self.chosen = {"folds": [[sorted(train), sorted(held)] for train, held in folds], "seed": seed}

    def fit(self, train, validation=None, *, seed):
        self.chosen["trained"] = sorted(train)
        self.chosen["validation"] = sorted(validation or {})
        self.chosen["as_published"] = self.as_published
        self.chosen["members"] = train["ssp585"].attrs["members"]
        first = train["ssp585"]
        self.mean = first[["tas"]].mean("time")

    def predict(self, inputs, *, members=1, seed):
        self.chosen["first_year"] = int(inputs["time"][0])
        years = inputs["time"][-21:]
        member = xr.DataArray(range(members), dims="member", coords={"member": range(members)})
        return self.mean + 0.01 * member + 0.0 * inputs["CO2"].sel(time=years)
"""


@pytest.fixture
def chosen(synthetic, tmp_path):
    (tmp_path / "chooser.py").write_text(SOURCE)

    def run(**settings):
        where = tmp_path / f"run{len(settings)}"
        settings = {"targets": ["tas"], **settings}
        result = climbench.run(
            "climatebench", [f"{tmp_path / 'chooser.py'}:Chooser"], data=synthetic, set=settings, seed=3, out=where
        )
        record = json.loads((result.run_dir / "provenance.json").read_text())
        return result, record["costs"]["chooser"]["chosen"], record["notes"]

    return run


def test_settings_are_chosen_on_the_cards_validation_scenario(chosen):
    _, choice, notes = chosen()
    everything = ["hist-GHG", "hist-aer", "historical", "ssp126", "ssp370", "ssp585"]
    assert choice["folds"] == [[[s for s in everything if s != "ssp370"], ["ssp370"]]]
    assert choice["seed"] == 3
    assert choice["trained"] == everything
    assert choice["validation"] == []
    assert choice["as_published"] is False
    assert "settings chosen with ssp370 held out, then fitted on all" in notes


def test_two_scenarios_are_left_out_in_turn(chosen):
    _, choice, _ = chosen(train=["ssp126", "ssp585"])
    assert choice["folds"] == [[["ssp585"], ["ssp126"]], [["ssp126"], ["ssp585"]]]
    assert choice["trained"] == ["ssp126", "ssp585"]


def test_the_original_is_followed_only_when_asked_and_the_leak_is_said(chosen):
    _, choice, notes = chosen(setting="as-published")
    assert choice["as_published"] is True
    assert "folds" not in choice
    assert choice["validation"] == ["ssp245"]
    assert "as published: training is stopped early on ssp245, the test scenario itself" in notes


def test_an_ensemble_emulator_is_asked_for_the_cards_members(chosen):
    result, _, _ = chosen(**{"scoring.members": 7})
    assert result.predictions["chooser"].sizes["member"] == 7


def test_history_reaches_back_as_far_as_there_are_inputs(chosen):
    _, choice, _ = chosen()
    assert choice["members"] == 3


def test_without_historical_inputs_emulators_get_what_there_is(tmp_path, chosen):
    from climbench.evaluate import load_task
    from tests import synthetic as files

    data = files.write(tmp_path / "few", ["ssp126", "ssp245", "ssp585"])
    task = load_task("climatebench", data, set={"train": ["ssp126", "ssp585"], "targets": ["tas"]})
    given = task.test_inputs(["CO2"], 400, task.target())
    assert given["time"].values.tolist() == list(range(2015, 2101))
    assert any("no historical inputs" in note for note in task.notes)


def test_years_of_history_are_not_scored_and_missing_ones_are_left_to_be_named():
    target = xr.Dataset({"tas": ("time", [0.0, 0.0])}, coords={"time": [2099, 2100]})
    longer = xr.Dataset({"tas": ("time", [1.0, 2.0, 3.0])}, coords={"time": [2098, 2099, 2100]})
    assert harness.tested_years(longer, target)["tas"].values.tolist() == [2.0, 3.0]
    shorter = longer.isel(time=slice(0, 2))
    assert harness.tested_years(shorter, target) is shorter
    assert harness.tested_years("no data set", target) == "no data set"


def test_the_progress_of_a_run_is_handed_to_emulators_that_tell_theirs(synthetic, tmp_path):
    class Listening(Progress):
        def __init__(self):
            self.heard = []

        def step(self, what, done, total):
            self.heard.append((what, done, total))

    progress = Listening()
    source = SOURCE.replace("        self.chosen = {}\n", "        self.chosen = {}\n        self.progress = None\n")
    told = source.replace(
        '        first = train["ssp585"]\n',
        '        self.progress.step("fitting", 1, 2)\n        first = train["ssp585"]\n',
    )
    (tmp_path / "chooser.py").write_text(told)
    settings = {"targets": ["tas"]}
    model = f"{tmp_path / 'chooser.py'}:Chooser"
    climbench.run("climatebench", [model], data=synthetic, set=settings, out=tmp_path / "run", progress=progress)
    assert ("fitting", 1, 2) in progress.heard
