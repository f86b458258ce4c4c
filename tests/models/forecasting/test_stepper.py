"""Steps, clocks and losses by numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from climbench.data.streaming.channels import Channel
from climbench.errors import ModelError
from climbench.models.forecasting.averaged_weights import AveragedWeights
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.state_channels import StateChannels
from climbench.models.forecasting.stepper import Clock, StepLoss, Stepper

NOON_MARCH_21 = (np.datetime64("2001-03-21T12:00") - np.datetime64("1970-01-01T00:00")).astype("timedelta64[s]")


def test_the_answer_is_a_change_in_units_of_its_usual_size():
    stepper = Stepper(nn.Identity(), np.array([0.5, 0.1]), 3600.0)
    state = torch.tensor([2.0, 10.0]).view(1, 1, 2, 1, 1)
    ahead = [s.flatten().tolist() for s in stepper.rollout(state, torch.zeros(1), 2)]
    np.testing.assert_allclose(ahead, [[3.0, 11.0], [4.5, 12.1]], rtol=1e-6)


def test_a_roll_out_moves_history_and_clock_on():
    class Told(nn.Module):
        def forward(self, seconds):
            return seconds.float().view(-1, 1, 1, 1)

    class Difference(nn.Module):  # latest minus the one before, plus the clock
        def forward(self, maps):
            return maps[:, 1:2] - maps[:, :1] + maps[:, 2:]

    states = torch.tensor([1.0, 3.0]).view(1, 2, 1, 1, 1)
    stepper = Stepper(Difference(), np.array([1.0]), 10.0, Told())
    found = [float(s) for s in stepper.rollout(states, torch.zeros(1), 3)]
    assert found == [5.0, 17.0, 49.0]  # 3+2+0, 5+2+10, 17+12+20


def test_the_clock_tells_season_and_solar_time():
    seconds = torch.tensor([int(NOON_MARCH_21.astype(int))])
    maps = Clock(np.array([0.0, 90.0]), 3, hourly=True)(seconds)[0, :, 0].numpy()
    np.testing.assert_allclose(maps[2], [0.0, -1.0], atol=1e-6)  # sine of the hour: noon, and six in the evening
    np.testing.assert_allclose(maps[3], [-1.0, 0.0], atol=1e-6)
    angle = 2 * np.pi * (31 + 28 + 20.5) / 365.2425
    np.testing.assert_allclose(maps[:2, 0], [np.sin(angle), np.cos(angle)], atol=0.01)
    assert Clock(np.array([0.0]), 3, hourly=False).channels == 2


def test_the_loss_weighs_area_level_and_tendency():
    loss = StepLoss(np.array([1.0, 0.5]), np.array([1.5, 0.5]), np.array([0.8, 1.2]))
    wrong = torch.zeros(1, 2, 2, 1)
    wrong[0, 0, 0, 0], wrong[0, 1, 1, 0] = 1.0, 2.0
    # (1.5 * 0.8 * 1 + 0.5 / 0.25 * 1.2 * 4) / 4 values
    assert float(loss(wrong, torch.zeros_like(wrong))) == pytest.approx(2.7)


def test_levels_weigh_by_pressure_and_surface_variables_as_graphcast_has_them():
    channels = [("2m_temperature", None), ("10m_u_component_of_wind", None), ("geopotential", 500.0)]
    made = tuple(Channel(*c) for c in [*channels, ("geopotential", 1000.0)])
    one = np.ones(4)
    found = StateChannels(made, one, one, one).loss_weights()
    expected = np.array([1.0, 0.1, 500 / 750, 1000 / 750])
    np.testing.assert_allclose(found, expected / expected.mean())


def test_averaged_weights_follow_faster_at_first():
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 10.0)
    averaged = AveragedWeights(network, 0.5)
    nn.init.constant_(network.weight, 0.0)
    averaged.update(1)  # keeps 2/11
    assert averaged.values["weight"].item() == pytest.approx(10 * 2 / 11)
    averaged.update(100)  # keeps the most it may
    assert averaged.values["weight"].item() == pytest.approx(10 / 11)
    averaged.put_in()
    assert network.weight.item() == pytest.approx(10 / 11)
    averaged.take_out()
    assert network.weight.item() == 0.0


@pytest.mark.parametrize("wrong", [{"ema": 1.0}, {"rollout_steps": 0}, {"precision": "half"}, {"held_out": 0.95}])
def test_settings_out_of_bounds_are_refused(wrong):
    with pytest.raises(ModelError, match=next(iter(wrong))):
        ForecastTraining(**wrong)
