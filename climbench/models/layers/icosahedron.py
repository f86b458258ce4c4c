"""The icosahedron, refined: a nearly even mesh on the sphere, in NumPy.

References
----------
Lam et al. (2023), Learning skillful medium-range global weather forecasting, Science 382, doi:10.1126/science.adi2336,
supplement 3.3, for the multimesh: the edges of all refinements together, on the vertices of the finest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PART = 512  # points that are looked at together


@dataclass(frozen=True)
class Mesh:
    """Triangles on the unit sphere.

    Attributes
    ----------
    vertices : ndarray of shape (vertex, 3)
        Unit vectors; the last component points north.
    faces : ndarray of int of shape (face, 3)
        Vertices of each triangle.
    edges : ndarray of int of shape (edge, 2)
        Pairs of neighbours, each once, the lesser first.
    """

    vertices: np.ndarray
    faces: np.ndarray

    @property
    def edges(self) -> np.ndarray:
        """Pairs of neighbours, each once, the lesser first."""
        pairs = np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        return np.unique(np.sort(pairs, axis=1), axis=0)

    def longest_edge(self) -> float:
        """Return the length of the longest edge, straight through the sphere."""
        ends = self.vertices[self.edges]
        return float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).max())

    def refined(self) -> Mesh:
        """Return the mesh with each triangle cut into four; the vertices there are keep their numbers."""
        edges = self.edges
        middles = self.vertices[edges].sum(1)
        middles /= np.linalg.norm(middles, axis=1, keepdims=True)
        number = {(int(a), int(b)): len(self.vertices) + n for n, (a, b) in enumerate(edges)}

        def middle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return np.array([number[min(p, q), max(p, q)] for p, q in zip(a.tolist(), b.tolist(), strict=True)])

        a, b, c = self.faces.T
        ab, bc, ca = middle(a, b), middle(b, c), middle(c, a)
        corners = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
        faces = np.concatenate([np.stack(three, axis=1) for three in corners])
        return Mesh(np.concatenate([self.vertices, middles]), faces)


def icosahedron() -> Mesh:
    """Return the icosahedron with vertices on the poles."""
    height, radius = 1 / np.sqrt(5), 2 / np.sqrt(5)
    north, south = 2 * np.pi * np.arange(5) / 5, 2 * np.pi * (np.arange(5) + 0.5) / 5
    rings = [
        np.stack([radius * np.cos(t), radius * np.sin(t), np.full(5, z)], 1)
        for t, z in ((north, height), (south, -height))
    ]
    vertices = np.concatenate([[[0.0, 0.0, 1.0]], *rings, [[0.0, 0.0, -1.0]]])
    upper, lower = np.arange(1, 6), np.arange(6, 11)
    after_upper, after_lower = np.roll(upper, -1), np.roll(lower, -1)
    top, bottom = np.zeros(5, int), np.full(5, 11)
    bands = [(top, upper, after_upper), (upper, lower, after_upper), (lower, after_lower, after_upper)]
    faces = np.concatenate([np.stack(three, 1) for three in [*bands, (lower, bottom, after_lower)]])
    return Mesh(vertices, faces)


def multimesh(refinements: int) -> tuple[Mesh, np.ndarray]:
    """Return the finest mesh, and the edges of all refinements in both directions, of shape (edge, 2)."""
    mesh, edges = icosahedron(), []
    for level in range(refinements + 1):
        mesh = mesh.refined() if level else mesh
        edges.append(mesh.edges)
    both = np.concatenate(edges)
    return mesh, np.concatenate([both, both[:, ::-1]])


def sphere_points(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return unit vectors of shape (latitude longitude, 3) of the cells of a grid in degrees, row by row."""
    phi, theta = np.meshgrid(np.deg2rad(latitude), np.deg2rad(longitude), indexing="ij")
    return np.stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)], -1).reshape(-1, 3)


def containing_faces(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """Return which face each point of shape (point, 3) lies in, straight above or below."""
    # A point is a sum of a face's corners; in the face that holds it no share is negative.
    inverse = np.linalg.inv(mesh.vertices[mesh.faces].transpose(0, 2, 1))
    parts = np.array_split(points, max(1, len(points) // PART))
    return np.concatenate([np.einsum("fij,pj->pfi", inverse, part).min(-1).argmax(1) for part in parts])


def relative_positions(senders: np.ndarray, receivers: np.ndarray) -> np.ndarray:
    """Return what an edge knows of itself: its length, and where its sender is from its receiver.

    Parameters
    ----------
    senders, receivers : ndarray of shape (edge, 3)
        Unit vectors.

    Returns
    -------
    ndarray of shape (edge, 4)
        Length, and the difference east, north and up at the receiver; all over the longest length. At a pole nothing is
        east or north.
    """
    flat = np.hypot(receivers[:, 0], receivers[:, 1])
    inverse = np.where(flat < 1e-9, 0.0, 1.0 / np.maximum(flat, 1e-9))
    east = np.stack([-receivers[:, 1], receivers[:, 0], np.zeros_like(flat)], 1) * inverse[:, None]
    north = np.cross(receivers, east)
    apart = senders - receivers
    length = np.linalg.norm(apart, axis=1)
    turned = [(apart * axis).sum(1) for axis in (east, north, receivers)]
    return np.stack([length, *turned], 1) / length.max()
