"""The run directory: whole or not at all, one run at a time, and nothing of the user's is lost."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from climbench import run_directory
from climbench.errors import RunError
from climbench.run_directory import RunDirectory, locked, write_text, writing

WORK = """
import sys, time
from pathlib import Path
from climbench.run_directory import RunDirectory

with RunDirectory(Path(sys.argv[1])).work("same", fresh=False) as folder:
    (folder / "part").write_text("kept")
    print("at work", flush=True)
    time.sleep(60)
"""


def finish(path, fingerprint="same", **content):
    """Write a run to its end."""
    with RunDirectory(path).work(fingerprint, fresh=bool(content.pop("fresh", False))) as folder:
        for name, text in content.items():
            (folder / name).write_text(text)
        (folder / "provenance.json").write_text(json.dumps({"fingerprint": fingerprint}))


def interrupt(directory, content):
    """Begin a run and write some files, then stop."""
    with contextlib.suppress(KeyboardInterrupt), directory.work("same", fresh=False) as folder:
        for name, text in content.items():
            (folder / name).write_text(text)
        raise KeyboardInterrupt


@pytest.fixture
def other_run(tmp_path):
    """A process that is at work in ``tmp_path / "run"``."""
    arguments = [sys.executable, "-c", WORK, str(tmp_path / "run")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "at work\n"
        yield process
        process.kill()


def names(folder):
    return sorted(item.name for item in folder.iterdir())


def test_a_whole_run_bears_its_own_name_and_nothing_is_left_beside_it(tmp_path):
    finish(tmp_path / "run", scores="1")
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["provenance.json", "scores"]
    assert RunDirectory(tmp_path / "run").finished("same")


def test_folders_above_are_made(tmp_path):
    finish(tmp_path / "deep" / "down" / "run")
    assert RunDirectory(tmp_path / "deep" / "down" / "run").finished("same")


def test_an_absent_or_empty_folder_is_no_finished_run(tmp_path):
    assert not RunDirectory(tmp_path / "run").finished("same")
    (tmp_path / "run").mkdir()
    assert not RunDirectory(tmp_path / "run").finished("same")
    finish(tmp_path / "run")
    assert RunDirectory(tmp_path / "run").finished("same")


def test_a_run_that_fails_does_not_look_finished(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    with pytest.raises(ZeroDivisionError), directory.work("same", fresh=False):
        1 / 0  # noqa: B018
    assert names(tmp_path) == ["run.partial"]
    assert not directory.finished("same")


def test_a_killed_run_leaves_only_the_partial_folder_and_is_gone_on_from(tmp_path, other_run):
    os.kill(other_run.pid, signal.SIGKILL)
    other_run.wait()
    assert names(tmp_path) == ["run.partial"]
    with RunDirectory(tmp_path / "run").work("same", fresh=False) as folder:
        assert (folder / "part").read_text() == "kept"


@pytest.mark.parametrize(("fingerprint", "fresh"), [("another", False), ("same", True)])
def test_leavings_of_another_run_or_of_one_begun_afresh_are_discarded(tmp_path, fingerprint, fresh):
    directory = RunDirectory(tmp_path / "run")
    interrupt(directory, {"part": "old"})
    with directory.work(fingerprint, fresh=fresh) as folder:
        assert not (folder / "part").exists()


def test_a_second_run_is_refused_while_the_first_is_alive(tmp_path, other_run):
    with (
        pytest.raises(RunError, match=r"Another run is at work in .*run\. Wait for it, or name another folder"),
        RunDirectory(tmp_path / "run").work("same", fresh=True),
    ):
        pytest.fail("two runs are at work in one folder")
    assert (tmp_path / "run.partial" / "part").read_text() == "kept"
    assert other_run.poll() is None


def test_a_lock_can_be_waited_for(tmp_path):
    hold = "import sys; from pathlib import Path; from climbench.run_directory import locked\n"
    hold += "with locked(Path(sys.argv[1]), wait=False): print('held', flush=True); sys.stdin.read()"
    arguments = [sys.executable, "-c", hold, str(tmp_path / "lock")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with locked(tmp_path / "lock", wait=False) as ours:
            assert not ours
        process.stdin.close()
        with locked(tmp_path / "lock", wait=True) as ours:
            assert ours


def test_the_folder_of_another_run_is_refused_and_kept(tmp_path):
    finish(tmp_path / "run", "one", scores="1")
    with pytest.raises(RunError, match=r"holds another run .* replace it with --fresh"):
        RunDirectory(tmp_path / "run").finished("two")
    assert (tmp_path / "run" / "scores").read_text() == "1"


def test_fresh_replaces_a_run_only_when_the_new_one_is_whole(tmp_path):
    finish(tmp_path / "run", "one", scores="1")
    with pytest.raises(KeyboardInterrupt), RunDirectory(tmp_path / "run").work("two", fresh=True):
        raise KeyboardInterrupt
    assert (tmp_path / "run" / "scores").read_text() == "1"
    finish(tmp_path / "run", "two", fresh=True, scores="2")
    assert (tmp_path / "run" / "scores").read_text() == "2"
    assert names(tmp_path) == ["run"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("thesis.tex", "years of work"),
        ("provenance.json", "not JSON"),
        ("provenance.json", "null"),
        ("provenance.json", '{"painter": "Vermeer"}'),
    ],
)
@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_that_is_no_run_is_refused_and_kept(tmp_path, name, text, fresh):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text(text)
    directory = RunDirectory(tmp_path / "run")
    with pytest.raises(RunError, match="exists and is no run of climbench"):
        directory.finished("same")
    with pytest.raises(RunError, match="exists and is no run of climbench"), directory.work("same", fresh=fresh):
        pytest.fail("the folder was taken")
    assert (tmp_path / "run" / name).read_text() == text
    assert names(tmp_path) == ["run"]


def test_what_came_into_the_way_during_a_run_is_kept(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    with pytest.raises(RunError, match="is no run of climbench"), directory.work("same", fresh=False):
        write_text(tmp_path / "run" / "thesis.tex", "years of work")
    assert names(tmp_path / "run") == ["thesis.tex"]


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(RunError, match="is no run of climbench"):
        RunDirectory(tmp_path / "run").finished("same")


def test_a_partial_folder_that_is_not_ours_is_refused_and_kept(tmp_path):
    (tmp_path / "run.partial").mkdir()
    (tmp_path / "run.partial" / "notes").write_text("mine")
    with (
        pytest.raises(RunError, match="no unfinished run of climbench"),
        RunDirectory(tmp_path / "run").work("same", fresh=True),
    ):
        pytest.fail("the folder was taken")
    assert (tmp_path / "run.partial" / "notes").read_text() == "mine"


def test_a_backup_beside_the_run_is_kept(tmp_path):
    finish(tmp_path / "run", "one")
    (tmp_path / "run.old").mkdir()
    (tmp_path / "run.old" / "notes").write_text("mine")
    finish(tmp_path / "run", "two", fresh=True)
    assert (tmp_path / "run.old" / "notes").read_text() == "mine"


@pytest.mark.parametrize("path", [".", "..", "/", "one/.."])
def test_a_path_that_ends_in_no_name_is_refused(path):
    with pytest.raises(RunError, match=r"Name a folder in it: --out"):
        RunDirectory(Path(path))


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (errno.EACCES, "permission denied"),
        (errno.EROFS, "the file system is read-only"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_an_unwritable_folder_is_named_with_the_cause(tmp_path, monkeypatch, code, cause):
    """The tests may run as root, who may write anywhere: the system's refusal is put in by hand."""

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(run_directory.Path, "mkdir", refuse)
    with pytest.raises(RunError, match=f"Cannot write to .*run: {cause}\\..*--out") as error:
        finish(tmp_path / "run")
    assert isinstance(error.value.__cause__, OSError)


