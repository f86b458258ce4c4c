"""ClimateBench's network: its size, and the ways of the original, which are followed only when asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import climbench
from climbench.models.cnn_lstm import CNNLSTM, INPUT_RANGES, CNNLSTMNetwork, joined_to_historical
from tests.models import small_climates

CARD = """
name: small
title: Small
protocol: projection
class_path: climbench.models.cnn_lstm.CNNLSTM
init_args: {filters: 2, units: 3, epochs: 2, patience: 5}
"""


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_it_has_the_published_number_of_parameters():
    """740 of the convolution, 4,600 of the recurrence, 359,424 of the dense layer."""
    network = CNNLSTMNetwork(4, 1, (96, 144))
    parts = [parameters(network.convolution), parameters(network.recurrence), parameters(network.dense)]
    assert parts == [740, 4600, 359_424]
    assert parameters(network) == 364_764


@pytest.mark.parametrize(("c", "v", "grid", "f", "u"), [(4, 2, (32, 64), 20, 25), (3, 1, (6, 8), 8, 5)])
def test_its_size_follows_the_formula(c, v, grid, f, u):
    cells = v * grid[0] * grid[1]
    formula = f * (9 * c + 1) + 4 * u * (f + u + 1) + (u + 1) * cells
    assert parameters(CNNLSTMNetwork(c, v, grid, f, u)) == formula


def test_the_map_is_averaged_as_pooled_twice():
    """The original pools by two and then over all: with odd sizes the last row and column are lost in the first."""
    network = CNNLSTMNetwork(2, 1, (5, 7), filters=3, units=2)
    windows = torch.randn(1, 4, 2, 5, 7)
    maps = torch.relu(network.convolution(windows[0]))
    twice = torch.nn.functional.avg_pool2d(maps, 2).mean((-2, -1))
    expected = network.dense(network.recurrence(twice[None])).view(1, 1, 5, 7)
    torch.testing.assert_close(network(windows), expected)


def test_it_cannot_tell_a_map_from_the_same_map_with_its_inner_cells_moved():
    """Only means over the map reach the recurrence: what lies inside may be turned anywhere away from the edges."""
    network = CNNLSTMNetwork(1, 1, (10, 12), filters=4, units=3)
    windows = torch.zeros(1, 3, 1, 10, 12)
    windows[..., 3:5, 3:6] = torch.rand(2, 3)
    torch.testing.assert_close(network(windows), network(windows.roll((2, 4), (-2, -1))))


@pytest.fixture
def published():
    emulator = CNNLSTM(epochs=1)
    emulator.as_published = True
    return emulator


def published_scenarios():
    """The years of ClimateBench's training data."""
    past = small_climates.scenario("historical", (1850, 2015))
    ssps = {name: small_climates.scenario(name, (2015, 2101)) for name in ("ssp126", "ssp370", "ssp585")}
    aerosols = small_climates.scenario("historical", (1850, 2015))
    return {"historical": past, "hist-aer": aerosols, **ssps}


def test_as_published_there_are_723_windows_with_the_historical_years_three_times(published):
    train = published_scenarios()
    published._prepare(train)
    found = published.records(train)
    assert {name: record.ends.size for name, record in found.items()} == {"ssp126": 241, "ssp370": 241, "ssp585": 241}
    labelled = found["ssp126"].targets["time"].values[found["ssp126"].labels]
    assert labelled.tolist() == list(range(1859, 2100))
    assert found["ssp126"].ends.tolist() == list(range(9, 250))


def test_otherwise_every_year_is_a_sample_once_and_none_is_dropped():
    emulator, train = CNNLSTM(), published_scenarios()
    emulator._prepare(train)
    found = emulator.records(train)
    counts = {name: record.ends.size for name, record in found.items()}
    assert counts == {"historical": 156, "hist-aer": 156, "ssp126": 86, "ssp370": 86, "ssp585": 86}
    assert found["ssp126"].targets["time"].values[found["ssp126"].labels][-1] == 2100


def test_without_historical_scenarios_are_taken_as_they_are():
    train = small_climates.training("ssp126", "ssp585")
    assert joined_to_historical(train) == train


