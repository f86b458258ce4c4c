"""Pattern scaling with a network for the rest: each part sees what it should, and the sum is their sum."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import CardError, ModelError
from climbench.models.cnn_lstm import CNNLSTM
from climbench.models.pattern_scaling import LinearPatternScaling
from climbench.models.residual import ResidualOnPatternScaling
from climbench.progress import Progress
from tests.models import small_climates

ARGUMENTS = {"filters": 3, "units": 4, "epochs": 2, "target_scaling": "none"}


def made():
    return ResidualOnPatternScaling("cnn-lstm", ARGUMENTS)


def with_a_bend(*names):
    """A climate with a part that no straight line has."""
    train = small_climates.training(*names)
    return {name: data.assign(pr=data["pr"] + 0.1 * np.sin(data["time"] / 5.0)) for name, data in train.items()}


def line_of(train):
    line = LinearPatternScaling()
    line.fit({name: data[["CO2", "tas", "pr"]] for name, data in train.items()}, seed=0)
    return line


@pytest.fixture(scope="module")
def fitted():
    emulator = made()
    emulator.fit(with_a_bend(), seed=0)
    return emulator


def test_the_network_is_trained_on_what_the_line_leaves(monkeypatch):
    given = {}
    monkeypatch.setattr(CNNLSTM, "fit", lambda self, train, validation, *, seed: given.update(train))
    train = with_a_bend()
    made().fit(train, seed=0)
    line = line_of(train)
    for name, data in train.items():
        for variable in ("tas", "pr"):
            expected = data[variable] - line.predict(data, seed=0)[variable]
            xr.testing.assert_allclose(given[name][variable], expected, atol=1e-12)
        xr.testing.assert_identical(given[name]["SO2"], data["SO2"])


def test_on_folds_the_line_is_that_of_the_folds_training_data(monkeypatch):
    given = []
    monkeypatch.setattr(CNNLSTM, "choose", lambda self, folds, *, seed: given.extend(folds))
    train, held_out = with_a_bend(), with_a_bend("ssp370")
    made().choose([(train, held_out)], seed=0)
    line = line_of(train)
    expected = held_out["ssp370"]["pr"] - line.predict(held_out["ssp370"], seed=0)["pr"]
    xr.testing.assert_allclose(given[0][1]["ssp370"]["pr"], expected)
    assert list(given[0][0]) == list(train)


def test_the_prediction_is_the_sum_of_both(fitted):
    forcing = small_climates.inputs("ssp245")
    parts = line_of(with_a_bend()).predict(forcing, seed=0), fitted.residual.predict(forcing, seed=0)
    for name, field in fitted.predict(forcing, seed=0).items():
        np.testing.assert_allclose(field, parts[0][name] + parts[1][name], atol=1e-6)
        assert field.dims == ("time", "latitude", "longitude")
    assert float(abs(parts[1]["pr"]).max()) > 0.0


def test_it_carries_a_line_far_beyond_the_training_data():
    emulator = made()
    emulator.fit(small_climates.training(), seed=0)
    forcing = small_climates.inputs("ssp585")
    forcing["CO2"] = 10.0 * forcing["CO2"]
    truth = small_climates.climate(forcing)["tas"]
    line = line_of(small_climates.training()).predict(forcing, seed=0)["tas"]
    np.testing.assert_allclose(line, truth, rtol=1e-6)
    rest = emulator.residual.predict(forcing, seed=0)["tas"]
    np.testing.assert_allclose(emulator.predict(forcing, seed=0)["tas"], truth + rest, rtol=1e-5)


def test_it_is_saved_and_loaded(fitted, tmp_path):
    fitted.save(tmp_path)
    loaded = ResidualOnPatternScaling.load(tmp_path)
    forcing = small_climates.inputs("ssp245")
    xr.testing.assert_identical(loaded.predict(forcing, seed=0), fitted.predict(forcing, seed=0))
    assert loaded.parameters == fitted.parameters == fitted.line.parameters + fitted.residual.parameters


def test_it_tells_what_the_network_tells(fitted):
    assert fitted.chosen is fitted.residual.chosen
    fitted.progress = Progress()
    assert fitted.residual.progress is fitted.progress


def test_an_unknown_network_offers_the_closest():
    with pytest.raises(CardError, match=r"There is no network 'unett'\. Did you mean 'unet'"):
        ResidualOnPatternScaling("unett")


def test_what_is_not_fitted_is_not_saved(tmp_path):
    with pytest.raises(ModelError, match="not fitted"):
        made().save(tmp_path / "model")


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"network": "cnn-lstm"}', '{"network": "cnn-lstm", "arguments": 3}']
)
def test_a_folder_that_holds_none_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "settings.json").write_text(content)
    with pytest.raises(ModelError, match=f"{tmp_path} holds no pattern scaling with a network"):
        ResidualOnPatternScaling.load(tmp_path)
