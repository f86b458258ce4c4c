"""The adapter: what any network emulator gets from it, shown with the smallest network there can be."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
import xarray as xr

from climbench.errors import ModelError
from climbench.models.lightning import NetworkEmulator
from climbench.models.training.trainer import seed_of
from climbench.models.training.window_samples import WindowSamples
from climbench.progress import Progress
from tests.models import small_climates

FAST = {"epochs": 30, "batch_size": 8, "learning_rate": 0.05, "schedule": "cosine"}


class Straight(torch.nn.Module):
    """A straight line, in each cell, in the carbon dioxide of a window's last year."""

    def __init__(self, variables, rows, columns):
        super().__init__()
        self.maps = torch.nn.Parameter(0.1 * torch.randn(2, variables, rows, columns))

    def forward(self, windows):
        carbon = windows[:, -1, [0]]
        return self.maps[0] + self.maps[1] * carbon


class StraightEmulator(NetworkEmulator):
    def __init__(self, *, separate=False, **training):
        super().__init__({"separate": separate}, training, separate=separate)

    def network(self, grid, variables):
        return Straight(variables, grid.sizes["latitude"], grid.sizes["longitude"])


def fitted(seed=0, train=None, **settings):
    emulator = StraightEmulator(**{**FAST, **settings})
    emulator.fit(train or small_climates.training(), seed=seed)
    return emulator


@pytest.fixture(scope="module")
def emulator():
    return fitted()


def files_of(emulator, folder):
    emulator.save(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_linear_climate_is_learned_and_met_on_an_unseen_scenario(emulator):
    forcing = small_climates.inputs("ssp245")
    error = emulator.predict(forcing, seed=0) - small_climates.climate(forcing)
    assert float(abs(error["tas"]).max()) < 0.02
    assert float(abs(error["pr"]).max()) < 0.002


def test_the_prediction_has_every_year_of_the_inputs_and_the_grid_of_training(emulator):
    forcing = small_climates.inputs("ssp245")
    prediction = emulator.predict(forcing, seed=0)
    assert set(prediction) == {"tas", "pr"}
    assert prediction["tas"].dims == ("time", "latitude", "longitude")
    for dim in prediction["tas"].dims:
        np.testing.assert_array_equal(prediction[dim], forcing[dim])
    assert prediction.attrs["assumed_inputs"] == (
        "9 years before 2015 assumed: CO2 growing as in the first two years, others constant; "
        "no prediction after 2023 depends on that"
    )


def test_predictions_after_the_assumed_years_depend_on_the_inputs_alone():
    """The mean over a window's years of carbon dioxide, from inputs that begin in 2015 or ten years before."""

    class Mean(StraightEmulator):
        def network(self, grid, variables):
            class Network(Straight):
                def forward(self, windows):
                    return super().forward(windows.mean(1, keepdim=True))

            return Network(variables, grid.sizes["latitude"], grid.sizes["longitude"])

    emulator = Mean(**{**FAST, "epochs": 2})
    emulator.fit(small_climates.training(), seed=0)
    forcing = small_climates.inputs("ssp245")
    past = small_climates.inputs("historical").isel(time=slice(-10, None))
    past["CO2"] -= 100.0  # less than is assumed
    whole = xr.concat([past, forcing], "time", data_vars="minimal")
    longer, shorter = emulator.predict(whole, seed=0), emulator.predict(forcing, seed=0)
    differs = abs(longer["tas"].sel(time=forcing["time"]) - shorter["tas"]).max(["latitude", "longitude"]) > 1e-6
    assert forcing["time"].values[differs.values].tolist() == list(range(2015, 2024))


def test_inputs_may_come_in_any_order_of_dimensions_and_with_variables_it_does_not_use(emulator):
    forcing = small_climates.inputs("ssp245")
    other = forcing.transpose("longitude", "latitude", "time").assign(mask=("latitude", np.ones(8)))
    xr.testing.assert_equal(emulator.predict(other, seed=0), emulator.predict(forcing, seed=0))


def test_windows_of_each_scenario_are_counted(emulator):
    assert emulator.chosen["windows"] == {"historical": 21, "ssp126": 36, "ssp585": 36}
    assert emulator.chosen["trained_epochs"] == {"all": 30}
    assert emulator.parameters == 2 * 2 * 8 * 16


def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(emulator, tmp_path):
    again = files_of(fitted(seed=0), tmp_path / "again")
    assert again == files_of(emulator, tmp_path / "first")
    assert again["all.npz"] != files_of(fitted(seed=1), tmp_path / "other")["all.npz"]


def test_what_is_saved_is_loaded_and_predicts_the_same_bytes(emulator, tmp_path):
    emulator.save(tmp_path / "fitted")
    loaded = StraightEmulator.load(tmp_path / "fitted")
    forcing = small_climates.inputs("ssp245")
    xr.testing.assert_identical(loaded.predict(forcing, seed=0), emulator.predict(forcing, seed=0))
    assert (loaded.chosen, loaded.parameters) == (emulator.chosen, emulator.parameters)
    assert files_of(loaded, tmp_path / "again") == files_of(emulator, tmp_path / "fitted")


def test_no_pickle_is_written_or_read(emulator, tmp_path, monkeypatch):
    emulator.save(tmp_path / "fitted")
    content = json.loads((tmp_path / "fitted" / "settings.json").read_text())
    assert content["arguments"] == {"separate": False, **FAST}
    with np.load(tmp_path / "fitted" / "all.npz", allow_pickle=False) as archive:
        assert archive["maps"].shape == (2, 2, 8, 16)
    monkeypatch.setattr("pickle.Unpickler", None)
    monkeypatch.setattr("pickle.load", None)
    monkeypatch.setattr("pickle.loads", None)
    StraightEmulator.load(tmp_path / "fitted")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "all.npz").write_bytes(b"nonsense"), "holds no whole fitted 'StraightEmulator'"),
        (lambda folder: (folder / "all.npz").unlink(), "holds no whole fitted 'StraightEmulator'"),
        (lambda folder: (folder / "settings.json").write_text("{"), "holds no whole fitted 'StraightEmulator'"),
        (
            lambda folder: np.savez(folder / "all.npz", maps=np.zeros((2, 2, 8, 15), "f4")),
            r"tensors of .* are not those of the network: 1 differ, first 'maps' \(\(2, 2, 8, 15\) against",
        ),
        (
            lambda folder: np.savez(folder / "all.npz", maps=np.array([object()]), allow_pickle=True),
            "holds no whole fitted 'StraightEmulator': ValueError",
        ),
    ],
)
def test_damaged_files_are_named(emulator, tmp_path, harm, message):
    emulator.save(tmp_path)
    harm(tmp_path)
    with pytest.raises(ModelError, match=message):
        StraightEmulator.load(tmp_path)