def test_as_published_predictions_are_labelled_a_year_late():
    emulator = CNNLSTM(epochs=1, filters=3, units=4)
    emulator.fit(small_climates.training(), seed=0)
    forcing = small_climates.inputs("ssp245")
    right = emulator.predict(forcing, seed=0)
    emulator.as_published = True
    late = emulator.predict(forcing, seed=0)
    years = forcing["time"].values
    np.testing.assert_allclose(late["tas"].sel(time=years[1:]), right["tas"].sel(time=years[:-1]), atol=1e-6)
    assert float(abs(late["tas"] - right["tas"]).max()) > 1e-3
    assert emulator.history == 10


def test_as_lutjens_et_al_published_there_are_387_windows_and_labels_are_right():
    """(165 - 9) + 3 (86 - 9): no scenario has a past in training, while validation has."""
    emulator = CNNLSTM(published_windows="alone")
    emulator.as_published = True
    train = {name: data for name, data in published_scenarios().items() if name != "hist-aer"}
    emulator._prepare(train)
    counts = {name: record.ends.size for name, record in emulator.records(train).items()}
    assert counts == {"historical": 156, "ssp126": 77, "ssp370": 77, "ssp585": 77}
    held_out = emulator._held_out({"ssp245": small_climates.scenario("ssp245", (2015, 2101))}, train)
    assert held_out["ssp245"].ends.size == 86
    assert emulator.label_shift == 0


def test_validation_as_published_has_the_history_of_training(published):
    train = small_climates.training()
    published._prepare(train)
    found = published._held_out(small_climates.training("ssp370"), train)
    assert found["ssp370"].ends.size == 35


def test_fixed_ranges_scale_inputs_and_targets():
    """With the original's ranges 1500 GtCO2 are 0.15, and a target of -7 K is 0."""
    emulator, train = CNNLSTM(), small_climates.training()
    emulator._prepare(train)
    inputs, targets = emulator.scale(emulator.records(train))
    assert inputs.apply(np.array([1500.0]), "CO2").tolist() == [0.15]
    assert inputs.scale == {name: high - low for name, (low, high) in INPUT_RANGES.items()}
    assert targets.apply(np.array([-7.0, 15.0]), "tas").tolist() == [0.0, 1.0]
    assert targets.apply(np.array([-11.0, 14.0]), "pr").tolist() == [0.0, 1.0]


def test_targets_may_be_left_as_they_are():
    emulator, train = CNNLSTM(input_scaling="standard", target_scaling="none"), small_climates.training()
    emulator._prepare(train)
    inputs, targets = emulator.scale(emulator.records(train))
    assert targets.scale == {"tas": 1.0, "pr": 1.0}
    assert inputs.scale["CO2"] != 1e4


def test_cells_weigh_the_same_or_by_area():
    grid = small_climates.inputs("ssp126")
    prediction, target = torch.zeros(1, 1, 8, 16), torch.zeros(1, 1, 8, 16)
    prediction[:, :, 0] = 1.0
    assert CNNLSTM().loss(grid)(prediction, target).item() == pytest.approx(1 / 8)
    share = (1.0 - np.sin(np.deg2rad(67.5))) / 2.0
    assert CNNLSTM(area_weighted=True).loss(grid)(prediction, target).item() == pytest.approx(share, rel=1e-5)


@pytest.mark.usefixtures("without_report")
@pytest.mark.parametrize(("setting", "windows"), [("clean", 86), ("as-published", 101)])
def test_a_run_by_its_card_in_either_setting(synthetic, tmp_path, setting, windows):
    """Historical has 25 years here and ssp126 has 86: 86 windows in ssp126, or 25 + 86 - 10 of both together."""
    card = tmp_path / "small.yaml"
    card.write_text(CARD)
    settings = {"setting": setting, "targets": ["tas"], "train": ["historical", "ssp126", "ssp370"]}
    result = climbench.run("climatebench", [str(card)], data=synthetic, set=settings, out=tmp_path / "run")
    record = json.loads((result.run_dir / "provenance.json").read_text())
    chosen = record["costs"]["small"]["chosen"]
    assert chosen["windows"]["ssp126"] == windows
    assert ("historical" in chosen["windows"]) is (setting == "clean")
    assert ("by" in chosen) is (setting == "clean")
    assert chosen["trained_epochs"]["all"] in range(1, 3)
    assert result.predictions["small"]["time"].values.tolist() == list(range(2080, 2101))
