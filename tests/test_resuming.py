"""Runs that were cut short go on from what was finished; a finished one is read, not made again."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pandas as pd
import pytest

import climbench
from climbench.errors import ModelError, RunError
from tests import own_emulator
from tests.synthetic import write

pytestmark = pytest.mark.usefixtures("without_report")
SMALL = {"targets": ["tas"], "train": ["ssp126", "ssp585"]}
ONCE = (
    "flag = Path(__file__).with_suffix('.stopped')\n        if not flag.exists(): flag.touch(); raise KeyboardInterrupt"
)


def run(synthetic, out, models, **options):
    return climbench.run("climatebench", models=models, data=synthetic, out=out, **{"set": SMALL, **options})


def test_a_finished_run_is_read_and_nothing_is_done_again(synthetic, tmp_path):
    mine = own_emulator.write(tmp_path)
    first = run(synthetic, tmp_path / "run", [mine, "lps"])
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*")}
    second = run(synthetic, tmp_path / "run", [mine, "lps"])
    assert own_emulator.fits(mine) == [0]
    assert second.to_json() == first.to_json()
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*")} == before


def test_fresh_does_everything_again(synthetic, tmp_path):
    mine = own_emulator.write(tmp_path)
    run(synthetic, tmp_path / "run", [mine])
    run(synthetic, tmp_path / "run", [mine], fresh=True)
    assert own_emulator.fits(mine) == [0, 0]


def test_a_run_stopped_in_the_middle_does_not_fit_again_what_was_finished(synthetic, tmp_path):
    first, second = own_emulator.write(tmp_path, "First"), own_emulator.write(tmp_path, "Second", predict=ONCE)
    with pytest.raises(KeyboardInterrupt):
        run(synthetic, tmp_path / "run", [first, second])
    assert not (tmp_path / "run").exists()
    assert (own_emulator.fits(first), own_emulator.fits(second)) == ([0], [0])
    resumed = run(synthetic, tmp_path / "run", [first, second])
    assert (own_emulator.fits(first), own_emulator.fits(second)) == ([0], [0, 0])
    assert not (tmp_path / "run.partial").exists()
    whole = run(synthetic, tmp_path / "whole", [first, second])
    pd.testing.assert_frame_equal(resumed.scores, whole.scores, check_exact=True)
    assert set(json.loads((tmp_path / "run" / "provenance.json").read_text())["costs"]) == {"first", "second"}


def test_a_run_stopped_while_the_record_is_written_fits_nothing_again(synthetic, tmp_path, monkeypatch):
    mine = own_emulator.write(tmp_path)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("climbench.recording._write_report", stop)
        with pytest.raises(KeyboardInterrupt):
            run(synthetic, tmp_path / "run", [mine])
    assert not (tmp_path / "run").exists()
    assert run(synthetic, tmp_path / "run", [mine]).run_dir == tmp_path / "run"
    assert own_emulator.fits(mine) == [0]


def test_a_full_disk_keeps_what_was_finished(synthetic, tmp_path, monkeypatch):
    first, second = own_emulator.write(tmp_path, "First"), own_emulator.write(tmp_path, "Second")
    from climbench import recording

    plain = recording.write_store

    def full(data, path):
        if path.name == "second.zarr":
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(data, path)

    with monkeypatch.context() as patch:
        patch.setattr(recording, "write_store", full)
        with pytest.raises(RunError, match=r"the disk is full.*what was finished is kept"):
            run(synthetic, tmp_path / "run", [first, second])
    run(synthetic, tmp_path / "run", [first, second])
    assert (own_emulator.fits(first), own_emulator.fits(second)) == ([0], [0, 0])


def test_a_half_written_prediction_is_made_again(synthetic, tmp_path, monkeypatch):
    """The store is renamed when whole: what a killed process left under another name is not taken for it."""
    import xarray as xr

    mine = own_emulator.write(tmp_path)
    plain = xr.Dataset.to_zarr

    def cut(data, path, **options):
        plain(data.isel(time=slice(3)), path, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(xr.Dataset, "to_zarr", cut)
        with pytest.raises(KeyboardInterrupt):
            run(synthetic, tmp_path / "run", [mine])
    result = run(synthetic, tmp_path / "run", [mine])
    assert own_emulator.fits(mine) == [0, 0]
    assert result.predictions["mine"].sizes["time"] == 21
    assert [p.name for p in (tmp_path / "run" / "predictions").iterdir()] == ["mine.zarr"]


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"preset": "demo"}, {"set": {**SMALL, "test.years": [2090, 2100]}}, {"models": ["no-change", "lps"]}],
)
def test_another_run_in_the_same_folder_is_refused(synthetic, tmp_path, change):
    run(synthetic, tmp_path / "run", ["no-change"])
    with pytest.raises(RunError, match=r"holds another run .* or replace it with --fresh"):
        run(synthetic, tmp_path / "run", **{"models": ["no-change"], **change})
    assert run(synthetic, tmp_path / "run", **{"models": ["no-change"], **change}, fresh=True).run_dir.is_dir()


def test_changed_data_or_a_changed_emulator_make_another_run(tmp_path):
    data = write(tmp_path / "data", ["ssp126", "ssp245", "ssp585"])
    mine = own_emulator.write(tmp_path)
    run(data, tmp_path / "run", [mine])
    own_emulator.write(tmp_path, predict="made = made * 1.01")
    with pytest.raises(RunError, match="holds another run"):
        run(data, tmp_path / "run", [mine])
    own_emulator.write(tmp_path)
    write(data, ["ssp585"], seed=1)
    with pytest.raises(RunError, match="holds another run"):
        run(data, tmp_path / "run", [mine])
    assert own_emulator.fits(mine) == [0]


def test_the_same_data_elsewhere_are_the_same_run(tmp_path):
    one, other = (write(tmp_path / name, ["ssp126", "ssp245", "ssp585"]) for name in ("one", "other"))
    for path in other.iterdir():
        path.write_bytes((one / path.name).read_bytes())
    mine = own_emulator.write(tmp_path)
    first = run(one, tmp_path / "run", [mine])
    assert run(other, tmp_path / "run", [mine]).data == first.data
    assert own_emulator.fits(mine) == [0]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_that_is_no_run_is_kept(synthetic, tmp_path, fresh):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(RunError, match="is no run of climbench"):
        run(synthetic, tmp_path / "thesis", ["no-change"], fresh=fresh)
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


def test_a_failing_emulator_does_not_undo_the_others(synthetic, tmp_path):
    good, bad = (
        own_emulator.write(tmp_path, "Good"),
        own_emulator.write(tmp_path, "Bad", fit="raise RuntimeError('no')"),
    )
    with pytest.raises(ModelError):
        run(synthetic, tmp_path / "run", [good, bad])
    assert not (tmp_path / "run").exists()
    assert Path(tmp_path / "run.partial" / "predictions" / "good.zarr").is_dir()
    with pytest.raises(ModelError):
        run(synthetic, tmp_path / "run", [good, bad])
    assert own_emulator.fits(good) == [0]
