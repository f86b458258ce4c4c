"""Maps that do not change: normalised by area, shown to the network, kept with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.forecasting.static_maps import StaticMaps
from tests.models.forecast_states import leads, states
from tests.models.forecasting.moving_wave import SETTINGS, world

SPACE = ("latitude", "longitude")


class Pointwise(NetworkForecaster):
    def __init__(self, *, history=1, clock=False, **training):
        super().__init__({}, training, history=history, clock=clock)

    def network(self, grid, channels_in, channels_out):
        return nn.Sequential(nn.Conv2d(channels_in, 8, 1), nn.GELU(), nn.Conv2d(8, channels_out, 1))


def with_map(values=None, count=200):
    data = world(count)
    rng = np.random.default_rng(1)
    shape = tuple(data.sizes[d] for d in SPACE)
    return data.assign(ground=(SPACE, rng.normal(500.0, 300.0, shape) if values is None else values))


def test_a_map_has_mean_0_and_standard_deviation_1_by_area():
    """On rows whose belts end at 0, 45 and 90 degrees and hold sin 45 and 1 - sin 45 of a hemisphere."""
    coords = {"latitude": [-67.5, -22.5, 22.5, 67.5], "longitude": [0.0, 120.0, 240.0]}
    ground = np.zeros((4, 3))
    ground[1:3] = 7.0
    maps = StaticMaps.of({"train": xr.Dataset({"ground": (SPACE, ground)}, coords)})
    share = np.sin(np.deg2rad(45.0))
    low, high = -np.sqrt(share / (1.0 - share)), np.sqrt((1.0 - share) / share)
    np.testing.assert_allclose(maps.values[0, :, 0], [low, high, high, low], rtol=1e-5)


def test_a_map_that_is_the_same_everywhere_is_0():
    assert not bool(StaticMaps.of({"train": with_map(np.full((8, 16), 3.0))}).values.any())


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_maps_that_are_not_finite_are_refused(broken):
    data = with_map()
    data["ground"][2, 3] = broken
    with pytest.raises(ModelError, match="'ground' has values that are not finite"):
        StaticMaps.of({"train": data})


def test_periods_of_different_maps_are_refused():
    with pytest.raises(ModelError, match="'ground' of the training period 'later'"):
        StaticMaps.of({"train": with_map(), "later": with_map(np.ones((8, 16)))})


def test_what_a_network_cannot_know_otherwise_it_learns_from_the_map(tmp_path):
    """The wave stands still in the west; a network that works cell by cell can tell from the map alone."""
    data = with_map(np.repeat((np.arange(16) < 8)[None].astype("float64"), 8, axis=0), count=120)
    data["psl"] = xr.where(data["longitude"] < 180.0, data["psl"].isel(time=0), data["psl"]).transpose(
        *data["psl"].dims
    )
    data["psl"] = data["psl"].astype("float32")
    losses = {}
    for name, train in (("with", data), ("without", data.drop_vars("ground"))):
        forecaster = Pointwise(**SETTINGS, history=2)
        forecaster.fit({"train": train}, seed=0)
        losses[name] = min(forecaster.chosen["validation_loss"][0])
        if name == "with":
            forecaster.save(tmp_path)
            loaded, given = Pointwise.load(tmp_path), states(train[["psl"]], [50, 60], 2)
            one, other = (f.predict(given, leads=leads(1, 3, step="6h"), seed=0) for f in (forecaster, loaded))
            xr.testing.assert_identical(one, other)
            assert loaded.stepper.maps.shape == torch.Size([1, 8, 16])
    assert losses["with"] < 0.7 * losses["without"]
