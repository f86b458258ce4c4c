"""What all forecasting networks have in common, each at a size that trains in seconds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.climax import ClimaX
from climbench.models.forecasting.dyffusion import DYffusion
from climbench.models.forecasting.fuxi import FuXi
from climbench.models.forecasting.graph import Graph
from climbench.models.forecasting.lsno import LSNO
from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.forecasting.resnet import ResNet
from climbench.models.forecasting.sfno import SFNO
from climbench.models.forecasting.sfno_ensemble import SFNOEnsemble
from climbench.models.forecasting.unet import UNet
from climbench.models.forecasting.vit import ViT
from climbench.progress import Progress
from tests.models.forecast_states import leads, states
from tests.models.forecasting.moving_wave import SETTINGS, world

STEP = "6h"
FORECASTERS = {
    UNet: {"widths": [8, 16], "place_maps": 2},
    ResNet: {"width": 12, "blocks": 2, "dropout": 0.0},
    SFNO: {"width": 12, "layers": 2, "places": "learnable lat", "spectral_weight": 0.1},
    LSNO: {"width": 12, "layers": 2, "places": "learnable lat"},
    Graph: {"width": 16, "layers": 2, "refinements": 1},
    ViT: {"width": 32, "depth": 2, "combinations": 1, "leads": [1], "history": 1},
    FuXi: {"patch": 2, "width": 16, "depth": 2, "heads": 2, "window": 2, "takeovers": []},
    ClimaX: {"width": 32, "depth": 2, "decoder_depth": 0, "leads": [1], "history": 1},
}
ENSEMBLES = {
    SFNOEnsemble: {"width": 12, "layers": 2, "places": "learnable lat", "history": 2},
    DYffusion: {"width": 12, "layers": 2, "places": "learnable lat", "horizon": 3, "epochs": 5},
}


class Pointwise(NetworkForecaster):
    """The smallest network there is: channels mixed cell by cell."""

    def __init__(self, *, width=4, history=1, clock=False, **training):
        super().__init__({"width": width}, training, history=history, clock=clock)

    def network(self, grid, channels_in, channels_out):
        width = self.arguments["width"]
        return nn.Sequential(nn.Conv2d(channels_in, width, 1), nn.GELU(), nn.Conv2d(width, channels_out, 1))


class Interrupting(Progress):
    """Ends the process, as it were, after some batches."""

    def __init__(self, after):
        self.left = after

    def step(self, what, done, total):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def pointwise(**settings):
    return Pointwise(**{**SETTINGS, "history": 2, "epochs": 3, **settings})


def noisy(**settings):
    return SFNOEnsemble(**{**SETTINGS, "history": 2, "epochs": 3, "width": 4, "layers": 1, **settings})


def sampled(rollout_steps=1, rollout_epochs=0, **settings):
    """DYffusion, which has no stage of roll-outs, and as many batches for its interpolator as for its forecaster."""
    return DYffusion(**{**SETTINGS, "epochs": 2, "horizon": 3, "width": 4, "layers": 1, **settings})


def bytes_of(forecaster, folder):
    forecaster.save(folder)
    return (folder / "network.npz").read_bytes()


@pytest.fixture(scope="module", params=FORECASTERS | ENSEMBLES, ids=lambda kind: kind.__name__)
def fitted(request):
    own = ENSEMBLES.get(request.param) or {"history": 2, **FORECASTERS[request.param]}
    forecaster = request.param(**{**SETTINGS, **own})
    forecaster.fit({"train": world()}, seed=0)
    return forecaster


def test_moving_waves_are_forecast(fitted):
    """Far better than persistence, on times after those of training."""
    data, steps = world(260), (1, 2, 4)
    positions = np.arange(205, 250, 5)
    found = fitted.predict(states(data, positions, 2), leads=leads(*steps, step=STEP), seed=0)["psl"]
    for place, step in enumerate(steps):
        truth, start = (data["psl"].values[positions + n] for n in (step, 0))
        error = np.sqrt(((found.values[:, place] - truth) ** 2).mean())
        assert error < 0.4 * np.sqrt(((start - truth) ** 2).mean())


@pytest.mark.parametrize("fitted", FORECASTERS, indirect=True, ids=lambda kind: kind.__name__)
def test_a_forecast_goes_on_from_itself(fitted):
    """Without noise, two steps are one step from where one step leads."""
    given = states(world(), [50, 60], 2)
    both = fitted.predict(given, leads=leads(1, 2, step=STEP), seed=0)["psl"]
    first = both.isel(lead_time=0, drop=True).values
    latest = given["psl"].isel(history=1).values
    onward = given.copy(deep=True)
    onward["psl"][...] = np.stack([latest, first], axis=1)
    onward = onward.assign_coords(init_time=given["init_time"] + leads(1, step=STEP)[0])
    again = fitted.predict(onward, leads=leads(1, step=STEP), seed=0)["psl"].values[:, 0]
    np.testing.assert_allclose(again, both.values[:, 1], atol=0.5)


def test_what_is_saved_is_loaded_without_its_settings(fitted, tmp_path):
    fitted.save(tmp_path)
    loaded = type(fitted).load(tmp_path)
    given = states(world(), [50, 60], 2)
    one, other = (f.predict(given, leads=leads(1, 3, step=STEP), seed=0) for f in (fitted, loaded))
    xr.testing.assert_identical(one, other)
    assert loaded.parameters == fitted.parameters > 0
    assert loaded.chosen == fitted.chosen


def test_a_checkpoint_of_another_model_is_refused(fitted, tmp_path):
    fitted.save(tmp_path)
    with pytest.raises(ModelError, match=f"holds a '{type(fitted).__name__}', and a 'Pointwise' was asked for"):
        Pointwise.load(tmp_path)


@pytest.mark.parametrize("kind", [pointwise, noisy, sampled])
def test_the_same_seed_gives_the_same_bytes(kind, tmp_path):
    found = []
    for number, seed in enumerate((0, 0, 1)):
        forecaster = kind(epochs=1)
        forecaster.fit({"train": world()}, seed=seed)
        found.append(bytes_of(forecaster, tmp_path / str(number)))
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("kind", "after", "batches"),
    [
        *((pointwise, after, 60) for after in (3, 12, 30, 36, 45)),
        *((noisy, after, 60) for after in (30, 45)),
        *((sampled, after, 48) for after in (17, 30)),
    ],
)
def test_an_interrupted_training_goes_on_to_the_same_bytes(kind, after, batches, tmp_path):
    """There are 12 batches an epoch, three epochs of one step and two of two: within and between all of them."""
    settings = {"rollout_steps": 2, "rollout_epochs": 2, "checkpoint_seconds": 0.0}
    whole, part, rest = (kind(**settings) for _ in range(3))
    whole.fit({"train": world()}, seed=0)
    part.checkpoints = rest.checkpoints = tmp_path / "states"
    part.progress = Interrupting(after)
    with pytest.raises(KeyboardInterrupt):
        part.fit({"train": world()}, seed=0)
    seen = Interrupting(1000)
    rest.progress = seen
    rest.fit({"train": world()}, seed=0)
    assert 1000 - seen.left == batches - after  # what was done is not done again
    assert bytes_of(rest, tmp_path / "rest") == bytes_of(whole, tmp_path / "whole")
    assert rest.chosen == whole.chosen


def test_a_state_of_another_training_is_refused(tmp_path):
    one, other = pointwise(checkpoint_seconds=0.0, epochs=1), pointwise(checkpoint_seconds=0.0, epochs=1, width=5)
    one.checkpoints = other.checkpoints = tmp_path
    one.fit({"train": world()}, seed=0)
    with pytest.raises(ModelError, match="of another training: width 4 there and 5 here"):
        other.fit({"train": world()}, seed=0)
    with pytest.raises(ModelError, match=r"of another training: channels \['psl'\] there and \['ps'\] here"):
        one.fit({"train": world().rename(psl="ps")}, seed=0)


@pytest.mark.parametrize("period", ["train", "validation"])
@pytest.mark.parametrize("streamed", [False, True])
def test_missing_values_are_named_before_the_first_step(period, streamed, tmp_path):
    periods = {"train": world(), "validation": world(60)}
    periods[period]["psl"][30, 1, 2] = np.nan
    memory = 2**30
    if streamed:
        memory = world().nbytes // 2
        for name, data in periods.items():
            data.chunk(time=20).to_zarr(tmp_path / name, zarr_format=2)
            periods[name] = xr.open_zarr(tmp_path / name, chunks=None)
    forecaster = pointwise(memory=memory)
    forecaster.progress = Interrupting(0)  # would end the first batch
    said = rf"'{period}' are not complete: psl has 1 values that are not finite at 2001-01-08T12"
    with pytest.raises(ModelError, match=said):
        forecaster.fit({"train": periods["train"]}, {"validation": periods["validation"]}, seed=0)


def test_a_loss_that_is_not_finite_stops_and_leaves_the_last_good_state(tmp_path):
    class Exploding(Pointwise):
        def network(self, grid, channels_in, channels_out):
            class Burst(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.mix, self.calls = nn.Conv2d(channels_in, channels_out, 1), 0

                def forward(self, maps):
                    self.calls += self.training
                    return self.mix(maps) * (float("nan") if self.calls > 7 else 1.0)

            return Burst()

    forecaster = Exploding(**SETTINGS, checkpoint_seconds=0.0)
    forecaster.checkpoints = tmp_path
    with pytest.raises(ModelError, match=rf"update 8 \(stage 1, epoch 1, batch 8\).*{tmp_path.name}.*learning_rate"):
        forecaster.fit({"train": world()}, seed=0)
    with np.load(tmp_path / "training" / "weights.npz", allow_pickle=False) as kept:
        assert all(np.isfinite(kept[name]).all() for name in kept.files)


@pytest.mark.parametrize("kept_every", [0.0, 300.0], ids=["kept each batch", "diverged before a state was kept"])
def test_a_training_that_diverged_goes_on_at_a_lower_rate(kept_every, tmp_path):
    """The rate rises with each update, up to where the loss is no number; at a hundredth of it all goes well."""
    settings = {"optimiser": "adam", "schedule": "warmup-cosine", "gradient_clip": None, "epochs": 4}
    settings |= {"checkpoint_seconds": kept_every, "warmup_steps": 10}
    wild, tame = pointwise(**settings, learning_rate=1e37), pointwise(**settings, learning_rate=0.01)
    wild.checkpoints = tame.checkpoints = tmp_path
    with pytest.raises(ModelError, match=rf"diverged in update \d+ .*kept in {tmp_path}/training.*at other rates"):
        wild.fit({"train": world()}, seed=0)
    tame.fit({"train": world()}, seed=0)
    assert np.isfinite(tame.chosen["validation_loss"][0]).all()


def test_data_larger_than_the_memory_are_streamed(tmp_path):
    """In the order of time, that of a store and of data in memory are the same."""
    world().chunk(time=20).to_zarr(tmp_path / "store.zarr", zarr_format=2)
    lazy = xr.open_zarr(tmp_path / "store.zarr", chunks=None)
    held, streamed = pointwise(shuffle=False), pointwise(shuffle=False, memory=world().nbytes // 2)
    held.fit({"train": world()}, seed=0)
    streamed.fit({"train": lazy}, seed=0)
    one, other = (list(f.stepper.parameters()) for f in (held, streamed))
    for ours, theirs in zip(one, other, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_epochs_are_chosen_on_validation_and_it_alone():
    """A validation period in which nothing moves is best forecast by the network that has learned least."""
    still = world().isel(time=slice(60)).copy(deep=True)
    still["psl"][...] = still["psl"][0].values
    forecaster = pointwise(epochs=6, patience=2, ema=None)
    forecaster.fit({"train": world()}, {"validation": still}, seed=0)
    curve = forecaster.chosen["validation_loss"][0]
    assert forecaster.chosen["epochs"] == int(np.argmin(curve)) + 1
    assert len(curve) == min(6, forecaster.chosen["epochs"] + 2)
    assert "validation period" in forecaster.chosen["by"]


def test_without_validation_the_end_of_training_is_kept_or_nothing():
    one, none = pointwise(held_out=0.2, epochs=1), pointwise(held_out=0.0, epochs=1)
    for forecaster in (one, none):
        forecaster.fit({"train": world()}, seed=0)
    assert "the end of training" in one.chosen["by"]
    assert none.chosen["by"] == "no validation; the last epoch"
    with pytest.raises(ModelError, match="held_out"):
        pointwise(held_out=0.8).fit({"train": world(8)}, seed=0)


def test_roll_outs_make_forecasts_of_many_steps_better():
    """A network without a way to move waves learns, by roll-outs, to damp what it gets wrong."""
    found = {}
    for steps in (1, 6):
        forecaster = pointwise(history=1, epochs=6, rollout_steps=steps, rollout_epochs=6, rollout_rate=1.0)
        forecaster.fit({"train": world()}, seed=0)
        positions = np.arange(100, 150)
        said = forecaster.predict(states(world(), positions), leads=leads(6, step=STEP), seed=0)["psl"].values[:, 0]
        found[steps] = float(np.sqrt(((said - world()["psl"].values[positions + 6]) ** 2).mean()))
    assert found[6] < 0.97 * found[1]


def test_activations_computed_again_give_the_same_network():
    found = []
    for again in (False, True):
        forecaster = pointwise(checkpointing=again, rollout_steps=2, rollout_epochs=1, epochs=1)
        forecaster.fit({"train": world()}, seed=0)
        found.append(forecaster.stepper.state_dict())
    for name, tensor in found[0].items():
        torch.testing.assert_close(found[1][name], tensor, rtol=1e-4, atol=1e-6)


def test_wrong_leads_states_and_settings_are_refused():
    forecaster, data = pointwise(epochs=1), world()
    with pytest.raises(ModelError, match="was not fitted"):
        forecaster.predict(states(data, [9], 2), leads=leads(1, step=STEP), seed=0)
    forecaster.fit({"train": data}, seed=0)
    given = states(data, [9], 2)
    with pytest.raises(ModelError, match="9 h is no whole number of steps of 6 h"):
        forecaster.predict(given, leads=leads(1.5, step=STEP), seed=0)
    with pytest.raises(ModelError, match="starts from states at -6, 0 h"):
        forecaster.predict(states(data, [9], 1), leads=leads(1, step=STEP), seed=0)
    with pytest.raises(ModelError, match=r"trained on 8 of latitude.*given 7"):
        forecaster.predict(given.isel(latitude=slice(7)), leads=leads(1, step=STEP), seed=0)
    with pytest.raises(ModelError, match="no 'psl'"):
        forecaster.predict(given.rename(psl="ps"), leads=leads(1, step=STEP), seed=0)
    with pytest.raises(ModelError, match="'rollout_steps'"):
        pointwise(rollout_stes=2)
    constant = data.copy(deep=True)
    constant["psl"][...] = 1e5
    with pytest.raises(ModelError, match="'psl' does not vary"):
        pointwise().fit({"train": constant}, seed=0)


@pytest.mark.parametrize("kind", [UNet, SFNO, Graph])
def test_bfloat16_learns_what_float32_does(kind):
    """Spectral transforms stay in float32, the rest may be less exact."""
    found = {}
    for precision in ("float32", "bfloat16"):
        forecaster = kind(**FORECASTERS[kind], **{**SETTINGS, "epochs": 2, "precision": precision})
        forecaster.fit({"train": world()}, seed=0)
        found[precision] = forecaster.chosen["validation_loss"][0][-1]
    assert found["bfloat16"] == pytest.approx(found["float32"], rel=0.1)


@pytest.mark.parametrize("kind", [UNet, ResNet, ViT, ClimaX])
def test_a_region_of_any_size_is_taken(kind):
    region = world(60).isel(latitude=slice(1, 6), longitude=slice(2, 13))
    forecaster = kind(**FORECASTERS[kind], **{**SETTINGS, "epochs": 1})
    forecaster.fit({"train": region}, seed=0)
    said = forecaster.predict(states(region, [9]), leads=leads(1, step=STEP), seed=0)["psl"]
    assert said.shape == (1, 1, 5, 11)


@pytest.mark.parametrize("kind", [SFNO, LSNO, Graph, FuXi])
def test_networks_of_the_whole_globe_refuse_a_region_and_say_why(kind):
    region = world(60).isel(latitude=slice(1, 6), longitude=slice(2, 13))
    with pytest.raises(ModelError, match="made for the whole globe"):
        kind(**FORECASTERS[kind], **SETTINGS).fit({"train": region}, seed=0)
