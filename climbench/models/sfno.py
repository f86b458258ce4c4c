"""A projector on the sphere: spherical Fourier neural operator from forcings to climate.

References
----------
Bonev et al. (2023), Spherical Fourier neural operators, arXiv:2306.03838; the network is that of torch-harmonics.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import nn
from torch_harmonics.examples.models import SphericalFourierNeuralOperator

from climbench.models.layers.globe import require_globe
from climbench.models.layers.low_degrees import LowDegrees
from climbench.models.layers.row_interpolation import RowInterpolation
from climbench.models.lightning import NetworkEmulator
from climbench.quadrature import Rule, quadrature


class SFNONetwork(nn.Module):
    """A spherical Fourier neural operator behind and before an interpolation to rows that it can transform.

    Spherical harmonic transforms are exact on Gaussian rows; they are not defined on rows of equal steps without the
    poles, as many grids have. So maps are interpolated linearly in latitude to as many Gaussian rows, less than a
    third of a row away, and back. On a Gaussian grid nothing is interpolated.

    Years and variables of a window are channels. Trained maps are added to what they are encoded to: the operator alone
    is the same everywhere on the sphere, and would make of forcings that are the same everywhere a climate that is. No
    normalisation is used, as one over the map would take away the very mean that tells how much carbon dioxide there
    is.

    Parameters
    ----------
    channels, variables : int
        Numbers of input channels (years times forcings) and of predicted variables.
    latitude : ndarray of shape (n,)
        Degrees north, ascending.
    longitudes : int
        Number of columns.
    width, layers, scale : int
        Channels within the operator, its blocks, and by what factor the grid is coarser between them.
    rule : str
        The quadrature rule of the rows that are transformed; a grid that has them is not interpolated.
    operator : type of Module
        Which of torch-harmonics' operators.
    degrees : float
        Which share of the degrees that the grid resolves the blocks work on and the answer has. Cell by cell, a network
        makes degrees that its blocks do not see and cannot damp; in a roll-out they would grow.
    **options
        Further arguments of the operator.
    """

    def __init__(
        self,
        channels: int,
        variables: int,
        latitude: np.ndarray,
        longitudes: int,
        width: int,
        layers: int,
        scale: int,
        rule: Rule = "legendre-gauss",
        operator: type[nn.Module] = SphericalFourierNeuralOperator,
        degrees: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__()
        rows = quadrature(rule, latitude.size).latitude
        self.to_rows = RowInterpolation(latitude, rows)
        self.from_rows = RowInterpolation(rows, latitude)
        chosen = {"normalization_layer": "none", "pos_embed": "learnable latlon", "bias": True, **options}
        self.operator = operator(
            img_size=(latitude.size, longitudes),
            grid=rule,
            grid_internal="legendre-gauss",
            scale_factor=scale,
            in_chans=channels,
            out_chans=variables,
            embed_dim=width,
            num_layers=layers,
            hard_thresholding_fraction=degrees,
            **chosen,
        )
        count = int(degrees * min(latitude.size, longitudes // 2))
        self.kept = LowDegrees(latitude.size, longitudes, count, rule) if degrees < 1.0 else nn.Identity()

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Return (batch, variable, latitude, longitude) for (batch, year, channel, latitude, longitude)."""
        # Transforms count rows from the north, and there are none of complex numbers in bfloat16.
        with torch.autocast(windows.device.type, enabled=False):
            southward = self.to_rows(windows.float().flatten(1, 2)).flip(-2)
            fields: torch.Tensor = self.from_rows(self.kept(self.operator(southward)).flip(-2))
        return fields


class SFNOProjector(NetworkEmulator):
    """The spherical Fourier neural operator as an emulator of scenarios.

    Parameters
    ----------
    width, layers, scale : int
        Of `SFNONetwork`.
    separate : bool
        Whether each variable has a network of its own.
    **training
        Settings of `TrainingSettings`.
    """

    def __init__(
        self, *, width: int = 32, layers: int = 4, scale: int = 2, separate: bool = False, **training: Any
    ) -> None:
        own = {"width": width, "layers": layers, "scale": scale, "separate": separate}
        super().__init__(own, training, separate=separate)
        self.width, self.layers, self.scale_factor = width, layers, scale

    def network(self, grid: xr.Dataset, variables: int) -> nn.Module:
        """Return a new `SFNONetwork`; raise `ModelError` where the grid does not go round the globe."""
        require_globe(grid)
        channels = self.window * len(self._channels)
        latitude, longitudes = grid["latitude"].values, grid.sizes["longitude"]
        return SFNONetwork(channels, variables, latitude, longitudes, self.width, self.layers, self.scale_factor)