def test_a_folder_under_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"Cannot write to .*: Not a directory"):
        finish(tmp_path / "file" / "run")


def test_too_little_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    usage = run_directory.shutil.disk_usage(tmp_path)._replace(free=3_000_000)
    monkeypatch.setattr(run_directory.shutil, "disk_usage", lambda _: usage)
    with (
        pytest.raises(RunError, match="has 3 MB free; about 50 MB are needed"),
        RunDirectory(tmp_path / "run").work("same", fresh=False, needed_bytes=50_000_000),
    ):
        pytest.fail("work began")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB; needs the right to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        subprocess.run(made, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no small file system can be mounted here; the refusal put in by hand is tested above")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_up_keeps_what_was_finished(small_disk):
    directory = RunDirectory(small_disk / "run")
    interrupt(directory, {"part": "kept"})
    with (
        pytest.raises(RunError, match="the disk is full"),
        directory.work("same", fresh=False) as folder,
        writing(folder),
    ):
        write_text(folder / "large", "x" * 100_000)
    assert not directory.finished("same")
    with directory.work("same", fresh=False) as folder:
        assert (folder / "part").read_text() == "kept"
        assert not (folder / "large").exists()


def test_a_text_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    write_text(tmp_path / "made" / "text", "old")
    assert (tmp_path / "made" / "text").read_text() == "old"

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_directory.Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "made" / "text", "new")
    assert (tmp_path / "made" / "text").read_text() == "old"


def test_other_errors_are_not_taken_for_failures_to_write(tmp_path):
    with pytest.raises(ValueError, match="mine"), writing(tmp_path):
        raise ValueError("mine")
