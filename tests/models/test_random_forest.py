"""random-forest: the same numbers as scikit-learn gives, kept as plain arrays, and settings as published."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
import xarray as xr
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor

from climbench.cards import find_model
from climbench.errors import MissingExtraError, ModelError
from climbench.models import load_emulator
from climbench.models.random_forest import RandomForest, leading_components
from climbench.models.regressors.emission_eofs import EmissionEofs
from climbench.models.regressors.forest import Forest
from tests.models.emission_scenarios import MAPS, inputs, noisy

SETTINGS = {"n_estimators": 7, "min_samples_leaf": 3}
TRAIN = {name: noisy(name) for name in ("ssp126", "ssp585")}


def fitted(train=TRAIN, seed=0, **settings):
    emulator = RandomForest(
        **{"patterns": 2, "settings": SETTINGS, "area_weighted": False, "components": None, **settings}
    )
    emulator.fit(train, seed=seed)
    return emulator


def theirs(name, *, seed=0, root=1.0, **settings):
    """Grow the forest with scikit-learn alone."""
    eofs = EmissionEofs(2, area_weighted=False)
    points = eofs.fit(list(TRAIN.values()))
    fields = np.concatenate([d[name].values for d in TRAIN.values()])
    grown = RandomForestRegressor(random_state=seed, **{**SETTINGS, **settings}).fit(points, fields.reshape(172, -1))
    return grown.predict(eofs.predictors(inputs("ssp245"))).reshape(-1, 4, 4)


@pytest.mark.parametrize("name", ["tas", "pr"])
@pytest.mark.parametrize("seed", [0, 5])
def test_predictions_are_those_of_scikit_learn(name, seed):
    prediction = fitted(seed=seed).predict(inputs("ssp245"), seed=0)[name]
    assert prediction.dims == MAPS
    np.testing.assert_allclose(prediction, theirs(name, seed=seed), rtol=1e-10, atol=1e-12)


def test_single_variables_can_have_settings_of_their_own():
    prediction = fitted(settings_for={"pr": {"max_depth": 2}}).predict(inputs("ssp245"), seed=0)
    np.testing.assert_allclose(prediction["tas"], theirs("tas"), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(prediction["pr"], theirs("pr", max_depth=2), rtol=1e-10, atol=1e-12)


def test_a_prediction_never_leaves_the_range_of_training():
    prediction = fitted().predict(inputs("ssp585").assign(CO2=1e5 + inputs("ssp585")["CO2"]), seed=0)
    for name in ("tas", "pr"):
        fields = np.concatenate([d[name].values for d in TRAIN.values()])
        assert (prediction[name].values <= fields.max(axis=0) + 1e-12).all()
        assert (prediction[name].values >= fields.min(axis=0) - 1e-12).all()


def test_area_weights_change_where_trees_split_and_not_what_a_leaf_holds():
    whole = {"max_depth": 1, "n_estimators": 1, "bootstrap": False}
    data = noisy("ssp585", size=0.0)
    time = np.arange(86.0)
    step = np.where(time < 20, 0.0, 1.0)[:, None, None] * np.array([1.5, 0.0, 0.0, 1.5])[:, None]
    step = step + np.where(time < 60, 0.0, 1.0)[:, None, None] * np.array([0.0, 1.0, 1.0, 0.0])[:, None]
    train = {"ssp585": data.assign(tas=(MAPS, step * np.ones(4))).drop_vars("pr")}
    unweighted, weighted = (fitted(train, settings=whole, area_weighted=w) for w in (False, True))
    assert [int((e.forests["tas"].weights(e.eofs.predictors(data))[0] > 0).sum()) for e in (unweighted, weighted)] == [
        20,
        60,
    ]


def test_components_keep_distances_and_come_in_order():
    rows = np.random.default_rng(0).standard_normal((12, 40)) * np.linspace(1.0, 3.0, 40)
    components = leading_components(rows, 12)
    np.testing.assert_allclose(pdist(components), pdist(rows), rtol=1e-9)
    theirs = PCA(3).fit_transform(rows)
    np.testing.assert_allclose(np.abs(leading_components(rows, 3)), np.abs(theirs), rtol=1e-6)


def test_splitting_by_components_leaves_whole_maps_in_the_leaves():
    few, cells = (fitted(components=c).predict(inputs("ssp245"), seed=0)["tas"] for c in (3, None))
    assert few.shape == cells.shape
    assert float(abs(few - cells).mean()) < 0.2 * float(cells.std())


def test_weights_of_training_years_add_up_to_one():
    emulator = fitted()
    weights = emulator.forests["tas"].weights(emulator.eofs.predictors(inputs("ssp245")))
    assert weights.shape == (86, 172)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert (weights >= 0.0).all()


def test_a_forest_survives_netcdf(tmp_path):
    forest = fitted().forests["pr"]
    forest.dataset().to_netcdf(tmp_path / "forest.nc")
    again = Forest.from_dataset(xr.load_dataset(tmp_path / "forest.nc"))
    points = np.random.default_rng(0).standard_normal((50, 6))
    np.testing.assert_array_equal(again.weights(points), forest.weights(points))


def test_it_comes_back_from_its_folder_without_pickle_and_without_scikit_learn(tmp_path, monkeypatch):
    emulator = fitted()
    expected = emulator.predict(inputs("ssp245"), seed=0)
    emulator.save(tmp_path / "fitted")
    for name in ("dump", "dumps", "load", "loads"):
        monkeypatch.delattr(pickle, name)
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    again = RandomForest.load(tmp_path / "fitted")
    xr.testing.assert_identical(again.predict(inputs("ssp245"), seed=0), expected)
    assert again.parameters == emulator.parameters > 0


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(MissingExtraError, match=r"'random-forest' needs packages .* pip install 'climbench\[models\]'"):
        fitted()


def test_it_must_be_fitted_first(tmp_path):
    with pytest.raises(ModelError, match="was not fitted; call fit"):
        RandomForest().predict(inputs("ssp126"), seed=0)
    with pytest.raises(ModelError, match="nothing to save"):
        RandomForest().save(tmp_path / "fitted")


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("tas", (250, 5, 7, 5)),
        ("pr", (150, 15, 8, 40)),
        ("pr90", (250, 15, 12, 25)),
        ("diurnal_temperature_range", (300, 10, 12, 20)),
    ],
)
def test_the_published_preset_is_that_of_the_paper(name, numbers):
    published = load_emulator(find_model("random-forest", "projection"), "published")
    settings = {**published.settings, **published.settings_for.get(name, {})}
    keys = ("n_estimators", "min_samples_split", "min_samples_leaf", "max_depth")
    assert tuple(settings[key] for key in keys) == numbers
    assert not published.eofs.area_weighted
    assert published.components is None
