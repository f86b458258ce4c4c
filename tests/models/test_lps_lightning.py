"""Pattern scaling by gradient steps against its closed form, from memory and streamed from a store of members."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.models.lps_lightning import LPSLightning
from climbench.models.pattern_scaling import LinearPatternScaling
from tests import synthetic
from tests.data.streamed import open_lazily

SCENARIOS = ("historical", "hist-aer", "ssp126", "ssp585")
GRID = ("latitude", "longitude")


def ensemble(name, members):
    """Noisy members; aerosols alone cool by a random walk of their own."""
    data = synthetic.outputs(name, members=members, noise=0.3).rename(lat="latitude", lon="longitude")
    fields = data[["tas", "pr"]].drop_vars("quantile", errors="ignore")
    return fields.assign(CO2=("time", synthetic.cumulative_co2(name))).drop_vars("quantile", errors="ignore")


@pytest.fixture(scope="module")
def members():
    return {name: ensemble(name, 4 if name == "ssp126" else 2) for name in SCENARIOS}


@pytest.fixture(scope="module")
def means(members):
    return {name: data.mean("member") for name, data in members.items()}


@pytest.fixture(scope="module")
def closed(means):
    emulator = LinearPatternScaling()
    emulator.fit(means, seed=0)
    return emulator


def agree(trained, closed):
    """Both lines to 1e-4, relative to the slope or, for intercepts, to what the slope makes of a kelvin."""
    assert trained.global_fit == pytest.approx(closed.global_fit, rel=1e-4)
    for name in ("tas", "pr"):
        size = abs(closed.patterns[f"{name}_slope"])
        for part in ("slope", "intercept"):
            difference = abs(trained.patterns[f"{name}_{part}"] - closed.patterns[f"{name}_{part}"])
            assert float((difference / size).max()) < 1e-4
    forcing = synthetic.inputs("ssp245")
    for name, field in closed.predict(forcing, seed=0).items():
        np.testing.assert_allclose(trained.predict(forcing, seed=0)[name], field, rtol=1e-4)


@pytest.mark.parametrize("batch_size", [7, 400])
@pytest.mark.parametrize("epochs", [1, 3])
def test_one_step_on_the_gradient_over_all_batches_leads_to_the_closed_form(means, closed, batch_size, epochs):
    trained = LPSLightning(epochs=epochs, batch_size=batch_size)
    trained.fit(means, seed=0)
    agree(trained, closed)


def test_members_streamed_from_a_store_give_the_lines_of_their_means(members, closed, tmp_path):
    """Scenarios have different numbers of members; every year of every scenario weighs the same all the same."""
    stores = {}
    for name, data in members.items():
        encoding = {v: {"chunks": (1, 10, 6, 8)} for v in ("tas", "pr")}
        data.to_zarr(tmp_path / name, zarr_format=3, consolidated=False, encoding=encoding)
        stores[name] = open_lazily(tmp_path / name)
    trained = LPSLightning(batch_size=16, memory=200_000)
    trained.fit(stores, seed=0)
    agree(trained, closed)


def test_the_same_bytes_every_time(means):
    fits = []
    for _ in range(2):
        trained = LPSLightning()
        trained.fit(means, seed=0)
        fits.append((trained.global_fit, trained.patterns))
    assert fits[0][0] == fits[1][0]
    xr.testing.assert_identical(fits[0][1], fits[1][1])


def test_it_is_saved_and_loaded_as_what_it_is(means, tmp_path):
    trained = LPSLightning()
    trained.fit(means, seed=0)
    trained.save(tmp_path)
    loaded = LPSLightning.load(tmp_path)
    assert type(loaded) is LPSLightning
    assert (loaded.global_fit, loaded.parameters) == (trained.global_fit, 2 + 4 * 48)
    xr.testing.assert_equal(loaded.patterns, trained.patterns)


def test_a_predictor_that_does_not_vary_is_refused(means):
    still = {"hist-aer": means["hist-aer"]}
    with pytest.raises(ModelError, match="the predictor is the same in all training years"):
        LPSLightning().fit(still, seed=0)
