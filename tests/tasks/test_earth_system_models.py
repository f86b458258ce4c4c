"""Several Earth system models in one task: each scored as if alone, told apart by name, and one emulator for all."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import climbench
from climbench import run
from climbench.cards import find_dataset, find_task, with_settings
from climbench.data.readers.climatebench import ClimateBenchReader
from climbench.data.readers.climatebench_models import ClimateBenchModelsReader
from climbench.errors import CardError, ClimbenchError, DataError
from climbench.experiments.compare import compare
from climbench.grids import latitude_weights
from climbench.models.pattern_scaling import LinearPatternScaling
from climbench.tasks.earth_system_models import projection_task
from climbench.tasks.fixed_fields import land_of
from climbench.tasks.model_scores import scorer_of
from tests import synthetic
from tests.tasks.on_folder import rewrite

EXPERIMENTS = ("historical", "ssp126", "ssp245", "ssp585")
SETTINGS = {"train": ["ssp126", "ssp585"], "test.years": [2091, 2100]}
NOISE = {"A-ESM": 0.1, "B-ESM": 0.3}


def write(root):
    for seed, (model, noise) in enumerate(NOISE.items()):
        synthetic.write(root / model, EXPERIMENTS, seed=seed, noise=noise)
    return root


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two models that warm alike and vary by different amounts."""
    return write(tmp_path_factory.mktemp("models"))


def task_on(folder, **settings):
    card = with_settings(find_task("climateset"), {**SETTINGS, **settings})
    dataset = find_dataset("mini-esm-models")
    return projection_task(card, ClimateBenchModelsReader(folder, dataset), dataset)


def test_targets_bear_the_models_names(place):
    task = task_on(place)
    assert task.card.targets == ("tas.A-ESM", "pr.A-ESM", "tas.B-ESM", "pr.B-ESM")
    target = task.target()
    assert list(target) == list(task.card.targets)
    with xr.open_dataset(place / "B-ESM" / "outputs_ssp245.nc") as stored:
        expected = stored["pr"].sel(time=slice(2091, 2100)).values * 86400.0
    np.testing.assert_allclose(target["pr.B-ESM"].transpose("member", "time", ...), expected, rtol=1e-6)
    assert target["pr.B-ESM"].attrs["units"] == "mm/day"


def test_each_model_is_scored_as_if_it_were_alone(place, tmp_path):
    """Rows, floors and intervals of the joint run are those of a run on each model's own folder."""
    settings = {**SETTINGS, "targets": ["tas", "pr"]}
    whole = run("climateset", ["lps", "one-member"], data=place, set=SETTINGS, out=tmp_path / "whole").scores
    assert set(whole["variable"]) == {"tas.A-ESM", "pr.A-ESM", "tas.B-ESM", "pr.B-ESM"}
    keys = ["model", "variable", "metric", "region"]
    for model in NOISE:
        out = tmp_path / model
        own = run("climatebench", ["lps", "one-member"], data=place / model, set={**settings, **EVERYTHING}, out=out)
        own = own.scores.assign(variable=lambda d, m=model: d["variable"] + f".{m}").set_index(keys).sort_index()
        ours = whole[whole["variable"].str.endswith(model)].set_index(keys).sort_index()
        assert ours.index.equals(own.index)
        np.testing.assert_array_equal(ours[["value", "floor", "low", "high"]], own[["value", "floor", "low", "high"]])
        assert ours["units"].tolist() == own["units"].tolist()


EVERYTHING = {"scoring.metrics": None, "scoring.regions": None, "validation": ["ssp370"]}


def test_one_emulator_for_all_takes_warming_from_the_mean_over_the_models(place):
    """Pattern scaling by hand: every cell regressed on the mean of the models' global temperatures."""
    task = task_on(place, emulators="one-for-all")
    emulator = task.emulator(LinearPatternScaling)
    assert type(emulator) is LinearPatternScaling
    train = task.training(["CO2"], [*task.card.targets, "tas"])
    weights = latitude_weights(train["ssp126"]["latitude"], "cos_latitude")
    for data in train.values():
        np.testing.assert_allclose(data["tas"], 0.5 * (data["tas.A-ESM"] + data["tas.B-ESM"]))
    emulator.fit(train, seed=0)
    given = task.test_inputs(["CO2"], 0, task.target())
    predicted = emulator.predict(given, seed=0)

    warming = np.concatenate(
        [d["tas"].weighted(weights).mean(("latitude", "longitude")).values for d in train.values()]
    )
    carbon = np.concatenate([d["CO2"].values for d in train.values()])
    slope, start = np.polyfit(carbon, warming, 1)
    cell = np.concatenate([d["pr.B-ESM"].isel(latitude=2, longitude=3).values for d in train.values()])
    steep, low = np.polyfit(warming, cell, 1)
    expected = low + steep * (start + slope * given["CO2"].values)
    np.testing.assert_allclose(predicted["pr.B-ESM"].isel(latitude=2, longitude=3), expected, rtol=1e-9)


