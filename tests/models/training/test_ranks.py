"""Ranks that share each batch train the network that one rank trains, and none of them writes but the first."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.sfno import SFNO
from climbench.models.training.ranks import Rank
from tests.models.forecasting.moving_wave import SETTINGS, world
from tests.models.forecasting.test_network_forecaster import Pointwise


def trained(ranks, **settings):
    """Batches of 15 leave the ranks 8 and 7 samples, in training and in validation; then roll-outs of two steps."""
    given = {**SETTINGS, "width": 6, "layers": 1, "batch_size": 15, "epochs": 2, "rollout_steps": 2, **settings}
    forecaster = SFNO(**given, ranks=ranks)
    forecaster.fit({"train": world(120)}, seed=0)
    return forecaster


def test_two_ranks_learn_what_one_does_but_for_round_off():
    """Weights are alike but for the last bias: the mean it adds is taken out, so that round-off alone moves it."""
    one, two = trained(1), trained(2)
    for name, weights in one.stepper.state_dict().items():
        if not name.endswith("decoder.0.bias"):
            torch.testing.assert_close(two.stepper.state_dict()[name], weights, rtol=1e-4, atol=1e-5)
    curves = [np.concatenate(forecaster.chosen["validation_loss"]) for forecaster in (one, two)]
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-4)
    assert two.chosen["epochs"] == one.chosen["epochs"]


@pytest.mark.parametrize("size", [1, 2, 5, 16])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_weighted_mean_over_ranks_is_the_mean_over_samples(size, count):
    values = torch.arange(1.0, size + 1)
    shares = [Rank(number, count).share_of({"time": values}) for number in range(count)]
    mean = sum(float(share["time"].mean()) * share["share"] for share in shares) / count
    assert mean == pytest.approx(float(values.mean()))
    assert sum(share["count"] for share in shares) == size


class Failing(nn.Module):
    """Is whole here, and raises an error in another process."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(1, 1, 1)

    def __setstate__(self, state):
        raise RuntimeError("no memory for this network")


class Unlike(Pointwise):
    def network(self, grid, channels_in, channels_out):
        return Failing()


def test_a_rank_that_fails_is_heard():
    with pytest.raises(ModelError, match=r"Rank 1 has failed: RuntimeError: no memory for this network\..* ranks=1"):
        Unlike(**SETTINGS, ranks=2).fit({"train": world(60)}, seed=0)


def test_a_network_that_cannot_be_given_away_is_refused():
    class Local(Pointwise):
        def network(self, grid, channels_in, channels_out):
            network = nn.Conv2d(channels_in, channels_out, 1)
            network.register_forward_hook(lambda *_: None)
            return network

    with pytest.raises(ModelError, match=r"cannot be given to further ranks.*ranks=1"):
        Local(**SETTINGS, ranks=2).fit({"train": world(60)}, seed=0)


def test_more_ranks_than_samples_in_a_batch_are_refused():
    with pytest.raises(ModelError, match="at most batch_size, 4, as they share a batch; it is 5"):
        SFNO(ranks=5, batch_size=4)
