"""The members experiment from end to end: what is trained, kept, gone on from, and refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import climbench
from climbench.errors import ModelError, RunError
from climbench.experiments.members import members
from climbench.experiments.members_record import read_members
from climbench.experiments.sampler import member_subsets
from climbench.models.pattern_scaling import LinearPatternScaling
from climbench.worlds.mini_esm import MiniESM
from tests import own_emulator
from tests.experiments.conftest import SETTINGS

REFITTED = """
from climbench.models.pattern_scaling import LinearPatternScaling
class Refitted(LinearPatternScaling):
    pass
"""


@pytest.fixture(autouse=True)
def without_figures(monkeypatch):
    monkeypatch.setattr("climbench.experiments.members_record._write_report", lambda *_: None)


@pytest.fixture
def experiment(ensemble_folder, tmp_path):
    """A function that runs the experiment on the six members."""

    def run(models, **options):
        fixed = {"data": ensemble_folder, "set": SETTINGS, "out": tmp_path / "run", "n": [1, 3, 6], "draws": 2}
        return members("climatebench", models, **{**fixed, **options})

    return run


def refitted(tmp_path):
    (tmp_path / "refitted.py").write_text(REFITTED)
    return f"{tmp_path / 'refitted.py'}:Refitted"


def test_the_closed_form_is_the_refit(experiment, tmp_path):
    draws = experiment(["lps", refitted(tmp_path)]).draws
    ours, theirs = (draws[draws["model"] == m].reset_index(drop=True) for m in ("lps", "refitted"))
    assert len(ours) == 2 * 3 * 2 * 2 * 2  # variables, sizes, draws, metrics, targets
    pd.testing.assert_frame_equal(ours.drop(columns="model"), theirs.drop(columns="model"), rtol=1e-9)


def test_with_all_members_it_is_the_run(experiment, ensemble_folder, tmp_path, without_report):
    whole = climbench.run("climatebench", models=["lps"], data=ensemble_folder, set=SETTINGS, out=tmp_path / "plain")
    expected = whole.scores.query("region == 'global'").set_index(["variable", "metric"])
    found = experiment(["lps"]).scores.set_index(["variable", "metric", "target", "n"])
    for variable in ("tas", "pr"):
        for metric in ("rmse_spatial", "rmse_global"):
            for target in ("all", "same"):
                row = found.loc[(variable, metric, target, 6)]
                assert row["value"] == pytest.approx(expected.loc[(variable, metric)]["value"], rel=1e-9)
                assert row["floor"] == pytest.approx(expected.loc[(variable, metric)]["floor"], rel=1e-9)
                assert row["units"] == expected.loc[(variable, metric)]["units"]


def test_each_fit_is_on_the_mean_of_the_drawn_members(experiment, ensemble_folder):
    """One subset by hand: members, mean, fit, prediction, score, without anything of the experiment's."""
    draws = experiment(["lps"]).draws.set_index(["variable", "metric", "target", "n", "memberseed"])
    subset = member_subsets([1, 2, 3, 4, 5, 6], 43)[2]
    train = {}
    for scenario in SETTINGS["train"]:
        with xr.open_dataset(ensemble_folder / f"outputs_{scenario}.nc") as outputs:
            mean = outputs["tas"].sel(member=list(subset)).mean("member").load()
        with xr.open_dataset(ensemble_folder / f"inputs_{scenario}.nc") as inputs:
            train[scenario] = mean.rename(lat="latitude", lon="longitude").to_dataset().assign(CO2=inputs["CO2"].load())
    emulator = LinearPatternScaling()
    emulator.fit(train, None, seed=0)
    with xr.open_dataset(ensemble_folder / "inputs_ssp245.nc") as inputs:
        made = emulator.predict(inputs[["CO2"]].sel(time=slice(2080, 2100)).load(), seed=0)["tas"].mean("time")
    with xr.open_dataset(ensemble_folder / "outputs_ssp245.nc") as outputs:
        target = outputs["tas"].sel(time=slice(2080, 2100)).mean(("member", "time")).load()
    squares = (made.values - target.values) ** 2
    weights = np.cos(np.deg2rad(target["lat"].values))
    by_hand = np.sqrt((squares.mean(axis=1) * weights).sum() / weights.sum())
    assert draws.loc[("tas", "rmse_spatial", "all", 3, 43)]["value"] == pytest.approx(by_hand, rel=1e-9)


