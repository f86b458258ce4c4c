"""Standardising channels with statistics of the training samples, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from climbench.data.statistics import Statistics
from climbench.data.streaming.channels import Channel
from climbench.errors import DataError


@dataclass(frozen=True)
class Normaliser:
    """Takes a channel to mean 0 and standard deviation 1.

    Attributes
    ----------
    names : tuple of str
        Of the channels.
    mean, std : ndarray of shape (channel,)
        float64, in the units of the variables.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, statistics: Statistics, channels: Sequence[Channel]) -> Normaliser:
        """Return the normaliser of some channels.

        Raises
        ------
        DataError
            If the statistics lack a channel, or its standard deviation is 0 or not a number.
        """
        mean, std = (np.array([_number(statistics, s, channel) for channel in channels]) for s in ("mean", "std"))
        for channel, spread in zip(channels, std, strict=True):
            if not spread > 0:
                raise DataError(f"'{channel.name}' has the standard deviation {spread:g}, and so cannot be normalised.")
        return cls(tuple(channel.name for channel in channels), mean, std)

    def of_channels(self, channels: Sequence[Channel]) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations of some of the channels, in their order."""
        where = [self.names.index(channel.name) for channel in channels]
        return self.mean[where], self.std[where]


def _number(statistics: Statistics, statistic: str, channel: Channel) -> float:
    table = statistics[statistic]
    if channel.variable not in table.data_vars:
        raise DataError(f"The statistics lack '{channel.variable}'; compute them with it.")
    values = table[channel.variable]
    if channel.level is not None:
        if "level" not in values.dims or channel.level not in values["level"].values:
            raise DataError(f"The statistics lack '{channel.name}'; compute them with this level.")
        values = values.sel(level=channel.level)
    return float(values)
