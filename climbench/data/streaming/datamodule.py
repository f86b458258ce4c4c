"""Streams for Lightning: training, validation and test periods of one store as a data module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from climbench.data.splits import Split
from climbench.data.statistics import Statistics
from climbench.data.streaming.channels import Part
from climbench.data.streaming.loader import StreamLoader
from climbench.data.streaming.stream import WindowStream
from climbench.errors import DataError, MissingExtraError

try:
    from pytorch_lightning import LightningDataModule
except ImportError:
    raise MissingExtraError("Streaming to Lightning", "models") from None


class StreamDataModule(LightningDataModule):
    """The periods of a store as loaders; each rank gets its own share of each period.

    Parameters
    ----------
    data : Dataset, or mapping of str to Dataset
        As for `WindowStream`.
    parts : mapping of str to Part
        What a batch is made of.
    train : Split
        The training samples, which are shuffled.
    validation, test : Split, optional
        Given in the order of time.
    batch_size : int
        Of each rank.
    num_workers : int
        Processes that read, for each of the loaders.
    statistics : Statistics, optional
        Of the training samples. Every channel of every period is normalised with them.
    **options
        Further settings of `WindowStream`: static, seed, memory, nan, drop_uneven.

    Raises
    ------
    DataError
        If the periods overlap, or the statistics are not those of the training samples.
    """

    def __init__(
        self,
        data: xr.Dataset | Mapping[str, xr.Dataset],
        parts: Mapping[str, Part],
        *,
        train: Split,
        validation: Split | None = None,
        test: Split | None = None,
        batch_size: int,
        num_workers: int = 0,
        statistics: Statistics | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        held_out = {"validation": validation, "test": test}
        for name, split in held_out.items():
            if split is not None and train.overlap(split):
                raise DataError(
                    f"The {name} samples '{split.describe()}' overlap the training samples '{train.describe()}': the "
                    "scores would be those of what was learnt by heart. Part the periods."
                )
        if statistics is not None:
            statistics.check(train, held_out=[split for split in held_out.values() if split is not None])
        self._data, self._parts, self._num_workers = data, parts, num_workers
        self._splits = {"train": train, **held_out}
        self._options = {**options, "batch_size": batch_size, "statistics": statistics}

    def stream(self, name: str) -> WindowStream:
        """Return the stream of a period.

        Parameters
        ----------
        name : {"train", "validation", "test"}
            The period.

        Raises
        ------
        DataError
            If there is no such period.
        """
        split = self._splits[name]
        if split is None:
            raise DataError(f"The data module has no {name} samples; give them as {name}=Split(...).")
        return WindowStream(self._data, self._parts, split, shuffle=name == "train", **self._options)

    def train_dataloader(self) -> StreamLoader:
        """Return the loader of the training samples."""
        return StreamLoader(self.stream("train"), num_workers=self._num_workers)

    def val_dataloader(self) -> StreamLoader | list[StreamLoader]:
        """Return the loader of the validation samples, or none."""
        if self._splits["validation"] is None:
            return []
        return StreamLoader(self.stream("validation"), num_workers=self._num_workers)

    def test_dataloader(self) -> StreamLoader:
        """Return the loader of the test samples."""
        return StreamLoader(self.stream("test"), num_workers=self._num_workers)