def test_a_finished_experiment_is_read(experiment, tmp_path):
    mine = own_emulator.write(tmp_path)
    first = experiment([mine, "lps"])
    assert own_emulator.fits(mine) == [0, 0, 0, 1, 1, 1]  # a seed of its own for each draw
    assert experiment([mine, "lps"]).to_json() == first.to_json() == read_members(tmp_path / "run").to_json()
    assert len(own_emulator.fits(mine)) == 6


def test_what_is_kept_is_not_done_again_when_more_is_asked_for(experiment, tmp_path):
    mine = own_emulator.write(tmp_path)
    few = experiment([mine], n=[1, 6], draws=1)
    assert own_emulator.fits(mine) == [0, 0]
    more = experiment([mine, "lps"], n=[1, 3, 6], draws=2)
    assert own_emulator.fits(mine) == [0, 0, 0, 1, 1, 1]
    keys = ["model", "variable", "metric", "target", "n", "memberseed"]
    both = few.draws.merge(more.draws, on=keys)
    assert len(both) == len(few.draws)
    assert both["value_x"].tolist() == both["value_y"].tolist()
    assert not (tmp_path / "run.partial").exists()


def test_a_stopped_experiment_goes_on(experiment, tmp_path):
    flag = "flag = Path(__file__).with_suffix('.stopped')\n        "
    once = flag + "\n        ".join(
        ["if seed == 1 and not flag.exists():", "    flag.touch()", "    raise KeyboardInterrupt"]
    )
    mine = own_emulator.write(tmp_path, predict=once)
    with pytest.raises(KeyboardInterrupt):
        experiment([mine])
    assert not (tmp_path / "run").exists()
    experiment([mine])
    assert own_emulator.fits(mine) == [0, 0, 0, 1, 1, 1, 1]


def test_a_spoilt_result_is_done_again(experiment, tmp_path):
    mine = own_emulator.write(tmp_path)
    first = experiment([mine])
    folder = next((tmp_path / "run" / "results").iterdir())
    (folder / "n003-memberseed43.npz").write_bytes(b"no archive")
    second = experiment([mine], n=[1, 2, 3, 6])
    assert own_emulator.fits(mine).count(1) == 3 + 2  # the spoilt one, and the new size
    same = second.draws[second.draws["n"] != 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, first.draws)


def test_models_may_have_draws_of_their_own(experiment, tmp_path):
    mine = own_emulator.write(tmp_path)
    found = experiment(["lps", mine], draws={"": 4, "mine": 1})
    counts = found.draws.groupby("model")["memberseed"].nunique()
    assert counts.to_dict() == {"lps": 4, "mine": 1}
    assert set(found.verdicts["draws"]) == {1}


def test_the_default_sizes_end_with_all_members(experiment):
    assert experiment(["lps"], n=None).asked["n"] == [1, 2, 3, 5, 6]


def test_another_experiment_in_the_folder_is_refused(experiment):
    experiment(["lps"])
    with pytest.raises(RunError, match="holds another run"):
        experiment(["lps"], seed=1)
    assert experiment(["lps"], seed=1, fresh=True).asked["n"] == [1, 3, 6]


