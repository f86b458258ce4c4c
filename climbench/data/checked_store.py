"""A zarr store that tries again where a server fails, and names the chunk and array that are missing or damaged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.core.codec_pipeline import BatchedCodecPipeline
from zarr.registry import register_pipeline
from zarr.storage import WrapperStore

from climbench.errors import ClimbenchError, DataError

EmptyChunks = Literal["error", "fill"]

METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


@dataclass
class Ledger:
    """What a store's readers have met; shared by all copies of the store.

    Attributes
    ----------
    strict : bool
        Whether a missing chunk is an error by now; coordinates read on opening may equal the fill value.
    filled : set of str
        Keys of chunks that were missing and taken as filled.
    """

    strict: bool = False
    filled: set[str] = field(default_factory=set)


class CheckedStore(WrapperStore[Store]):
    """A zarr store that tries again where a server fails, and names chunks that are missing.

    Parameters
    ----------
    store : Store
        The store to read.
    place : str
        What to call it in messages.
    empty_chunks : {"error", "fill"}
        Whether a missing chunk is an error, or declared to equal the fill value.
    pauses : tuple of float
        Seconds before each further try.
    ledger : Ledger, optional
        Shared with another copy.
    """

    def __init__(
        self,
        store: Store,
        place: str = "",
        empty_chunks: EmptyChunks = "error",
        pauses: tuple[float, ...] = (),
        ledger: Ledger | None = None,
    ) -> None:
        super().__init__(store)
        self.place, self.empty_chunks, self.pauses = place, empty_chunks, pauses
        self.ledger = ledger or Ledger()

    def _with_store(self, store: Store) -> CheckedStore:
        return type(self)(store, self.place, self.empty_chunks, self.pauses, self.ledger)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return the bytes of a key, or None for metadata that is not there."""
        value = await self._patiently(key, lambda: self._store.get(key, prototype, byte_range))
        if value is None and key.rpartition("/")[2] not in METADATA:
            self._miss(key)
        return value

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of the values of several keys."""
        return await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges))

    async def _get_many(
        self, requests: Iterable[tuple[str, BufferPrototype, ByteRequest | None]]
    ) -> AsyncGenerator[tuple[str, Buffer | None], None]:
        wanted = list(requests)
        for request, value in zip(wanted, await asyncio.gather(*(self.get(*r) for r in wanted)), strict=True):
            yield request[0], value

    async def _patiently(self, key: str, fetch: Callable[[], Awaitable[Buffer | None]]) -> Buffer | None:
        for pause in (*self.pauses, None):
            try:
                return await fetch()
            except Exception as error:
                if pause is None or not _may_pass(error):
                    tries = f" after {len(self.pauses) + 1} tries" if pause is None and self.pauses else ""
                    reason = str(error) or type(error).__name__
                    raise DataError(f"{self.place}: '{key}' could not be read{tries}: {reason}") from error
                await asyncio.sleep(pause)
        return None

    def _miss(self, key: str) -> None:
        if self.ledger.strict and self.empty_chunks == "error":
            array, _, chunk = key.partition("/")
            raise DataError(
                f"{self.place}: the chunk '{chunk}' of '{array}' is missing. Copy the store again; if it leaves out "
                "chunks that equal the fill value, declare it on the card (empty_chunks: fill)."
            )
        self.ledger.filled.add(key)


def _may_pass(error: Exception) -> bool:
    """Return whether trying again may help: not after a refusal or a missing file."""
    status = getattr(error, "status", None) or getattr(error, "code", None)
    if isinstance(status, int) and 400 <= status < 500 and status not in (408, 425, 429):
        return False
    return not isinstance(error, ClimbenchError | FileNotFoundError | PermissionError)


class NamingPipeline(BatchedCodecPipeline):
    """zarr's own decoding of chunks, with errors that name the chunk."""

    async def read_batch(self, batch_info: Iterable[Any], out: Any, drop_axes: tuple[int, ...] = ()) -> None:
        """Decode chunks into an array."""
        batch = list(batch_info)
        try:
            await super().read_batch(batch, out, drop_axes)
        except ClimbenchError:
            raise
        except Exception as error:
            if len(batch) > 1:
                for one in batch:
                    await self.read_batch([one], out, drop_axes)
            raise DataError(_damaged(batch[0][0], error)) from error


def _damaged(chunk: Any, error: Exception) -> str:
    store = getattr(chunk, "store", None)
    place = store.place if isinstance(store, CheckedStore) else str(store)
    array, sign, key = str(getattr(chunk, "path", "")).partition("/c/")
    if not sign:
        array, _, key = array.rpartition("/")
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return (
        f"{place}: the chunk '{sign.lstrip('/')}{key}' of '{array}' is damaged or cut short ({reason}). "
        "Copy the store again."
    )


register_pipeline(NamingPipeline)
PIPELINE = f"{NamingPipeline.__module__}.{NamingPipeline.__qualname__}"
