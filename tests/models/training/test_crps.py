"""The CRPS as a loss against the score of the metrics, and what its gradient teaches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from climbench.errors import ModelError
from climbench.metrics.crps import almost_fair_crps
from climbench.models.training.crps import crps


def test_the_known_case():
    members, target = torch.tensor([[0.0, 1.0, 3.0]]), torch.tensor([2.0])
    assert float(crps(members, target, 1.0)) == pytest.approx(1 / 3)
    assert float(crps(members, target, 0.0)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("alpha", [0.0, 0.95, 1.0])
@pytest.mark.parametrize("count", [2, 5])
def test_it_is_the_score_of_the_metrics(alpha, count):
    rng = np.random.default_rng(0)
    members, target = rng.standard_normal((3, count, 4, 2)), rng.standard_normal((3, 4, 2))
    dims = ("time", "latitude", "longitude")
    told = xr.DataArray(members, dims=("time", "member", *dims[1:]))
    expected = almost_fair_crps(told, xr.DataArray(target, dims=dims), alpha=alpha)
    found = crps(torch.from_numpy(members), torch.from_numpy(target), alpha)
    np.testing.assert_allclose(found.numpy(), expected.transpose(*dims).values, atol=1e-12)


def test_it_is_as_exact_where_networks_are_not():
    torch.manual_seed(0)
    members, target = torch.randn(8, 3, 50), torch.randn(8, 50)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = crps(members, target)
    torch.testing.assert_close(found, crps(members, target))


@pytest.mark.parametrize(("alpha", "expected"), [(1.0, [0.0, -1.0]), (0.0, [-0.25, -0.75])])
def test_members_that_coincide_are_driven_apart(alpha, expected):
    """Both want up by a half; the difference between them is worth another half, or a quarter where it is not fair."""
    members = torch.zeros(1, 2, requires_grad=True)
    crps(members, torch.ones(1), alpha).backward()
    assert members.grad.flatten().tolist() == pytest.approx(expected)


def test_a_network_shown_noise_learns_a_distribution():
    """Of mean 2 x and standard deviation 0.2 + 0.6 x."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 32), nn.GELU(), nn.Linear(32, 1))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)

    def members(x, count):
        return network(torch.stack([x[:, None].expand(-1, count), torch.randn(len(x), count)], dim=-1))[..., 0]

    for step in range(900):
        optimiser.param_groups[0]["lr"] = 0.01 * (1 - step / 900)
        x = torch.rand(1024)
        truth = 2 * x + (0.2 + 0.6 * x) * torch.randn(1024)
        optimiser.zero_grad()
        crps(members(x, 2), truth, 1.0).mean().backward()
        optimiser.step()
    x = torch.tensor([0.1, 0.5, 0.9])
    drawn = members(x, 20000).detach()
    torch.testing.assert_close(drawn.mean(1), 2 * x, atol=0.06, rtol=0.0)
    torch.testing.assert_close(drawn.std(1), 0.2 + 0.6 * x, rtol=0.1, atol=0.0)


@pytest.mark.parametrize(("alpha", "count", "said"), [(1.5, 2, "between 0 and 1"), (1.0, 1, "at least two members")])
def test_what_has_no_score_is_refused(alpha, count, said):
    with pytest.raises(ModelError, match=said):
        crps(torch.zeros(1, count), torch.zeros(1), alpha)
