"""The networks themselves: what turning the globe does to them, their grids, and their published sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr

from climbench.models.forecasting.graph import Graph, heard_cells, told_cells
from climbench.models.forecasting.lsno import LSNO
from climbench.models.forecasting.resnet import ResNet
from climbench.models.forecasting.sfno import SFNO
from climbench.models.forecasting.unet import UNet
from climbench.models.layers.icosahedron import multimesh, sphere_points
from climbench.models.sfno import SFNONetwork
from climbench.quadrature import quadrature

COLUMNS = np.arange(0.0, 360.0, 22.5)
ROWS = {
    "gaussian": quadrature("legendre-gauss", 8).latitude,
    "poles": quadrature("equiangular", 9).latitude,
    "centres": np.arange(-78.75, 90.0, 22.5),
}


def grid(rows, columns=COLUMNS):
    return xr.Dataset(coords={"latitude": ROWS[rows] if isinstance(rows, str) else rows, "longitude": columns})


def made(forecaster, rows, channels_in=3, channels_out=2):
    torch.manual_seed(0)
    return forecaster.network(grid(rows), channels_in, channels_out).eval()


def stirred(network):
    """Give parameters that begin at zero a value."""
    with torch.no_grad():
        for parameter in network.parameters():
            if not bool(parameter.any()):
                parameter.normal_(std=0.3)
    return network


@pytest.mark.parametrize("kind", [SFNO, LSNO])
@pytest.mark.parametrize("rows", ROWS)
def test_turning_the_globe_turns_the_operators_answer(kind, rows):
    network = stirred(made(kind(width=8, layers=2, places="learnable lat"), rows))
    maps = torch.randn(2, 3, ROWS[rows].size, COLUMNS.size)
    answer = network(maps)
    assert answer.std() > 1e-2
    torch.testing.assert_close(network(maps.roll(3, -1)), answer.roll(3, -1), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(("rows", "said"), [("gaussian", "legendre-gauss"), ("poles", "equiangular")])
def test_rows_that_can_be_transformed_are_not_interpolated(rows, said):
    forecaster = SFNO(width=8, layers=2)
    network = made(forecaster, rows)
    assert forecaster.chosen["rows"] == said
    torch.testing.assert_close(network.network.to_rows.weights, torch.eye(ROWS[rows].size), atol=1e-4, rtol=0)


def test_rows_of_cell_centres_are_interpolated_and_it_is_said():
    forecaster = SFNO(width=8, layers=2)
    made(forecaster, "centres")
    assert forecaster.chosen["rows"] == "interpolated to legendre-gauss"


def test_the_operator_has_as_many_parameters_as_torch_harmonics_has():
    """148,480 for 8 channels, 32 wide, 4 layers, with instance norm, on 32 x 64 Gaussian rows."""
    rows = quadrature("legendre-gauss", 32).latitude
    network = SFNONetwork(8, 8, rows, 64, 32, 4, 1, pos_embed="none", bias=False, normalization_layer="instance_norm")
    assert sum(p.numel() for p in network.parameters()) == 148_480


@pytest.mark.parametrize("forecaster", [UNet(widths=[4, 8], place_maps=0), ResNet(width=4, blocks=1)], ids=["u", "r"])
@pytest.mark.parametrize("rows", ROWS)
def test_convolutions_turn_with_the_globe(forecaster, rows):
    """By steps that the coarsest level of the U-Net has too."""
    network = stirred(made(forecaster, rows))
    maps = torch.randn(1, 3, ROWS[rows].size, COLUMNS.size)
    answer = network(maps)
    assert answer.shape[-2:] == maps.shape[-2:]
    torch.testing.assert_close(network(maps.roll(4, -1)), answer.roll(4, -1), atol=1e-4, rtol=1e-3)


def test_a_new_unet_forecasts_no_change():
    maps = torch.randn(1, 3, 8, 16)
    assert not bool(made(UNet(widths=[4, 8]), "centres")(maps).any())


def test_the_published_resnet_has_19_blocks_of_128_channels():
    """Counted by hand: 7 x 7 and 38 times 3 x 3 convolutions with 128 biases, 39 normalisations, and the last."""
    network = made(ResNet(), "centres", 38, 2)
    convolutions = 49 * 38 * 128 + 128 + 38 * (9 * 128 * 128 + 128)
    assert sum(p.numel() for p in network.parameters()) == convolutions + 39 * 256 + 9 * 128 * 2 + 2


def test_a_fifth_of_a_turn_of_the_globe_turns_the_graphs_answer():
    """The icosahedron has five meridians that are alike."""
    columns = np.arange(20) * 18.0 + 7.0
    forecaster = Graph(width=8, layers=2, refinements=1, longitudes_told=False)
    torch.manual_seed(0)
    network = forecaster.network(grid("centres", columns), 3, 2)
    maps = torch.randn(2, 3, 8, 20)
    answer = network(maps)
    assert answer.std() > 1e-2
    torch.testing.assert_close(network(maps.roll(4, -1)), answer.roll(4, -1), atol=1e-4, rtol=1e-3)


def test_every_cell_is_heard_or_told_and_every_vertex_hears():
    mesh, _ = multimesh(2)
    cells = sphere_points(ROWS["centres"], COLUMNS)
    up, down = heard_cells(mesh, cells), told_cells(mesh, cells)
    assert set(up[:, 1]) == set(range(len(mesh.vertices)))
    assert np.bincount(down[:, 1], minlength=len(cells)).tolist() == [3] * len(cells)
    apart = np.linalg.norm(cells[up[:, 0]] - mesh.vertices[up[:, 1]], axis=1)
    assert np.median(apart) <= 0.6 * mesh.longest_edge()


@pytest.mark.parametrize(("layers", "heard"), [(1, False), (5, True)])
def test_the_graph_hears_the_whole_globe(layers, heard):
    """Through long edges the antipode is heard after five rounds; the finest, of 18 degrees, would need ten."""
    torch.manual_seed(0)
    maps = torch.zeros(1, 1, 8, 16, requires_grad=True)
    Graph(width=8, layers=layers, refinements=2).network(grid("centres"), 1, 1)(maps)[0, 0, 3, 8].backward()
    assert bool(maps.grad[0, 0, 4, 0] != 0.0) is heard
