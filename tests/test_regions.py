"""Named regions against their cells counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.grids import cell_areas, latitude_weights
from climbench.regions import REGIONS, find_region, region_weights
from tests.example_grids import grid, regular, with_poles

COARSE = grid(np.arange(-90, 91, 10), np.arange(0, 360, 10))
WB2 = grid(np.linspace(-90, 90, 121), np.arange(240) * 1.5)


def inside(name, on=COARSE):
    mask = find_region(name).mask(on)
    assert mask.dims == ("latitude", "longitude")
    return (
        sorted(mask["latitude"].values[mask.any("longitude")]),
        sorted(mask["longitude"].values[mask.any("latitude")]),
    )


@pytest.mark.parametrize(
    ("name", "latitude", "longitude"),
    [
        ("tropics", [-20, -10, 0, 10, 20], COARSE["longitude"].values),
        ("europe", [40, 50, 60, 70], [0, 10, 20, 30, 40, 350]),
        ("south-america", [-40, -30, -20, -10, 0], [290, 300, 310]),
        ("north-atlantic", [30, 40, 50, 60], [290, 300, 310, 320, 330, 340, 350]),
        ("ausnz", [-40, -30, -20], [120, 130, 140, 150, 160, 170]),
        ("arctic", [60, 70, 80, 90], COARSE["longitude"].values),
    ],
)
def test_both_ends_of_a_range_belong_to_the_region(name, latitude, longitude):
    rows, across = inside(name)
    np.testing.assert_array_equal(rows, latitude)
    np.testing.assert_array_equal(across, longitude)


def test_a_region_is_a_box():
    mask = find_region("europe").mask(COARSE)
    assert int(mask.sum()) == 4 * 6


def test_a_region_across_longitude_zero_is_found_in_either_notation():
    west = grid(COARSE["latitude"], np.arange(-180, 180, 10))
    mask = find_region("northern-africa").mask(west)
    np.testing.assert_array_equal(mask["longitude"].values[mask.any("latitude")], [-10, 0, 10, 20, 30])


def test_tropics_and_extra_tropics_share_only_their_edge():
    both = find_region("tropics").mask(WB2).astype(int) + find_region("extra-tropics").mask(WB2)
    assert int(both.min()) == 1
    # 20 is no row of the 1.5 degree grid, but one of the 10 degree grid.
    assert int(both.max()) == 1
    edge = find_region("tropics").mask(COARSE) & find_region("extra-tropics").mask(COARSE)
    np.testing.assert_array_equal(edge["latitude"].values[edge.any("longitude")], [-20, 20])


@pytest.mark.parametrize("name", ["global", "extra-tropics", "antarctic", "west-asia"])
@pytest.mark.parametrize("noise", [-3e-6, 3e-6])
def test_rounded_coordinates_change_nothing(name, noise):
    noisy = grid(np.clip(WB2["latitude"] + noise, -90, 90), (WB2["longitude"] + noise) % 360).sortby("longitude")
    assert int(find_region(name).mask(noisy).sum()) == int(find_region(name).mask(WB2).sum())
    single = WB2.assign_coords(longitude=noisy["longitude"].astype("float32"))
    assert int(find_region(name).mask(single).sum()) == int(find_region(name).mask(WB2).sum())


def test_weights_are_the_areas_inside():
    weights = region_weights(cell_areas(regular(18)), regular(18), "northern-hemisphere")
    assert float(weights.sum()) == pytest.approx(2 * np.pi * (1 - np.sin(np.deg2rad(20))))  # rows from 25 on
    rows = region_weights(latitude_weights(regular(18)["latitude"]), regular(18), "northern-hemisphere")
    xr.testing.assert_allclose(rows * 2 * np.pi / 36, weights)


def test_land_counts_by_its_fraction_or_by_a_threshold():
    on = with_poles(19)
    land = xr.full_like(cell_areas(on), 0.25)
    land[:, :18] = 0.75
    areas = cell_areas(on)
    by_fraction = region_weights(areas, on, "tropics_land", land_fraction=land)
    whole = region_weights(areas, on, "tropics")
    assert float(by_fraction.sum() / whole.sum()) == pytest.approx(0.5)
    by_threshold = region_weights(areas, on, "tropics_land", land_fraction=land, land_threshold=0.5)
    np.testing.assert_allclose(by_threshold[:, :18], whole[:, :18])
    assert not by_threshold[:, 18:].any()


@pytest.mark.parametrize("part", ["global", "tropics", "extra-tropics"])
@pytest.mark.parametrize("threshold", [None, 0.5])
def test_land_and_ocean_add_up(part, threshold):
    on = with_poles(19)
    areas = cell_areas(on)
    land = xr.zeros_like(areas) + np.random.default_rng(0).random(areas.shape)
    given = {"land_fraction": land, "land_threshold": threshold}
    both = sum(region_weights(areas, on, f"{part}_{surface}", **given) for surface in ("land", "ocean"))
    np.testing.assert_allclose(both, region_weights(areas, on, part), atol=1e-15)


def test_land_boxes_of_ipcc_reports():
    """The Mediterranean of Giorgi and Francisco: 30 to 48 N, 10 W to 40 E, land only."""
    land = xr.zeros_like(cell_areas(COARSE)) + 0.5
    inside = region_weights(xr.ones_like(land), COARSE, "giorgi-med", land_fraction=land)
    rows, columns = (inside[d].values[inside.any(o)] for d, o in (("latitude", "longitude"), ("longitude", "latitude")))
    np.testing.assert_array_equal(rows, [30, 40])
    np.testing.assert_array_equal(columns, [0, 10, 20, 30, 40, 350])
    assert float(inside.max()) == 0.5
    assert sum(name.startswith("giorgi-") for name in REGIONS) == 21


def test_unusable_land_is_refused():
    on = regular(18)
    areas = cell_areas(on)
    for name in ("global_land", "global_ocean", "giorgi-neu"):
        with pytest.raises(DataError, match=f"'{name}' needs the fraction of land"):
            region_weights(areas, on, name)
    with pytest.raises(DataError, match="another latitude"):
        region_weights(areas, on, "global_land", land_fraction=cell_areas(with_poles(19)) * 0)
    for bad, found in ((areas * 0 + 100, "100 to 100"), (areas.where(areas > areas.min()), "nan to nan")):
        with pytest.raises(DataError, match=f"between 0 and 1 in every cell; found {found}"):
            region_weights(areas, on, "global_land", land_fraction=bad)


def test_unknown_and_empty_regions_are_refused():
    with pytest.raises(DataError, match=r"no region 'extratropics'\. Did you mean 'extra-tropics'"):
        find_region("extratropics")
    iberia = grid([36, 40, 44], [0, 4, 356])
    with pytest.raises(DataError, match="No cell of the grid lies in the region 'arctic'"):
        region_weights(cell_areas(iberia), iberia, "arctic")


def test_every_region_is_met_on_the_coarsest_benchmark_grid():
    for name, region in REGIONS.items():
        assert region.name == name
        assert region.mask(regular(32)).any()