def test_the_file_of_another_emulator_is_refused(emulator, tmp_path):
    class Other(StraightEmulator):
        pass

    emulator.save(tmp_path)
    with pytest.raises(ModelError, match="holds a 'StraightEmulator', and a 'Other' was asked for"):
        Other.load(tmp_path)


def test_each_variable_may_have_a_network_whose_bytes_do_not_depend_on_the_others():
    train = small_climates.training()
    both = fitted(train=train, separate=True, epochs=3)
    alone = fitted(train={name: data.drop_vars("pr") for name, data in train.items()}, separate=True, epochs=3)
    assert list(both.networks) == ["tas", "pr"]
    assert list(alone.networks) == ["tas"]
    forcing = small_climates.inputs("ssp245")
    np.testing.assert_array_equal(alone.predict(forcing, seed=0)["tas"], both.predict(forcing, seed=0)["tas"])
    assert seed_of(0, "tas") != seed_of(0, "pr") != seed_of(1, "pr")


def test_epochs_are_those_with_the_lowest_mean_loss_over_folds(monkeypatch):
    """Two folds, judged by curves given here: each would choose for itself the first or the fourth epoch."""
    from climbench.models.training.fitting import Trained

    curves = iter([(1.0, 2.0, 1.5, 4.0), (9.0, 3.0, 3.0, 1.0)])
    taken = []

    def train(*_, epochs, stop_early, **__):
        taken.append((epochs, stop_early))
        return Trained(next(curves, ()), epochs)

    monkeypatch.setattr("climbench.models.lightning.train", train)
    emulator = StraightEmulator(epochs=4)
    emulator.choose(small_climates.one_fold() * 2, seed=0)
    assert emulator.chosen["epochs"] == {"all": 3}
    assert emulator.chosen["validation_loss"] == {"all": 2.25}
    assert emulator.chosen["by"] == "lowest validation loss in the mean over 2 fold(s)"
    emulator.fit(small_climates.training(), seed=0)
    assert taken == [(4, False), (4, False), (3, True)]
    json.dumps(emulator.chosen)


