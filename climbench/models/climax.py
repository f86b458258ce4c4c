"""ClimaX as a projector: a vision transformer over the variables, places and years of forcings.

References
----------
Nguyen et al. (2023), ClimaX: A foundation model for weather and climate, arXiv:2301.10343, sections 3 and 4.4, and the
public repository microsoft/ClimaX for the names of tensors in its checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import xarray as xr
from torch import nn

from climbench.errors import ModelError
from climbench.models.climax_checkpoint import fitting_tensors, read_checkpoint
from climbench.models.layers.positions import sine_cosine, sine_cosine_grid
from climbench.models.layers.transformer import TransformerBlock
from climbench.models.layers.variable_tokens import VariableTokens, start_narrow
from climbench.models.lightning import NetworkEmulator
from climbench.models.training.history_windows import Record
from climbench.models.training.losses import Loss, mean_square
from climbench.models.training.scaling import Scaling


class ClimaXNetwork(VariableTokens):
    """The transformer, with the head for one year's climate.

    Each variable's patches are embedded on their own; a trained query attends to the variables at each place; the
    transformer's blocks mix the places of each year; their mean over places is a year's vector; a second query attends
    to the years; a linear layer makes the map. The original's embedding of the lead time is left out: it would be a
    constant here, which the embedding of the position can hold.

    Parameters
    ----------
    channels, variables, years : int
        Numbers of forcings, of predicted variables, and of years in a window.
    grid : tuple of int
        Numbers of latitudes and longitudes, multiples of `patch`.
    patch, width, depth, heads : int
        Cells along a patch, length of a token, number of blocks, heads of attention.
    dropout, depth_rate : float
        Of the blocks; stochastic depth rises from 0 to `depth_rate`.
    """

    def __init__(
        self,
        channels: int,
        variables: int,
        years: int,
        grid: tuple[int, int],
        *,
        patch: int,
        width: int,
        depth: int,
        heads: int,
        dropout: float,
        depth_rate: float,
    ) -> None:
        super().__init__(channels, patch, width, heads)
        self.shape, self.patches = (variables, *grid), (grid[0] // patch, grid[1] // patch)
        self.pos_embed = nn.Parameter(sine_cosine_grid(*self.patches, width)[None])
        self.time_pos_embed = nn.Parameter(sine_cosine(torch.arange(years), width)[None])
        self.pos_drop = nn.Dropout(dropout)
        rates = [depth_rate * n / max(1, depth - 1) for n in range(depth)]
        self.blocks = nn.ModuleList(TransformerBlock(width, heads, 4.0, dropout, rate) for rate in rates)
        self.norm = nn.LayerNorm(width)
        self.time_agg = nn.MultiheadAttention(width, heads, batch_first=True)
        self.time_query = nn.Parameter(torch.zeros(1, 1, width))
        self.head = nn.Linear(width, variables * grid[0] * grid[1])
        start_narrow(self)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Return (batch, variable, latitude, longitude) for (batch, year, channel, latitude, longitude)."""
        batch, years = windows.shape[:2]
        tokens = self.of_places(windows.flatten(0, 1)) + self.pos_embed
        tokens = tokens + self.time_pos_embed[0].repeat(batch, 1)[:, None]
        tokens = self.pos_drop(tokens)
        for block in self.blocks:
            tokens = block(tokens)
        of_years = self.norm(tokens).mean(1).view(batch, years, -1)
        query = self.time_query.expand(batch, -1, -1)
        vector, _ = self.time_agg(query, of_years, of_years, need_weights=False)
        fields: torch.Tensor = self.head(vector[:, 0])
        return fields.view(-1, *self.shape)


class ClimaX(NetworkEmulator):
    """ClimaX as an emulator of scenarios.

    Parameters
    ----------
    patch, width, depth, heads : int
        Of `ClimaXNetwork`.
    dropout, depth_rate : float
        Likewise.
    checkpoint : str or None
        A file in the layout of the published checkpoints. Its tensors are starting values of those of the network's
        that have their name and shape; patch embeddings and head are always trained from scratch, as in the original,
        since the forcings are none of the variables that ClimaX was trained on. What did not fit is said in `chosen`.
    frozen : bool
        Whether the transformer's blocks, but for their norms, stay as they are.
    area_weighted : bool
        Whether cells weigh by their area in the loss.
    scale_targets : bool
        Whether targets are standardised.
    separate : bool
        Whether each variable has a network of its own, as the original.
    **training
        Settings of `TrainingSettings`.
    """

    def __init__(
        self,
        *,
        patch: int = 4,
        width: int = 64,
        depth: int = 4,
        heads: int = 4,
        dropout: float = 0.1,
        depth_rate: float = 0.1,
        checkpoint: str | None = None,
        frozen: bool = False,
        area_weighted: bool = True,
        scale_targets: bool = True,
        separate: bool = False,
        **training: Any,
    ) -> None:
        shape = {"patch": patch, "width": width, "depth": depth, "heads": heads}
        self.architecture: dict[str, Any] = {**shape, "dropout": dropout, "depth_rate": depth_rate}
        own = {
            **self.architecture,
            "checkpoint": checkpoint,
            "frozen": frozen,
            "area_weighted": area_weighted,
            "scale_targets": scale_targets,
            "separate": separate,
        }
        super().__init__(own, training, separate=separate)
        if width % 4 or width % heads:
            raise ModelError(f"The width must be a multiple of 4 and of the {heads} heads; it is {width}.")
        self.checkpoint, self.frozen = checkpoint, frozen
        self.area_weighted, self.scale_targets = area_weighted, scale_targets

    def network(self, grid: xr.Dataset, variables: int) -> nn.Module:
        """Return a new `ClimaXNetwork`; raise `ModelError` where patches do not fill the grid."""
        size = (grid.sizes["latitude"], grid.sizes["longitude"])
        patch = self.architecture["patch"]
        if any(n % patch for n in size):
            raise ModelError(f"Patches of {patch} x {patch} cells do not fill a grid of {size[0]} x {size[1]}.")
        network = ClimaXNetwork(len(self._channels), variables, self.window, size, **self.architecture)
        if self.frozen:
            for name, parameter in network.blocks.named_parameters():
                parameter.requires_grad_("norm" in name)
        return network

    def start(self, network: nn.Module) -> None:
        """Take the checkpoint's tensors, where there is one; raise `ModelError` where it cannot be used."""
        if self.checkpoint is None or not isinstance(network, ClimaXNetwork):
            return
        fitting, left_out = fitting_tensors(read_checkpoint(Path(self.checkpoint)), network, network.patches)
        if not fitting:
            raise ModelError(f"No tensor of {self.checkpoint} fits the network; they are: {', '.join(left_out[:8])}.")
        network.load_state_dict(fitting, strict=False)
        self.chosen["checkpoint"] = {"used": len(fitting), "left_out": left_out}

    def loss(self, grid: xr.Dataset) -> Loss:
        """Return the mean square, weighted by area or not."""
        return super().loss(grid) if self.area_weighted else mean_square

    def scale(self, found: Mapping[str, Record]) -> tuple[Scaling, Scaling]:
        """Return standard scalings, of targets only if set."""
        inputs, targets = super().scale(found)
        return inputs, targets if self.scale_targets else Scaling.none(self.variables)
