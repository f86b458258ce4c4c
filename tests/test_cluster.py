"""Where dask computes: threads, processes, an address; and what is said when nothing answers there."""

from __future__ import annotations

import os
import socket
import threading

import dask
import pytest
from distributed import LocalCluster

from climbench.cluster import LIBRARIES, _plan, cluster
from climbench.errors import ClusterError


@dask.delayed
def where(_):
    return threading.current_thread().name, os.getpid()


@pytest.mark.parametrize(
    ("cores", "workers", "plan"),
    [(1, None, (1, 1)), (2, None, (1, 2)), (7, None, (2, 3)), (64, None, (16, 4)), (8, 2, (2, 4)), (2, 5, (5, 1))],
)
def test_processes_times_threads_are_no_more_than_the_cores(cores, workers, plan):
    assert _plan(cores, workers) == plan
    assert workers or plan[0] * plan[1] <= cores


def test_threads_are_those_of_this_process_and_as_many_as_asked_for():
    with cluster("threads", workers=3) as client:
        found = dask.compute([where(i) for i in range(50)])[0]
        assert client is None
        assert dask.config.get("num_workers") == 3
    assert {pid for _, pid in found} == {os.getpid()}
    assert len({name for name, _ in found}) <= 3


def test_processes_run_libraries_with_one_thread_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with cluster(workers=1) as client:
        (found,) = client.run(lambda: {name: os.environ.get(name) for name in LIBRARIES}).values()
        ((_, pid),) = dask.compute(where(0))
    assert found == dict.fromkeys(LIBRARIES, "1")
    assert pid != os.getpid()
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def closed_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"scheduler": f"tcp://127.0.0.1:{closed_port()}"},
            r"No dask scheduler answers at tcp://127\.0\.0\.1:\d+ within 0\.5 s",
        ),
        ({"scheduler": "node1:8786"}, "'node1:8786' is no address of a scheduler; write one such as tcp://"),
        ({"scheduler": "http://node1"}, "No dask scheduler answers at http://node1 .*unknown address scheme"),
        ({"scheduler": "tcp://node1:8786", "workers": 2}, "has workers of its own"),
        ({"workers": 0}, "0 workers were asked for"),
    ],
)
def test_a_cluster_that_cannot_be_used(arguments, message):
    with pytest.raises(ClusterError, match=message), cluster(timeout=0.5, **arguments):
        pass


def test_a_cluster_without_workers():
    with (
        LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as empty,
        pytest.raises(ClusterError, match=r"has no workers after 0\.5 s\. Start some: dask worker tcp://"),
        cluster(empty.scheduler_address, timeout=0.5),
    ):
        pass


def test_a_cluster_that_cannot_be_reached_leaves_nothing_behind():
    import dask
    import dask.array as da

    before = dask.config.get("scheduler", None)
    with pytest.raises(ClusterError), cluster("http://node1"):
        pass
    assert dask.config.get("scheduler", None) == before
    assert int(da.ones(4, chunks=2).sum().compute()) == 4
