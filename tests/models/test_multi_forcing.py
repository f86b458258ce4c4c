"""lps-multi: what each species does is told apart where the data can, and drawn together where it cannot."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.models.multi_forcing import MultiForcingRidge
from climbench.models.response.emission_history import emissions, global_series
from climbench.models.response.energy_balance import MEAN_FEEDBACK, warming
from climbench.models.response.forcing import forcing
from tests.models.emission_scenarios import MAPS, inputs, noisy, pattern


def own_kind(name, *, apart=1.0, noise=0.0):
    """A climate in which each species has a pattern of its own, more or less unlike the others."""
    data = inputs(name)
    made = forcing(emissions(global_series(data)))
    tas = np.zeros((data.sizes["time"], 4, 4))
    for seed, part in enumerate((made.carbon_dioxide, made.methane, made.sulfate, made.soot)):
        tas += np.multiply.outer(made.now(warming(part, MEAN_FEEDBACK), data), 1.0 + apart * (pattern(seed) - 1.0))
    tas += noise * np.random.default_rng([3, *name.encode()]).standard_normal(tas.shape)
    return data.assign(tas=(MAPS, tas))


def fitted(train, strength=0.1):
    emulator = MultiForcingRidge(strength)
    emulator.fit(train, seed=0)
    return emulator


def error(emulator, unseen):
    return float(abs(emulator.predict(unseen, seed=0)["tas"] - unseen["tas"]).max())


def test_patterns_of_its_own_kind_are_predicted_in_an_unseen_scenario():
    emulator = fitted({name: own_kind(name) for name in ("ssp126", "ssp585")}, strength=1e-9)
    assert emulator.predict(inputs("ssp245"), seed=0)["tas"].dims == MAPS
    assert error(emulator, own_kind("ssp245")) < 1e-3


def test_one_pattern_for_all_is_predicted_under_any_penalty():
    train = {"ssp585": own_kind("ssp585", apart=0.0)}
    for strength in (1e-3, 10.0):
        assert error(fitted(train, strength), own_kind("ssp126", apart=0.0)) < 1e-6


def test_the_penalty_draws_patterns_together():
    train = {name: own_kind(name, noise=0.05) for name in ("ssp126", "ssp585")}
    spread = [float(fitted(train, s).patterns["tas_slopes"].std("predictor").mean()) for s in (1e-3, 0.1, 10.0)]
    assert spread[0] > spread[1] > spread[2]


def test_folds_settle_the_penalty_of_each_variable():
    data = {name: own_kind(name, apart=0.0, noise=0.1) for name in ("ssp126", "ssp245", "ssp585")}
    apart = {name: own_kind(name, apart=3.0)["tas"] for name in data}
    data = {name: d.assign(huss=apart[name]) for name, d in data.items()}
    folds = [({n: d for n, d in data.items() if n != left}, {left: data[left]}) for left in data]
    emulator = MultiForcingRidge()
    emulator.choose(folds, seed=0)
    assert emulator.strengths["huss"] < emulator.strengths["tas"]
    assert emulator.strength == 0.1
    assert json.loads(json.dumps(emulator.chosen))["strengths"] == emulator.strengths
    emulator.fit(data, seed=0)
    xr.testing.assert_allclose(
        emulator.patterns["huss_slopes"], fitted(data, emulator.strengths["huss"]).patterns["huss_slopes"]
    )


def test_water_is_regressed_on_rain_and_the_rest_on_temperature():
    data = own_kind("ssp585", apart=0.0)
    emulator = fitted({"ssp585": data.assign(pr=data["tas"], pr90=data["tas"], huss=data["tas"])}, strength=10.0)
    slopes = emulator.patterns
    xr.testing.assert_allclose(slopes["huss_slopes"], slopes["tas_slopes"].rename("huss_slopes"))
    xr.testing.assert_allclose(slopes["pr_slopes"], slopes["pr90_slopes"].rename("pr_slopes"))
    assert float(slopes["pr_slopes"].mean()) > 5.0 * float(slopes["tas_slopes"].mean()), "per mm/day, not per K"


def test_dimensions_count_by_name():
    train = {"ssp585": noisy("ssp585")}
    turned = {name: d.transpose("latitude", "longitude", "time") for name, d in train.items()}
    xr.testing.assert_allclose(fitted(turned).patterns, fitted(train).patterns)


@pytest.mark.parametrize("scenarios", [("ssp585",), ("historical", "ssp585")])
def test_it_comes_back_from_its_folder_without_pickle(tmp_path, monkeypatch, scenarios):
    emulator = fitted({name: noisy(name) for name in scenarios})
    expected = emulator.predict(inputs("ssp126"), seed=0)
    for name in ("dump", "dumps", "load", "loads"):
        monkeypatch.delattr(pickle, name)
    emulator.save(tmp_path / "fitted")
    again = MultiForcingRidge.load(tmp_path / "fitted")
    xr.testing.assert_identical(again.predict(inputs("ssp126"), seed=0), expected)
    assert again.parameters == emulator.parameters == 2 * 16 * 5


def test_it_must_be_fitted_first(tmp_path):
    with pytest.raises(ModelError, match="was not fitted; call fit"):
        MultiForcingRidge().predict(inputs("ssp126"), seed=0)
    with pytest.raises(ModelError, match="nothing to save"):
        MultiForcingRidge().save(tmp_path / "fitted")
