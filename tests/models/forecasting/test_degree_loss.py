"""The error of each degree in units of its change, on single harmonics whose numbers are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from climbench.errors import ModelError
from climbench.models.forecasting.degree_loss import DegreeLoss, DegreePower
from climbench.models.forecasting.sampled_changes import reduced_changes
from climbench.models.forecasting.sfno import SFNO
from climbench.models.forecasting.state_channels import StateChannels
from climbench.models.forecasting.stepper import StepLoss
from climbench.quadrature import quadrature
from tests.models.forecast_states import series_of

ROWS, COLUMNS = quadrature("legendre-gauss", 16).latitude, 32
EAST = np.linspace(0.0, 2.0 * np.pi, COLUMNS, endpoint=False)
SINE = np.sin(np.deg2rad(ROWS))[:, None]


def harmonic(degree):
    """Sectoral harmonics; their mean square over the sphere is known from the integral of powers of the cosine."""
    shape = np.sqrt(1.0 - SINE**2) ** degree
    return torch.tensor(shape * np.cos(degree * EAST), dtype=torch.float32)


@pytest.mark.parametrize(("degree", "mean_square"), [(1, 1 / 3), (2, 4 / 15), (3, 8 / 35)])
def test_the_power_of_a_harmonic_is_its_mean_square_at_its_degree(degree, mean_square):
    """Half of the mean of cos^2l over the sphere, which is 2/3, 8/15 and 16/35; times the area of the sphere."""
    power = DegreePower(ROWS, COLUMNS)(harmonic(degree))
    wanted = torch.zeros(16)
    wanted[degree] = 4.0 * np.pi * mean_square
    torch.testing.assert_close(power, wanted, atol=1e-4, rtol=1e-4)


def test_each_degree_counts_in_units_of_its_change():
    """Changes of power 4 and 1 at degrees 1 and 2 alone: the errors 1/4 and 1 of them, of two degrees that count."""
    power = DegreePower(ROWS, COLUMNS)
    usual = torch.zeros(1, 16)
    usual[0, 0], usual[0, 1], usual[0, 2] = 7.0, 4.0, 1.0
    ones = np.ones(1), np.ones(1), np.ones(16)
    loss = DegreeLoss(*ones, power=power, usual=usual, weight=0.5)
    unit = {degree: harmonic(degree) / power(harmonic(degree)).sum().sqrt() for degree in (1, 2, 3)}
    error = (unit[1] + unit[2] + unit[3])[None, None]
    truth = torch.zeros_like(error)
    cells = StepLoss(*ones)(error, truth)
    assert float(loss(error, truth) - cells) == pytest.approx(0.5 * (1 / 4 + 1) / 2, rel=1e-4)


def test_the_power_of_changes_is_that_of_the_data_within_periods():
    """A harmonic that grows by 2 a step; across the gap, where it leaps, nothing is taken."""
    size = np.concatenate([np.arange(0, 40, 2), np.arange(500, 540, 2)]).astype("float64")
    data = series_of(size[:, None, None] * harmonic(2).numpy(), step="6h", latitude=ROWS, longitude=np.rad2deg(EAST))
    times = data["time"].values.copy()
    times[20:] += np.timedelta64(30, "D")
    train = {"train": data.assign_coords(time=times)}
    channels, _ = StateChannels.of(train)
    power = DegreePower(ROWS, COLUMNS)
    (found,) = reduced_changes(train, channels, [power])
    found = found.mean(0)
    wanted = power(2.0 * harmonic(2) / float(channels.std[0]))
    torch.testing.assert_close(found[0], wanted, atol=1e-5, rtol=1e-3)


def test_a_weight_below_0_is_refused():
    with pytest.raises(ModelError, match="spectral_weight must not be negative; it is -1"):
        SFNO(spectral_weight=-1.0)
