"""The run directory: written under a temporary name and renamed when whole; one that bears its own name is finished."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from climbench.errors import RunError

RECORD = "provenance.json"
LOCK = ".lock"
MARK = "fingerprint"


def write_text(path: Path, text: str) -> None:
    """Write a text file under a temporary name and rename it when whole, making its folder where need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a failure to write into one message that names the folder and the cause."""
    try:
        yield
    except OSError as error:
        causes = {
            errno.ENOSPC: "the disk is full",
            errno.EDQUOT: "the quota is used up",
            errno.EACCES: "permission denied",
            errno.EROFS: "the file system is read-only",
        }
        cause = causes.get(error.errno or 0, error.strerror or str(error))
        raise RunError(
            f"Cannot write to {folder}: {cause}. Name another folder with --out, or make room; what was finished is "
            "kept and the same command goes on from there."
        ) from error


class RunDirectory:
    """A folder that holds one run, whole or not at all.

    Parameters
    ----------
    path : Path
        The folder's final name. Work goes on in ``{path}.partial`` until it is whole.

    Raises
    ------
    RunError
        If the path ends in no name, as ``.`` and ``..`` do.
    """

    def __init__(self, path: Path) -> None:
        if path.name in ("", ".."):
            raise RunError(f"'{path}' cannot be made as a whole and named then. Name a folder in it: --out {path}/run.")
        self.path = path
        self.partial = path.with_name(path.name + ".partial")

    def record(self) -> dict[str, Any] | None:
        """Return the provenance of the finished run in the folder, or None where there is no folder.

        Raises
        ------
        RunError
            If the folder holds something other than a run.
        """
        try:
            if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
                return None
            content = dict(json.loads((self.path / RECORD).read_text()))
        except (OSError, TypeError, ValueError):
            content = {}
        if "fingerprint" not in content:
            raise RunError(
                f"{self.path} exists and is no run of climbench (it has no {RECORD} of ours). "
                "Name another folder with --out."
            )
        return content

    def finished(self, run_fingerprint: str) -> bool:
        """Return whether the folder holds this very run, finished.

        Raises
        ------
        RunError
            If it holds another run.
        """
        record = self.record()
        if record is None:
            return False
        if record.get("fingerprint") != run_fingerprint:
            raise RunError(
                f"{self.path} holds another run (other models, settings, data, seed or version). "
                "Name another folder with --out, or replace it with --fresh."
            )
        return True

    @contextlib.contextmanager
    def work(self, run_fingerprint: str, *, fresh: bool, needed_bytes: int = 0) -> Iterator[Path]:
        """Give the folder to work in, keep others out, and rename it when the block ends well.

        Parameters
        ----------
        run_fingerprint : str
            What is run: leavings of an interrupted run with the same fingerprint are gone on from, others discarded.
        fresh : bool
            Start from nothing.
        needed_bytes : int
            An estimate of what will be written, checked against the free space first.

        Yields
        ------
        Path

        Raises
        ------
        RunError
            If another run is at work there, something that is no run is in the way, or the folder cannot be written to.
        """
        self.record()
        with writing(self.path):
            self.partial.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.partial).free
            if free < needed_bytes:
                raise RunError(
                    f"{self.path.parent} has {free / 1e6:.0f} MB free; about {needed_bytes / 1e6:.0f} MB are needed."
                )
        with self._locked():
            with writing(self.path):
                self._prepare(run_fingerprint, fresh=fresh)
            yield self.partial
            with writing(self.path):
                self._publish()

    def _prepare(self, run_fingerprint: str, *, fresh: bool) -> None:
        """Discard another run's leavings; what no run of ours has left is not ours to discard."""
        mark = self.partial / MARK
        if not mark.exists() and any(not item.name.startswith(".") for item in self.partial.iterdir()):
            raise RunError(
                f"{self.partial} exists and is no unfinished run of climbench (it has no file {MARK}). "
                "Move it, or name another folder with --out."
            )
        if fresh or not mark.exists() or mark.read_text() != run_fingerprint:
            _clear(self.partial)
            write_text(mark, run_fingerprint)

    def _publish(self) -> None:
        """Give the folder its own name; what is replaced goes only when the new one stands."""
        self.record()
        old = self.path.with_name(f".{self.path.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.path.exists():
            self.path.rename(old)
        self.partial.rename(self.path)
        for name in (MARK, LOCK):
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(old, ignore_errors=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with locked(self.partial / LOCK, wait=False) as ours:
            if not ours:
                raise RunError(
                    f"Another run is at work in {self.path}. Wait for it, or name another folder with --out."
                )
            yield


@contextlib.contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock file; it is let go when the process ends, however it ends.

    Parameters
    ----------
    path : Path
        The lock file.
    wait : bool
        Whether to wait for another holder.

    Yields
    ------
    bool
        Whether the lock is ours.
    """
    import filelock

    lock = filelock.FileLock(path, timeout=-1 if wait else 0)
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(filelock.Timeout):  # itself an OSError: `writing` must not see it
            lock.acquire()
    try:
        yield lock.is_locked
    finally:
        lock.release()


def _clear(folder: Path) -> None:
    """Empty a folder, the mark of its run last: a clearing that is cut short leaves something to be known by."""
    for item in sorted(folder.iterdir(), key=lambda item: item.name == MARK):
        if item.name != LOCK:
            shutil.rmtree(item) if item.is_dir() else item.unlink()
