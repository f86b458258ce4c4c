"""Emulators from a user's own file: they run unregistered, and their faults are named as theirs."""

from __future__ import annotations

import pytest

import climbench
from climbench.errors import CardError, ClimbenchError, ModelError, PredictionError
from tests import own_emulator

pytestmark = pytest.mark.usefixtures("without_report")
CONTRACT = ("nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial", "rmse_global", "rmse_spatial_debiased")
SMALL = {"targets": ["tas", "pr"], "train": ["ssp126", "ssp585"]}


def run(synthetic, tmp_path, *models):
    return climbench.run("climatebench", models=list(models), data=synthetic, set=SMALL, out=tmp_path / "run")


def test_an_emulator_in_a_file_is_scored_beside_the_baseline(synthetic, tmp_path):
    result = run(synthetic, tmp_path, own_emulator.write(tmp_path, "RatioOfMeans"), "lps")
    assert list(dict.fromkeys(result.scores["model"])) == ["ratio-of-means", "lps"]
    skill = result.scores.query("model == 'ratio-of-means' and metric == 'skill_vs_lps'")
    assert skill["value"].notna().all()
    assert result.predictions["ratio-of-means"]["tas"].attrs == {"units": "K"}


def test_the_reference_for_skill_may_be_named_last(synthetic, tmp_path):
    mine = own_emulator.write(tmp_path)
    one = run(synthetic, tmp_path, mine, "lps").scores
    other = climbench.run("climatebench", ["lps", mine], data=synthetic, set=SMALL, out=tmp_path / "other").scores
    columns = ["variable", "metric", "value"]
    one, other = (t[t["model"] == "mine"][columns].reset_index(drop=True) for t in (one, other))
    assert one.equals(other)


def test_an_ensemble_is_scored_by_its_mean(synthetic, tmp_path):
    spread = 'made = xr.concat([made - 0.5, made + 0.5], "member").assign_coords(member=[1, 2])'
    one = run(
        synthetic, tmp_path, own_emulator.write(tmp_path, "Mine"), own_emulator.write(tmp_path, "Two", predict=spread)
    )
    rows = one.scores.query("region == 'global'")
    table = rows.pivot(index=["variable", "metric"], columns="model", values="value")
    table = table.loc[[(v, m) for v in ("tas", "pr") for m in CONTRACT]]
    assert table["two"].to_numpy() == pytest.approx(table["mine"].to_numpy(), rel=1e-9)
    assert dict(one.predictions["two"].sizes)["member"] == 2


@pytest.mark.parametrize(
    ("stage", "fault"),
    [(stage, "raise RuntimeError('out of luck')") for stage in ("init", "fit", "predict", "save")]
    + [(stage, "sys.exit(0)") for stage in ("fit", "predict", "save")],
)
def test_an_emulators_own_failure_is_named_as_its_own(synthetic, tmp_path, stage, fault):
    mine = own_emulator.write(tmp_path, **{stage: fault})
    with pytest.raises(ModelError) as error:
        run(synthetic, tmp_path, mine)
    where = "cannot be made" if stage == "init" else f"failed in {stage}"
    assert f"'mine' {where}" in str(error.value)
    assert ("RuntimeError: out of luck" if "luck" in fault else "SystemExit") in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("made = made.isel(latitude=slice(3))", r"predicts tas on another latitude .* 3 values .* against 6 values"),
        ("made = made.assign_coords(longitude=made.longitude + 1)", "on another longitude"),
        ("made = made.isel(latitude=slice(None, None, -1))", "on another latitude"),
        ("made = made.isel(time=slice(1, None))", r"another time .* 20 values 2081..2100 against 21 values 2080..2100"),
        ("made = made.assign_coords(time=made.time + 1)", "on another time"),
        ("made = made * np.nan", "values of tas that are not finite"),
        ('made["pr"] = made["pr"].where(made.time != 2090)', "values of pr that are not finite"),
        ("made = made * np.inf", "not finite"),
        ("made = made * 0", "predicts zero throughout for tas; that is refused"),
        ('made = made.drop_vars("pr")', "did not predict pr; it gave tas"),
        ('made = made.expand_dims(level=[1])', r"with dimensions \('level'.*wanted are"),
        ('made = made.mean("longitude")', "with dimensions"),
        ("made = None", "must predict an xarray Dataset; it gave NoneType"),
        ('made = made["tas"].values', "it gave ndarray"),
    ],
)  # fmt: skip
def test_predictions_that_do_not_answer_the_task_are_refused(synthetic, tmp_path, fault, message):
    with pytest.raises(PredictionError, match=message) as error:
        run(synthetic, tmp_path, own_emulator.write(tmp_path, predict=fault))
    assert "'mine'" in str(error.value)
    assert not (tmp_path / "run").exists()


def test_dimensions_may_come_in_any_order(synthetic, tmp_path):
    mine = own_emulator.write(tmp_path, "Mine")
    turned = own_emulator.write(tmp_path, "Turned", predict='made = made.transpose("longitude", "time", "latitude")')
    table = run(synthetic, tmp_path, mine, turned).scores.pivot(
        index=["variable", "metric", "region"], columns="model", values="value"
    )
    assert table["turned"].equals(table["mine"].rename("turned"))


@pytest.mark.parametrize(
    ("text", "named", "message"),
    [
        ("class Mine: pass", "Mine", "'mine' is no emulator: it must have the methods fit and predict"),
        ("class Mine: pass", "Main", "'Main' is not in it. Did you mean 'Mine'"),
        ("class Mine: pass", "", "names no class"),
        ("class Mine(", "Mine", "fails when it is imported: SyntaxError"),
        ("import nothing_of_the_kind", "Mine", "ModuleNotFoundError"),
        (
            "class Mine:\n inputs = ('CO3',)\n fit = predict = print",
            "Mine",
            "needs the input 'CO3'.*Did you mean 'CO2'",
        ),
        ("def Mine(one): pass", "Mine", "cannot be made with the arguments"),
    ],
)
def test_files_that_hold_no_emulator(synthetic, tmp_path, text, named, message):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises((ModelError, CardError), match=message):
        run(synthetic, tmp_path, f"{tmp_path}/mine.py:{named}")


def test_a_missing_file_is_named(synthetic, tmp_path):
    with pytest.raises(ClimbenchError, match=r"There is no file .*absent\.py"):
        run(synthetic, tmp_path, f"{tmp_path}/absent.py:Mine")
