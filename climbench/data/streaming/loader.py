"""Loads a stream: worker processes, pinned memory, epochs, and the state to go on from."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.utils.data import DataLoader

from climbench.data.streaming.assembly import Batch
from climbench.data.streaming.stream import WindowStream
from climbench.errors import DataError


class StreamLoader:
    """Gives the batches of a stream, epoch after epoch.

    It may stand wherever a ``DataLoader`` may. Each pass through it is one epoch. Its state is that of the next batch,
    equal on all ranks, so that a checkpoint of one rank serves all; Lightning keeps it in its checkpoints.

    Parameters
    ----------
    stream : WindowStream
        What is loaded.
    num_workers : int
        Processes that read; with 0 this process reads, one block ahead in the background. They live on from epoch to
        epoch. Zarr decodes in threads, so that one process feeds several cores.
    pin_memory : bool, optional
        Whether batches are put into page-locked memory; by default where there is a CUDA device.

    Raises
    ------
    DataError
        If there are fewer windows than batches need, or the memory does not suffice for so many workers.
    """

    def __init__(self, stream: WindowStream, *, num_workers: int = 0, pin_memory: bool | None = None) -> None:
        if num_workers < 0:
            raise DataError(f"The number of workers is {num_workers}; it must be 0 or more.")
        self.stream, self.num_workers = stream, num_workers
        self.pin_memory = torch.cuda.is_available() if pin_memory is None else pin_memory
        self._order = stream.order(max(1, num_workers))
        self._length = self._order.batches(stream.settle_rank()[1])
        self._epoch, self._given, self._going_on = 0, 0, False
        self._loader: DataLoader[Batch] | None = None

    def __len__(self) -> int:
        """Return the number of batches in an epoch, equal on all ranks."""
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        """Give the rest of an epoch after `load_state_dict`, and a whole new one otherwise."""
        if not self._going_on and self._given > 0:
            self._epoch, self._given = self._epoch + 1, 0
        self._going_on = False
        self.stream.set_epoch(self._epoch, self._given)
        if self._loader is None:
            self._loader = self._new_loader()
        for batch in self._loader:
            self._given += 1
            yield batch

    def _new_loader(self) -> DataLoader[Batch]:
        self.stream.pinned = self.pin_memory and self.num_workers == 0
        if self.num_workers == 0:
            return DataLoader(self.stream, batch_size=None)
        self.stream.position.share_memory_()  # type: ignore[no-untyped-call]  # torch does not annotate it
        # A forked child would inherit locks of threads it does not have, those of zarr and of torch.
        methods = multiprocessing.get_all_start_methods()
        return DataLoader(
            self.stream,
            batch_size=None,
            num_workers=self.num_workers,
            pin_memory=self.pin_memory,
            persistent_workers=True,
            multiprocessing_context="forkserver" if "forkserver" in methods else "spawn",
        )

    def _settings(self) -> dict[str, int | bool]:
        """Return what an order depends on."""
        order = self._order
        return {
            "ranks": self.stream.settle_rank()[1],
            "num_workers": self.num_workers,
            "windows": order.samples,
            "batch_size": order.batch_size,
            "seed": order.seed,
            "shuffle": order.shuffle,
            "drop_uneven": order.drop_uneven,
            "piece": order.piece,
            "pieces": order.pieces,
            "places": order.places,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader stands: epoch, batches given of it, and the settings that its order depends on."""
        return {"epoch": self._epoch, "batches": self._given, "settings": self._settings()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises
        ------
        DataError
            If the state is of a loader with other settings, whose order was another.
        """
        now = self._settings()
        for key, value in now.items():
            if state["settings"].get(key) != value:
                raise DataError(
                    f"The state was saved with {key}={state['settings'].get(key)}, and this loader has {key}={value}: "
                    "its order is another. Go on with the old setting, or begin a new epoch without the state."
                )
        self._epoch, self._given = int(state["epoch"]), int(state["batches"])
        if self._given >= self._length:
            self._epoch, self._given = self._epoch + 1, 0
        self._going_on = True
