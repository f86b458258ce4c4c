"""Published numbers held against ours: met, missed, on other data, not run, and without data."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import yaml

import climbench
from climbench.cards import find_task, list_cards
from climbench.errors import CardError, DataError
from climbench.experiments.reproduce import reproduce
from climbench.worlds.mini_esm import MiniESM
from tests.data.readers import climateset_files
from tests.experiments.conftest import SETTINGS


@pytest.fixture(autouse=True)
def quick(monkeypatch, without_report):
    monkeypatch.setattr("climbench.experiments.members_record._write_report", lambda *_: None)


@pytest.fixture
def truths(ensemble_folder, tmp_path):
    """What lps scores, and the target's normaliser, by other routes than the reproduction's."""
    settings = {**SETTINGS, "targets": ["tas"]}
    result = climbench.run("climatebench", models=["lps"], data=ensemble_folder, set=settings, out=tmp_path / "known")
    scores = {r["metric"]: r["value"] for r in result.rows if r["region"] == "global"}
    with xr.open_dataset(ensemble_folder / "outputs_ssp245.nc") as data:
        field = data["tas"].sel(time=slice(2080, 2100)).mean(("member", "time"))
        weights = np.cos(np.deg2rad(data["lat"]))
        return scores, abs(float(field.weighted(weights).mean()))


@pytest.fixture
def card(tmp_path):
    """A function that writes a task card with given published rows."""

    def write(*references, **changes):
        content = find_task("climatebench").model_dump(mode="json") | {"targets": ["tas"], "validation": []}
        content |= {"train": SETTINGS["train"], "references": list(references), **changes}
        (tmp_path / "task.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        return tmp_path / "task.yaml"

    return write


def published(scores, **more):
    return {"model": "Published", "source": "somewhere", "emulator": "lps", "scores": {"tas": scores}, **more}


def statuses(found):
    return [row["status"] for row in found.rows]


def test_a_number_is_met_within_its_tolerance_and_missed_beyond(card, truths, ensemble_folder, tmp_path):
    value = truths[0]["rmse_spatial"]
    task = card(
        published({"rmse_spatial": value * 1.0009}, tolerance=1e-3),
        published({"rmse_spatial": value * 1.0011}, tolerance=1e-3),
        published({"rmse_spatial": value + 0.9e-3}, tolerance=0.0, rounding=1e-3),
        published({"rmse_spatial": value + 1.1e-3}, tolerance=0.0, rounding=1e-3),
    )
    found = reproduce(task, data=ensemble_folder, out=tmp_path / "runs")
    assert statuses(found) == ["met", "not met", "met", "not met"]
    assert [row["found"] for row in found.rows] == pytest.approx([value] * 4)
    assert found.rows[2]["tolerance"] == pytest.approx(1e-3)
    assert len({row["run_dir"] for row in found.rows}) == 1  # one run for all


def test_a_row_is_run_under_its_own_settings(card, ensemble_folder, tmp_path):
    few = {"train": ["ssp126", "ssp585"]}
    result = climbench.run(
        "climatebench",
        models=["lps"],
        data=ensemble_folder,
        set={**SETTINGS, "targets": ["tas"], **few},
        out=tmp_path / "few",
    )
    value = next(r["value"] for r in result.rows if r["metric"] == "nrmse_total")
    task = card(published({"nrmse_total": value}, settings=few), published({"nrmse_total": value}))
    assert statuses(reproduce(task, data=ensemble_folder, out=tmp_path / "runs")) == ["met", "not met"]


def test_means_over_some_members_are_those_of_the_draw(card, ensemble_folder, tmp_path):
    from climbench.experiments.members import members

    whole = members(
        "climatebench",
        ["lps"],
        n=[2, 3],
        draws=2,
        data=ensemble_folder,
        set={**SETTINGS, "targets": ["tas"]},
        out=tmp_path / "members",
    ).draws.set_index(["metric", "target", "n", "memberseed"])["value"]
    rows = [
        published(
            {"rmse_global": float(whole["rmse_global", target, n, seed])}, members=n, memberseed=seed, target=target
        )
        for n, seed, target in ((2, 42, "all"), (3, 43, "same"))
    ]
    wrong_draw = published({"rmse_global": float(whole["rmse_global", "same", 3, 43])}, members=3, target="same")
    found = reproduce(card(*rows, wrong_draw), data=ensemble_folder, out=tmp_path / "runs")
    assert statuses(found) == ["met", "met", "not met"]


def test_other_data_are_known_by_the_targets_normaliser(card, truths, ensemble_folder, tmp_path):
    target = {"model": "Target", "source": "somewhere", "scores": {"tas": {"normaliser": truths[1]}}}
    score = published({"rmse_spatial": 2.0 * truths[0]["rmse_spatial"]})
    assert statuses(reproduce(card(target, score), data=ensemble_folder, out=tmp_path / "a")) == ["met", "not met"]
    target["scores"] = {"tas": {"normaliser": 1.1 * truths[1]}}
    assert statuses(reproduce(card(target, score), data=ensemble_folder, out=tmp_path / "b")) == ["other data"] * 2


def test_what_is_not_run_says_why(card, truths, ensemble_folder, tmp_path):
    task = card(
        published({"rmse_spatial": truths[0]["rmse_spatial"], "no_such_score": 1.0}),
        published({"rmse_spatial": 1.0}, emulator="no-change"),
        published({"rmse_spatial": 1.0}, members=99),
    )
    found = reproduce(task, data=ensemble_folder, models=["lps"], out=tmp_path / "runs")
    assert statuses(found) == ["met", "not run", "not run", "not run"]
    reasons = [row["reason"] for row in found.rows[1:]]
    assert reasons[0] == "this suite gives no no_such_score of tas"
    assert reasons[1] == "left out; name it with --model"
    assert "n = 99 was asked for, but there are 6 members" in reasons[2]


def test_without_the_data_it_says_what_to_pull(tmp_path):
    found = reproduce("climatebench", out=tmp_path / "runs")
    assert "climbench data pull climatebench brings it" in found.data
    assert {row["status"] for row in found.rows} == {"no data"}
    assert {row["found"] for row in found.rows} == {None}
    assert list(tmp_path.iterdir()) == []


def test_simulated_data_are_refused(card, tmp_path):
    folder = tmp_path / "world"
    folder.mkdir()
    MiniESM(experiments=["historical", "ssp126", "ssp245", "ssp585"], variables=["tas"]).write(folder, members=2)
    with pytest.raises(DataError, match="mini-esm is simulated; published numbers are of real data"):
        reproduce(card(published({"rmse_spatial": 1.0})), data=folder)


def test_tasks_and_models_without_published_numbers_are_refused(card, ensemble_folder):
    with pytest.raises(CardError, match="'climatebench' has no published numbers"):
        reproduce(card(), data=ensemble_folder)
    with pytest.raises(CardError, match=r"no published numbers of 'lpss'\. Did you mean 'lps'"):
        reproduce(card(published({"rmse_spatial": 1.0})), data=ensemble_folder, models=["lpss"])


@pytest.mark.parametrize("task", ["climatebench", "em-mpi"])
def test_the_cards_rows_can_be_looked_for(task):
    """Every row names a model that the suite has, targets the task has, and settings its card takes."""
    card = find_task(task)
    known = {c.name for c in list_cards("model")}
    for reference in card.references:
        assert reference.emulator is None or reference.emulator in known
        assert set(reference.scores) <= set(card.targets)
        assert climbench.cards.with_settings(card, reference.settings).name == task
        allowed = (
            {"normaliser"}
            if reference.emulator is None
            else {*("nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial", "rmse_global")}
        )
        assert {m for scores in reference.scores.values() for m in scores} <= allowed


def test_totals_on_the_card_are_the_sums_of_their_parts():
    """A slip of the pen in a published row would show: total = spatial + 5 global, to the digits printed."""
    for reference in find_task("climatebench").references:
        for scores in reference.scores.values():
            if "nrmse_total" in scores and "nrmse_spatial" in scores:
                total = scores["nrmse_spatial"] + 5.0 * scores["nrmse_global"]
                assert scores["nrmse_total"] == pytest.approx(total, rel=2e-5)


def test_numbers_of_normalised_months_are_listed_and_never_met(monkeypatch, tmp_path):
    """ClimateSet's scores are of another kind than the task's: they are shown, nothing is run for them."""
    monkeypatch.setenv("CLIMBENCH_DATA", str(tmp_path))
    found = reproduce("climateset")
    published = {(r["model"], r["definition"], r["variable"]): r["published"] for r in found.rows}
    assert len(published) == len(found.rows) == 26
    assert published["ClimaX", "an emulator for each Earth system model; mean over 15 of them", "pr"] == 0.274
    assert published["ConvLSTM", "one emulator for all; mean over six Earth system models", "tas"] == 0.304
    assert {r["status"] for r in found.rows} == {"no data"}
    assert {r["emulator"] for r in found.rows} == {None}
    assert all("this suite's task is of annual means" in r["differs"] for r in found.rows)
    place = climateset_files.write(tmp_path / "folder")
    settings = {"train": ["ssp126", "ssp585"], "validation": [], "test": {"scenario": "ssp245", "years": [2015, 2018]}}
    card = tmp_path / "climateset.yaml"
    content = {**yaml.safe_load(find_task("climateset").path.read_text()), **settings}
    card.write_text(yaml.safe_dump(content, allow_unicode=True))
    rows = reproduce(card, data=place, out=tmp_path / "runs").rows
    assert {r["status"] for r in rows} == {"not run"}
    assert {r["reason"] for r in rows} >= {"this suite gives no llrmse of tas", "this suite gives no llrmse of pr"}
    assert not (tmp_path / "runs").exists()
