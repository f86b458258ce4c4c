"""From the rows of one grid to those of another, within a network."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

SAME = 1e-4  # degrees: what rounding in a file leaves


class RowInterpolation(nn.Module):
    """Interpolates maps linearly in latitude; columns stay as they are.

    Rows that are the same are left alone. Beyond the outermost rows of the source the values go, linearly, to the mean
    over the outermost row at the pole.

    Parameters
    ----------
    source, target : ndarray of shape (n,) and (m,)
        Latitudes in degrees north, ascending.
    """

    weights: torch.Tensor
    pole_weights: torch.Tensor

    def __init__(self, source: np.ndarray, target: np.ndarray) -> None:
        super().__init__()
        self.same = source.shape == target.shape and bool(np.allclose(source, target, rtol=0.0, atol=SAME))
        south, north = bool(source[0] > -90.0), bool(source[-1] < 90.0)
        known = np.concatenate([[-90.0] * south, source, [90.0] * north])
        unit = np.eye(known.size)
        matrix = np.stack([np.interp(target, known, column) for column in unit], axis=1)
        inner = matrix[:, int(south) : known.size - int(north)]
        outer = np.zeros_like(inner)
        outer[:, 0] += matrix[:, 0] * south
        outer[:, -1] += matrix[:, -1] * north
        self.register_buffer("weights", torch.tensor(inner, dtype=torch.float32), persistent=False)
        self.register_buffer("pole_weights", torch.tensor(outer, dtype=torch.float32), persistent=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (..., m, longitude) of maps of shape (..., n, longitude)."""
        if self.same:
            return maps
        return self.weights @ maps + self.pole_weights @ maps.mean(-1, keepdim=True)
