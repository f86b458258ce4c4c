"""DYffusion's sampling by numbers worked by hand, what its interpolator is at the ends, and its members."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.dyffusion import DYffusion
from climbench.models.forecasting.dyffusion_stages import EndStage, InterpolationStage
from climbench.models.forecasting.dyffusion_stepper import DYffusionStepper, Interpolator
from climbench.models.forecasting.ensemble_loss import CellLoss
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.training_state import TrainingState
from climbench.models.training.ranks import ALONE
from climbench.models.training.saved_network import read_networks
from tests.models.forecast_states import leads, states
from tests.models.forecasting.moving_wave import SETTINGS, world

HORIZON = 3
ONE = np.array([1.0])


class Nothing(nn.Module):
    """Adds nothing: an interpolator of straight lines."""

    def forward(self, maps):
        return torch.zeros_like(maps[:, :1])


class Onward(nn.Module):
    """Of start, state and place: one for each step that is left; exact where every step adds one."""

    def forward(self, maps):
        return HORIZON * (1.0 - (maps[:, 2:] + 1.0) / 2.0)


class Doubling(nn.Module):
    """The end is twice the state, whatever the place."""

    def forward(self, maps):
        return maps[:, 1:2]


def stepper(forecaster, refined=False, interpolator=None):
    networks = nn.ModuleDict({"interpolator": interpolator or Nothing(), "forecaster": forecaster})
    return DYffusionStepper(networks, ONE, 3600.0, horizon=HORIZON, refined=refined)


def rolled(made, steps, start=1.0):
    state = torch.full((1, 1, 1, 1, 1), start)
    return [float(ahead) for ahead in made.rollout(state, torch.zeros(1), steps)]


@pytest.mark.parametrize("refined", [False, True])
def test_exact_networks_are_followed_beyond_the_horizon(refined):
    assert rolled(stepper(Onward(), refined), 7) == pytest.approx([2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])


def test_cold_sampling_by_hand():
    """The end is found as 2, 8/3, 34/9; each time the state moves by what lies between two places of that line."""
    assert rolled(stepper(Doubling()), 3) == pytest.approx([4 / 3, 17 / 9, 76 / 27])
    assert rolled(stepper(Doubling(), refined=True), 3) == pytest.approx([52 / 27, 77 / 27, 76 / 27])


def test_the_next_horizon_starts_where_the_last_one_ends():
    first, again = rolled(stepper(Doubling()), 4)[2:], rolled(stepper(Doubling()), 1, start=76 / 27)
    assert first == pytest.approx([76 / 27, *again])


def test_times_of_the_next_horizon_are_later():
    class Told(nn.Module):
        def forward(self, seconds):
            return seconds.view(-1, 1, 1, 1)

    class Time(nn.Module):
        def forward(self, maps):
            return maps[:, 2:3] - maps[:, 1:2]  # so that the end is the time of the start

    networks = nn.ModuleDict({"interpolator": Nothing(), "forecaster": Time()})
    made = DYffusionStepper(networks, ONE, 10.0, Told(), horizon=HORIZON, refined=True)
    start = torch.zeros(1, 1, 1, 1, 1)
    assert [float(s) for s in made.rollout(start, torch.tensor([60.0]), 6)] == pytest.approx([20, 40, 60, 70, 80, 90])


def test_the_interpolator_is_exact_at_the_ends_and_draws_between_them():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(4, 1, 1))
    made = Interpolator(network, ONE, 1.0, horizon=HORIZON).eval()
    start, end = torch.randn(2, 4, 1, 2, 4)
    place = torch.tensor([0, 1, 2, 3])
    one, other = (made.between(start, end, place, torch.zeros(4)) for _ in range(2))
    assert torch.equal(one[0], start[0])
    assert torch.equal(one[3], end[3])
    assert (one[1:3] != other[1:3]).flatten(1).any(1).all()


def stage(kind, made, members=2, **options):
    loss = CellLoss(ONE, ONE, np.ones(1))
    none = {"steps": HORIZON, "epochs": 1, "length": 1, "state": TrainingState(), "folder": None, "told": print}
    return kind(made, loss, ForecastTraining(), members=members, **none, **options)


def batch(*ahead, count=64):
    truth = torch.tensor(ahead)[None, :, None, None, None].expand(count, -1, 1, 1, 1)
    own = {"states": torch.zeros(count, 1, 1, 1, 1), "time": torch.zeros(count), "ahead": truth}
    return ALONE.share_of(own)


def test_the_interpolator_learns_from_states_between():
    """A straight line from 0 to 9 is 3 and 6; the truth 5 and 6 is 2 or 0 away, by the place drawn."""
    made = stage(InterpolationStage, Interpolator(Nothing(), ONE, 1.0, horizon=HORIZON))
    torch.manual_seed(0)
    assert float(made.training_step(batch(5.0, 6.0, 9.0, count=2000), 0)) == pytest.approx(1.0, abs=0.1)
    assert float(made.judged(batch(5.0, 6.0, 9.0), 0)) == pytest.approx((2.0 + 0.0) / 3)


@pytest.mark.parametrize("lookahead", [0.0, 0.5])
def test_exact_networks_have_no_loss(lookahead):
    made = stage(EndStage, stepper(Onward()), lookahead=lookahead)
    assert float(made.training_step(batch(1.0, 2.0, 3.0), 0)) == pytest.approx(0.0, abs=1e-6)
    assert float(made.judged(batch(1.0, 2.0, 3.0), 0)) == pytest.approx(0.0, abs=1e-6)


def test_the_forecaster_looks_ahead_from_its_own_answer():
    """From 0 to 3 by doubling: the end from places 0, 1, 2 is 0, 2, 4, on average 4/3 away; then 0 and 8/3 from 3."""
    torch.manual_seed(0)
    losses = [
        float(stage(EndStage, stepper(Doubling()), lookahead=share).training_step(batch(1.0, 2.0, 3.0, count=6000), 0))
        for share in (0.0, 1.0)
    ]
    first = (3 + 1 + 1) / 3
    again = (abs(0 - 3) + abs(2 * (2 * 2 / 3) - 3)) / 2
    assert losses == pytest.approx([first, again], abs=0.05)


@pytest.fixture(scope="module")
def fitted():
    forecaster = DYffusion(**{**SETTINGS, "epochs": 3, "horizon": 3, "width": 8, "layers": 1})
    forecaster.fit({"train": world()}, seed=0)
    return forecaster


def test_members_differ_go_apart_and_are_the_same_whatever_their_number(fitted):
    given = states(world(), np.arange(50, 90, 2))
    three, two = (
        fitted.predict(given, leads=leads(1, 6, step="6h"), members=members, seed=0)["psl"] for members in (3, 2)
    )
    np.testing.assert_array_equal(three.values[:, :, :2], two.values)
    spread = three.std("member").mean(("init_time", "latitude", "longitude")).values
    assert 0.0 < spread[0] < spread[1]


def test_training_the_forecaster_leaves_the_interpolator_as_it_was(tmp_path):
    forecaster = DYffusion(**{**SETTINGS, "epochs": 1, "horizon": 3, "width": 4, "layers": 1})
    forecaster.checkpoints = tmp_path
    forecaster.fit({"train": world(60)}, seed=0)
    _, tensors = read_networks(tmp_path / "interpolator" / "training", "training state")
    for name, own in forecaster.stepper.interpolator.state_dict().items():
        assert torch.equal(own, tensors["best"][name])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"horizon": 1}, "horizon"),
        ({"dropout": 0.0}, "dropout"),
        ({"rollout_steps": 2}, "roll-outs"),
        ({"judged": 1}, "judged"),
    ],
)
def test_settings_that_it_cannot_have_are_refused(wrong, said):
    with pytest.raises(ModelError, match=said):
        DYffusion(**wrong)
