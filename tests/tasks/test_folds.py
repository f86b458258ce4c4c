"""Folds for choosing settings: what is held out, and that the test scenario never is."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.cards import find_task, with_settings
from climbench.errors import DataError
from climbench.evaluate import task_card
from climbench.tasks.folds import check_validation, folds
from tests import synthetic


def card(**settings):
    return with_settings(find_task("climatebench"), settings)


def scenario(name, years=None):
    data = synthetic.inputs(name).merge(
        xr.Dataset({"tas": (("time", "latitude", "longitude"), synthetic.forced(name, "tas"))})
    )
    return data if years is None else data.sel(time=slice(*years))


def training(*names):
    return {name: scenario(name) for name in names}


def test_the_cards_validation_scenario_is_held_out():
    train = training("historical", "ssp126", "ssp370", "ssp585")
    ((fitted, judged),), words = folds(train, card())
    assert list(fitted) == ["historical", "ssp126", "ssp585"]
    assert list(judged) == ["ssp370"]
    assert "ssp370 held out" in words


def test_of_two_scenarios_each_is_left_out_in_turn():
    train = training("historical", "ssp126", "ssp585")
    pairs, words = folds(train, card(train=["historical", "ssp126", "ssp585"]))
    assert [(list(fitted), list(judged)) for fitted, judged in pairs] == [
        (["historical", "ssp585"], ["ssp126"]),
        (["historical", "ssp126"], ["ssp585"]),
    ]
    assert "each of ssp126, ssp585 left out in turn" in words


def test_of_one_scenario_later_years_are_predicted_from_those_before():
    pairs, words = folds(training("ssp585"), card(train=["ssp585"]))
    assert len(pairs) == 2
    for (fitted, judged), (first, last) in zip(pairs, [(2044, 2071), (2072, 2100)], strict=True):
        known, held = fitted["ssp585"], judged["ssp585"]
        assert known["time"].values.tolist() == list(range(2015, first))
        assert held["time"].values.tolist() == list(range(2015, last + 1))
        targets = np.isfinite(held["tas"]).all(["latitude", "longitude"])
        assert held["time"].values[targets.values].tolist() == list(range(first, last + 1))
        assert bool(np.isfinite(held["SO2"]).all())
        assert bool(np.isfinite(held["CO2"]).all())
    assert "from those before" in words


def test_nothing_of_the_training_data_is_changed():
    train = training("ssp585")
    before = train["ssp585"].copy(deep=True)
    folds(train, card(train=["ssp585"]))
    xr.testing.assert_identical(train["ssp585"], before)


def test_validation_on_the_test_scenario_is_refused_in_a_clean_setting():
    with pytest.raises(DataError, match="validation scenario 'ssp245' is also the test scenario"):
        check_validation(card(validation=["ssp245"]))
    check_validation(card(validation=["ssp245"], setting="as-published"))


def test_training_on_the_test_scenario_is_refused_in_a_clean_setting():
    with pytest.raises(DataError, match="test scenario 'ssp245' is among the training scenarios"):
        check_validation(card(train=["ssp126", "ssp245"]))


def test_the_cards_own_validation_gives_way_to_another_test_scenario():
    changed, modified = task_card("climatebench", {"train": ["ssp126", "ssp585"], "test.scenario": "ssp370"})
    assert modified
    assert changed.validation == ()
    check_validation(changed)


def test_inputs_of_one_of_several_models_are_no_targets():
    """Of the years that are judged, targets of the years before are hidden; inputs, whosever they are, are not."""
    data = scenario("ssp245", (2015, 2044))
    several = data.rename(tas="tas.A-ESM").assign({"SO2.A-ESM": data["SO2"]})
    made, _ = folds({"ssp126": several}, card())
    for _, judged in made:
        assert bool(judged["ssp126"]["tas.A-ESM"].isnull().any())
        assert not bool(judged["ssp126"]["SO2.A-ESM"].isnull().any())
