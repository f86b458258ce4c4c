"""gaussian-process: it predicts between scenarios, filters noise, does not mind units, and forgets far away."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import xarray as xr

from climbench.cards import find_model
from climbench.errors import ModelError
from climbench.models import load_emulator
from climbench.models.gaussian_process import GaussianProcess
from tests.models.emission_scenarios import MAPS, inputs, noisy


def fitted(train, **settings):
    emulator = GaussianProcess(patterns=2, iterations=15, **settings)
    emulator.fit(train, seed=0)
    return emulator


@pytest.fixture(scope="module")
def emulator():
    return fitted({name: noisy(name) for name in ("ssp126", "ssp585")})


def test_a_smooth_climate_is_predicted_between_scenarios(emulator):
    prediction = emulator.predict(inputs("ssp245"), seed=0)
    true = noisy("ssp245", size=0.0)
    for name, size in (("tas", 0.2), ("pr", 0.1)):
        assert prediction[name].dims == MAPS
        assert float(abs(prediction[name] - true[name]).mean()) < size


def test_noise_is_not_learnt(emulator):
    data, true = noisy("ssp126"), noisy("ssp126", size=0.0)
    prediction = emulator.predict(data, seed=0)
    assert float(abs(prediction["tas"] - true["tas"]).mean()) < 0.5 * float(abs(data["tas"] - true["tas"]).mean())


def test_units_do_not_matter():
    train = {"ssp585": noisy("ssp585")}
    other = {"ssp585": train["ssp585"].assign(tas=1000.0 * train["ssp585"]["tas"] - 7.0)}
    one, two = (fitted(t).predict(inputs("ssp126"), seed=0)["tas"] for t in (train, other))
    np.testing.assert_allclose(two, 1000.0 * one - 7.0, rtol=1e-5)


def test_far_from_training_it_returns_towards_the_mean(emulator):
    far = inputs("ssp585").assign(CO2=1e7 + inputs("ssp585")["CO2"])
    far = far.assign(CH4=far["CH4"] + 1e4, SO2=far["SO2"] + 1e-6, BC=far["BC"] + 1e-6)
    mean, spread = emulator.scales["tas"]
    expected = mean + spread * emulator.kernels["tas"].mean
    np.testing.assert_allclose(emulator.predict(far, seed=0)["tas"], expected, atol=1e-3)


def test_a_field_without_any_variation_is_refused():
    data = noisy("ssp126")
    with pytest.raises(ModelError, match="pr is the same in all training years and cells"):
        fitted({"ssp126": data.assign(pr=data["pr"] * 0.0)})


def test_it_comes_back_from_its_folder_without_pickle(emulator, tmp_path, monkeypatch):
    expected = emulator.predict(inputs("ssp245"), seed=0)
    for name in ("dump", "dumps", "load", "loads"):
        monkeypatch.delattr(pickle, name)
    emulator.save(tmp_path / "fitted")
    again = GaussianProcess.load(tmp_path / "fitted")
    xr.testing.assert_identical(again.predict(inputs("ssp245"), seed=0), expected)
    # per variable: 4 variances, 6 lengths, noise and mean, and a weight for each of 172 years and 16 cells
    assert again.parameters == emulator.parameters == 2 * (4 + 6 + 2 + 172 * 16)


def test_it_must_be_fitted_first(tmp_path):
    with pytest.raises(ModelError, match="was not fitted; call fit"):
        GaussianProcess().predict(inputs("ssp126"), seed=0)
    with pytest.raises(ModelError, match="nothing to save"):
        GaussianProcess().save(tmp_path / "fitted")


def test_the_published_preset_is_that_of_the_paper():
    published = load_emulator(find_model("gaussian-process", "projection"), "published")
    assert (published.eofs.count, published.eofs.area_weighted) == (5, False)
    assert published.iterations == 1000
    assert published.kernel_years is None
    assert published.iterations_for == {"pr90": 35}
