"""Steps of several leads: how they add up, what a forecast is the mean of, and how the loss counts them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.climax import ClimaX
from climbench.models.forecasting.lead_sequences import sequences
from climbench.models.forecasting.lead_stepper import LeadStepper
from climbench.models.forecasting.vit import ViT, ViTNetwork
from tests.models.forecast_states import leads, states
from tests.models.forecasting.moving_wave import SETTINGS, world
from tests.models.forecasting.test_forecast_networks import grid, made, stirred
from tests.models.forecasting.test_network_forecaster import Interrupting, bytes_of

CHANGES = {1: np.array([0.5]), 2: np.array([0.8]), 4: np.array([1.0])}
LONGER = {lead: change for lead, change in CHANGES.items() if lead > 1}
HOUR = 3600.0


class Rate(nn.Module):
    """A world that rises by a number for each lead, in hours; it writes down what it was asked."""

    def __init__(self, by_lead):
        super().__init__()
        self.by_lead, self.asked = by_lead, []

    def forward(self, maps, hours):
        lead = int(hours[0])
        self.asked.append(lead)
        return torch.full_like(maps[:, :1], self.by_lead[lead] / float(CHANGES[lead][0]))


def reached(by_lead, steps, combinations=3):
    network = Rate(by_lead)
    stepper = LeadStepper(network, CHANGES[1], HOUR, longer=LONGER, combinations=combinations)
    ahead = stepper.rollout(torch.zeros(2, 1, 1, 1, 1), torch.zeros(2, dtype=torch.int64), steps)
    return [float(state[0]) for state in ahead], network.asked


def test_sequences_by_hand():
    assert sequences(7, (1, 2, 4), 3) == [(4, 2, 1), (2, 2, 2, 1), (1,) * 7]
    assert sequences(8, (4, 1), 2) == [(4, 4), (1,) * 8]
    assert sequences(3, (1, 2, 4), 3) == [(2, 1), (1, 1, 1)]
    assert sequences(7, (1, 2, 4), 1) == [(4, 2, 1)]


@pytest.mark.parametrize("combinations", [1, 2, 3])
def test_a_linear_world_is_forecast_exactly_by_any_combination(combinations):
    found, _ = reached({1: 1.0, 2: 2.0, 4: 4.0}, 11, combinations)
    np.testing.assert_allclose(found, np.arange(1, 12), rtol=1e-6)


def test_a_forecast_is_the_mean_over_its_sequences():
    """Leads that disagree: 1, 3 and 10 for one, two and four steps. Seven are 14 (4, 2, 1), 10 (2, 2, 2, 1) and 7."""
    found, asked = reached({1: 1.0, 2: 3.0, 4: 10.0}, 7)
    np.testing.assert_allclose(found[:4], [1.0, 2.5, 3.5, (10 + 6 + 4) / 3], rtol=1e-6)
    assert found[6] == pytest.approx((14 + 10 + 7) / 3, rel=1e-6)
    assert len(asked) == 1 + 2 + 2 + 4 * 3  # beginnings that sequences share are made once


def test_the_clock_is_that_of_the_state_that_is_left():
    class Told(nn.Module):
        def forward(self, seconds):
            return seconds.float().view(-1, 1, 1, 1)

    class Hours(nn.Module):
        def forward(self, maps, hours):
            return maps[:, 1:] / HOUR

    stepper = LeadStepper(Hours(), np.ones(1), HOUR, Told(), longer={2: np.ones(1)}, combinations=1)
    ahead = stepper.rollout(torch.zeros(1, 1, 1, 1, 1), torch.zeros(1, dtype=torch.int64), 5)
    assert [float(state) for state in ahead] == [0.0, 0.0, 2.0, 2.0, 6.0]  # (2, 1) adds 0 and 2; (2, 2, 1) 0, 2 and 4


@pytest.mark.parametrize(("kind", "own"), [(ViT, {}), (ClimaX, {"decoder_depth": 0})], ids=["vit", "climax"])
def test_several_leads_are_learned_and_saved(kind, own, tmp_path):
    """Better than persistence at leads that are trained and at one that is not; the same bytes again and loaded."""
    data, steps, positions = world(260), (1, 2, 3, 4), np.arange(205, 250, 5)
    given, found = states(data, positions), []
    for _ in range(2):
        forecaster = kind(width=32, depth=2, leads=[1, 2], combinations=2, **own, **SETTINGS)
        forecaster.fit({"train": world()}, seed=0)
        found.append(forecaster.predict(given, leads=leads(*steps, step="6h"), seed=0)["psl"].values)
    forecaster.save(tmp_path)
    found.append(kind.load(tmp_path).predict(given, leads=leads(*steps, step="6h"), seed=0)["psl"].values)
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()
    for place, step in enumerate(steps):
        truth, start = (data["psl"].values[positions + n] for n in (step, 0))
        error = np.sqrt(((found[0][:, place] - truth) ** 2).mean())
        assert error < 0.5 * np.sqrt(((start - truth) ** 2).mean())


def test_leads_are_drawn_again_as_they_were_where_a_training_goes_on(tmp_path):
    settings = {**SETTINGS, "epochs": 2, "checkpoint_seconds": 0.0, "rollout_steps": 2, "rollout_epochs": 1}
    whole, part, rest = (ViT(width=8, depth=1, heads=2, leads=[1, 3], **settings) for _ in range(3))
    whole.fit({"train": world(120)}, seed=0)
    part.checkpoints = rest.checkpoints = tmp_path / "states"
    part.progress = Interrupting(10)
    with pytest.raises(KeyboardInterrupt):
        part.fit({"train": world(120)}, seed=0)
    rest.fit({"train": world(120)}, seed=0)
    assert bytes_of(rest, tmp_path / "rest") == bytes_of(whole, tmp_path / "whole")


def test_the_usual_change_over_a_lead_is_that_of_the_data():
    forecaster = ViT(width=8, depth=1, heads=2, leads=[1, 3], **{**SETTINGS, "epochs": 1, "held_out": 0.0})
    data = world(59)  # of which the sample takes every change
    forecaster.fit({"train": data}, seed=0)
    values, area = data["psl"].values.astype("float64"), np.cos(np.deg2rad(data["latitude"].values))
    spread = [np.sqrt(np.average(x.var((0, 2)) + (x.mean((0, 2)) - np.average(x.mean((0, 2)), weights=area)) ** 2,
                                 weights=area)) for x in (values[3:] - values[:-3], values)]  # fmt: skip
    assert forecaster.chosen["changes"]["3"][0] == pytest.approx(spread[0] / spread[1], rel=1e-3)


@pytest.mark.parametrize("kind", [ViT, ClimaX])
def test_the_lead_changes_the_answer_and_rows_may_be_any(kind):
    network = stirred(made(kind(patch=4, width=16, depth=1), "poles"))
    maps = torch.randn(2, 3, 9, 16)
    near, far = (network(maps, torch.full((2,), hours)) for hours in (6.0, 24.0))
    assert near.shape == (2, 2, 9, 16)
    assert float((near - far).detach().std()) > 1e-3


def test_wrong_leads_are_refused():
    with pytest.raises(ModelError, match="leads must have the step of the data"):
        ViT(leads=[2, 4])
    with pytest.raises(ModelError, match="starts from one state"):
        ViT(history=2)
    with pytest.raises(ModelError, match="do not go round"):
        made(ViT(patch=3, width=8, heads=2), "centres")


def test_the_size_of_a_vit_by_hand():
    """24 blocks of 1024: attention 4 d^2 + 4 d, perceptron 8 d^2 + 5 d, six vectors 6 d^2 + 6 d."""
    d, cells, channels = 1024, 64 * 128, 69
    with torch.device("meta"):
        network = ViTNetwork(channels, channels, (128, 256), patch=2, width=d, depth=24, heads=16, dropout=0.0)
    blocks = 24 * (18 * d**2 + 15 * d)
    ends = 4 * channels * d + d + cells * d + 2 * (d**2 + d) + 2 * (d**2 + d) + (d + 1) * 4 * channels
    assert sum(p.numel() for p in network.parameters()) == blocks + ends


def test_the_size_of_climax_by_hand():
    """8 blocks of 1024 with 12 d^2 + 13 d each, one query, and a head of two hidden layers."""
    d, channels = 1024, 3
    with torch.device("meta"):
        network = ClimaX(patch=2, width=d, depth=8, heads=16).network(grid("centres"), channels, 2)
    tokens = channels * (4 * d + d) + channels * d + d + 4 * d**2 + 4 * d + 4 * 8 * d + 2 * d
    head = 2 * d + 2 * (d**2 + d) + (d + 1) * 8
    assert sum(p.numel() for p in network.parameters()) == 8 * (12 * d**2 + 13 * d) + tokens + head
