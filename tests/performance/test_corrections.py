"""What correctors add to a training step of sfno: the demo preset's network, 8 levels, 32 x 64, batches of 4.

Both sides step once from the same states, with loss, gradients, clipping and Adam; ours corrects the step and learns
through the corrections. The issue asks for a ratio of at most 1.05, which is asserted of each corrector and
of all of them together.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

pytest.importorskip("torch", reason="training needs the extra 'models'")

import torch

from climbench.cards import Correct
from climbench.data.streaming.channels import Channel
from climbench.models.forecasting.channel_corrections import ChannelCorrections
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.sfno import SFNO
from climbench.models.forecasting.state_channels import StateChannels
from climbench.models.forecasting.stepper import StepLoss, Stepper
from climbench.models.step_corrections import StepCorrections
from climbench.models.training.clipping import clip_gradients
from climbench.models.training.fitting import make_optimiser
from climbench.physics.vertical_coordinates import hybrid_layers
from climbench.quadrature import quadrature
from tests.tasks.forecast.moist_store import FLAT, TALL, TARGETS

ROWS, COLUMNS, BATCH, STEPS, LIMIT = 32, 64, 4, 4, 1.05
LEVELS = [50.0, 150.0, 250.0, 400.0, 550.0, 700.0, 850.0, 950.0]
SURFACES = hybrid_layers(
    np.array([0.0, 5e3, 9e3, 1e4, 8e3, 5e3, 2.5e3, 500.0, 0.0]),
    np.array([0.0, 0.0, 0.05, 0.15, 0.32, 0.53, 0.75, 0.92, 1.0]),
)
NETWORK = {"width": 32, "layers": 3, "degrees": 0.7, "places": "learnable lat"}
ALL = ("positivity", "dry_air", "moisture", "energy")
CASES = [(what, form) for form in ("credit", "ace") for what in (ALL, *((name,) for name in ALL[1:]))]


def states():
    """Return an empty series of states, which has the coordinates and units that corrections are made of."""
    axes = {
        "time": np.array(["2001-01-01", "2001-01-02"], "datetime64[ns]"),
        "level": LEVELS,
        "latitude": quadrature("legendre-gauss", ROWS).latitude,
        "longitude": np.arange(COLUMNS) * 360.0 / COLUMNS,
    }
    made = {}
    for name, (_, _, units) in {**TALL, **FLAT}.items():
        dims = tuple(d for d in axes if d != "level" or name in TALL)
        made[name] = (dims, np.zeros([len(axes[d]) for d in dims], "float32"), {"units": units})
    ground = np.zeros((ROWS, COLUMNS), "float32")
    made["geopotential_at_surface"] = (("latitude", "longitude"), ground, {"units": "m**2 s**-2"})
    made["ak"] = ("interface", SURFACES.interface_offset, {"units": "Pa"})
    made["bk"] = ("interface", SURFACES.interface_slope, {"units": "1"})
    return xr.Dataset(made, axes)


def channels_of_states():
    """Return channels with the usual statistics of each variable."""
    found = [Channel(name, level) for name in TALL for level in LEVELS] + [Channel(name) for name in FLAT]
    mean, std = (np.array([{**TALL, **FLAT}[c.variable][n] for c in found]) for n in (0, 1))
    return StateChannels(tuple(found), mean, std, 0.3 * std)


def training_step(what, form):
    """Return a function that trains for some steps, with corrections or without."""
    torch.manual_seed(0)
    data, channels = states(), channels_of_states()
    count = len(channels.channels)
    stepper = Stepper(SFNO(**NETWORK).network(data, count, count), channels.tendency / channels.std, 21600.0)
    if what:
        corrections = StepCorrections.of(Correct(what=what, form=form), data[TARGETS], data)
        stepper.corrections = ChannelCorrections(corrections, channels, 21600.0)
    loss = StepLoss(channels.tendency / channels.std, channels.loss_weights(), np.ones(ROWS))
    optimiser = make_optimiser(stepper, ForecastTraining(batch_size=BATCH, accelerator="cpu"))
    before, ahead = torch.randn(2, BATCH, count, ROWS, COLUMNS)
    seconds = torch.zeros(BATCH, dtype=torch.int64)

    def train():
        for _ in range(STEPS):
            optimiser.zero_grad()
            loss(next(stepper.rollout(before[:, None], seconds, 1)), ahead).backward()
            clip_gradients(stepper.parameters(), 1.0)
            optimiser.step()

    return train


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("what", "form"), CASES)
def test_a_training_step_with_correctors(ratio, what, form):
    name = f"{STEPS} training steps of sfno at 8 levels with {', '.join(what)} ({form})"
    plain = training_step((), form)
    ratio(name, training_step(what, form), against="without correctors", peer=plain, at_most=LIMIT)
