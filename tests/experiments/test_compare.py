"""Runs compared: the interval that the fields themselves would give, ties, and runs that do not compare."""

from __future__ import annotations

import numpy as np
import pytest

import climbench
from climbench.errors import RunError
from climbench.experiments.compare import compare
from climbench.grids import latitude_weights
from climbench.metrics.significance import paired_interval
from tests import own_emulator, synthetic
from tests.experiments.conftest import SETTINGS

NOISY = "made = made + 0.01 * np.sin(np.deg2rad(made['longitude']))"


@pytest.fixture(scope="module")
def runs(ensemble_folder, world_cache, tmp_path_factory):
    """Two runs on the same six members: pattern scaling and nothing else, and an emulator of one's own beside it."""
    folder = tmp_path_factory.mktemp("runs")
    mine = own_emulator.write(folder, predict=NOISY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLIMBENCH_CACHE", str(world_cache))
        patch.setattr("climbench.recording._write_report", lambda *_: None)
        for name, models in (("first", ["lps", "one-member"]), ("second", ["lps", mine])):
            climbench.run("climatebench", models=models, data=ensemble_folder, set=SETTINGS, out=folder / name)
    return folder


@pytest.fixture
def other_run(runs, ensemble_folder, without_report):
    """A function that makes another run and returns its folder."""

    def run(name, data=ensemble_folder, task="climatebench", **settings):
        if not (runs / name).exists():
            climbench.run(task, models=["no-change"], data=data, set={**SETTINGS, **settings}, out=runs / name)
        return runs / name

    return run


def test_the_verdict_is_that_of_the_fields(runs, ensemble_folder):
    rows = compare(runs / "first", runs / "second")
    assert {(r["model"], r["against"]) for r in rows} == {("lps", "mine")}  # the same lps twice is no comparison
    target = climbench.load_task("climatebench", ensemble_folder, set=SETTINGS).target()
    first, second = (climbench.records.read_result(runs / n) for n in ("first", "second"))
    weights = latitude_weights(target["latitude"], "cos_latitude")
    for row in (r for r in rows if r["metric"] == "rmse_spatial"):
        name = row["variable"]
        ours, theirs = first.predictions["lps"][name].load(), second.predictions["mine"][name].load()
        gap, interval = paired_interval(ours - target[name], theirs - target[name], weights)
        assert row["difference"] == pytest.approx(gap, rel=1e-6, abs=1e-12)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high), rel=1e-6)
        assert row["units"] == {"tas": "K", "pr": "mm/day"}[name]


def test_values_are_those_of_the_runs(runs):
    kept = {n: climbench.records.read_result(runs / n).scores for n in ("first", "second")}
    for row in compare(runs / "first", runs / "second"):
        for model, run, value in (
            (row["model"], "first", row["value"]),
            (row["against"], "second", row["against_value"]),
        ):
            table = kept[run].set_index(["model", "variable", "metric", "region"])["value"]
            assert value == pytest.approx(table[model, row["variable"], row["metric"], "global"], rel=1e-9)


def test_swapping_the_runs_swaps_the_verdict(runs):
    there, back = compare(runs / "first", runs / "second"), compare(runs / "second", runs / "first")
    for one, other in zip(there, back, strict=True):
        assert one["difference"] == pytest.approx(-other["difference"])
        assert (one["low"], one["high"]) == pytest.approx((-other["high"], -other["low"]))
    opposite = {"better": "worse", "worse": "better", "tie": "tie"}
    assert [r["verdict"] for r in back] == [opposite[r["verdict"]] for r in there]


def test_a_run_against_itself_compares_its_own_models_once(runs):
    rows = compare(runs / "second", runs / "second")
    assert {(r["model"], r["against"]) for r in rows} == {("mine", "lps")}


def test_the_same_prediction_is_a_tie(runs):
    rows = compare(runs / "first", runs / "second", model="lps", against="lps")
    assert {r["verdict"] for r in rows} == {"tie"}
    assert {r["difference"] for r in rows} == {0.0}


def test_a_clear_difference_is_called_and_a_small_one_is_a_tie(runs, other_run):
    worse = compare(other_run("nothing"), runs / "first", against="lps")
    assert {r["verdict"] for r in worse} == {"worse"}
    assert all(r["low"] > 0.0 for r in worse)
    close = [r for r in compare(runs / "first", runs / "second") if r["verdict"] == "tie"]
    assert close
    assert all(r["low"] <= 0.0 <= r["high"] for r in close)


