"""A run from Python: what it returns, what it leaves behind, and that it does not depend on chance."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

import climbench
from climbench.cards import TaskCard, find_task, read_card, validate
from climbench.errors import CardError, ClimbenchError
from climbench.models.pattern_scaling import LinearPatternScaling
from climbench.progress import Progress
from climbench.records import Result
from tests import own_emulator
from tests.synthetic import LATITUDE, LONGITUDE

COLUMNS = ["model", "variable", "metric", "region", "lead_time", "value", "floor", "low", "high", "units"]
METRICS = ["nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial", "rmse_global", "rmse_spatial_debiased"]
SMALL = {"targets": ["tas", "pr"], "train": ["ssp126", "ssp585"]}
YEARS = np.arange(2080, 2101)


def run(synthetic, out, models=("lps",), **options):
    options = {"set": SMALL, **options}
    return climbench.run("climatebench", models=list(models), data=synthetic, out=out, **options)


@pytest.fixture(scope="module")
def result(synthetic, tmp_path_factory) -> Result:
    """One run with all that a run makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLIMBENCH_OFFLINE", "1")
        patch.setenv("CLIMBENCH_CACHE", str(tmp_path_factory.mktemp("harness-cache")))
        return run(synthetic, tmp_path_factory.mktemp("run") / "run", ["no-change", "lps"], seed=5)


@pytest.fixture
def record(result):
    return json.loads((result.run_dir / "provenance.json").read_text())


def value(result: Result, **wanted) -> float:
    table = result.scores
    for column, content in {"region": "global", **wanted}.items():
        table = table[table[column] == content]
    assert len(table) == 1
    return float(table["value"].iloc[0])


def test_the_table_has_the_contracts_columns_types_and_order(result):
    table = result.scores
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == COLUMNS
    assert all(table[c].dtype == "float64" for c in ("lead_time", "value", "floor", "low", "high"))
    for model, rows in table.groupby("model", sort=False):
        names = [(model, v, s, "global") for v in ("tas", "pr") for s in (*METRICS, "skill_vs_lps")]
        first = rows[["model", "variable", "metric", "region"]].itertuples(index=False, name=None)
        assert list(first)[: len(names)] == names
    assert list(dict.fromkeys(table["model"])) == ["no-change", "lps"]
    assert not table.duplicated(["model", "variable", "metric", "region"]).any()
    assert table["lead_time"].isna().all()
    units = dict(zip(zip(table["variable"], table["metric"], strict=True), table["units"], strict=True))
    assert units["tas", "rmse_spatial"] == "K"
    assert units["pr", "rmse_spatial"] == "mm/day"
    assert units["pr", "nrmse_total"] == "1"


def test_scores_and_floor_are_those_worked_out_from_the_files(result, synthetic):
    target = xr.load_dataset(synthetic / "outputs_ssp245.nc")["tas"].sel(time=YEARS)
    predicted = result.predictions["lps"]["tas"].values
    members = target.transpose("member", "time", "lat", "lon").values
    weights = np.cos(np.deg2rad(LATITUDE))[:, None] * np.ones(LONGITUDE.size)
    weights /= weights.sum()
    truth = members.mean(axis=0)
    error = float(np.sqrt(((predicted.mean(0) - truth.mean(0)) ** 2 * weights).sum()))
    globe = float(np.sqrt(np.mean((((predicted - truth) * weights).sum((1, 2))) ** 2)))
    norm = float((truth.mean(0) * weights).sum())
    floor = float(np.sqrt((members.mean(1).var(axis=0, ddof=1) * weights).sum() / len(members)))
    found = {m: value(result, model="lps", variable="tas", metric=m) for m in METRICS}
    assert found["rmse_spatial"] == pytest.approx(error, rel=1e-9)
    assert found["rmse_global"] == pytest.approx(globe, rel=1e-9)
    assert found["nrmse_total"] == pytest.approx((error + 5 * globe) / norm, rel=1e-9)
    rows = result.scores.query("model == 'lps' and variable == 'tas' and metric == 'rmse_spatial'")
    assert rows["region"].iloc[0] == "global"
    assert float(rows["floor"].iloc[0]) == pytest.approx(floor, rel=1e-9)


def test_skill_is_stated_against_pattern_scaling(result):
    errors = [value(result, model=m, variable="pr", metric="rmse_spatial") for m in ("no-change", "lps")]
    skill = value(result, model="no-change", variable="pr", metric="skill_vs_lps")
    assert skill == pytest.approx(1.0 - errors[0] / errors[1])
    assert value(result, model="lps", variable="pr", metric="skill_vs_lps") == 0.0


