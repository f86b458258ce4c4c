"""States as tensors: variables and levels as channels of mean 0 and standard deviation 1, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr

from climbench.data.splits import Split
from climbench.data.statistics import Statistics
from climbench.data.streaming.channels import Channel, Part, channels_of
from climbench.errors import ModelError
from climbench.models.forecasting.complete_series import require_complete

SPACE = ("latitude", "longitude")
SURFACE, TEMPERATURE = 0.1, 1.0


@dataclass(frozen=True)
class StateChannels:
    """Which channels a state has, and the statistics of each in the training data.

    Attributes
    ----------
    channels : tuple of Channel
        In the order of the tensor.
    mean, std, tendency : ndarray of shape (channel,)
        Mean and standard deviation, and the standard deviation of what one step changes, in units of the variables.
    """

    channels: tuple[Channel, ...]
    mean: np.ndarray
    std: np.ndarray
    tendency: np.ndarray

    @classmethod
    def of(cls, train: Mapping[str, xr.Dataset]) -> tuple[StateChannels, Statistics]:
        """Return the channels of training data, with its statistics.

        Raises
        ------
        ModelError
            If values are missing (it names variable and time), or a channel does not vary.
        """
        first = next(iter(train.values()))
        names = [str(v) for v in first if {"time", *SPACE} <= set(first[v].dims)]
        statistics = Statistics.compute(train, Split("training"), variables=names, weights="cell_area", nan="mask")
        if any(float(values.sum()) > 0 for values in statistics["missing"].values()):
            require_complete({name: data[names] for name, data in train.items()})
        channels = channels_of(first, {"state": Part(names)}).parts["state"]
        table = [_numbers(statistics, channels, kind) for kind in ("mean", "std", "difference_std")]
        for channel, spread, change in zip(channels, table[1], table[2], strict=True):
            if not (spread > 0.0 and change > 0.0):
                raise ModelError(f"'{channel.name}' does not vary in the training data; leave it out of the targets.")
        return cls(channels, *table), statistics

    @property
    def variables(self) -> dict[str, list[float] | None]:
        """The levels of each variable, in the order of the channels; None for a variable that has none."""
        found: dict[str, list[float] | None] = {}
        for channel in self.channels:
            if channel.level is None:
                found[channel.variable] = None
            else:
                levels = found.setdefault(channel.variable, [])
                assert levels is not None
                levels.append(channel.level)
        return found

    def loss_weights(self) -> np.ndarray:
        """Return GraphCast's weights of variables and levels, of shape (channel,), with mean 1.

        A level weighs by its pressure over the mean pressure of the variable's levels; temperature at 2 m weighs 1 and
        other variables without level 0.1 (Lam et al., 2023, doi:10.1126/science.adi2336, supplement 4.2).
        """
        levels = self.variables
        found = []
        for channel in self.channels:
            several = levels[channel.variable]
            if several is None or channel.level is None:
                found.append(TEMPERATURE if channel.variable == "2m_temperature" else SURFACE)
            else:
                found.append(channel.level / float(np.mean(several)))
        return np.array(found) / np.mean(found)

    def tensor(self, states: xr.Dataset) -> torch.Tensor:
        """Return normalised states of shape (..., channel, latitude, longitude).

        Raises
        ------
        ModelError
            If a variable or a level is missing, or a value is not finite.
        """
        maps = []
        for channel, mean, std in zip(self.channels, self.mean, self.std, strict=True):
            if channel.variable not in states:
                raise ModelError(f"The states have no '{channel.variable}', which the network was trained on.")
            values = states[channel.variable]
            if channel.level is not None:
                if channel.level not in values["level"].values:
                    raise ModelError(f"The states have no '{channel.name}', which the network was trained on.")
                values = values.sel(level=channel.level, drop=True)
            loaded = values.transpose(..., *SPACE).values
            if not np.isfinite(loaded).all():
                raise ModelError(f"'{channel.name}' has values that are not finite; a network cannot start from them.")
            maps.append(((loaded - mean) / std).astype("float32"))
        return torch.from_numpy(np.stack(maps, axis=-3))

    def dataset(self, values: np.ndarray, dims: tuple[str, ...], coords: Mapping[str, Any]) -> xr.Dataset:
        """Return normalised values of shape (..., channel, latitude, longitude) as variables in their units."""
        made: dict[str, Any] = {}
        place = 0
        levels_of = self.variables
        for name, levels in levels_of.items():
            count = 1 if levels is None else len(levels)
            part = slice(place, place + count)
            scale, mean = (numbers[:, None, None] for numbers in self._scaling(part))
            block = values[..., part, :, :] * scale + mean
            made[name] = ((*dims, *SPACE), block[..., 0, :, :])
            if levels is not None:
                made[name] = xr.DataArray(block, dims=(*dims, "level", *SPACE), coords={"level": levels})
            place += count
        return xr.Dataset(made, dict(coords))

    def lowest(self, place: slice) -> np.ndarray:
        """Return the lowest normalised values of channels, float32, that `dataset` does not make less than 0 of."""
        scale, mean = self._scaling(place)
        lowest = -mean / scale
        while (below := lowest * scale + mean < 0.0).any():
            lowest = np.where(below, np.nextafter(lowest, np.float32(np.inf)), lowest)
        return lowest

    def _scaling(self, place: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return standard deviation and mean of channels, in float32."""
        return self.std[place].astype("float32"), self.mean[place].astype("float32")

    def to_json(self) -> dict[str, Any]:
        """Return plain content, from which `from_json` makes it again."""
        numbers = {name: getattr(self, name).tolist() for name in ("mean", "std", "tendency")}
        return {"channels": [[c.variable, c.level] for c in self.channels], **numbers}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> StateChannels:
        """Return what `to_json` described."""
        channels = tuple(Channel(str(name), level) for name, level in content["channels"])
        return cls(channels, *(np.array(content[name], "float64") for name in ("mean", "std", "tendency")))


def _numbers(statistics: Statistics, channels: tuple[Channel, ...], kind: str) -> np.ndarray:
    table = statistics[kind]
    found = [table[c.variable] if c.level is None else table[c.variable].sel(level=c.level) for c in channels]
    return np.array([float(value) for value in found])
