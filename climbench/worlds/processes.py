"""Runs a module of this package in several processes at once, each with a job of its own, and listens to them.

They are started as commands, not forked and not by the library for processes: those would copy the threads of this
process, or run the user's script anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

from climbench.cluster import LIBRARIES
from climbench.errors import DataError

FAULT = "fault: "  # begins a line in which a process says that its job cannot be done


def run_jobs(module: str, jobs: Sequence[Mapping[str, Any]], heard: Callable[[str], None]) -> None:
    """Run jobs at the same time, a process of one thread each; all are ended where one fails.

    Parameters
    ----------
    module : str
        What ``python -m`` runs; it reads its job, one line of JSON, from standard input.
    jobs : sequence of mapping
        Plain content.
    heard : callable
        Called with each line that a process prints, without its end, from any thread.

    Raises
    ------
    DataError
        If a process ends other than well, with the end of what it had to say.
    """
    environment = {**os.environ, **dict.fromkeys(LIBRARIES, "1"), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    running: list[subprocess.Popen[str]] = []

    def one(job: Mapping[str, Any]) -> None:
        with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                env=environment,
            )
            running.append(process)
            with process:
                assert process.stdin is not None
                assert process.stdout is not None
                with contextlib.suppress(BrokenPipeError):  # it has ended already; its exit code tells
                    process.stdin.write(json.dumps(job) + "\n")
                    process.stdin.close()
                for line in process.stdout:
                    heard(line.rstrip("\n"))
            if process.returncode:
                complaints.seek(0)
                last = (complaints.read().strip().splitlines() or [f"exit code {process.returncode}"])[-1]
                raise DataError(f"A process of {module} has failed: {last}.")

    with ThreadPoolExecutor(len(jobs)) as pool:
        try:
            done, _ = wait([pool.submit(one, job) for job in jobs], return_when=FIRST_EXCEPTION)
            for answer in done:
                answer.result()
        finally:
            for process in running:
                process.terminate()
