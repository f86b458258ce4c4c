"""The periods that a network that steps is trained and judged on, and their batches, from where a training goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import xarray as xr

from climbench.data.streaming import StreamLoader
from climbench.errors import ModelError
from climbench.models.training.ranks import Batch, Rank

Periods = Mapping[str, xr.Dataset]


class Rest:
    """The rest of an epoch, and whole epochs after it, as loaders that know how many batches they have; a rank's share.

    Lightning asks for the length once and judges after so many batches: an epoch that was begun is a run of its own.
    """

    def __init__(self, loader: StreamLoader, given: int, rank: Rank) -> None:
        self.loader, self.length, self.rank = loader, len(loader) - given, rank

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self.length

    def __iter__(self) -> Iterator[Batch]:
        """Give the batches of an epoch."""
        return map(self.rank.share_of, self.loader)


def parted(train: Periods, share: float, least: int) -> tuple[dict[str, xr.Dataset], dict[str, xr.Dataset]]:
    """Return training periods without the end of the last, and that end.

    Raises
    ------
    ModelError
        If too little is left on either side for a window of `least` times.
    """
    last = max(train, key=lambda name: train[name]["time"].values[0])
    count = max(least, round(share * sum(data.sizes["time"] for data in train.values())))
    left = train[last].sizes["time"] - count
    if left < least:
        raise ModelError(
            f"The training period '{last}' has {left + count} times, too few to keep {count} at its end to "
            "choose epochs on. Give a validation period, or set held_out to 0 or less than it is."
        )
    rest = {**train, last: train[last].isel(time=slice(0, left))}
    return rest, {last: train[last].isel(time=slice(left, None))}


def held(periods: Periods, names: list[str], memory: int) -> dict[str, xr.Dataset]:
    """Return periods with some variables: in memory where all of them fit, lazy otherwise."""
    used = {name: data[names] for name, data in periods.items()}
    fits = sum(data.nbytes for data in used.values()) <= memory
    return {name: data.load() if fits else data for name, data in used.items()}
