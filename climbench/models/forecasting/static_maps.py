"""Maps of what does not change, such as the height of the ground, that a network is shown beside each state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from climbench.errors import ModelError
from climbench.grids import latitude_weights
from climbench.models.forecasting.state_channels import SPACE


@dataclass(frozen=True)
class StaticMaps:
    """Static variables, each of mean 0 and standard deviation 1 over the area of the grid.

    Attributes
    ----------
    names : tuple of str
        In the order of the channels.
    values : Tensor of shape (channel, latitude, longitude)
        float32; a map that is the same everywhere is 0.
    """

    names: tuple[str, ...]
    values: torch.Tensor

    @classmethod
    def of(cls, train: Mapping[str, xr.Dataset]) -> StaticMaps:
        """Return the maps of the first training period.

        Raises
        ------
        ModelError
            If a value is not finite, or periods have other maps.
        """
        first = next(iter(train.values()))
        names = tuple(str(v) for v in first.data_vars if first[v].dims == SPACE)
        for name in names:
            for period, data in train.items():
                if name not in data or not np.array_equal(data[name].values, first[name].values, equal_nan=True):
                    raise ModelError(f"The map '{name}' of the training period '{period}' is not that of the first.")
            if not np.isfinite(first[name].values).all():
                raise ModelError(f"The map '{name}' has values that are not finite; a network cannot be shown it.")
        if not names:
            return cls((), torch.zeros(0, first.sizes["latitude"], first.sizes["longitude"]))
        rows = latitude_weights(first["latitude"], "cell_area").values[:, None]
        maps = np.stack([_normal(first[name].values.astype("float64"), rows) for name in names])
        return cls(names, torch.from_numpy(maps.astype("float32")))


def _normal(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    weights = np.broadcast_to(rows / rows.sum() / values.shape[1], values.shape)
    centred = values - float((weights * values).sum())
    spread = float(np.sqrt((weights * centred**2).sum()))
    return np.asarray(centred / spread if spread > 0.0 else np.zeros_like(centred))
