"""Predictors of ClimateBench's baselines: principal components against scikit-learn, scales, weights of cells."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from sklearn.decomposition import PCA

from climbench.errors import ModelError
from climbench.models.regressors.emission_eofs import EmissionEofs
from tests.models.emission_scenarios import LATITUDE, inputs

TRAIN = [inputs("ssp126"), inputs("ssp585")]


def stacked(name):
    return np.concatenate([d[name].values for d in TRAIN])


@pytest.mark.parametrize("name", ["BC", "SO2"])
@pytest.mark.parametrize("weighted", [False, True])
def test_components_agree_with_scikit_learn_up_to_sign(name, weighted):
    eofs = EmissionEofs(2, area_weighted=weighted)
    ours = eofs.fit(TRAIN)[:, eofs.groups[2 if name == "BC" else 3]]
    root = np.sqrt(np.cos(np.deg2rad(LATITUDE))) if weighted else np.ones(4)
    fields = 1e12 * (stacked(name) * root[:, None]).reshape(172, -1)
    theirs = PCA(2).fit_transform(fields)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs / theirs.std(axis=0)), rtol=1e-5, atol=1e-6)


def test_every_predictor_has_mean_zero_and_variance_one_over_training():
    predictors = EmissionEofs(2).fit(TRAIN)
    np.testing.assert_allclose(predictors.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(predictors.std(axis=0), 1.0, rtol=1e-9)


def test_the_first_columns_are_the_gases():
    predictors = EmissionEofs(2).fit(TRAIN)
    for column, name in enumerate(("CO2", "CH4")):
        assert np.corrcoef(predictors[:, column], stacked(name))[0, 1] == pytest.approx(1.0)


def test_columns_of_a_species_belong_together():
    assert EmissionEofs(3).groups == [[0], [1], [2, 3, 4], [5, 6, 7]]


def test_a_scenario_is_seen_by_the_patterns_of_the_training_data():
    eofs = EmissionEofs(2)
    whole = eofs.fit(TRAIN)
    np.testing.assert_allclose(eofs.predictors(TRAIN[1]), whole[86:])
    assert np.isfinite(eofs.predictors(inputs("ssp245"))).all()


def test_patterns_that_are_not_there_give_nothing():
    flat = [d.assign(SO2=d["SO2"] * 0.0) for d in TRAIN]
    eofs = EmissionEofs(5)
    predictors = eofs.fit(flat)
    assert not predictors[:, eofs.groups[3]].any()
    assert np.abs(predictors[:, eofs.groups[2]]).sum(axis=0)[0] > 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.drop_vars("CH4"), "The inputs lack CH4"),
        (lambda d: d.assign(SO2=("time", np.zeros(86))), "SO2 must be a map a year"),
    ],
)
def test_inputs_that_do_not_serve(change, message):
    with pytest.raises(ModelError, match=message):
        EmissionEofs(2).fit([change(d) for d in TRAIN])


def test_it_comes_back_from_its_file(tmp_path):
    eofs = EmissionEofs(2, area_weighted=False)
    eofs.fit(TRAIN)
    eofs.save(tmp_path / "eofs.nc")
    again = EmissionEofs.load(tmp_path / "eofs.nc")
    np.testing.assert_array_equal(again.predictors(inputs("ssp245")), eofs.predictors(inputs("ssp245")))
    assert (again.count, again.area_weighted) == (2, False)
    xr.testing.assert_identical(again.basis.drop_attrs(), eofs.basis)
