"""Starts the processes of ranks 1 and on, and connects them with this one.

Lightning would start the user's command or script anew in each, which then runs everything before the training too and
finds its folder in use. Here a process gets its part of the training alone, through a pipe: it is a command of this
package, and the pickle it reads comes from this process and no file.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import IO, Any

import torch.distributed as dist
from torch.distributed import Store, TCPStore  # type: ignore[attr-defined]  # public, and not in its stubs

from climbench.errors import ClimbenchError, ModelError
from climbench.models.training.ranks import Rank, backend

MODULE = "climbench.models.training.rank_process"
READY = b"ready\n"
HOST = "127.0.0.1"
PATIENCE = timedelta(minutes=30)  # between two steps of the slowest rank and the fastest


@contextmanager
def several(count: int, accelerator: str, work: Callable[[Rank], Any]) -> Iterator[Rank]:
    """Be rank 0 of several while the context lasts.

    Parameters
    ----------
    count : int
        How many ranks there are; for one, nothing is started.
    accelerator : {"cpu", "gpu"}
        What they train on.
    work : callable
        What the other ranks do, given which they are; it can be pickled.

    Yields
    ------
    Rank
        That of this process.

    Raises
    ------
    ModelError
        If a process cannot be started, or fails.
    """
    if count == 1:
        yield Rank()
        return
    store = TCPStore(HOST, 0, count, is_master=True, wait_for_workers=False)
    running: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
    try:
        for number in range(1, count):
            running.append(_started())
            _told(*running[-1], number, (work, Rank(number, count), store.port, backend(accelerator)))
        with connected(Rank(0, count), store, backend(accelerator)):
            yield Rank(0, count)
        for number, (process, complaints) in enumerate(running, 1):
            if process.wait(PATIENCE.total_seconds()):
                raise ModelError(_failure(number, complaints))
    except ClimbenchError:
        raise
    except Exception as error:  # a rank that is gone shows as a broken connection
        for number, (process, complaints) in enumerate(running, 1):
            if _ended_badly(process):
                raise ModelError(_failure(number, complaints)) from error
        raise
    finally:
        for process, complaints in running:
            process.kill()
            with suppress(BrokenPipeError), process:  # closes its pipes and waits for its end
                complaints.close()


@contextmanager
def connected(rank: Rank, store: Store, kind: str) -> Iterator[None]:
    """Be connected with the other ranks while the context lasts."""
    dist.init_process_group(kind, store=store, rank=rank.number, world_size=rank.count, timeout=PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


def _started() -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    complaints = tempfile.TemporaryFile()  # noqa: SIM115  it is closed with the process
    command = [sys.executable, "-P", "-m", MODULE]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=complaints, env=environment), complaints


def _told(process: subprocess.Popen[bytes], complaints: IO[bytes], number: int, job: Any) -> None:
    """Give a process its job, and wait until it has understood."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(BrokenPipeError):  # it has ended; its complaint tells
            pickle.dump(job, process.stdin)
            process.stdin.close()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ModelError(f"This network cannot be given to further ranks ({error}). Train it with ranks=1.") from error
    if process.stdout.readline() != READY:
        process.wait()
        raise ModelError(
            f"{_failure(number, complaints)} A network whose class is in a script or file of your own cannot be given "
            "to further ranks; put it into a package that can be imported, or train it with ranks=1."
        )


def _ended_badly(process: subprocess.Popen[bytes]) -> bool:
    try:
        return process.wait(5.0) != 0
    except subprocess.TimeoutExpired:
        return False


def _failure(number: int, complaints: IO[bytes]) -> str:
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return f"Rank {number} has failed: {lines[-1] if lines else 'it said nothing'}."
