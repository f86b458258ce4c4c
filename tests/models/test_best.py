"""best: who wins on folds is used, who ties is averaged, and nothing else is looked at."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import xarray as xr

from climbench.errors import CardError, ModelError
from climbench.models.best import BestOf, not_worse
from climbench.models.impulse_response import ImpulseResponse
from climbench.models.multi_forcing import MultiForcingRidge
from climbench.models.pattern_scaling import LinearPatternScaling
from tests.models.emission_scenarios import inputs, noisy


def folds_of(data):
    return [({n: d for n, d in data.items() if n != left}, {left: data[left]}) for left in data]


@pytest.mark.parametrize(
    ("errors", "used"),
    [
        ({"a": [1.0, 1.0], "b": [2.0, 2.0]}, ["a"]),
        ({"a": [1.0, 1.0], "b": [1.05, 1.05]}, ["a", "b"]),
        ({"a": [2.0, 1.0], "b": [1.0, 4.0]}, ["a", "b"]),
        ({"a": [2.0], "b": [1.0], "c": [1.09]}, ["b", "c"]),
        ({"a": [1.0, 1.0], "b": [0.9, 9.0], "c": [1.2, 1.2]}, ["a", "b"]),
    ],
)
def test_one_is_used_unless_it_loses_a_fold_or_wins_by_less_than_a_tenth(errors, used):
    assert not_worse(errors) == used


def line(name):
    """A climate that is a straight line in cumulative CO2, whatever else is emitted, with a little noise."""
    data, still = noisy(name), noisy(name, size=0.0)
    return data.assign({v: 6e-4 * data["CO2"] + 0.5 * (data[v] - still[v]) for v in ("tas", "pr")})


@pytest.fixture(scope="module")
def chosen():
    emulator = BestOf(["lps", "lps-impulse", "lps-multi"])
    data = {name: noisy(name) for name in ("ssp126", "ssp245", "ssp585")}
    emulator.choose(folds_of(data), seed=0)
    emulator.fit(data, seed=0)
    return emulator


def test_the_winner_has_the_least_error_on_folds(chosen):
    for variable, errors in chosen.chosen["fold_errors"].items():
        pooled = {name: float(np.prod(values)) for name, values in errors.items()}
        assert chosen.used[variable][0] == min(pooled, key=pooled.get)
    assert set(chosen.chosen["fold_errors"]) == {"tas", "pr"}
    assert json.loads(json.dumps(chosen.chosen)) == chosen.chosen


def test_pattern_scaling_wins_where_climate_is_a_line_in_carbon_dioxide():
    data = {name: line(name) for name in ("ssp126", "ssp245", "ssp585")}
    emulator = BestOf(["lps-impulse", "lps"])
    emulator.choose(folds_of(data), seed=0)
    assert emulator.used == {"tas": ["lps"], "pr": ["lps"]}
    emulator.fit(data, seed=0)
    assert emulator.fitted == ["lps"]
    alone = LinearPatternScaling()
    alone.fit({n: d.drop_vars(["SO2", "BC"]) for n, d in data.items()}, seed=0)
    xr.testing.assert_allclose(emulator.predict(inputs("ssp245"), seed=0), alone.predict(inputs("ssp245"), seed=0))


def test_a_prediction_is_the_mean_over_those_that_are_used():
    train = {"ssp585": noisy("ssp585")}
    emulator = BestOf(["lps-impulse", "lps-multi"])
    emulator.used = {"tas": ["lps-impulse", "lps-multi"], "pr": ["lps-multi"]}
    emulator.fit(train, seed=0)
    one, other = ImpulseResponse(), MultiForcingRidge()
    one.fit(train, seed=0), other.fit(train, seed=0)
    a, b, both = (e.predict(inputs("ssp126"), seed=0) for e in (one, other, emulator))
    xr.testing.assert_allclose(both["tas"], 0.5 * (a["tas"] + b["tas"]))
    xr.testing.assert_allclose(both["pr"], b["pr"])


def test_candidates_settle_their_own_settings_on_the_same_folds(chosen):
    assert chosen.emulators["lps-multi"].strengths == chosen.chosen["settings"]["lps-multi"]["strengths"]
    assert "lps" not in chosen.chosen["settings"]


def test_without_folds_all_candidates_are_averaged():
    emulator = BestOf(["lps", "lps-impulse"])
    emulator.fit({"ssp585": noisy("ssp585")}, seed=0)
    assert emulator.used == {"tas": ["lps", "lps-impulse"], "pr": ["lps", "lps-impulse"]}


def test_it_comes_back_from_its_folder_without_pickle(chosen, tmp_path, monkeypatch):
    expected = chosen.predict(inputs("ssp245"), seed=0)
    for name in ("dump", "dumps", "load", "loads"):
        monkeypatch.delattr(pickle, name)
    chosen.save(tmp_path / "fitted")
    again = BestOf.load(tmp_path / "fitted")
    xr.testing.assert_identical(again.predict(inputs("ssp245"), seed=0), expected)
    assert (again.parameters, again.used, again.chosen) == (chosen.parameters, chosen.used, chosen.chosen)


def test_it_must_be_fitted_first(tmp_path):
    with pytest.raises(ModelError, match="was not fitted; call fit"):
        BestOf().predict(inputs("ssp126"), seed=0)
    with pytest.raises(ModelError, match="nothing to save"):
        BestOf().save(tmp_path / "fitted")


def test_candidates_that_are_not_there_are_named():
    with pytest.raises(CardError, match="Did you mean 'lps'"):
        BestOf(["lpz"])
    with pytest.raises(ModelError, match="needs candidates"):
        BestOf([])
