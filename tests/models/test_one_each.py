"""One emulator for each climate model: each sees its own climate model alone, and all are given side by side."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.models.mesmer_like import MesmerLike
from climbench.models.one_each import OneEach, part_of
from climbench.models.pattern_scaling import LinearPatternScaling
from tests import synthetic

MODELS = ("A-ESM", "B-ESM")


def alone(experiment, factor):
    """Return one climate model's scenario: forcing, and temperature and rain linear in cumulative emissions."""
    grid = {"time": synthetic.years_of(experiment), "latitude": synthetic.LATITUDE, "longitude": synthetic.LONGITUDE}
    rng = np.random.default_rng([int(10 * factor), *experiment.encode()])
    dims = ("time", "latitude", "longitude")
    fields = {
        name: (
            dims,
            factor * synthetic.forced(experiment, name) + 0.1 * rng.standard_normal((86, 6, 8)),
            {"units": "K"},
        )
        for name in ("tas", "pr")
    }
    return xr.Dataset({**fields, "CO2": ("time", synthetic.cumulative_co2(experiment))}, grid, {"members": 2})


def together(experiment):
    parts = {m: alone(experiment, factor) for m, factor in zip(MODELS, (1.0, 2.0), strict=True)}
    named = [d.drop_vars("CO2").rename({v: f"{v}.{m}" for v in ("tas", "pr")}) for m, d in parts.items()]
    attributes = {f"members.{m}": d.attrs["members"] for m, d in parts.items()}
    return xr.merge([*named, parts["A-ESM"][["CO2"]]]).assign_attrs(attributes)


def test_each_predicts_exactly_as_if_it_were_the_only_one():
    emulator = OneEach(LinearPatternScaling, MODELS)
    emulator.fit({e: together(e) for e in ("ssp126", "ssp585")}, seed=0)
    inputs = together("ssp245")[["CO2"]]
    predicted = emulator.predict(inputs, seed=0)
    assert sorted(map(str, predicted)) == ["pr.A-ESM", "pr.B-ESM", "tas.A-ESM", "tas.B-ESM"]
    for model, factor in zip(MODELS, (1.0, 2.0), strict=True):
        own = LinearPatternScaling()
        own.fit({e: alone(e, factor) for e in ("ssp126", "ssp585")}, seed=0)
        expected = own.predict(inputs, seed=0)
        for name in ("tas", "pr"):
            np.testing.assert_array_equal(predicted[f"{name}.{model}"], expected[name])
    assert emulator.parameters == 2 * own.parameters


def test_what_is_asked_of_the_data_bears_the_models_names():
    emulator = OneEach(LinearPatternScaling, MODELS)
    assert emulator.training_variables == ("tas.A-ESM", "tas.B-ESM")
    assert emulator.inputs == ("CO2",)
    assert not hasattr(emulator, "choose")


def test_members_of_each_are_given_side_by_side():
    emulator = OneEach(MesmerLike, MODELS)
    assert emulator.ensemble
    train = {e: together(e) for e in ("ssp126", "ssp585")}
    emulator.fit(train, seed=0)
    predicted = emulator.predict(together("ssp245")[["CO2"]], members=3, seed=1)
    assert predicted["tas.B-ESM"].sizes["member"] == 3


def test_a_part_has_its_own_variables_and_those_that_all_share():
    data = xr.Dataset(
        {"CO2": 1.0, "SO2": 2.0, "SO2.A-ESM": 3.0, "tas.A-ESM": 4.0, "tas.B-ESM": 5.0, "tas.A-ESM.1": 6.0},
        attrs={"members": 1, "members.A-ESM": 3, "source": "x"},
    )
    part = part_of(data, "A-ESM")
    assert {str(n): float(v) for n, v in part.items()} == {"CO2": 1.0, "SO2": 3.0, "tas": 4.0}
    assert part.attrs == {"members": 3, "source": "x"}
    other = part_of(data, "B-ESM")
    assert {str(n): float(v) for n, v in other.items()} == {"CO2": 1.0, "SO2": 2.0, "tas": 5.0}
    assert other.attrs == {"members": 1, "source": "x"}


def test_a_part_without_variables_keeps_its_years():
    years = xr.Dataset(coords={"time": [2015, 2016]})
    assert part_of(years, "A-ESM")["time"].values.tolist() == [2015, 2016]


def test_each_chooses_on_its_own_part_of_the_folds():
    class Choosy:
        def choose(self, folds, *, seed):
            ((train, held),) = folds
            means = [float(next(iter(part.values()))["tas"].mean()) for part in (train, held)]
            self.chosen = {"means": means, "seed": seed}

    emulator = OneEach(Choosy, MODELS)
    data = {e: together(e) for e in ("ssp126", "ssp585")}
    emulator.choose([({"ssp126": data["ssp126"]}, {"ssp585": data["ssp585"]})], seed=4)
    for model in MODELS:
        expected = [float(data[e][f"tas.{model}"].mean()) for e in ("ssp126", "ssp585")]
        assert emulator.chosen[model] == {"means": expected, "seed": 4}


def test_what_the_run_hands_over_reaches_each():
    class Told:
        as_published = False

        def fit(self, train, validation=None, *, seed):
            self.seen = (self.as_published, sorted(map(str, train["ssp126"])), None if validation is None else "held")

    emulator = OneEach(Told, MODELS)
    assert not hasattr(emulator, "progress")
    emulator.as_published = True
    emulator.fit({"ssp126": together("ssp126")}, {"ssp585": together("ssp585")}, seed=0)
    assert [e.seen for e in emulator.emulators.values()] == [(True, ["CO2", "pr", "tas"], "held")] * 2


def test_each_is_saved_under_its_models_name(tmp_path):
    emulator = OneEach(LinearPatternScaling, MODELS)
    emulator.fit({e: together(e) for e in ("ssp126", "ssp585")}, seed=0)
    emulator.save(tmp_path)
    inputs = together("ssp245")[["CO2"]]
    loaded = LinearPatternScaling.load(tmp_path / "B-ESM").predict(inputs, seed=0)
    np.testing.assert_array_equal(loaded["tas"], emulator.predict(inputs, seed=0)["tas.B-ESM"])


def test_parameters_are_unknown_where_one_does_not_tell():
    emulator = OneEach(LinearPatternScaling, MODELS)
    emulator.emulators["A-ESM"] = object()
    assert emulator.parameters is None
    assert emulator.chosen == {}


@pytest.mark.parametrize("zeros", [True, False])
def test_zeros_by_design_are_passed_on(zeros):
    class Still:
        zero_by_design = zeros

    assert OneEach(Still, MODELS).zero_by_design is zeros