def test_folds_are_judged_by_the_area_mean_of_scaled_errors():
    """The network of the last epoch is left in the emulator, and sees no history: its errors can be had again."""
    (train, held) = small_climates.one_fold()[0]
    emulator = StraightEmulator(**{**FAST, "epochs": 3})
    emulator.choose([(train, held)], seed=0)
    assert emulator.chosen["epochs"] == {"all": 3}
    truth, prediction = held["ssp370"], emulator.predict(held["ssp370"], seed=0)
    edges = np.deg2rad(np.arange(-90.0, 91.0, 22.5))
    area = xr.DataArray(np.diff(np.sin(edges)), dims="latitude")
    losses = []
    for name in ("tas", "pr"):
        # historical's first nine years are history only
        spread = np.concatenate(
            [data[name].values[9 * (s == "historical") :].ravel() for s, data in train.items()]
        ).std()
        losses.append((((prediction[name] - truth[name]) / spread) ** 2).weighted(area).mean().item())
    assert emulator.chosen["validation_loss"]["all"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_only_what_the_folds_hold_is_seen(monkeypatch):
    seen = []
    original = WindowSamples.__init__

    def spying(self, records, *rest):
        seen.append(sorted(records))
        original(self, records, *rest)

    monkeypatch.setattr(WindowSamples, "__init__", spying)
    emulator = StraightEmulator(**{**FAST, "epochs": 1})
    emulator.choose(small_climates.one_fold(), seed=0)
    assert seen == [["historical", "ssp126", "ssp585"], ["ssp370"]]


def test_a_validation_scenario_goes_on_from_the_historical_one_that_is_trained_on():
    emulator = StraightEmulator()
    train, held = small_climates.one_fold()[0]
    emulator._prepare(train)
    found = emulator._held_out(held, train)
    assert list(found) == ["ssp370"]
    assert found["ssp370"].ends.size == 36


def test_validation_stops_a_training_that_gets_worse():
    train, _ = small_climates.one_fold()[0]
    wrong = {
        "ssp370": small_climates.scenario("ssp370").assign(tas=lambda d: -3.0 * d["tas"], pr=lambda d: -3.0 * d["pr"])
    }
    emulator = StraightEmulator(**{**FAST, "patience": 2})
    emulator.fit(train, wrong, seed=0)
    assert emulator.chosen["trained_epochs"]["all"] < 10


def test_epochs_are_told():
    class Listening(Progress):
        def __init__(self):
            self.heard = []

        def step(self, what, done, total):
            self.heard.append((what, done, total))

    emulator = StraightEmulator(**{**FAST, "epochs": 2})
    emulator.progress = Listening()
    emulator.fit(small_climates.training(), seed=0)
    assert emulator.progress.heard == [("training all variables, epochs", done, 2) for done in (1, 2)]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d.isel(latitude=slice(0, 4)), "input SO2 lies on a grid of 4 x 16; the network was made for 8 x 16"),
        (lambda d: d.drop_sel(time=2030), "inputs must be of consecutive years"),
        (lambda d: d.assign(BC=d["BC"] * np.nan), "inputs have values that are not finite"),
    ],
)
def test_inputs_that_do_not_serve(emulator, spoil, message):
    with pytest.raises(ModelError, match=message):
        emulator.predict(spoil(small_climates.inputs("ssp245")), seed=0)


def test_scenarios_without_a_window_cannot_be_trained_on():
    short = {"ssp126": small_climates.scenario("ssp126", (2015, 2020))}
    with pytest.raises(ModelError, match="no window to train on: no scenario has 10 consecutive years"):
        StraightEmulator().fit(short, seed=0)
    with pytest.raises(ModelError, match="no window to judge by"):
        StraightEmulator().choose([(small_climates.training("ssp585"), short)], seed=0)


def test_what_was_not_fitted_neither_predicts_nor_is_saved(tmp_path):
    with pytest.raises(ModelError, match="was not fitted"):
        StraightEmulator().predict(small_climates.inputs("ssp245"), seed=0)
    with pytest.raises(ModelError, match="was not fitted"):
        StraightEmulator().save(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_an_unknown_setting_offers_the_closest():
    with pytest.raises(ModelError, match=r"There is no setting 'epoch'\. Did you mean 'epochs'"):
        StraightEmulator(epoch=3)


def test_numbers_of_a_year_are_spread_over_the_map():
    data = small_climates.training("ssp126")
    emulator = StraightEmulator(epochs=1)
    emulator._prepare(data)
    found = emulator.records(data)
    emulator.scalings = emulator.scale(found)
    window, target = emulator._samples(found)[0]
    assert window.shape == (10, 4, 8, 16)
    assert target.shape == (2, 8, 16)
    scaling = emulator.scalings[0]
    carbon = (data["ssp126"]["CO2"].values[:10] - scaling.offset["CO2"]) / scaling.scale["CO2"]
    np.testing.assert_allclose(window[:, 0].numpy(), np.broadcast_to(carbon[:, None, None], (10, 8, 16)), rtol=1e-5)
    sulfur = data["ssp126"]["SO2"].values[3]
    np.testing.assert_allclose(window[3, 2].numpy(), (sulfur - scaling.offset["SO2"]) / scaling.scale["SO2"], rtol=1e-5)
    np.testing.assert_allclose(
        emulator.scalings[1].invert(target[0].numpy(), "tas"), data["ssp126"]["tas"].values[9], rtol=1e-5
    )


WITHOUT = """
import sys
sys.modules["{missing}"] = None
from climbench.cards import find_model
from climbench.errors import MissingExtraError
from climbench.models import load_emulator
for name in ("cnn-lstm", "unet", "climax", "sfno-projector", "lps-lightning"):
    try:
        load_emulator(find_model(name, "projection"))
    except MissingExtraError as error:
        print(error)
"""


@pytest.mark.parametrize("missing", ["torch", "pytorch_lightning"])
def test_without_the_extra_every_network_says_what_to_install(missing):
    """In a process of its own: modules that were imported once would not miss anything."""
    command = [sys.executable, "-c", WITHOUT.format(missing=missing)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    for line in lines:
        assert line.endswith("needs packages that are not installed. Run: pip install 'climbench[models]'")