def test_some_of_the_models_are_chosen_by_name(place):
    task = task_on(place, earth_system_models=["B-ESM"])
    assert task.card.targets == ("tas.B-ESM", "pr.B-ESM")
    assert {path.parent.name for path in task.training_files()} == {"B-ESM"}
    with pytest.raises(DataError, match=r"has no model 'B-ESMM'\. Did you mean 'B-ESM'"):
        task_on(place, earth_system_models=["B-ESMM"])
    with pytest.raises(CardError, match="emulators"):
        task_on(place, emulators="one")


def test_a_models_land_and_control_are_those_of_its_own_folder(tmp_path):
    write(tmp_path)
    shape = {"lat": synthetic.LATITUDE, "lon": synthetic.LONGITUDE}
    land = xr.Dataset({"sftlf": (("lat", "lon"), np.full((6, 8), 25.0), {"units": "%"})}, coords=shape)
    land.to_netcdf(tmp_path / "B-ESM" / "sftlf.nc")
    task = task_on(tmp_path)
    assert tmp_path / "B-ESM" / "sftlf.nc" in task.target_files()
    grid = task.target()
    assert float(land_of(task.parts["B-ESM"], grid).mean()) == pytest.approx(0.25)
    assert float(land_of(task.parts["A-ESM"], grid).mean()) != pytest.approx(0.25)


def test_models_may_have_different_numbers_of_members(tmp_path):
    write(tmp_path)
    for experiment in EXPERIMENTS:
        rewrite(tmp_path / "B-ESM" / f"outputs_{experiment}.nc", lambda d: d.isel(member=[0, 2]))
    task = task_on(tmp_path)
    target = task.target()
    assert target.sizes["member"] == 3
    assert int(target["tas.B-ESM"].isnull().all(["time", "latitude", "longitude"]).sum()) == 1
    prediction = xr.Dataset({v: target[v].mean("member") * 1.01 for v in target})
    rows = scorer_of(task, target).score("mine", prediction, None, why_no_skill="").rows
    floors = {r["variable"]: r["floor"] for r in rows if r["metric"] == "rmse_spatial" and r["region"] == "global"}
    dataset = find_dataset("mini-esm-models")
    card = with_settings(find_task("climatebench"), {**SETTINGS, "targets": ["tas", "pr"]})
    alone = projection_task(card, ClimateBenchReader(tmp_path / "B-ESM", dataset), dataset)
    own = alone.target()
    rows = scorer_of(alone, own).score("mine", own.mean("member") * 1.01, None, why_no_skill="").rows
    expected = next(r["floor"] for r in rows if (r["variable"], r["metric"]) == ("tas", "rmse_spatial"))
    assert floors["tas.B-ESM"] == pytest.approx(expected, rel=1e-12)


