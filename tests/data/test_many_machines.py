"""Statistics on a cluster of two processes: the same bits as on threads, also when one is killed midway."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import numpy as np
import pytest
import xarray as xr

from climbench.cluster import cluster
from climbench.data import convert as convert_module
from climbench.data.convert import convert
from climbench.data.splits import Split
from climbench.data.statistics import Statistics
from climbench.data.stores import open_store
from climbench.errors import DataError

CHUNKS = 40
SPLIT = Split("made", ((3, 155),))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "made.zarr"
    shape = (4 * CHUNKS, 2, 6, 8)
    values = 250.0 + 10.0 * np.random.default_rng(0).standard_normal(shape).astype("float32")
    coords = {
        "time": np.arange(shape[0]),
        "level": [500, 850],
        "latitude": np.linspace(-75, 75, 6),
        "longitude": np.arange(8) * 45.0,
    }
    data = xr.Dataset({"t": (tuple(coords), values, {"units": "K"})}, coords)
    data.to_zarr(path, consolidated=False, encoding={"t": {"chunks": (4, *shape[1:])}})
    return path


@pytest.fixture(scope="module")
def two_processes():
    with cluster(workers=2) as client:
        yield client


@pytest.fixture
def on_threads(store, tmp_path):
    with cluster("threads", workers=2):
        found = Statistics.compute(traced(store, tmp_path / "threads"), SPLIT)
    assert set(processes(tmp_path / "threads")) == {os.getpid()}
    return found


def traced(store, log, together=1, kill_after=None):
    """Open the store so that each chunk read leaves a line in a log, with the process that read it."""
    data = open_store(store, chunks={})
    array = data["t"].data
    array = array.map_blocks(note, log, together, kill_after, meta=array._meta)
    return data.assign(t=data["t"].copy(data=array))


def note(block, log, together, kill_after):
    with log.open("a") as file:
        file.write(f"{os.getpid()}\n")
    meet(log, together)
    if kill_after is not None and len(processes(log)) > kill_after:
        with contextlib.suppress(FileExistsError):  # one process only dies
            log.with_suffix(".killed").open("x").close()
            log.with_suffix(".killed").write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
    return block


def meet(log, together):
    """Wait until so many processes have taken a chunk: then none has done all the work alone."""
    end = time.monotonic() + 60.0
    while len(set(processes(log))) < together:
        assert time.monotonic() < end, f"only {set(processes(log))} took part"
        time.sleep(0.01)


def processes(log):
    return [int(line) for line in log.read_text().split()]


def test_two_processes_give_the_same_bits_as_threads(store, tmp_path, two_processes, on_threads):
    found = Statistics.compute(traced(store, tmp_path / "log", together=2), SPLIT)
    assert found.table.identical(on_threads.table)
    workers = set(two_processes.run(os.getpid).values())
    assert set(processes(tmp_path / "log")) == workers
    assert len(workers) == 2


def test_a_cluster_may_be_given_by_address(store, tmp_path, two_processes, on_threads):
    with cluster(two_processes.scheduler.address):
        found = Statistics.compute(traced(store, tmp_path / "log"), SPLIT)
    assert found.table.identical(on_threads.table)
    assert set(processes(tmp_path / "log")) <= set(two_processes.run(os.getpid).values())


def test_an_error_in_a_worker_arrives_as_it_is(tmp_path, two_processes):
    values = np.zeros((8, 2))
    values[5, 1] = np.nan
    data = xr.Dataset({"sst": (("time", "x"), values)}, {"time": np.arange(8)}).chunk(time=2)
    with pytest.raises(DataError, match=r"'sst' has 1 missing \(NaN\) values in 4\.\.5, the first at 5"):
        Statistics.compute(data, Split("made"))


def test_a_worker_killed_midway_changes_no_bit(store, tmp_path, two_processes, on_threads):
    workers = set(two_processes.run(os.getpid).values())
    log = tmp_path / "log"
    found = Statistics.compute(traced(store, log, together=2, kill_after=CHUNKS // 2), SPLIT)
    killed = int((tmp_path / "log.killed").read_text())
    assert killed in workers
    assert len(processes(log)) > CHUNKS - 1  # at least the chunk in its hands was read again
    two_processes.wait_for_workers(2)
    assert killed not in two_processes.run(os.getpid).values()
    assert found.table.identical(on_threads.table)


def test_conversion_on_two_processes_writes_the_same_store(store, two_processes, tmp_path, monkeypatch):
    monkeypatch.setattr(convert_module, "CHUNK_BYTES", 4_000)
    monkeypatch.setattr(convert_module, "SHARD_BYTES", 20_000)
    data = open_store(store, chunks={})
    convert(data, tmp_path / "cluster.zarr", identity="x")
    with cluster("threads"):
        convert(data, tmp_path / "threads.zarr", identity="x")
    one, other = (open_store(tmp_path / f"{name}.zarr")["t"] for name in ("cluster", "threads"))
    assert one.encoding["shards"][0] < one.sizes["time"]
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, open_store(store)["t"])
