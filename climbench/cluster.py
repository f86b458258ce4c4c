"""Where chunks are worked on: this process's threads, processes of this machine, or a cluster given by its address.

Everything that is computed by dask inside the block runs there; nothing else has to know.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from climbench.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client

THREADS = "threads"
THREADS_A_PROCESS = 4  # more would wait for one another's Python code
# Libraries that would start as many threads as there are cores in each of a worker's own threads.
LIBRARIES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@contextlib.contextmanager
def cluster(
    scheduler: str | None = None, *, workers: int | None = None, timeout: float = 10.0
) -> Iterator[Client | None]:
    """Let dask compute on a cluster while the block runs.

    Parameters
    ----------
    scheduler : str, optional
        The address of a running ``dask.distributed`` scheduler, such as ``"tcp://node1:8786"``; ``"threads"`` for no
        cluster, only threads of this process. Without, worker processes are started on this machine and ended with the
        block (then a script needs the usual ``if __name__ == "__main__"``).
    workers : int, optional
        Number of processes, or of threads for ``"threads"``. Without, as many as use all cores. Processes times
        threads are never more than the cores, unless more processes are asked for than there are cores.
    timeout : float
        Seconds to wait for a cluster's answer and for its first worker.

    Yields
    ------
    Client or None
        The client of the cluster; None for threads.

    Raises
    ------
    ClusterError
        If the address is none, does not answer in time, or has no workers.
    """
    if workers is not None and workers < 1:
        raise ClusterError(f"{workers} workers were asked for; at least one is needed.")
    with contextlib.ExitStack() as stack:
        if scheduler == THREADS:
            stack.enter_context(_threads(workers))
            yield None
        elif scheduler is None:
            yield stack.enter_context(_local(workers, timeout))
        else:
            if workers is not None:
                raise ClusterError(f"The cluster at {scheduler} has workers of its own; leave out their number.")
            yield stack.enter_context(_remote(scheduler, timeout))


def _cores() -> int:
    from dask.system import CPU_COUNT

    return max(1, int(CPU_COUNT))


def _plan(cores: int, workers: int | None) -> tuple[int, int]:
    """Return how many processes to start, and how many threads in each."""
    processes = workers or -(-cores // THREADS_A_PROCESS)
    return processes, max(1, cores // processes)


@contextlib.contextmanager
def _threads(workers: int | None) -> Iterator[None]:
    import dask.config

    with dask.config.set(scheduler=THREADS, num_workers=workers or _cores()):
        yield


@contextlib.contextmanager
def _local(workers: int | None, timeout: float) -> Iterator[Client]:
    from distributed import Client, LocalCluster

    processes, threads = _plan(_cores(), workers)
    with contextlib.ExitStack() as stack:
        with _one_thread_a_library():  # read when worker processes are planned, kept for those started later
            local = stack.enter_context(
                LocalCluster(
                    n_workers=processes,
                    threads_per_worker=threads,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",  # any free port: a fixed one may be another run's
                    silence_logs=logging.CRITICAL,  # errors come back as exceptions
                )
            )
        yield stack.enter_context(Client(local, timeout=timeout))


@contextlib.contextmanager
def _remote(address: str, timeout: float) -> Iterator[Client]:
    import dask.config
    from distributed import Client

    if "://" not in address:
        raise ClusterError(
            f"'{address}' is no address of a scheduler; write one such as tcp://node1:8786, or 'threads'."
        )
    try:
        # not yet the process's default: one that cannot start would stay so, and all that comes later wait for it
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No dask scheduler answers at {address} within {timeout:g} s ({_reason(error)}). Is it running there, and "
            "can this machine reach it?"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=timeout)
        except TimeoutError as error:
            raise ClusterError(
                f"The scheduler at {address} has no workers after {timeout:g} s. Start some: dask worker {address}"
            ) from error
        with client.as_current(), dask.config.set(scheduler=client):
            yield client


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


@contextlib.contextmanager
def _one_thread_a_library() -> Iterator[None]:
    """Let libraries of processes that are planned meanwhile run one thread each, whatever the environment says."""
    import dask.config

    kept = {name: os.environ.get(name) for name in LIBRARIES}
    os.environ.update(dict.fromkeys(LIBRARIES, "1"))
    planned = {**dask.config.get("distributed.nanny.pre-spawn-environ"), **dict.fromkeys(LIBRARIES, 1)}
    try:
        with dask.config.set({"distributed.nanny.pre-spawn-environ": planned}):
            yield
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
