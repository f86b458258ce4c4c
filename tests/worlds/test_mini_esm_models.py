"""The simulated data sets with many members and with several models: what their cards promise is what is written."""

from __future__ import annotations

import json

import pytest
import xarray as xr

from climbench.cards import find_dataset
from climbench.registry import load_object
from climbench.worlds import WORLDS
from climbench.worlds.mini_esm import MiniESM
from climbench.worlds.mini_esm_models import MiniESMModels
from climbench.worlds.parameters import MODELS


def test_each_model_is_written_into_a_folder_of_its_own_with_its_mark(tmp_path):
    steps = []
    world = MiniESMModels(["mini-esm", "mini-esm-cool"], experiments=["ssp126"], variables=["tas"])
    world.write(tmp_path, members=2, seed=4, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 2), (2, 2)]
    for model in ("mini-esm", "mini-esm-cool"):
        written = ["control_climatology.nc", "inputs_ssp126.nc", "outputs_ssp126.nc", "sftlf.nc"]
        assert sorted(f.name for f in (tmp_path / model).iterdir()) == written
        with xr.open_dataset(tmp_path / model / "outputs_ssp126.nc") as data:
            assert list(data) == ["tas"]
            mark = json.loads(data.attrs["climbench_world"])
            alone = MiniESM(model, variables=["tas"]).members("ssp126", [1, 2], seed=4)
            assert WORLDS.load(mark["world"]).of_mark(mark).model == model
            xr.testing.assert_equal(data.drop_vars("quantile"), alone)


@pytest.mark.parametrize("name", ["mini-esm-50", "mini-esm-models"])
def test_cards_promise_what_their_worlds_write(name):
    card = find_dataset(name)
    assert card.world.init_args["experiments"] == list(card.experiments)
    assert card.world.init_args["variables"] == list(card.variables)
    world = load_object(card.world.class_path)(**card.world.init_args)
    for one in getattr(world, "worlds", [world]):
        assert (one.experiments, one.variables) == (card.experiments, tuple(card.variables))


def test_the_card_of_several_models_has_them_all():
    assert find_dataset("mini-esm-models").world.init_args["models"] == list(MODELS)
    assert find_dataset("mini-esm-50").world.members == 50