def test_predictions_scored_from_a_file_compare_with_a_run(runs, ensemble_folder, tmp_path, without_report):
    prediction = climbench.records.read_result(runs / "second").predictions["mine"]
    prediction.load().drop_encoding().to_netcdf(tmp_path / "theirs.nc")
    climbench.score("climatebench", tmp_path / "theirs.nc", data=ensemble_folder, set=SETTINGS, out=tmp_path / "scored")
    rows = compare(tmp_path / "scored", runs / "first")
    expected = compare(runs / "second", runs / "first", model="mine", against="lps")
    assert [r["difference"] for r in rows] == pytest.approx([r["difference"] for r in expected], rel=1e-9)


def test_with_one_member_there_is_no_verdict_but_a_reason(tmp_path, without_report):
    data = synthetic.write(tmp_path / "data", ["ssp126", "ssp245"], members=1)
    settings = {"targets": ["tas"], "train": ["ssp126"], "validation": []}
    climbench.run("climatebench", models=["lps", "no-change"], data=data, set=settings, out=tmp_path / "run")
    rows = compare(tmp_path / "run", tmp_path / "run")
    assert {r["verdict"] for r in rows} == {None}
    assert all("one member" in r["reason"] for r in rows)
    assert all(np.isfinite(r["difference"]) for r in rows)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "years",
            {"test.years": [2081, 2100]},
            r"different settings: test\.years is \[2080, 2100\] and \[2081, 2100\]",
        ),
        ("weights", {"scoring.weights": "cell_area"}, r"scoring\.weights is cos_latitude and cell_area"),
    ],
)
def test_other_settings_are_named(runs, other_run, name, settings, message):
    with pytest.raises(RunError, match=message):
        compare(runs / "first", other_run(name, **settings))


def test_other_data_are_refused(runs, other_run, tmp_path):
    data = synthetic.write(tmp_path / "data", ("historical", "ssp126", "ssp245", "ssp585"), members=6, seed=5)
    with pytest.raises(RunError, match="The runs are on different data"):
        compare(runs / "first", other_run("data", data=data))


def test_a_scored_file_on_another_target_is_refused(runs, tmp_path, without_report):
    """Its record does not name the training files, but the statistics give the target away."""
    data = synthetic.write(tmp_path / "data", ("historical", "ssp126", "ssp245", "ssp585"), members=6, seed=5)
    prediction = climbench.records.read_result(runs / "second").predictions["mine"].load().drop_encoding()
    prediction.to_netcdf(tmp_path / "theirs.nc")
    climbench.score("climatebench", tmp_path / "theirs.nc", data=data, set=SETTINGS, out=tmp_path / "scored")
    with pytest.raises(RunError, match="not scored against the same target, members and cells, for tas"):
        compare(tmp_path / "scored", runs / "first")


def test_what_is_not_there_is_named(runs, tmp_path):
    with pytest.raises(RunError, match="no finished run"):
        compare(tmp_path / "nowhere", runs / "first")
    with pytest.raises(RunError, match=r"has no model 'mine'\. There is: lps"):
        compare(runs / "first", runs / "second", model="mine")


def test_another_task_is_refused(runs, ensemble_folder, tmp_path, without_report):
    card = (climbench.cards.find_task("climatebench").path).read_text().replace("name: climatebench", "name: another")
    (tmp_path / "another.yaml").write_text(card)
    climbench.run(
        str(tmp_path / "another.yaml"), models=["lps"], data=ensemble_folder, set=SETTINGS, out=tmp_path / "run"
    )
    with pytest.raises(RunError, match=r"different tasks: climatebench in .* and another in"):
        compare(runs / "first", tmp_path / "run")


def test_a_members_experiment_is_no_run(runs, ensemble_folder, tmp_path, monkeypatch):
    from climbench.experiments.members import members

    monkeypatch.setattr("climbench.experiments.members_record._write_report", lambda *_: None)
    members("climatebench", ["lps"], n=[2], draws=1, data=ensemble_folder, set=SETTINGS, out=tmp_path / "members")
    with pytest.raises(RunError, match="holds a members experiment"):
        compare(tmp_path / "members", runs / "first")
