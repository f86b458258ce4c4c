"""A training step of sfno, and the loop around it, against the bare network of torch-harmonics on the same batches.

The case: four channels on 32 x 64 Gaussian rows, the demo preset's network, batches of 16 and, as in that preset, of 4,
whose steps are short. The bare side does no more than forward, the mean square, backward and Adam; ours has the loss of
each degree as well. The loop is all that comes with it in a training: Lightning, batches assembled from data in memory,
roll-out and weighted loss, clipped gradients, averaged weights, the schedule.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
import xarray as xr

pytest.importorskip("pytorch_lightning", reason="training needs the extra 'models'")

import torch
from torch_harmonics.examples.models import SphericalFourierNeuralOperator

from climbench.models.forecasting.degree_loss import DegreeLoss, DegreePower
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.sfno import SFNO
from climbench.models.forecasting.stepper import Stepper
from climbench.models.forecasting.training import Training
from climbench.models.training.clipping import clip_gradients
from climbench.models.training.fitting import make_optimiser
from climbench.quadrature import quadrature

CHANNELS, ROWS, COLUMNS = 4, 32, 64
NETWORK = {"width": 32, "layers": 3, "degrees": 0.7}
STEPS, BATCHES = 4, 30


def settings(batch):
    return ForecastTraining(batch_size=batch, epochs=1, held_out=0.0, ema=0.99, accelerator="cpu")


def silent(what, done, total):
    """Show nothing."""


def series(batch):
    """Return states that vary, of as many windows as there are batches to fill."""
    rng = np.random.default_rng(0)
    times = BATCHES * batch + 1
    coordinates = {
        "time": pd.date_range("2001-01-01", periods=times, freq="6h"),
        "latitude": quadrature("legendre-gauss", ROWS).latitude,
        "longitude": np.arange(COLUMNS) * 360.0 / COLUMNS,
    }
    shape = (times, ROWS, COLUMNS)
    return xr.Dataset(
        {f"v{n}": (tuple(coordinates), rng.standard_normal(shape).astype("f4")) for n in range(CHANNELS)}, coordinates
    )


def stepper(data, device="cpu"):
    torch.manual_seed(0)
    network = SFNO(**NETWORK).network(data, CHANNELS, CHANNELS)
    return Stepper(network, np.ones(CHANNELS), 21600.0).to(device)


def our_step(model, loss, optimiser, states, ahead, seconds):
    optimiser.zero_grad()
    loss(model(states, seconds), ahead).backward()
    clip_gradients(model.parameters(), 1.0)
    optimiser.step()


def bare_step(network, optimiser, states, ahead):
    optimiser.zero_grad()
    ((network(states) - ahead) ** 2).mean().backward()
    optimiser.step()


def bare(device="cpu"):
    torch.manual_seed(0)
    network = SphericalFourierNeuralOperator(
        img_size=(ROWS, COLUMNS),
        grid="legendre-gauss",
        grid_internal="legendre-gauss",
        scale_factor=1,
        in_chans=CHANNELS,
        out_chans=CHANNELS,
        embed_dim=NETWORK["width"],
        num_layers=NETWORK["layers"],
        hard_thresholding_fraction=NETWORK["degrees"],
        normalization_layer="none",
        pos_embed="learnable latlon",
        bias=True,
    ).to(device)
    return network, make_optimiser(network, settings(1))


def repeated(step, count):
    for _ in range(count):
        step()


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def loss_of(data):
    power = DegreePower(data["latitude"].values, COLUMNS, NETWORK["degrees"])
    usual = torch.ones(CHANNELS, len(power.times))
    return DegreeLoss(np.ones(CHANNELS), np.ones(CHANNELS), np.ones(ROWS), power=power, usual=usual, weight=0.2)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("batch", [16, 4])
def test_a_step(ratio, batch):
    data = series(batch)
    model, (network, theirs) = stepper(data), bare()
    loss, optimiser = loss_of(data), make_optimiser(model, settings(batch))
    states, ahead = torch.randn(2, batch, CHANNELS, ROWS, COLUMNS)
    ours = partial(our_step, model, loss, optimiser, states[:, None], ahead, torch.zeros(batch, dtype=torch.int64))
    peer = partial(bare_step, network, theirs, states, ahead)
    ratio(
        f"{STEPS} training steps of sfno, batches of {batch}",
        partial(repeated, ours, STEPS),
        against="the bare network",
        peer=partial(repeated, peer, STEPS),
    )


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("batch", [16, 4])
def test_an_epoch(ratio, batch):
    """As many steps on either side; what the loop costs is what is beyond the ratio of single steps."""
    data = series(batch)
    training, (network, theirs) = Training({"train": data}, None, 1, settings(batch)), bare()
    training.loss = lambda *given: loss_of(data)
    states, ahead = torch.randn(2, batch, CHANNELS, ROWS, COLUMNS)
    peer = partial(bare_step, network, theirs, states, ahead)
    ratio(
        f"an epoch of sfno, {BATCHES} batches of {batch}",
        lambda: training.run(stepper(data), 0, {}, None, silent),
        against="the bare network",
        peer=partial(repeated, peer, BATCHES),
        rounds=5,
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_step_on_a_gpu(ratio, precision):
    """Memory at its largest is printed for both."""
    data = series(16)
    model, (network, theirs) = stepper(data, "cuda"), bare("cuda")
    loss, optimiser = loss_of(data).cuda(), make_optimiser(model, settings(16))
    states, ahead = torch.randn(2, 16, CHANNELS, ROWS, COLUMNS, device="cuda")
    seconds = torch.zeros(16, dtype=torch.int64, device="cuda")

    def ours():
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bfloat16"):
            repeated(partial(our_step, model, loss, optimiser, states[:, None], ahead, seconds), STEPS)
        torch.cuda.synchronize()

    def peer():
        repeated(partial(bare_step, network, theirs, states, ahead), STEPS)
        torch.cuda.synchronize()

    for name, work in (("sfno", ours), ("bare", peer)):
        torch.cuda.reset_peak_memory_stats()
        work()
        print(f"\n{name}, {precision}: {torch.cuda.max_memory_allocated() / 1e6:.0f} MB")
    ratio(f"{STEPS} training steps of sfno on a GPU, {precision}", ours, against="the bare network", peer=peer)
