"""Pattern scaling from sums over members: the refit on each subset's mean, to 1e-10."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.evaluate import open_task
from climbench.experiments.ensemble import Ensemble
from climbench.experiments.sampler import member_subsets
from climbench.experiments.subset_scaling import SubsetScaling, pair_weights
from climbench.models.pattern_scaling import LinearPatternScaling
from tests import synthetic
from tests.experiments.conftest import MEMBERS, SETTINGS
from tests.tasks.on_folder import rewrite

YEARS = slice(2080, 2100)


def weights_of(subset, members):
    return np.array([(m in subset) / len(subset) for m in members])


def check_against_refits(opened, subsets, variables=("tas", "pr")):
    ensemble = Ensemble(opened.task)
    scaling = SubsetScaling(ensemble, variables)
    weights = np.stack([weights_of(s, ensemble.members) for s in subsets])
    emissions = opened.task.test_inputs(("CO2",), 0, ensemble.target())
    for variable in variables:
        fit = scaling.fit(variable, weights)
        means, globes = fit.time_mean(emissions["CO2"].values), fit.area_mean(emissions["CO2"].values, flat_weights())
        for place, subset in enumerate(subsets):
            refit = LinearPatternScaling()
            refit.fit(ensemble.training(subset, ("CO2",), variables), None, seed=0)
            predicted = refit.predict(emissions, seed=0)[variable].values.reshape(21, -1)
            scale = abs(predicted).max()
            assert fit.intercept[place] == pytest.approx(refit.global_fit[0], rel=1e-10, abs=1e-10)
            assert fit.slope[place] == pytest.approx(refit.global_fit[1], rel=1e-10)
            pattern = refit.patterns[f"{variable}_slope"].values.ravel()
            np.testing.assert_allclose(fit.pattern[place], pattern, rtol=0, atol=1e-10 * abs(pattern).max())
            np.testing.assert_allclose(means[place], predicted.mean(axis=0), rtol=0, atol=1e-10 * scale)
            np.testing.assert_allclose(globes[place], predicted @ flat_weights(), rtol=0, atol=1e-10 * scale)


def flat_weights():
    rows = np.cos(np.deg2rad(synthetic.LATITUDE))
    flat = np.repeat(rows, synthetic.LONGITUDE.size)
    return flat / flat.sum()


@pytest.mark.parametrize("memberseed", [42, 50])
def test_every_subset_is_the_refit(opened, memberseed):
    check_against_refits(opened, member_subsets(range(1, MEMBERS + 1), memberseed))


def test_absolute_temperatures_lose_no_digits(ensemble_folder, tmp_path):
    """As Em-MPI gives them: 288 K and a change of a kelvin."""
    folder = tmp_path / "absolute"
    folder.mkdir()
    for path in ensemble_folder.iterdir():
        data = xr.load_dataset(path)
        data = data.assign(tas=data["tas"] + 288.0) if "tas" in data else data
        data.to_netcdf(folder / path.name)
    check_against_refits(open_task("climatebench", folder, SETTINGS), member_subsets(range(1, MEMBERS + 1), 42))


def test_members_are_read_in_blocks_without_a_change(opened, monkeypatch):
    whole = SubsetScaling(Ensemble(opened.task), ("tas",))
    monkeypatch.setattr("climbench.experiments.ensemble.BLOCK_BYTES", 2.1 * (25 + 86 + 86) * 48 * 8)  # two members
    monkeypatch.setattr("climbench.experiments.ensemble.KEPT_BYTES", 0.0)
    assert Ensemble(opened.task).places("tas") == [slice(0, 2), slice(2, 4), slice(4, 6)]
    parts = SubsetScaling(Ensemble(opened.task), ("tas",))
    np.testing.assert_array_equal(parts.sums["tas"].cross, whole.sums["tas"].cross)


def test_pairs_are_in_the_order_of_the_sums():
    weights = np.array([[0.5, 0.0, 0.5], [0.2, 0.3, 0.5]])
    expected = [[w[i] * w[j] for i in range(3) for j in range(i, 3)] for w in weights]
    np.testing.assert_allclose(pair_weights(weights), expected)


def test_constant_emissions_are_refused(tmp_path):
    folder = synthetic.write(tmp_path / "data", ("ssp126", "ssp245"), members=3)
    rewrite(folder / "inputs_ssp126.nc", lambda data: data.assign(CO2=0.0 * data["CO2"] + 1500.0))
    task = open_task("climatebench", folder, {**SETTINGS, "train": ["ssp126"]}).task
    with pytest.raises(ModelError, match="the predictor is the same in all training years"):
        SubsetScaling(Ensemble(task), ("tas",)).fit("tas", np.eye(3))