def test_skill_is_null_with_the_reason_where_pattern_scaling_is_not_run(synthetic, tmp_path, without_report):
    alone = run(synthetic, tmp_path / "run", ["no-change"])
    rows = [r for r in alone.rows if r["metric"] == "skill_vs_lps"]
    assert {r["value"] for r in rows} == {None}
    assert {r["variable"] for r in rows} == {"tas", "pr"}
    assert any("skill_vs_lps: 'lps' was not run; add --model lps" in note for note in alone.notes)


def test_predictions_lie_on_the_targets_coordinates(result):
    assert list(result.predictions) == ["no-change", "lps"]
    prediction = result.predictions["lps"]
    assert isinstance(prediction, xr.Dataset)
    assert prediction["tas"].dims == ("time", "latitude", "longitude")
    np.testing.assert_array_equal(prediction["time"], YEARS)
    np.testing.assert_array_equal(prediction["latitude"], LATITUDE)
    np.testing.assert_array_equal(prediction["longitude"], LONGITUDE)
    assert prediction["pr"].attrs["units"] == "mm/day"
    with pytest.raises(KeyError):
        result.predictions["unknown"]


def test_the_run_directory_holds_what_the_design_says(result):
    folder = result.run_dir
    there = {str(p.relative_to(folder)) for p in folder.rglob("*")}
    wanted = {"task.yaml", "scores.parquet", "provenance.json", "report.html", "figures/lps-tas.png"}
    wanted |= {f"{kind}/{model}.zarr" for kind in ("predictions", "statistics") for model in ("lps", "no-change")}
    assert wanted <= there
    assert not {name for name in there if name.endswith(".tmp") or name in (".lock", "fingerprint")}
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_scores_are_kept_as_parquet(result):
    pd.testing.assert_frame_equal(pd.read_parquet(result.run_dir / "scores.parquet"), result.scores)


def test_the_card_is_kept_with_the_settings_used(result, record):
    kept = yaml.safe_load((result.run_dir / "task.yaml").read_text())
    card = validate("task", kept, "the kept card")
    assert isinstance(card, TaskCard)
    assert list(card.targets) == SMALL["targets"]
    assert card.hash() == record["task_hash"] != find_task("climatebench").hash()


def test_the_kept_statistics_give_the_scores_again(result):
    statistics = xr.open_zarr(result.run_dir / "statistics" / "lps.zarr", consolidated=False)
    spatial = float(np.sqrt(statistics["tas_error_gram"].mean()))
    globe = float(np.sqrt((statistics["tas_global_error"].mean("member") ** 2).mean()))
    assert spatial == pytest.approx(value(result, model="lps", variable="tas", metric="rmse_spatial"))
    assert globe == pytest.approx(value(result, model="lps", variable="tas", metric="rmse_global"))


def test_the_fitted_emulator_is_kept(result):
    fitted = LinearPatternScaling.load(result.run_dir / "fitted" / "lps")
    inputs = xr.Dataset({"CO2": ("time", [1500.0 + 35.0 * (y - 2014) for y in YEARS])}, coords={"time": YEARS})
    np.testing.assert_allclose(fitted.predict(inputs, seed=0)["tas"], result.predictions["lps"]["tas"], rtol=1e-12)


def test_provenance_says_where_the_numbers_come_from(record):
    assert record["seed"] == 5
    assert record["modified"] is True
    assert record["data"]["kind"] == "real"
    assert re.fullmatch("[0-9a-f]{64}", record["data"]["fingerprint"])
    assert record["versions"]["numpy"] == np.__version__
    assert record["hardware"]["cores"] >= 1
    assert [model["name"] for model in record["models"]] == ["no-change", "lps"]
    cost = record["costs"]["lps"]
    assert cost["parameters"] == 2 + 2 * 2 * LATITUDE.size * LONGITUDE.size
    assert cost["fit_seconds"] > 0.0
    assert cost["predict_seconds"] > 0.0
    assert cost["peak_memory_mb"] > 10.0
    assert {(s["model"], s["variable"], s["part"]) for s in record["squares"]} == {
        (m, v, p) for m in ("no-change", "lps") for v in ("tas", "pr") for p in ("spatial", "global")
    }


def test_figures_and_report_are_whole(result):
    assert (result.run_dir / "figures" / "lps-tas.png").read_bytes().startswith(b"\x89PNG")
    page = (result.run_dir / "report.html").read_text()
    assert page.rstrip().endswith("</html>")
    sources = re.findall(r"<(?:img|script|link)[^>]+(?:src|href)=.([^\s>]{5})", page)
    assert len(sources) >= 4
    assert set(sources) == {"data:"}


