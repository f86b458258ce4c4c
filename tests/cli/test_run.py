"""``climbench run``: the table, and the one JSON object that scripts rely on."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import xarray as xr
import yaml

from tests import own_emulator
from tests.synthetic import write

ROW = ["model", "variable", "metric", "region", "lead_time", "value", "floor", "low", "high", "units"]
METRICS = ["nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial", "rmse_global", "rmse_spatial_debiased"]
SET = ("--set", "targets=[tas,pr]", "--set", "train=[ssp126,ssp585]")


@pytest.fixture
def run(climbench, synthetic, tmp_path, without_report):
    """A function that runs pattern scaling on the synthetic files."""

    def call(*arguments, model="lps"):
        fixed = (
            "run",
            "--task",
            "climatebench",
            "--model",
            model,
            "--data",
            synthetic,
            *SET,
            "--out",
            tmp_path / "run",
        )
        return climbench(*fixed, *arguments)

    return call


def test_json_is_the_contracts_object_and_nothing_else(run, tmp_path, synthetic):
    done = run("--json")
    result = done.json
    assert done.code == 0
    assert set(result) - {"notes", "physics"} == {"task", "data", "modified", "run_dir", "scores"}
    assert {"toa_net", "water_closure"} <= set(next(iter(result["physics"]["impossible"].values())))
    assert set(result["data"]) == {"name", "kind", "fingerprint"}
    assert (result["task"], result["data"]["name"], result["data"]["kind"]) == ("climatebench", "climatebench", "real")
    assert result["modified"] is True
    assert result["run_dir"] == str(tmp_path / "run")
    assert all(list(row) == ROW for row in result["scores"])
    first = result["scores"][:14]
    assert [r["metric"] for r in first] == [*METRICS, "skill_vs_lps"] * 2
    assert {(r["region"], r["lead_time"]) for r in first} == {("global", None)}
    assert all(isinstance(row["value"], float) for row in first)
    assert all(row["value"] is None or isinstance(row["value"], float) for row in result["scores"])
    assert done.err == f"Data: {synthetic}, in the layout of climatebench.\n"


def test_json_has_the_numbers_of_the_record(run, tmp_path):
    rows = run("--json").json["scores"]
    kept = pd.read_parquet(tmp_path / "run" / "scores.parquet")
    assert [r["value"] for r in rows] == [None if v != v else v for v in kept["value"]]


def test_what_is_not_a_number_is_null(climbench, tmp_path, without_report):
    """With one member there is neither floor nor interval, and without pattern scaling no skill."""
    data = write(tmp_path / "data", ["ssp126", "ssp245"], members=1)
    options = ("--data", data, "--set", "targets=[tas]", "--set", "train=[ssp126]", "--out", tmp_path / "run", "--json")
    done = climbench("run", "--task", "climatebench", "--model", "no-change", *options)
    rows = {r["metric"]: r for r in done.json["scores"] if r["region"] == "global"}
    assert [rows["rmse_spatial"][key] for key in ("floor", "low", "high")] == [None] * 3
    assert rows["rmse_spatial"]["value"] > 0.0
    assert rows["rmse_spatial_debiased"]["value"] is None
    assert rows["skill_vs_lps"]["value"] is None
    assert any("one member" in note for note in done.json["notes"])


def test_the_first_named_model_comes_first(run):
    rows = run("--model", "lps", "--json", model="no-change").json["scores"]
    half = len(rows) // 2
    assert [r["model"] for r in rows] == ["no-change"] * half + ["lps"] * half


def test_simulated_data_are_called_so_in_the_first_line(climbench, tmp_path, without_report):
    data = write(tmp_path / "data", ["ssp126", "ssp245"])
    mark = json.dumps({"world": "mini-esm", "version": "1", "seed": 0, "members": [1, 2, 3]})
    for path in data.iterdir():
        marked = xr.load_dataset(path).assign_attrs(climbench_world=mark)
        marked.to_netcdf(path)
    options = ("--data", data, "--set", "targets=[tas]", "--set", "train=[ssp126]", "--out", tmp_path / "run")
    done = climbench("run", "--task", "climatebench", "--model", "lps", *options)
    assert "climatebench on mini-esm (SIMULATED) (modified settings)" in done.out.splitlines()
    assert (
        climbench("run", "--task", "climatebench", "--model", "lps", *options, "--json").json["data"]["kind"]
        == "simulated"
    )


def test_the_table_names_units_models_and_the_record(run, tmp_path, synthetic):
    done = run("--model", "no-change")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[0] == f"Data: {synthetic}, in the layout of climatebench."
    assert lines[1] == "climatebench on climatebench (modified settings)"
    assert "tas (K)" in lines
    assert "pr (mm/day)" in lines
    assert [line.split()[0] for line in lines[lines.index("tas (K)") + 1 :][:2]] == ["lps", "no-change"]
    assert lines[-1] == f"Record: {tmp_path / 'run'}  (open {tmp_path / 'run'}/report.html)"


@pytest.mark.parametrize(("columns", "left_out"), [("80", None), ("60", "NRMSE global, debiased")])
def test_the_table_fits_the_terminal(run, monkeypatch, columns, left_out):
    monkeypatch.setenv("COLUMNS", columns)
    lines = run().out.splitlines()
    table = lines[2 : lines.index("pr (mm/day)") + 2]
    assert max(map(len, table)) <= int(columns)
    said = [line for line in lines if line.startswith("- left out at this width")]
    assert said == ([f"- left out at this width: {left_out}; --json has all"] if left_out else [])


def test_a_run_that_is_there_is_shown_again(run):
    assert run().out == run().out


def test_another_run_in_the_folder_ends_with_2(run):
    run()
    done = run("--seed", 1)
    assert done.code == 2
    assert "holds another run" in done.err
    assert run("--seed", 1, "--fresh").code == 0


def test_settings_are_yaml(run, tmp_path):
    assert run("--set", "test.years=[2090, 2099]", "--set", "scoring.weights=cell_area", "--set", "nan=mask").code == 0
    card = yaml.safe_load((tmp_path / "run" / "task.yaml").read_text())
    assert card["test"]["years"] == [2090, 2099]
    assert (card["scoring"]["weights"], card["nan"]) == ("cell_area", "mask")


def test_an_own_emulators_failure_is_the_users_to_mend(run, tmp_path):
    done = run(model=own_emulator.write(tmp_path, predict="raise ValueError('[no] luck')"))
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert "'mine' failed in predict: ValueError: [no] luck" in done.err


def test_a_folder_that_cannot_be_made_ends_with_2(climbench, synthetic, tmp_path):
    (tmp_path / "file").touch()
    done = climbench("run", "--task", "climatebench", "--data", synthetic, "--out", tmp_path / "file" / "run")
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert f"Cannot write to {tmp_path / 'file' / 'run'}: Not a directory" in done.err
