"""mesmer-like: its mean is pattern scaling's, its variability that of one member though it sees means of several."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.models.mesmer_like import MesmerLike
from climbench.models.pattern_scaling import LinearPatternScaling
from tests.models.emission_scenarios import MAPS, area_mean, inputs, noisy, pattern

GLOBAL, LOCAL, MEMORY = 0.15, 0.4, 0.5


def member(name, seed):
    """A linear climate whose variability is a red global temperature with a pattern, and white local noise."""
    data = inputs(name).drop_vars(["CH4", "SO2", "BC"])
    rng = np.random.default_rng([seed, *name.encode()])
    warmth = rng.standard_normal(data.sizes["time"])
    for year in range(1, warmth.size):
        warmth[year] = MEMORY * warmth[year - 1] + np.sqrt(1.0 - MEMORY**2) * warmth[year]
    forced = np.multiply.outer(6e-4 * data["CO2"].values, pattern(1))
    swing = GLOBAL * np.multiply.outer(warmth, pattern(2) / area_mean(pattern(2)[None])[0])
    noise = LOCAL * rng.standard_normal(forced.shape)
    noise -= area_mean(noise)[:, None, None]
    return data.assign(
        tas=(MAPS, forced + swing + noise), pr=(MAPS, 0.1 * forced + LOCAL * rng.standard_normal(forced.shape))
    )


def averaged(members):
    train = {}
    for name in ("ssp126", "ssp245", "ssp585", "historical"):
        together = xr.concat([member(name, seed) for seed in range(members)], "member", data_vars="all")
        train[name] = together.mean("member").assign_attrs(members=members)
    return train


def fitted(train):
    emulator = MesmerLike()
    emulator.fit(train, seed=0)
    return emulator


@pytest.fixture(scope="module")
def emulator():
    return fitted(averaged(4))


def drawn(emulator, members=400, seed=1):
    scenario = inputs("ssp245")[["CO2"]].sel(time=slice(2081, 2100))
    return emulator.predict(scenario, members=members, seed=seed)


def test_the_mean_over_many_members_is_pattern_scaling(emulator):
    lps = LinearPatternScaling()
    lps.fit(averaged(4), seed=0)
    prediction = drawn(emulator)
    expected = lps.predict(inputs("ssp245")[["CO2"]].sel(time=slice(2081, 2100)), seed=0)
    for name in ("tas", "pr"):
        assert prediction[name].dims == ("member", *MAPS)
        error = (prediction[name].mean("member") - expected[name]) / (prediction[name].std("member") / 20.0)
        assert float(abs(error).max()) < 5.0
        assert float((error**2).mean()) == pytest.approx(1.0, abs=0.4), "and no nearer than chance"


@pytest.mark.parametrize("members", [1, 4])
def test_variability_is_that_of_one_member_however_many_were_averaged(members):
    found = fitted(averaged(members))
    assert found.chosen["members_averaged"]["ssp126"] == members
    memory, spread = found.global_noise
    assert spread == pytest.approx(GLOBAL, rel=0.15)
    assert memory == pytest.approx(MEMORY, abs=0.15)
    local = float(np.sqrt((found.local["pr"].grid["spread"] ** 2).mean()))
    assert local == pytest.approx(LOCAL, rel=0.05)


def test_draws_vary_as_members_do(emulator):
    draws = drawn(emulator)
    anomalies = draws["tas"].values - draws["tas"].values.mean(axis=0)
    globe = area_mean(anomalies)
    assert globe.std() == pytest.approx(emulator.global_noise[1], rel=0.05)
    lag = (globe[:, 1:] * globe[:, :-1]).mean() / (globe**2).mean()
    assert lag == pytest.approx(emulator.global_noise[0], abs=0.05)
    expected = np.sqrt(LOCAL**2 + (GLOBAL * pattern(2)) ** 2)
    np.testing.assert_allclose(anomalies.std(axis=(0, 1)), expected, rtol=0.15)


def test_all_variables_share_the_global_swing(emulator):
    sensitivity = xr.full_like(emulator.sensitivity, 3.0)
    shared = MesmerLike()
    shared.__dict__.update(emulator.__dict__)
    shared.sensitivity = sensitivity
    both = drawn(shared)
    swings = [area_mean(both[n].values - both[n].values.mean(axis=0)).ravel() for n in ("tas", "pr")]
    assert np.corrcoef(*swings)[0, 1] > 0.9


def test_draws_are_seeded(emulator):
    xr.testing.assert_identical(drawn(emulator, 2), drawn(emulator, 2))
    assert (drawn(emulator, 2)["tas"] != drawn(emulator, 2, seed=2)["tas"]).all()


def test_without_word_of_members_one_is_assumed_and_said():
    found = fitted({"ssp585": noisy("ssp585").drop_vars(["SO2", "BC", "CH4"])})
    assert found.chosen["members_averaged"] == {"ssp585": 1}


def test_inputs_that_it_does_not_use_are_no_targets():
    found = fitted({"ssp585": noisy("ssp585")})
    assert set(found.local) == {"tas", "pr"}


def test_it_comes_back_from_its_folder_without_pickle(emulator, tmp_path, monkeypatch):
    expected = drawn(emulator, 3)
    for name in ("dump", "dumps", "load", "loads"):
        monkeypatch.delattr(pickle, name)
    emulator.save(tmp_path / "fitted")
    again = MesmerLike.load(tmp_path / "fitted")
    xr.testing.assert_identical(drawn(again, 3), expected)
    assert (again.parameters, again.chosen) == (emulator.parameters, emulator.chosen)


def test_it_must_be_fitted_first(tmp_path):
    with pytest.raises(ModelError, match="was not fitted"):
        MesmerLike().predict(inputs("ssp126"), seed=0)
    with pytest.raises(ModelError, match="nothing to save"):
        MesmerLike().save(tmp_path / "fitted")


def test_it_says_that_it_is_an_ensemble():
    assert MesmerLike.ensemble
