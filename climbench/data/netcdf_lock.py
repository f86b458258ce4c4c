"""One thread at a time in the netCDF and HDF5 libraries, which are not thread-safe.

xarray holds a lock while it reads a variable, and not while it asks a file that it opens for its dimensions, attributes
and chunks. A thread that opens a file beside one that reads another thus ends the process with a segmentation fault.
The lock here is xarray's own, made re-entrant: whoever holds it may open files by it, which asks for it again.
"""

from __future__ import annotations

import threading
from types import TracebackType

from xarray.backends.locks import acquire
from xarray.backends.netCDF4_ import NETCDF4_PYTHON_LOCK


class NetCDFLock:
    """xarray's lock of the netCDF library, which the thread that holds it may take again.

    There is one a process, `NETCDF_LOCK`; pickled, it is that of the process it is brought to.
    """

    def __init__(self) -> None:
        self._own = threading.RLock()
        self._depth = 0

    def acquire(self, blocking: bool = True) -> bool:
        """Take the lock; return whether it was had, which only a call that does not wait may fail to."""
        if not self._own.acquire(blocking):
            return False
        had = self._depth > 0 or acquire(NETCDF4_PYTHON_LOCK, blocking)  # type: ignore[no-untyped-call]  # of xarray
        if had is False:
            self._own.release()
            return False
        self._depth += 1
        return True

    def release(self) -> None:
        """Give the lock back; the first time it was taken counts last."""
        self._depth -= 1
        if self._depth == 0:
            NETCDF4_PYTHON_LOCK.release()
        self._own.release()

    def locked(self) -> bool:
        """Return whether some thread holds it."""
        return self._depth > 0

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __reduce__(self) -> str:
        """Pickle by name."""
        return "NETCDF_LOCK"


NETCDF_LOCK = NetCDFLock()