def test_the_same_seed_gives_the_same_bytes(synthetic, tmp_path, without_report):
    noisy = own_emulator.write(
        tmp_path, predict='made = made + np.random.default_rng(seed).normal(0, 0.1, made["tas"].shape)'
    )
    runs = {n: run(synthetic, tmp_path / n, [noisy], seed=seed).run_dir for n, seed in (("a", 3), ("b", 3), ("c", 4))}
    assert own_emulator.fits(noisy) == [3, 3, 4]
    scores = {n: (folder / "scores.parquet").read_bytes() for n, folder in runs.items()}
    assert scores["a"] == scores["b"] != scores["c"]
    stores = {
        n: [p.read_bytes() for p in sorted((f / "predictions").rglob("*")) if p.is_file()] for n, f in runs.items()
    }
    assert stores["a"] == stores["b"] != stores["c"]


@pytest.mark.parametrize(
    ("settings", "modified"),
    [({}, False), ({"test.scenario": "ssp245", "nan": "error"}, False), ({"test.years": [2090, 2100]}, True)],
)
def test_a_result_is_modified_where_settings_differ_from_the_card(
    synthetic, tmp_path, without_report, settings, modified
):
    result = run(synthetic, tmp_path / "run", ["no-change"], set=settings)
    assert result.modified is modified
    assert json.loads((tmp_path / "run" / "provenance.json").read_text())["modified"] is modified


def test_without_a_folder_the_run_is_named_by_task_and_content(synthetic, tmp_path, monkeypatch, without_report):
    monkeypatch.chdir(tmp_path)
    one, other = (run(synthetic, None, ["no-change"], seed=seed).run_dir for seed in (0, 1))
    assert re.fullmatch("climatebench-[0-9a-f]{8}", one.name)
    assert one.parent.name == "runs"
    assert one != other


def test_without_models_all_baselines_are_run(synthetic, tmp_path, without_report):
    result = climbench.run("climatebench", data=synthetic, set=SMALL, out=tmp_path / "run")
    assert list(dict.fromkeys(result.scores["model"])) == ["no-change", "lps", "one-member"]


def test_a_task_and_a_model_can_be_card_files(synthetic, tmp_path, without_report):
    own_emulator.write(tmp_path)
    card = {"name": "mine", "title": "Mine", "protocol": "projection", "class_path": "Mine.py:Mine"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(card))
    task = find_task("climatebench").model_dump(mode="json") | {"name": "short", **SMALL}
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(task))
    assert read_card(tmp_path / "short.yaml").name == "short"
    models = [str(tmp_path / "mine.yaml")]
    result = climbench.run(tmp_path / "short.yaml", models, data=synthetic, out=tmp_path / "run")
    assert (result.task, result.modified) == ("short", False)
    assert set(result.scores["model"]) == {"mine"}


def test_models_of_the_same_name_are_refused(synthetic, tmp_path):
    with pytest.raises(CardError, match="Two models are named 'lps'"):
        run(synthetic, tmp_path / "run", ["lps", "no-change", "lps"])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["lsp"]}, "Did you mean 'lps'"),
        ({"set": {"test.yers": [2080, 2099]}}, r"Did you mean 'test\.years'"),
        ({"set": {"test.scenario": "ssp254"}}, "Did you mean 'ssp245'"),
        ({"set": {"targets": ["tsa"]}}, "Did you mean 'tas'"),
        ({"set": {"test.years": [2095, 2103]}}, r"lacks the years 2101, 2102, 2103; it has 2015\.\.2100"),
        ({"set": {"test.members": [1, 7]}}, "lacks the member 7; it has 1, 2, 3"),
        ({"set": {"train": ["ssp126", "ssp999"]}}, "no outputs? of|no inputs? of"),
    ],
)
def test_what_is_not_there_is_named_with_what_there_is(synthetic, tmp_path, options, message):
    with pytest.raises(ClimbenchError, match=message):
        run(synthetic, tmp_path / "run", **{"set": SMALL, **options})
    assert not (tmp_path / "run").exists()


def test_progress_is_told_what_goes_on(synthetic, tmp_path, without_report):
    class Told(Progress):
        def __init__(self):
            self.lines, self.stages = [], []

        def announce(self, line):
            self.lines.append(line)

        def stage(self, text):
            self.stages.append(text)

    told = Told()
    run(synthetic, tmp_path / "run", progress=told)
    assert told.lines == [f"Data: {synthetic}, in the layout of climatebench."]
    assert told.stages.index("reading ssp126") < told.stages.index("lps: scoring")


def test_a_kept_prediction_of_zeros_can_be_scored_again(synthetic, tmp_path):
    done = climbench.run("climatebench", ["no-change"], data=synthetic, out=tmp_path / "run")
    again = climbench.score("climatebench", done.run_dir / "predictions" / "no-change.zarr", data=synthetic)
    one, other = (
        r.scores.query("metric == 'rmse_spatial' and region == 'global'")["value"].tolist() for r in (done, again)
    )
    assert one == other
