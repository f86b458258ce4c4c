"""The refined icosahedron: its counts, its evenness, its triangles, and what edges know."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.models.layers.icosahedron import (
    containing_faces,
    icosahedron,
    multimesh,
    relative_positions,
    sphere_points,
)


@pytest.mark.parametrize("level", range(4))
def test_counts_are_those_of_an_icosahedron(level):
    mesh, edges = multimesh(level)
    assert len(mesh.vertices) == 10 * 4**level + 2
    assert len(mesh.faces) == 20 * 4**level
    assert len(mesh.edges) == 30 * 4**level
    assert len(edges) == 2 * sum(30 * 4**n for n in range(level + 1))
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices, axis=1), 1.0)


def test_all_edges_of_the_icosahedron_are_as_long():
    ends = icosahedron().vertices[icosahedron().edges]
    lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    np.testing.assert_allclose(lengths, 1 / np.sin(2 * np.pi / 5), rtol=1e-12)


def test_all_faces_look_outwards_and_cover_the_sphere():
    mesh, _ = multimesh(2)
    a, b, c = (mesh.vertices[mesh.faces[:, n]] for n in range(3))
    volume = np.einsum("fi,fi->f", a, np.cross(b, c))
    assert (volume > 0).all()
    angles = 2 * np.arctan2(volume, 1 + (a * b).sum(1) + (b * c).sum(1) + (c * a).sum(1))  # Oosterom and Strackee
    assert angles.sum() == pytest.approx(4 * np.pi)


def test_a_point_lies_in_the_triangle_of_which_it_is_a_mean():
    mesh, _ = multimesh(2)
    shares = np.random.default_rng(0).dirichlet([1.0, 1.0, 1.0], len(mesh.faces))
    points = np.einsum("fk,fki->fi", shares, mesh.vertices[mesh.faces])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_array_equal(containing_faces(mesh, points), np.arange(len(mesh.faces)))


def test_edges_know_east_north_and_up_of_the_receiver():
    equator = sphere_points(np.array([0.0]), np.array([0.0, 90.0]))
    found = relative_positions(equator[[1, 0]], equator[[0, 1]])
    root = np.sqrt(2.0)
    np.testing.assert_allclose(found, [[1, 1 / root, 0, -1 / root], [1, -1 / root, 0, -1 / root]], atol=1e-12)
    north = relative_positions(np.array([[0.0, 0.0, 1.0]]), equator[:1])
    np.testing.assert_allclose(north, [[1, 0, 1 / root, -1 / root]], atol=1e-12)


def test_turning_both_ends_changes_nothing():
    draw = np.random.default_rng(1)
    ends = draw.normal(size=(2, 9, 3))
    ends /= np.linalg.norm(ends, axis=-1, keepdims=True)
    turn = np.array([[np.cos(0.7), -np.sin(0.7), 0], [np.sin(0.7), np.cos(0.7), 0], [0, 0, 1.0]])
    np.testing.assert_allclose(relative_positions(*(ends @ turn.T)), relative_positions(*ends), atol=1e-12)
