"""What all speed benchmarks share: ours and a peer are measured in turns in one run, and kept in bench.json.

To add a benchmark, ask for the fixture `ratio` (and `peak_memory`) in a test of this folder::

    def test_reading(ratio, store):
        ratio("reading a store", lambda: ours(store), against="plain zarr", peer=lambda: theirs(store))

No time is asserted here, and a ratio only where a test says what it is to be `at_most`, as the issue that asks for it
does; it is kept in bench.json either way.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIMBENCH = str(Path(sys.executable).with_name("climbench"))
ENTRIES = pytest.StashKey[list]()
PEAK = "\nfrom tests.performance.conftest import peak_of_this_process\nprint('peak MB', peak_of_this_process())\n"


def pytest_configure(config):
    config.stash[ENTRIES] = []


def pytest_sessionfinish(session):
    entries = session.config.stash[ENTRIES]
    if entries:
        (ROOT / "bench.json").write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def pytest_terminal_summary(terminalreporter, config):
    for entry in config.stash[ENTRIES]:
        amount = f"{entry['seconds']:.3f} s" if entry["seconds"] is not None else f"{entry['peak_mb']:.0f} MB"
        theirs = f" ({entry['against_seconds']:.3f} s)" if "against_seconds" in entry else ""
        terminalreporter.write_line(f"{entry['name']}: {amount}, {entry['ratio']:.2f} x {entry['against']}{theirs}")


def run(*command):
    """Run a process to its end and return its standard output."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_python(code, *arguments):
    return run(sys.executable, "-c", code, *map(str, arguments))


def peak_of_this_process():
    """Return the largest memory this process has held, in MB.

    Linux starts ``ru_maxrss`` from the process that launched this one; ``VmHWM`` counts this program alone.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


@pytest.fixture
def ratio(benchmark, request):
    """Give a function that measures ours and a peer in turns and keeps the ratio of their shortest times.

    Whatever else the machine does can only add to a time; the shortest of several is the least disturbed.
    """

    def measure(name, ours, *, against, peer, rounds=9, at_most=None):
        seconds = []

        def time_the_peer():
            start = time.perf_counter()
            peer()
            seconds.append(time.perf_counter() - start)

        benchmark.group = name
        benchmark.pedantic(ours, setup=time_the_peer, rounds=rounds, warmup_rounds=1)
        shortest, peers = benchmark.stats.stats.min, min(seconds[1:])
        request.config.stash[ENTRIES].append(
            {
                "name": name,
                "seconds": shortest,
                "against": against,
                "ratio": shortest / peers,
                "against_seconds": peers,
            }
        )
        assert at_most is None or shortest <= at_most * peers, f"{name}: {shortest / peers:.3f} x {against}"

    return measure


@pytest.fixture
def peak_memory(request):
    """Give a function that runs Python code in a process of its own and keeps its peak memory against a limit."""

    def measure(name, code, *arguments, limit_mb):
        megabytes = float(run_python(code + PEAK, *arguments).rpartition("peak MB ")[2])
        request.config.stash[ENTRIES].append(
            {
                "name": f"{name}, peak memory",
                "seconds": None,
                "against": f"{limit_mb} MB",
                "ratio": megabytes / limit_mb,
                "peak_mb": megabytes,
            }
        )

    return measure
