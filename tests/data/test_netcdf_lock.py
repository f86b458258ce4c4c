"""Threads that open netCDF files beside threads that read them: without one lock over both, HDF5 ends the process."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
import xarray as xr
from xarray.backends.netCDF4_ import NETCDF4_PYTHON_LOCK, NetCDF4DataStore

from climbench.data.netcdf_lock import NETCDF_LOCK, NetCDFLock
from climbench.data.stores import open_store

SECONDS = 5
HAMMER = """
import sys, threading, time
sys.setswitchinterval(1e-5)  # threads take turns often
from climbench.data.stores import open_store

path, end, failures = sys.argv[1], time.monotonic() + float(sys.argv[2]), []

def work(read):
    try:
        while time.monotonic() < end:
            data = open_store(path)
            for name in data.data_vars if read else ():
                assert abs(float(data[name].mean())) < 0.1
            if read:
                data.close()  # the others leave it to the collector of garbage
    except BaseException as error:
        failures.append(error)

threads = [threading.Thread(target=work, args=(place % 2 == 0,)) for place in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(repr(failures[0]) if failures else 0)
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Thirty compressed variables with attributes, a chunk a year: much to ask and much to read."""
    path, rng = tmp_path_factory.mktemp("netcdf") / "data.nc", np.random.default_rng(0)
    shape, dims, attrs = (20, 24, 48), ("time", "latitude", "longitude"), {f"note{n}": "K" * 10 for n in range(8)}
    data = xr.Dataset({f"v{n}": (dims, rng.standard_normal(shape, "float32"), attrs) for n in range(30)})
    data.to_netcdf(path, encoding={name: {"zlib": True, "chunksizes": (1, *shape[1:])} for name in data})
    return path


def test_opening_reading_and_closing_in_several_threads(file):
    """In a process of its own, which a fault ends. Without the lock that takes seconds on two quiet cores."""
    command = [sys.executable, "-c", HAMMER, str(file), str(SECONDS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"ended by {done.returncode}: {done.stderr}"
    assert "HDF error" not in done.stderr


@pytest.mark.parametrize("asks", ["get_attrs", "open_store_variable"])
def test_what_a_file_is_asked_when_it_is_opened_is_asked_under_the_lock(file, monkeypatch, asks):
    held, original = [], getattr(NetCDF4DataStore, asks)

    def watched(self, *arguments):
        held.append(NETCDF4_PYTHON_LOCK.locked())
        return original(self, *arguments)

    monkeypatch.setattr(NetCDF4DataStore, asks, watched)
    open_store(file)
    assert held
    assert all(held)


def tried_elsewhere(lock):
    """Return whether another thread gets a lock that it does not wait for."""
    got = []

    def attempt():
        got.append(lock.acquire(False))
        if got[0]:
            lock.release()

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return got[0]


def test_the_holder_may_take_it_again_and_nobody_else():
    lock = NetCDFLock()
    with lock:
        with lock:
            assert lock.locked()
        assert lock.locked()
        assert not tried_elsewhere(lock)
    assert not lock.locked()
    assert tried_elsewhere(lock)


def test_it_shuts_out_xarrays_own_reading():
    assert tried_elsewhere(NETCDF4_PYTHON_LOCK)
    with NETCDF_LOCK:
        assert not tried_elsewhere(NETCDF4_PYTHON_LOCK)
    with NETCDF4_PYTHON_LOCK:
        assert not NETCDF_LOCK.acquire(blocking=False)
        assert not tried_elsewhere(NETCDF_LOCK)
    assert NETCDF_LOCK.acquire(blocking=False)
    NETCDF_LOCK.release()


def test_a_data_set_takes_it_along_to_other_processes(file):
    assert pickle.loads(pickle.dumps(NETCDF_LOCK)) is NETCDF_LOCK
    data = open_store(file)
    lazy = open_store(file, chunks={"time": 30})
    assert pickle.loads(pickle.dumps(data)).identical(data)
    assert pickle.loads(pickle.dumps(lazy)).compute().identical(data.compute())