@pytest.mark.parametrize(
    ("models", "options", "error", "message"),
    [
        (["lps"], {"n": [1, 7]}, RunError, r"n = 7 was asked for, but there are 6 members .* --n 1,2,3,5"),
        (["lps"], {"n": [0]}, RunError, "n = 0 was asked for"),
        (["lps"], {"draws": 0}, RunError, "0 draws were asked for"),
        (["lps"], {"draws": {"cnn": 3}}, RunError, "Draws were named for 'cnn', which is not run; run are lps"),
        (["one-member"], {}, ModelError, "'one-member' is a reference row"),
        ([], {}, ModelError, "No model was named"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(experiment, tmp_path, models, options, error, message):
    with pytest.raises(error, match=message):
        experiment(models, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """mini-esm with eight members, temperature alone."""
    folder = tmp_path_factory.mktemp("world") / "data"
    folder.mkdir()
    MiniESM(experiments=["ssp126", "ssp245", "ssp585"], variables=["tas"]).write(folder, members=8, seed=3)
    return folder


def test_on_simulated_data_the_truth_is_a_row_and_verdicts_are_held_against_it(simulated, tmp_path):
    settings = {"targets": ["tas"], "train": ["ssp126", "ssp585"], "validation": []}
    found = members(
        "climatebench", ["lps", "no-change"], data=simulated, set=settings, out=tmp_path / "run", n=[1, 2, 8], draws=20
    )
    scores = found.scores.set_index(["model", "metric", "target", "n"])
    truth = scores.loc["forced-response"]
    assert (truth["true_value"] < 1e-6).all()
    # Twenty draws of one member of eight: the mean square of their noise is S2 within its own spread.
    assert truth.loc[("rmse_spatial", "same", 1)]["ratio"] == pytest.approx(1.0, abs=0.35)
    assert truth.loc[("rmse_spatial", "same", 2)]["ratio"] == pytest.approx(1.0, abs=0.5)
    verdicts = found.verdicts[found.verdicts["metric"] == "rmse_spatial"].set_index("n")
    assert set(found.verdicts["model"]) == {"no-change"}
    assert verdicts["verdict"].tolist() == verdicts["truth"].tolist() == ["worse"] * 3
    assert verdicts["right"].tolist() == [True] * 3


def test_real_data_have_no_truth(experiment):
    found = experiment(["lps"])
    assert set(found.scores["model"]) == {"lps"}
    assert found.draws["true_value"].isna().all()
    assert found.verdicts.empty


def test_a_cluster_does_what_this_process_does(experiment, tmp_path):
    from climbench.cluster import cluster

    mine = own_emulator.write(tmp_path)
    alone = experiment([mine, "lps"])
    with cluster(workers=2) as client:
        address = client.scheduler.address
        together = experiment([mine, "lps"], out=tmp_path / "cluster", scheduler=address)
    pd.testing.assert_frame_equal(together.draws, alone.draws)
    assert sorted(own_emulator.fits(mine)) == sorted([0, 0, 0, 1, 1, 1] * 2)


def test_a_failure_on_a_cluster_arrives_and_keeps_what_was_finished(experiment, tmp_path):
    from climbench.cluster import cluster

    mine = own_emulator.write(tmp_path, predict="if seed == 1: raise ValueError('unlucky')")
    with cluster(workers=1) as client, pytest.raises(ModelError, match="'mine' failed in predict: ValueError: unlucky"):
        experiment([mine], scheduler=client.scheduler.address)
    assert not (tmp_path / "run").exists()


def test_record_and_tables_say_what_was_done(experiment, tmp_path):
    found = experiment(["lps", "no-change"])
    record = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert (record["experiment"], record["members"]) == ("members", ["1", "2", "3", "4", "5", "6"])
    assert record["asked"]["draws"] == {"lps": 2, "no-change": 2}
    table = pd.read_csv(tmp_path / "run" / "members.csv")
    np.testing.assert_allclose(table["value"], found.scores["value"])
    assert set(pd.read_csv(tmp_path / "run" / "crossovers.csv")["against"]) == {"lps"}
