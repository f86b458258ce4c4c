"""Members of the spherical Fourier operator shown noise: what they share, how they differ, and settings refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.noisy_stepper import NoisyStepper
from climbench.models.forecasting.sfno_ensemble import SFNOEnsemble
from climbench.models.layers.spherical_noise import SphericalNoise
from tests.models.forecast_states import leads, states
from tests.models.forecasting.moving_wave import LATITUDE, SETTINGS, world

STEP, SMALL = "6h", {**SETTINGS, "width": 8, "layers": 2}


def forecast(forecaster, members, seed=0):
    given = states(world(), np.arange(50, 90, 2))
    return forecaster.predict(given, leads=leads(1, 4, step=STEP), members=members, seed=seed)["psl"]


@pytest.fixture(scope="module")
def fitted():
    forecaster = SFNOEnsemble(**{**SMALL, "epochs": 3, "rollout_steps": 2, "rollout_epochs": 1, "centred": True})
    forecaster.fit({"train": world()}, seed=0)
    return forecaster


def test_a_member_is_the_same_whatever_the_number_of_members(fitted):
    three, two, one = (forecast(fitted, members) for members in (3, 2, 1))
    assert three.dims == ("init_time", "lead_time", "member", "latitude", "longitude")
    np.testing.assert_array_equal(three.values[:, :, :2], two.values)
    np.testing.assert_array_equal(three.values[:, :, 0], one.values)
    np.testing.assert_array_equal(forecast(fitted, 3).values, three.values)
    assert (forecast(fitted, 2, seed=1).values != two.values).any()


def test_members_differ_and_go_apart(fitted):
    found = forecast(fitted, 6)
    spread = found.std("member", ddof=1).mean(("init_time", "latitude", "longitude")).values
    assert 0.0 < 1.1 * spread[0] < spread[1]


def test_the_scales_of_noise_are_those_of_the_grid_or_as_set(fitted):
    np.testing.assert_allclose(fitted.chosen["noise_scales"], [3.0806e-5 * 4**k for k in (5, 6, 7)])
    own = SFNOEnsemble(**{**SMALL, "epochs": 1, "noise_scales": [0.1]})
    own.fit({"train": world(60)}, seed=0)
    assert own.chosen["noise_scales"] == [0.1]


class Newest(nn.Module):
    """Takes the last map it is shown for the change, whatever the state."""

    def forward(self, maps):
        return maps[:, -1:]


def stepper(signs, scales=(0.5,)):
    noise = SphericalNoise(LATITUDE, 16, scales)
    return NoisyStepper(Newest(), np.array([1.0]), 1.0, noise=noise, signs=signs)


def test_pairs_have_opposite_noise_along_the_whole_roll_out():
    torch.manual_seed(0)
    ahead = list(stepper((1.0, -1.0)).rollout(torch.zeros(4, 1, 1, 8, 16), torch.zeros(4), 3))
    for state in ahead:
        torch.testing.assert_close(state[0::2], -state[1::2])
        assert float((state[0] - state[2]).abs().max()) > 0.1


def test_a_pair_forecast_one_by_one_is_that_pair():
    found = []
    for signs in ((1.0, -1.0), (1.0,), (-1.0,)):
        torch.manual_seed(0)
        ahead = list(stepper(signs).rollout(torch.zeros(len(signs), 1, 1, 8, 16), torch.zeros(len(signs)), 2))
        found.append(ahead[-1])
    torch.testing.assert_close(found[0], torch.cat(found[1:]))


def test_noise_starts_stationary_and_is_remembered_in_a_roll_out():
    """The variance of the sum of two steps of an Ornstein-Uhlenbeck process is 2 + 2 phi."""
    torch.manual_seed(0)
    first, second = stepper((1.0,)).rollout(torch.zeros(3000, 1, 1, 8, 16), torch.zeros(3000), 2)
    assert float(first.var()) == pytest.approx(1.0, abs=0.03)
    assert float(second.var()) == pytest.approx(2 + 2 * np.exp(-1), abs=0.08)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"members": 1}, "members"),
        ({"members": 3, "centred": True}, "even"),
        ({"alpha": 2.0}, "alpha"),
        ({"alfa": 1}, "alpha"),
    ],
)
def test_settings_that_make_no_ensemble_are_refused(wrong, said):
    with pytest.raises(ModelError, match=said):
        SFNOEnsemble(**wrong)
