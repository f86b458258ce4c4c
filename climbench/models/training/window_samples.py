"""Windows and targets in memory, as torch takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from torch.utils.data import Dataset

from climbench.errors import ModelError
from climbench.models.training.history_windows import Record
from climbench.models.training.scaling import Scaling

SPACE = ("latitude", "longitude")


def scaled_maps(data: xr.Dataset, names: Sequence[str], scaling: Scaling, grid: xr.Dataset) -> torch.Tensor:
    """Return variables as one tensor; numbers of a year are spread over the map.

    Parameters
    ----------
    data : Dataset
        Of shape (time,) or (time, latitude, longitude).
    names : sequence of str
        The variables, in the order of the channels.
    scaling : Scaling
        What is done to them.
    grid : Dataset
        Has the grid.

    Returns
    -------
    Tensor of shape (time, channel, latitude, longitude)

    Raises
    ------
    ModelError
        If a map lies on another grid.
    """
    shape = (data.sizes["time"], *(grid.sizes[d] for d in SPACE))
    maps = np.empty((shape[0], len(names), *shape[1:]), "float32")
    for channel, name in enumerate(names):
        field = data[name]
        if any(field.sizes.get(d, grid.sizes[d]) != grid.sizes[d] for d in SPACE):
            found, wanted = (" x ".join(str(g.sizes[d]) for d in SPACE) for g in (field, grid))
            raise ModelError(f"The input {name} lies on a grid of {found}; the network was made for {wanted}.")
        missing = {d: n for d, n in zip(("time", *SPACE), shape, strict=True) if d not in field.dims}
        values = field.expand_dims(missing).transpose("time", *SPACE).values.astype("float64")
        maps[:, channel] = scaling.apply(values, name)
    return torch.from_numpy(maps)


class WindowSamples(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Pairs of a window of inputs and the climate of its last year.

    Parameters
    ----------
    records : mapping of str to Record
        The windows of each scenario.
    inputs, targets : sequence of str
        Names of variables.
    scalings : tuple of Scaling
        Of inputs and of targets.
    length : int
        Years in a window.
    grid : Dataset
        Has the grid.
    """

    def __init__(
        self,
        records: Mapping[str, Record],
        inputs: Sequence[str],
        targets: Sequence[str],
        scalings: tuple[Scaling, Scaling],
        length: int,
        grid: xr.Dataset,
    ) -> None:
        self.length = length
        self.channels = list(range(len(targets)))
        self._inputs = [scaled_maps(r.inputs, inputs, scalings[0], grid) for r in records.values()]
        self._targets = [scaled_maps(r.targets, targets, scalings[1], grid) for r in records.values()]
        self._places = [
            (number, int(end), int(label))
            for number, record in enumerate(records.values())
            for end, label in zip(record.ends, record.labels, strict=True)
        ]

    def of_targets(self, channels: Sequence[int]) -> WindowSamples:
        """Return the same windows with some of the targets."""
        other = WindowSamples.__new__(WindowSamples)
        other.__dict__.update(self.__dict__)
        other.channels = list(channels)
        return other

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self._places)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a window (year, channel, latitude, longitude) and its target (variable, latitude, longitude)."""
        number, end, label = self._places[index]
        window = self._inputs[number][end - self.length + 1 : end + 1]
        return window, self._targets[number][label, self.channels]
