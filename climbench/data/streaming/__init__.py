"""Streaming to torch: windows of a store as batches of tensors, shuffled, sharded and resumable.

`WindowStream` gives batches, `StreamLoader` adds workers, pinning and the state to resume from; for Lightning there is
``climbench.data.streaming.datamodule.StreamDataModule``, which only its users import.
"""

from __future__ import annotations

from climbench.data.streaming.channels import Part
from climbench.errors import MissingExtraError

try:
    import torch  # noqa: F401  # only to learn whether it is there
except ImportError:
    raise MissingExtraError("Streaming to torch", "models") from None

from climbench.data.streaming.loader import StreamLoader
from climbench.data.streaming.stream import WindowStream

__all__ = ["Part", "StreamLoader", "WindowStream"]