def test_runs_are_compared_model_by_model_even_with_different_members(tmp_path):
    write(tmp_path / "data")
    for experiment in EXPERIMENTS:
        rewrite(tmp_path / "data" / "B-ESM" / f"outputs_{experiment}.nc", lambda d: d.isel(member=[0, 2]))
    settings = {**SETTINGS, "scoring.metrics": [], "scoring.regions": ["global"]}
    result = run("climateset", ["no-change", "lps"], data=tmp_path / "data", set=settings, out=tmp_path / "run")
    rows = compare(tmp_path / "run", tmp_path / "run", model="lps", against="no-change")
    found = {(r["variable"], r["metric"]): r for r in rows}
    scores = result.scores[result.scores["model"] == "lps"].set_index(["variable", "metric"])["value"]
    for variable in ("tas.A-ESM", "tas.B-ESM"):
        assert found[variable, "rmse_spatial"]["value"] == pytest.approx(scores[variable, "rmse_spatial"], rel=1e-6)
    assert found["tas.A-ESM", "rmse_spatial"]["verdict"] == "better"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: d.assign_coords(lat=np.linspace(-60.0, 60.0, 6)), "B-ESM lies on another grid than A-ESM: 6 x 8"),
        (
            lambda d: d.sel(time=slice(2016, None)),
            r"B-ESM has the years 2016\.\.2100 \(85\), A-ESM 2015\.\.2100 \(86\)",
        ),
    ],
)
def test_models_that_do_not_fit_together_are_named(tmp_path, edit, message):
    write(tmp_path)
    for experiment in ("ssp126", "ssp245", "ssp585"):
        rewrite(tmp_path / "B-ESM" / f"outputs_{experiment}.nc", edit)
    with pytest.raises(DataError, match=f"ssp126: {message}"):
        task_on(tmp_path).training(["CO2"], ["tas.A-ESM", "tas.B-ESM"])


def test_predictions_made_elsewhere_are_scored(place, tmp_path):
    task = task_on(place)
    target = task.target()
    made = xr.Dataset({v: target[v].mean("member") * 1.1 for v in target})
    made.to_netcdf(tmp_path / "mine.nc")
    scores = climbench.score("climateset", tmp_path / "mine.nc", data=place, set=SETTINGS).scores
    value = scores.set_index(["variable", "metric", "region"])["value"]["tas.B-ESM", "nrmse_global", "global"]
    # Off by a tenth of the target: root of the mean of squared annual means, over their mean.
    series = target["tas.B-ESM"].mean("member").weighted(latitude_weights(target["latitude"], "cos_latitude"))
    annual = series.mean(("latitude", "longitude")).values
    assert value == pytest.approx(0.1 * np.sqrt((annual**2).mean()) / annual.mean(), rel=1e-6)
    made.drop_vars("pr.B-ESM").to_netcdf(tmp_path / "less.nc")
    with pytest.raises(ClimbenchError, match=r"variable 'pr\.B-ESM' is missing"):
        climbench.score("climateset", tmp_path / "less.nc", data=place, set=SETTINGS)


def test_the_mark_of_simulated_models_is_that_of_all(place, tmp_path):
    def marked(data, model, seed=0):
        return data.assign_attrs(climbench_world=json.dumps({"world": "toy", "seed": seed, "model": model}))

    write(tmp_path)
    for model in NOISE:
        for path in (tmp_path / model).iterdir():
            rewrite(path, lambda d, m=model: marked(d, m))
    reader = ClimateBenchModelsReader(tmp_path)
    paths = sorted(tmp_path.rglob("*.nc"))
    assert reader.origin(paths) == {"world": "toy", "seed": 0, "models": ["A-ESM", "B-ESM"]}
    assert ClimateBenchModelsReader(place).origin(sorted(place.rglob("*.nc"))) is None
    for path in (tmp_path / "B-ESM").iterdir():
        rewrite(path, lambda d: marked(d, "B-ESM", seed=1))
    with pytest.raises(DataError, match="mixes models of different origin"):
        ClimateBenchModelsReader(tmp_path).origin(paths)


def test_members_experiments_are_of_one_model(place):
    with pytest.raises(DataError, match="several climate models, whose members cannot be told by number"):
        climbench.members("climateset", ["lps"], data=place, n=[1], draws=1, set=SETTINGS)


def test_the_two_cards_differ_in_their_emulators_alone():
    each, all_ = (find_task(name).settings() for name in ("climateset", "climateset-super"))
    differing = {key for key in each if each[key] != all_[key]}
    assert differing == {"name", "emulators"}
    assert all_["emulators"] == "one-for-all"


def test_one_model_of_a_data_set_of_several_is_opened_by_name(place):
    data = climbench.open_dataset("mini-esm-models", "ssp126", model="B-ESM", data=place)
    with xr.open_dataset(place / "B-ESM" / "outputs_ssp126.nc") as stored:
        np.testing.assert_array_equal(data["tas"].transpose("member", "time", ...), stored["tas"])
    with pytest.raises(DataError, match=r"holds several climate models\. Name one \(model=\): A-ESM, B-ESM"):
        climbench.open_dataset("mini-esm-models", "ssp126", data=place)
