"""A graph network on an icosahedral multimesh as a forecaster: encode, process, decode.

References
----------
Keisler (2022), Forecasting global weather with graph neural networks, arXiv:2202.07575; Lam et al. (2023), Learning
skillful medium-range global weather forecasting, Science 382, doi:10.1126/science.adi2336, supplement 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.layers.globe import require_globe
from climbench.models.layers.icosahedron import (
    PART,
    Mesh,
    containing_faces,
    multimesh,
    relative_positions,
    sphere_points,
)
from climbench.models.layers.message_passing import MessagePassing, NodePerceptron

REACH = 0.6  # of the longest edge of the finest mesh: as far do vertices hear cells


class GraphNetwork(nn.Module):
    """Cells tell the vertices of a mesh, vertices tell one another along edges of all lengths, and tell cells.

    Parameters
    ----------
    channels_in, channels_out : int
        Numbers of channels.
    latitude, longitude : ndarray of shape (n,) and (m,)
        Of the grid, in degrees.
    width, layers : int
        Length of all features, and rounds of messages on the mesh.
    refinements : int
        How often the icosahedron's triangles are cut into four.
    longitudes_told : bool
        Whether nodes know their longitude.
    """

    cell_places: torch.Tensor
    vertex_places: torch.Tensor

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        latitude: np.ndarray,
        longitude: np.ndarray,
        width: int,
        layers: int,
        refinements: int,
        *,
        longitudes_told: bool,
    ) -> None:
        super().__init__()
        mesh, mesh_edges = multimesh(refinements)
        cells = sphere_points(latitude, longitude)
        up, down = heard_cells(mesh, cells), told_cells(mesh, cells)
        for name, points in (("cell_places", cells), ("vertex_places", mesh.vertices)):
            places = node_places(points, longitudes_told=longitudes_told)
            self.register_buffer(name, torch.tensor(places, dtype=torch.float32), persistent=False)
        ends = {"up": (cells, mesh.vertices), "mesh": (mesh.vertices,) * 2, "down": (mesh.vertices, cells)}
        for name, edges in (("up", up), ("mesh", mesh_edges), ("down", down)):
            known = relative_positions(ends[name][0][edges[:, 0]], ends[name][1][edges[:, 1]])
            self.register_buffer(f"{name}_known", torch.tensor(known, dtype=torch.float32), persistent=False)
        known_of_place = self.cell_places.shape[1]
        self.read_cells = NodePerceptron(channels_in + known_of_place, width, width)
        self.read_vertices = NodePerceptron(known_of_place, width, width)
        self.read_edges = nn.ModuleDict({name: NodePerceptron(4, width, width) for name in ends})
        self.up, self.down = (MessagePassing(torch.from_numpy(edges), width) for edges in (up, down))
        self.keep_cells = NodePerceptron(width, width, width)
        self.rounds = nn.ModuleList(MessagePassing(torch.from_numpy(mesh_edges), width) for _ in range(layers))
        self.answer = NodePerceptron(width, width, channels_out, normalised=False)

    def _edges(self, name: str, batch: int) -> torch.Tensor:
        read: torch.Tensor = self.read_edges[name](getattr(self, f"{name}_known"))
        return read.expand(batch, -1, -1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channels_out, latitude, longitude)."""
        batch, grid = len(maps), maps.shape[-2:]
        places = self.cell_places.expand(batch, -1, -1)
        cells = self.read_cells(torch.cat([maps.flatten(2).transpose(1, 2), places], dim=-1))
        vertices = self.read_vertices(self.vertex_places).expand(batch, -1, -1)
        _, vertices = self.up(self._edges("up", batch), cells, vertices)
        cells = cells + self.keep_cells(cells)
        edges = self._edges("mesh", batch)
        for messages in self.rounds:
            edges, vertices = messages(edges, vertices, vertices)
        _, cells = self.down(self._edges("down", batch), vertices, cells)
        fields: torch.Tensor = self.answer(cells).transpose(1, 2).unflatten(-1, grid)
        return fields


def node_places(points: np.ndarray, *, longitudes_told: bool) -> np.ndarray:
    """Return for unit vectors the cosine and sine of latitude, and where asked sine and cosine of longitude."""
    flat = np.hypot(points[:, 0], points[:, 1])
    known = [flat, points[:, 2]]
    if longitudes_told:
        angle = np.arctan2(points[:, 1], points[:, 0])
        known += [np.sin(angle), np.cos(angle)]
    return np.stack(known, axis=1)


def heard_cells(mesh: Mesh, cells: np.ndarray) -> np.ndarray:
    """Return edges (cell, vertex) from all cells within reach of a vertex; each vertex hears its nearest at least."""
    reach = REACH * mesh.longest_edge()
    found = []
    for start in range(0, len(mesh.vertices), PART):
        closeness = mesh.vertices[start : start + PART] @ cells.T  # apart by d: 1 - d^2 / 2
        vertex, cell = np.nonzero(closeness >= 1.0 - reach**2 / 2.0)
        nearest = np.stack([closeness.argmax(1), np.arange(len(closeness)) + start], axis=1)
        found += [np.stack([cell, vertex + start], axis=1), nearest]
    return np.unique(np.concatenate(found), axis=0)


def told_cells(mesh: Mesh, cells: np.ndarray) -> np.ndarray:
    """Return edges (vertex, cell) from the corners of the triangle that a cell lies in."""
    corners = mesh.faces[containing_faces(mesh, cells)]
    return np.stack([corners.ravel(), np.repeat(np.arange(len(cells)), 3)], axis=1)


class Graph(NetworkForecaster):
    """The graph network as a forecaster.

    Parameters
    ----------
    width, layers, refinements
        Of `GraphNetwork`.
    longitudes_told : bool
        Whether nodes know their longitude beside their latitude, which mountains and coasts need.
    history, clock
        As for `NetworkForecaster`.
    **training
        Settings of `ForecastTraining`.
    """

    def __init__(
        self,
        *,
        width: int = 48,
        layers: int = 4,
        refinements: int = 3,
        longitudes_told: bool = True,
        history: int = 1,
        clock: bool | None = None,
        **training: Any,
    ) -> None:
        own = {"width": width, "layers": layers, "refinements": refinements, "longitudes_told": longitudes_told}
        super().__init__(own, training, history=history, clock=clock)
        if not 0 <= refinements <= 7:
            raise ModelError(f"refinements must be 0 to 7; it is {refinements}.")
        self.width, self.layers, self.refinements, self.longitudes_told = width, layers, refinements, longitudes_told

    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return a new network; raise `ModelError` where the grid does not go round the globe from pole to pole."""
        require_globe(grid)
        return GraphNetwork(
            channels_in,
            channels_out,
            grid["latitude"].values,
            grid["longitude"].values,
            self.width,
            self.layers,
            self.refinements,
            longitudes_told=self.longitudes_told,
        )
