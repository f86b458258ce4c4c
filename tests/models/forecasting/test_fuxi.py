"""Swin blocks by numbers worked by hand, windows that go round the globe, and the cascade."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.cascade import CascadeStepper
from climbench.models.forecasting.fuxi import FuXi
from climbench.models.layers.swin import SwinBlock, WindowAttention, log_offsets, offset_numbers
from tests.models.forecasting.moving_wave import SETTINGS, world
from tests.models.forecasting.test_forecast_networks import grid, made, stirred
from tests.models.forecasting.test_network_forecaster import Interrupting, bytes_of

SMALL = {"patch": 2, "width": 8, "depth": 2, "heads": 2, "window": 2}


def test_offsets_are_spaced_by_logarithms():
    """In a window of 8 the largest, 7, is log2(9) / 3, and an offset of 1 is log2(1 + 8/7) / 3."""
    offsets = log_offsets(8)
    assert offsets.shape == (15, 15, 2)
    np.testing.assert_allclose(offsets[14, 8], [math.log2(9) / 3, math.log2(15 / 7) / 3], rtol=1e-6)
    np.testing.assert_allclose(offsets[7, 0], [0.0, -math.log2(9) / 3], rtol=1e-6)


def test_offsets_are_those_between_tokens():
    """In a window of 2 x 2 token 0 lies one row before and one column before token 3: the first of 9 offsets."""
    numbers = offset_numbers(2)
    assert numbers[0, 3] == 0
    assert numbers[3, 0] == 8
    assert numbers.diagonal().tolist() == [4] * 4
    assert numbers[2, 0] == 7  # a row further, the same column


def test_the_bias_is_the_perceptrons_of_the_offset():
    attention = WindowAttention(4, 2, 2)
    first = attention.bias(torch.tensor([math.log2(9) / 3, -math.log2(9) / 3]))  # token 2 as seen from token 1
    expected = 16.0 / (1.0 + torch.exp(-first))
    torch.testing.assert_close(attention.position_bias()[:, 2, 1], expected)


def test_cosines_are_multiplied_by_a_hundred_at_most():
    attention = WindowAttention(4, 2, 2)
    torch.testing.assert_close(attention.factor().flatten(), torch.tensor([10.0, 10.0]))
    nn.init.constant_(attention.scale, 50.0)
    torch.testing.assert_close(attention.factor().flatten(), torch.tensor([100.0, 100.0]))


@pytest.mark.parametrize("shift", [0, 2])
def test_windows_go_round_the_globe(shift):
    torch.manual_seed(0)
    block = SwinBlock(8, 2, (4, 12), 4, shift)
    maps = torch.randn(1, 4, 12, 8)
    answer = block(maps)
    torch.testing.assert_close(block(maps.roll(4, 2)), answer.roll(4, 2), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(block(maps.roll(1, 2)), answer.roll(1, 2), atol=1e-3)  # within a window it is not so


def heard(shift, row, column):
    """Return which rows and columns of a map of 8 x 8 tokens, in windows of 4, a token hears."""
    torch.manual_seed(0)
    maps = torch.randn(1, 8, 8, 8, requires_grad=True)
    SwinBlock(8, 2, (8, 8), 4, shift)(maps)[0, row, column].square().sum().backward()
    found = maps.grad[0].abs().sum(-1) > 0
    return np.flatnonzero(found.any(1)).tolist(), np.flatnonzero(found.any(0)).tolist()


def test_shifted_windows_wrap_in_longitude_and_not_over_the_poles():
    assert heard(0, 0, 0) == ([0, 1, 2, 3], [0, 1, 2, 3])
    assert heard(2, 3, 0) == ([2, 3, 4, 5], [0, 1, 6, 7])
    assert heard(2, 0, 3) == ([0, 1], [2, 3, 4, 5])
    assert heard(2, 7, 7) == ([6, 7], [0, 1, 6, 7])


@pytest.mark.parametrize("rows", ["centres", "poles"])
def test_turning_by_two_windows_of_patches_turns_the_answer(rows):
    network = stirred(made(FuXi(**SMALL), rows))
    maps = torch.randn(1, 3, network.grid[0], 16)
    answer = network(maps)
    assert answer.std() > 1e-2
    torch.testing.assert_close(network(maps.roll(8, -1)), answer.roll(8, -1), atol=1e-4, rtol=1e-3)


def test_the_size_by_hand_at_the_width_and_depth_of_the_paper():
    """Blocks 12 d^2 and more, convolutions of 9 d^2, one of 8 d^2 up; heads and window, not in the paper, are any."""
    d, heads, shown, channels = 1536, 24, 140, 70
    forecaster = FuXi(patch=4, width=d, depth=48, heads=heads, window=9)
    with torch.device("meta"):
        network = forecaster.network(grid(np.linspace(-90, 90, 721), np.arange(1440) / 4), shown, channels)
    attention = 4 * d**2 + 3 * d + heads + 3 * 512 + 512 * heads  # q, k, v, projection; biases; scale; position
    block = attention + 8 * d**2 + 5 * d + 4 * d
    residual = 2 * (9 * d**2 + d + 2 * d)
    ends = 16 * shown * d + 3 * d + (d + 1) * 16 * channels
    total = 48 * block + 2 * residual + (9 * d**2 + d) + (8 * d**2 + d) + ends
    assert sum(p.numel() for p in network.parameters()) == total


def test_each_part_of_a_forecast_has_its_network():
    class Adds(nn.Module):
        def __init__(self):
            super().__init__()
            self.number = nn.Parameter(torch.ones(1))

        def forward(self, maps):
            return torch.zeros_like(maps) + self.number

    stepper = CascadeStepper(Adds(), np.ones(1), 3600.0, takeovers=[2, 3])
    with torch.no_grad():
        for place, network in enumerate(stepper.network):
            network.number.fill_(10.0**place)

        def ahead():
            return [float(s) for s in stepper.rollout(torch.zeros(1, 1, 1, 1, 1), torch.zeros(1), 5)]

        assert ahead() == [1.0, 2.0, 12.0, 112.0, 212.0]
        stepper.active = 1
        assert ahead() == [1.0, 2.0, 12.0, 22.0, 32.0]
        stepper.hand_over(1)
        stepper.active = 2
        assert ahead() == [1.0, 2.0, 3.0, 4.0, 5.0]


def cascade(**own):
    settings = {**SETTINGS, "epochs": 1, "rollout_steps": 2, "rollout_epochs": 1, "checkpoint_seconds": 0.0, **own}
    return FuXi(**SMALL, takeovers=[2, 4], **settings, rollout_rate=1.0)


def test_a_cascade_goes_on_to_the_same_bytes_and_its_networks_differ(tmp_path):
    """There are eleven batches a stage: it is stopped within the second part's."""
    whole, part, rest = cascade(), cascade(), cascade()
    whole.fit({"train": world()}, seed=0)
    part.checkpoints = rest.checkpoints = tmp_path / "states"
    part.progress = Interrupting(28)
    with pytest.raises(KeyboardInterrupt):
        part.fit({"train": world()}, seed=0)
    rest.fit({"train": world()}, seed=0)
    assert bytes_of(rest, tmp_path / "rest") == bytes_of(whole, tmp_path / "whole")
    assert [len(curve) for curve in whole.chosen["validation_loss"]] == [1] * 4
    stage = np.argmin(np.ravel(whole.chosen["validation_loss"])) + 1
    firsts = [next(iter(network.parameters())) for network in whole.stepper.network]
    differ = [not torch.equal(one, other) for one, other in pairwise(firsts)]
    assert differ == [stage >= 3, stage >= 4]
    assert stage >= 3


def test_two_ranks_train_a_cascade_as_one_does_but_for_round_off():
    """In each stage one of its networks is trained, and the others get no gradient.

    The rate is low: Adam takes whole steps by gradients that are nothing but round-off, as before a norm.
    """
    one, two = cascade(learning_rate=1e-4), cascade(learning_rate=1e-4, ranks=2)
    for forecaster in (one, two):
        forecaster.fit({"train": world(120)}, seed=0)
    curves = [np.concatenate(forecaster.chosen["validation_loss"]) for forecaster in (one, two)]
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-6)
    assert (np.diff(curves[0]) < -1e-4).all()


def test_wrong_settings_are_refused():
    with pytest.raises(ModelError, match="takeovers must rise"):
        FuXi(takeovers=[4, 4])
    with pytest.raises(ModelError, match="do not go round"):
        made(FuXi(**{**SMALL, "window": 3}), "centres")
