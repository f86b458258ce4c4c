"""A first hour with the installed command: run, score, mend what is wrong, stop and go on."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests import own_emulator
from tests.answers import answer
from tests.stories.command import CLIMBENCH, call, climbench, wait_until

SET = ("--set", "targets=[tas]", "--set", "train=[ssp126,ssp585]")
SLOW = "flag = Path(__file__).with_suffix('.begun')\n        if not flag.exists(): flag.touch(); time.sleep(100)"


def run(synthetic, *models):
    options = [part for model in models for part in ("--model", model)]
    return ["run", "--task", "climatebench", "--data", str(synthetic), *SET, *options, "--out", "run"]


@contextmanager
def begun(arguments, slow, cwd):
    """Start a run, and give its process once the slow emulator is at work."""
    command = [CLIMBENCH, *arguments]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            begun = cwd / f"{slow}.begun"
            wait_until(lambda: begun.exists() or process.poll() is not None)
            assert process.poll() is None, process.stderr.read()
            yield process
        finally:
            process.kill()


def test_the_first_scores_and_their_record(synthetic, tmp_path):
    done = climbench(*run(synthetic, "no-change", "lps"), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"Data: {synthetic}, in the layout of climatebench."
    table = lines[lines.index("tas (K)") + 1 :][:2]
    assert [line.split()[0] for line in table] == ["no-change", "lps"]
    assert lines[-1].startswith("Record: run ")
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    kept = "run/predictions/lps.zarr"
    again = climbench("score", kept, "--task", "climatebench", "--data", synthetic, *SET, "--json", cwd=tmp_path)
    rows = {r["metric"]: r["value"] for r in json.loads(again.stdout)["scores"] if r["region"] == "global"}
    shown = [float(number) for number in re.findall(r"(?<![\d.])\d+\.\d{3}", table[1])]
    assert shown[:4] == [round(rows[m], 3) for m in ("nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial")]


def test_a_bad_file_is_mended_and_scored(synthetic, tmp_path):
    fixed = ("--task", "climatebench", "--data", synthetic, "--set", "targets=[tas,pr]")
    answer().assign(pr=answer()["pr"] * 86400.0).isel(time=slice(20)).to_netcdf(tmp_path / "mine.nc")
    done = climbench("validate", "mine.nc", *fixed, cwd=tmp_path)
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if line] == [
        "Error: tas lacks the year 2100; it has 2080..2099.",
        "Error: pr lacks the year 2100; it has 2080..2099.",
    ]
    answer().assign(pr=(answer()["pr"] * 86400.0).assign_attrs(units="mm/day")).to_netcdf(tmp_path / "mine.nc")
    done = climbench("score", "mine.nc", *fixed, cwd=tmp_path)
    assert (done.returncode, done.stdout.count("Traceback")) == (2, 0)
    assert "the units are probably wrong" in done.stderr
    answer().to_netcdf(tmp_path / "mine.nc")
    assert climbench("validate", "mine.nc", *fixed, cwd=tmp_path).stdout == "mine.nc can be scored.\n"
    assert climbench("score", "mine.nc", *fixed, cwd=tmp_path).returncode == 0
    assert [p.name for p in tmp_path.iterdir()] == ["mine.nc"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_stopped_goes_on_from_what_was_finished(synthetic, tmp_path, how):
    first, slow = own_emulator.write(tmp_path, "First"), own_emulator.write(tmp_path, "Slow", predict=SLOW)
    with begun(run(synthetic, first, slow), "Slow", tmp_path) as process:
        process.send_signal(how)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in errors
    if how == signal.SIGINT:
        assert "the same command goes on from there" in errors
    assert not (tmp_path / "run").exists()
    assert (tmp_path / "run.partial").is_dir()
    done = climbench(*run(synthetic, first, slow), "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("Error")) == (0, 0)
    assert {row["model"] for row in json.loads(done.stdout)["scores"]} == {"first", "slow"}
    assert (own_emulator.fits(first), own_emulator.fits(slow)) == ([0], [0, 0])
    assert not (tmp_path / "run.partial").exists()


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_is_alive(synthetic, tmp_path):
    slow = own_emulator.write(tmp_path, "Slow", predict=SLOW)
    with begun(run(synthetic, slow), "Slow", tmp_path):
        second = climbench(*run(synthetic, slow), cwd=tmp_path)
        assert second.returncode == 2
        assert "Another run is at work in run. Wait for it, or name another folder with --out." in second.stderr
    assert own_emulator.fits(slow) == [0]


def test_a_folder_with_other_work_is_left_alone(synthetic, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    done = climbench(*run(synthetic, "no-change"), "--fresh", cwd=tmp_path)
    assert done.returncode == 2
    assert "run exists and is no run of climbench" in done.stderr
    assert (tmp_path / "run" / "thesis.tex").read_text() == "years of work"


def test_missing_files_of_the_data_are_named(synthetic, tmp_path):
    shutil.copytree(synthetic, tmp_path / "data")
    (tmp_path / "data" / "outputs_ssp585.nc").unlink()
    cut = tmp_path / "data" / "inputs_ssp126.nc"
    cut.write_bytes(cut.read_bytes()[:2000])
    done = climbench(*run("data", "lps"), cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "no outputs of the scenario 'ssp585'" in done.stderr
    shutil.copy(synthetic / "outputs_ssp585.nc", tmp_path / "data")
    done = climbench(*run("data", "lps"), cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "inputs_ssp126.nc cannot be opened; it may be cut short or damaged" in done.stderr
    shutil.copy(synthetic / "inputs_ssp126.nc", tmp_path / "data")
    assert climbench(*run("data", "lps"), cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("arguments", [["--help"], ["list"]])
def test_help_and_lists_start_without_anything_heavy(tmp_path, arguments):
    done = call(sys.executable, "-X", "importtime", CLIMBENCH, *arguments, cwd=tmp_path)
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "climbench" in imported
    assert not imported & {"torch", "pytorch_lightning", "xarray", "dask", "zarr", "pandas", "matplotlib", "cartopy"}
