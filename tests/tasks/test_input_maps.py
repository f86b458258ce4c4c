"""Forcing maps on the outputs' grid: as they are, regridded with a note, or refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.grids import cell_areas
from climbench.tasks.input_maps import on_grid


def grid(rows, columns, *, south=-90.0, north=90.0, east=0.0):
    edges = np.linspace(south, north, rows + 1)
    longitude = east + np.arange(columns) * 360.0 / columns
    return xr.Dataset(coords={"latitude": 0.5 * (edges[1:] + edges[:-1]), "longitude": longitude})


def forcing(on):
    rng = np.random.default_rng(0)
    values = rng.random((2, on.sizes["latitude"], on.sizes["longitude"]))
    data = on.assign_coords(time=[2015, 2016])
    return data.assign(SO2=(("time", "latitude", "longitude"), values), CO2=("time", [1.0, 2.0]))


def moved(source, target):
    notes: list[str] = []
    return on_grid(forcing(source), target, "ssp126", notes.append), notes


def test_maps_on_the_grid_take_its_coordinates_without_a_note():
    target = grid(6, 8)
    found, notes = moved(grid(6, 8, east=1e-4), target)
    assert found["longitude"].identical(target["longitude"])
    assert notes == []


def test_other_global_grids_of_similar_spacing_keep_the_total():
    for rows, columns in ((6, 12), (9, 8), (12, 16)):
        found, notes = moved(grid(rows, columns), grid(6, 8))
        before = forcing(grid(rows, columns))["SO2"]
        totals = [(f * cell_areas(f)).sum(("latitude", "longitude")).values for f in (before, found["SO2"])]
        np.testing.assert_allclose(totals[1], totals[0], rtol=1e-12)
        assert notes == [f"SO2 regridded conservatively from {rows} x {columns} to 6 x 8 cells onto the outputs' grid"]
        assert found["CO2"].values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "source", [grid(18, 8), grid(6, 24), grid(5, 8, north=60.0), grid(3, 8, south=-30.0, north=30.0)]
)
def test_grids_of_other_spacing_or_of_a_part_of_the_globe_are_refused(source):
    with pytest.raises(DataError, match="The input maps of ssp126 lie on another grid than the outputs"):
        moved(source, grid(6, 8))


def test_maps_that_do_not_cover_the_grid_are_refused_rather_than_stretched():
    """Half a cell off to the north: the southernmost row is covered by half, which is not enough."""
    part = grid(4, 8, south=-60.0, north=60.0)
    off = grid(4, 8, south=-50.0, north=70.0)
    with pytest.raises(DataError, match="have missing values, or do not cover the outputs' grid: SO2 on 4 x 8"):
        moved(off, part)


def test_missing_values_are_not_filled_by_regridding():
    data = forcing(grid(6, 8, east=10.0))
    data["SO2"][0, 2, 3] = np.nan
    with pytest.raises(DataError, match="have missing values"):
        on_grid(data, grid(6, 8), "ssp126", print)


def test_global_totals_have_no_grid():
    totals = forcing(grid(6, 8))[["CO2"]]
    assert on_grid(totals, grid(18, 36), "ssp126", print) is totals
