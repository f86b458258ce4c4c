"""Regridding against integrals, numbers worked by hand, fine sampling, SciPy and xarray-regrid."""

from __future__ import annotations

import dask
import numpy as np
import pytest
import xarray as xr
import xarray_regrid  # noqa: F401  (adds the accessor `regrid`)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from climbench.errors import DataError
from climbench.grids import cell_areas, describe_grid
from climbench.regrid import regrid_bilinear, regrid_conservative
from tests.example_grids import SPACE, columns, gaussian, grid, random_maps, regular, with_poles

BOTH = pytest.mark.parametrize("regrid", [regrid_conservative, regrid_bilinear])
KINDS = {"regular": regular, "with_poles": with_poles, "gaussian": gaussian}
IBERIA = grid(np.arange(36.0, 45.0), [0.0, 1.0, 2.0, 3.0, 354.0, 355.0, 356.0, 357.0, 358.0, 359.0])


def maps_of(values, on):
    return xr.DataArray(np.asarray(values, float), coords={**on.coords}, dims=SPACE)


def integral(maps, on):
    return (maps.astype("float64") * cell_areas(on)).sum(SPACE).values


# Conservative: what is kept, and single cells by hand.


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(sorted(KINDS)),
    st.integers(3, 20),
    st.integers(3, 20),
    st.floats(0.0, 40.0),
    st.integers(0, 2**32 - 1),
)
def test_the_integral_and_a_constant_are_kept(kind, target_kind, rows, target_rows, shift, seed):
    source, target = KINDS[kind](rows), KINDS[target_kind](target_rows)
    step = float(target["longitude"][1])
    target = target.assign_coords(longitude=target["longitude"] + shift % step)
    maps = random_maps(source, seed=seed)
    maps[1] = 3.0
    moved = regrid_conservative(maps, target)
    np.testing.assert_allclose(integral(moved, target), integral(maps, source), atol=1e-11)
    np.testing.assert_allclose(moved[1], 3.0)


def test_the_integral_of_float32_maps_is_kept_to_their_rounding():
    source, target = with_poles(121), regular(32)
    maps = 280.0 + 20.0 * random_maps(source, dtype="float32")
    moved = regrid_conservative(maps, target)
    assert moved.dtype == "float32"
    np.testing.assert_allclose(integral(moved, target), integral(maps, source), rtol=2e-7)
    exact = regrid_conservative(maps, target, dtype="float64")
    assert float(abs(moved - exact).max()) < 1e-6 * float(abs(maps).max())


@BOTH
def test_regridding_onto_the_same_grid_changes_nothing(regrid):
    for on in (regular(6), gaussian(8), with_poles(7), IBERIA):
        np.testing.assert_allclose(regrid(random_maps(on), on), random_maps(on), rtol=1e-12)


def test_two_halves_give_their_mean():
    source, target = grid([-45, 45], [0, 90, 180, 270]), grid([-45, 45], [45, 225])
    maps = maps_of([[1, 3, 5, 7]] * 2, source)
    np.testing.assert_allclose(regrid_conservative(maps, target), [[2, 6], [2, 6]])


def test_a_cell_across_the_seam_takes_from_both_ends():
    source, target = grid([-45, 45], [45, 135, 225, 315]), grid([-45, 45], [0, 180])
    np.testing.assert_allclose(regrid_conservative(maps_of([[1, 3, 5, 9]] * 2, source), target), [[5, 4]] * 2)


def test_rows_count_by_their_area():
    # Of the target row 30..90, the source rows 30..60 and 60..90 cover sin(60) - 1/2 and 1 - sin(60).
    source, target = grid(np.arange(-75, 76, 30), [0, 180]), grid([-60, 0, 60], [0, 180])
    maps = maps_of(np.repeat([[0, 0, 0, 0, 2, 4]], 2, axis=0).T, source)
    low = (np.sqrt(3) / 2 - 0.5) / 0.5
    np.testing.assert_allclose(regrid_conservative(maps, target)[2], 2 * low + 4 * (1 - low))


def test_a_row_on_the_pole_counts():
    source, target = grid([-90, -60, -30, 0, 30, 60, 90], [0, 180]), grid([-45, 45], [0, 180])
    maps = maps_of(np.repeat([[0, 0, 0, 0, 0, 0, 1]], 2, axis=0).T, source)
    np.testing.assert_allclose(regrid_conservative(maps, target)[1], 1 - np.sin(np.deg2rad(75)))


def test_rows_of_a_gaussian_grid_count_by_their_quadrature_weight():
    source = gaussian(3)  # weights 5/9, 8/9, 5/9
    maps = maps_of(np.repeat([[3.0], [6.0], [12.0]], 6, axis=1), source)
    halves = regrid_conservative(maps, grid([-45, 45], [0, 180]))
    np.testing.assert_allclose(halves[:, 0], [(5 * 3 + 4 * 6) / 9, (4 * 6 + 5 * 12) / 9])


def test_cell_means_equal_those_of_fine_sampling():
    source, target = with_poles(10), grid([-50, -10, 30, 75], [20, 100, 210, 330])
    maps = random_maps(source, n=1)[0]
    # Equal areas: even steps in sin(latitude) and longitude, each point valued as the box of the source it lies in.
    sine, east = (np.arange(4000) + 0.5) / 2000 - 1, (np.arange(3600) + 0.5) / 10
    row = np.rint((np.rad2deg(np.arcsin(sine)) + 90) / 20).astype(int)
    column = np.rint(east / 20).astype(int) % 18
    fine = maps.values[row][:, column]
    edges = np.sin(np.deg2rad([-70, -30, 10, 52.5, 90]))
    turned = (east - 355) % 360  # the first column begins half-way between 330 and 20, at 355
    in_row, in_column = np.digitize(sine, edges) - 1, np.digitize(turned, [0, 65, 160, 275]) - 1
    sampled = [[fine[in_row == i][:, in_column == j].mean() for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(regrid_conservative(maps, target), sampled, atol=2e-3)


def test_cell_means_equal_those_of_xarray_regrid():
    # Where two whole rows make one, its weights (areas around the rows' centres) are exact, but for rows beside a pole,
    # where it counts the outermost row twice.
    source, target = regular(36), regular(18)
    target = target.assign_coords(longitude=target["longitude"] + 1.7)
    maps = random_maps(source)
    theirs = maps.regrid.conservative(target, latitude_coord="latitude", skipna=False)
    inner = {"latitude": slice(1, -1)}
    np.testing.assert_allclose(regrid_conservative(maps, target).isel(inner), theirs.isel(inner), atol=1e-12)


# Bilinear.


def test_a_linear_field_is_interpolated_exactly():
    source, target = grid([30, 33, 40, 50], [2, 5, 6, 10]), grid([30, 31, 49.5], [3, 7, 8, 10])

    def plane(on):
        return 2.0 - 0.3 * on["latitude"] + 0.7 * on["longitude"]

    np.testing.assert_allclose(regrid_bilinear(plane(source), target), plane(target), rtol=1e-14)


def test_interpolation_equals_that_of_scipy_and_xarray_regrid():
    source, target = gaussian(24), grid([-80, -41.3, 0.2, 33, 82], [3.3, 77.7, 123.4, 350.9])
    maps = random_maps(source, n=1)[0]
    moved = regrid_bilinear(maps, target)
    scipy = RegularGridInterpolator((source["latitude"].values, source["longitude"].values), maps.values)
    points = np.stack(np.meshgrid(target["latitude"], target["longitude"], indexing="ij"), axis=-1)
    np.testing.assert_allclose(moved, scipy(points), rtol=1e-12)
    np.testing.assert_allclose(moved, maps.regrid.linear(target), rtol=1e-12)


def test_interpolation_goes_across_the_seam():
    maps = maps_of([[1, 2, 3, 5]] * 2, grid([-45, 45], columns(4)))
    moved = regrid_bilinear(maps, grid([-45, 45], [0, 45, 292.5, 359.1, 359.991]))
    np.testing.assert_allclose(moved, [[1, 1.5, 4, 1.04, 1.0004]] * 2)


def test_a_pole_without_a_row_has_the_mean_of_the_outermost_row():
    maps = maps_of([[8, 8, 8, 8], [1, 2, 3, 6]], grid([-45, 45], columns(4)))
    moved = regrid_bilinear(maps, grid([-90, 0, 67.5, 90], columns(4)))
    np.testing.assert_allclose(moved[0], 8)
    np.testing.assert_allclose(moved[1], [4.5, 5, 5.5, 7])
    np.testing.assert_allclose(moved[2], [2, 2.5, 3, 4.5])  # half-way to the pole, whose value is 3
    np.testing.assert_allclose(moved[3], 3)


def test_a_pole_with_a_row_keeps_its_values():
    source = with_poles(7)
    maps = random_maps(source)
    np.testing.assert_allclose(regrid_bilinear(maps, source)[:, [0, -1]], maps[:, [0, -1]])


# Parts of the globe.


@BOTH
def test_a_region_of_the_target_equals_that_part_of_the_globe(regrid):
    source, target = with_poles(19), regular(32)
    part = target.sel(latitude=slice(33, 75), longitude=(target.longitude < 44) | (target.longitude > 347))
    whole = regrid(random_maps(source), target)
    np.testing.assert_allclose(regrid(random_maps(source), part), whole.sel(part.coords), rtol=1e-12)


@BOTH
def test_cells_outside_a_region_of_the_source_are_missing(regrid):
    maps = xr.ones_like(random_maps(IBERIA))  # cells from 35.5 to 44.5 and from -6.5 to 3.5
    moved = regrid(maps, grid(np.arange(20.0, 60.0, 2.0), columns(120)))
    there = moved.notnull().all("time")
    np.testing.assert_array_equal(there["latitude"][there.any("longitude")], [36, 38, 40, 42, 44])
    np.testing.assert_array_equal(there["longitude"][there.any("latitude")], [0, 3, 354, 357])
    np.testing.assert_allclose(moved.values[moved.notnull()], 1.0)


def test_a_cell_partly_outside_stands_if_enough_of_it_is_inside():
    source, target = grid([-45, 45], [10, 20, 30]), grid([-45, 45], [12, 32, 52])
    maps = maps_of([[1, 2, 4]] * 2, source)  # columns from 5 to 35; the target's from 2, 22, 42 to 22, 42, 62
    for min_valid, expected in (
        (0.86, [np.nan] * 3),
        (0.85, [24 / 17, np.nan, np.nan]),
        (0.6, [24 / 17, 46 / 13, np.nan]),
    ):
        moved = regrid_conservative(maps, target, min_valid=min_valid)
        np.testing.assert_allclose(moved[0], expected)


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(np.arange(-60.0, 61.0, 10.0), columns(12)), (np.arange(-85.0, 86.0, 10.0), np.arange(20.0, 80.0, 5.0))],
    ids=["band", "sector"],
)
def test_nothing_is_made_up_between_a_region_and_the_pole(latitude, longitude):
    moved = regrid_bilinear(xr.ones_like(random_maps(grid(latitude, longitude))), grid([-88, 0, 88], [30, 60]))
    assert moved.isel(latitude=[0, 2]).isnull().all()
    np.testing.assert_allclose(moved[:, 1], 1)


def test_rounding_does_not_put_a_point_outside_a_region():
    maps = maps_of([[1, 2], [3, 5]], grid([30, 31], [0.1, 0.3]))
    moved = regrid_bilinear(maps, grid([29.9999, 31.0001], np.array([0.1, 0.3], "float32") - 1e-5))
    np.testing.assert_allclose(moved, maps, atol=2e-4)
    assert float(moved.min()) >= 1.0  # not extrapolated


# Missing values.


def test_the_valid_parts_of_a_cell_stand_for_it_if_they_are_large_enough():
    source, target = grid([-45, 45], columns(8)), grid([-45, 45], [22.5 * 3, 22.5 * 11])
    maps = maps_of([[1, np.nan, 5, 6, np.nan, np.nan, np.nan, 7]] * 2, source)
    for min_valid, expected in (
        (0.0, [4, 7]),
        (0.25, [4, 7]),
        (0.26, [4, np.nan]),
        (0.75, [4, np.nan]),
        (0.76, [np.nan] * 2),
    ):
        np.testing.assert_allclose(regrid_conservative(maps, target, min_valid=min_valid)[1], expected)
    np.testing.assert_allclose(regrid_conservative(maps, target)[0], [4, np.nan])


def test_valid_parts_count_by_their_area():
    source, target = grid(np.arange(-75, 76, 30), [0, 180]), grid([-60, 0, 60], [0, 180])
    maps = maps_of(np.repeat([[0, 0, 0, 0, np.nan, 4]], 2, axis=0).T, source)
    part = 2 - np.sqrt(3)  # of the row from 30 to 90 lies poleward of 60: 0.268
    np.testing.assert_allclose(regrid_conservative(maps, target, min_valid=part - 0.001)[2], 4)
    np.testing.assert_allclose(regrid_conservative(maps, target, min_valid=part + 0.001)[2], np.nan)


def test_interpolation_leaves_out_missing_corners():
    maps = maps_of([[1, np.nan, 3, 5]] * 2, grid([-45, 45], columns(4)))
    target = grid([0, 45], [30, 45, 60, 180])
    np.testing.assert_allclose(regrid_bilinear(maps, target)[0], [1, 1, np.nan, 3])
    np.testing.assert_allclose(regrid_bilinear(maps, target, min_valid=1.0)[1], [np.nan, np.nan, np.nan, 3])
    np.testing.assert_allclose(regrid_bilinear(maps, target, min_valid=0.3)[1], [1, 1, 1, 3], rtol=1e-12)


@BOTH
def test_only_cells_with_a_gap_are_missing_if_no_gap_is_allowed(regrid):
    maps = random_maps(with_poles(121), n=1, dtype="float32")
    maps[:, 60, 100] = np.nan  # latitude 0, longitude 150
    gap = regrid(maps, regular(32), min_valid=1.0).isnull().any("time")
    np.testing.assert_allclose(gap["latitude"][gap.any("longitude")], 0, atol=2.9)
    np.testing.assert_allclose(gap["longitude"][gap.any("latitude")], 150, atol=2.9)


def test_a_pole_has_the_mean_of_what_is_there_of_the_outermost_row():
    maps = maps_of([[8, 8, 8, 8], [1, np.nan, 5, np.nan]], grid([-45, 45], columns(4)))
    target = grid([45, 90], columns(4))
    np.testing.assert_allclose(regrid_bilinear(maps, target), [[1, np.nan, 5, np.nan], [3, 3, 3, 3]])
    assert regrid_bilinear(maps, target, min_valid=0.6)[1].isnull().all()


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 12), st.integers(3, 12), st.floats(0.05, 0.95), st.integers(0, 2**32 - 1))
def test_the_integral_over_the_valid_part_is_kept(rows, target_rows, share, seed):
    source, target = with_poles(rows), gaussian(target_rows)
    maps = random_maps(source, seed=seed)
    valid = xr.DataArray(np.random.default_rng(seed).random(maps.shape) < share, maps.coords)
    maps = maps.where(valid)
    moved = regrid_conservative(maps, target, min_valid=0.0)
    part = regrid_conservative(valid.astype(float), target)
    # Cells that are valid by less than 1e-5 are given up as rounding.
    np.testing.assert_allclose(integral(moved.fillna(0) * part, target), integral(maps.fillna(0), source), atol=1e-3)
    known = moved.values[moved.notnull().values]
    assert known.size == 0 or (known.max() <= maps.max() + 1e-9 and known.min() >= maps.min() - 1e-9)


@BOTH
def test_maps_do_not_affect_one_another(regrid):
    maps = random_maps(with_poles(121), n=40, dtype="float32")
    alone = regrid(maps, regular(32))
    holed = maps.copy()
    holed[7, 30:60, 200:] = np.nan
    holed[8] = np.inf
    moved = regrid(holed, regular(32))
    others = [n for n in range(40) if n not in (7, 8)]
    np.testing.assert_array_equal(moved[others], alone[others])
    assert moved[7].isnull().any()


@BOTH
def test_an_infinite_value_stays_where_it_is(regrid):
    source = regular(12)
    maps = random_maps(source)
    maps[:, 6, 3] = np.inf
    moved = regrid(maps, regular(8))
    expected = regrid(maps.where(np.isfinite(maps), 1.0), regular(8))
    touched = ~np.isfinite(moved)
    assert 3 <= int(touched.sum()) <= 3 * 4
    np.testing.assert_allclose(moved.values[~touched.values], expected.values[~touched.values])
    np.testing.assert_allclose(regrid(maps, source), maps)


def test_rounded_bounds_share_nothing():
    source, target = regular(63), regular(21)  # three rows and columns make one
    target = target.assign_coords(longitude=target["longitude"] + source["longitude"][1].item())
    checks = xr.DataArray(np.indices((21, 42)).sum(0) % 2 == 0, target.coords, SPACE)
    maps = maps_of(np.where(np.kron(checks, np.ones((3, 3), bool)), np.inf, 1.0), source)
    np.testing.assert_array_equal(np.isinf(regrid_conservative(maps, target)), checks)


# Invariances.


@BOTH
@pytest.mark.parametrize("source", [with_poles(19), gaussian(18)], ids=describe_grid)
def test_turning_the_globe_turns_the_result(regrid, source):
    target = regular(9)  # a column of the target is two of the source
    maps = random_maps(source)
    maps[1, 4:7, 3:9] = np.nan
    step = source.sizes["longitude"] // 9
    np.testing.assert_allclose(
        regrid(maps.roll(longitude=5 * step), target), regrid(maps, target).roll(longitude=10), atol=1e-12
    )


@BOTH
@pytest.mark.parametrize("source", [with_poles(19), gaussian(18)], ids=describe_grid)
def test_north_and_south_are_alike(regrid, source):
    maps, target = random_maps(source), regular(8)
    mirrored = maps.copy(data=maps.values[:, ::-1])
    np.testing.assert_allclose(regrid(mirrored, target), regrid(maps, target).values[:, ::-1], atol=1e-12)


@BOTH
def test_longitudes_may_be_counted_westward_too(regrid):
    maps, target = random_maps(regular(18)), gaussian(10)
    west = maps.assign_coords(longitude=(maps["longitude"] + 180) % 360 - 180).sortby("longitude")
    np.testing.assert_allclose(regrid(west, target), regrid(maps, target), atol=1e-12)


@BOTH
def test_coordinates_in_float32_do_as_well(regrid):
    source, target = grid(np.linspace(-89.95, 89.95, 1800)[::20], columns(77)), regular(9)
    maps = random_maps(source, n=1)
    single = maps.assign_coords({n: maps[n].astype("float32") for n in SPACE})
    np.testing.assert_allclose(regrid(single, target), regrid(maps, target), atol=1e-4)


@BOTH
def test_dimensions_are_found_by_name(regrid):
    maps = random_maps(with_poles(19)).expand_dims(level=[500, 850]).assign_attrs(units="K")
    maps = maps.assign_coords(height=2.0)
    expected = regrid(maps, regular(8).assign_coords(quantile=0.9))
    assert expected.dims == maps.dims
    assert expected.attrs == {"units": "K"}
    assert expected.name == "field"
    assert set(expected.coords) == {*maps.coords}
    turned = regrid(maps.transpose("longitude", "level", "latitude", "time"), regular(8))
    assert turned.dims == ("longitude", "level", "latitude", "time")
    xr.testing.assert_equal(turned.transpose(*maps.dims), expected)


@BOTH
def test_precision_follows_the_maps(regrid):
    maps, target = random_maps(regular(6)), regular(4)
    for given_as, result in (
        ("float32", "float32"),
        ("float64", "float64"),
        ("int16", "float32"),
        ("int64", "float64"),
    ):
        moved = regrid(maps.astype(given_as), target)
        assert moved.dtype == result
        np.testing.assert_allclose(moved, regrid(maps.astype(given_as).astype("float64"), target), atol=1e-6)
    assert regrid(maps, target, dtype="float32").dtype == "float32"


# Datasets and dask.


@BOTH
def test_variables_without_a_grid_are_passed_on(regrid):
    maps = random_maps(regular(6))
    data = xr.Dataset({"tas": maps, "co2": ("time", [1.0, 2.0, 3.0])}, attrs={"source": "a test"})
    moved = regrid(data, regular(4))
    xr.testing.assert_equal(moved["co2"], data["co2"].assign_coords(moved["co2"].coords))
    xr.testing.assert_equal(moved["tas"], regrid(maps, regular(4)).rename("tas"))
    assert moved.attrs == data.attrs


@BOTH
@pytest.mark.parametrize(
    "chunks", [{"time": 1}, {"time": 3, "latitude": 5, "longitude": 7}, {"time": -1, "longitude": 1}], ids=str
)
def test_chunks_change_nothing(regrid, chunks):
    maps = random_maps(with_poles(19), n=7, dtype="float32")
    maps[2, 3:6] = np.nan
    moved = regrid(maps.chunk(chunks), regular(8))
    assert moved.dtype == "float32"
    np.testing.assert_array_equal(moved.compute(scheduler="threads"), regrid(maps, regular(8)))


@BOTH
def test_nothing_is_computed_early(regrid):
    def fail(*_, **__):
        raise AssertionError("computed")

    maps = random_maps(with_poles(19), n=6).chunk(time=2)
    with dask.config.set(scheduler=fail):
        moved = regrid(maps, regular(8))
        with pytest.raises(AssertionError, match="computed"):
            moved.compute()
    assert moved.chunks == ((2, 2, 2), (8,), (16,))


# Wrong input.


@BOTH
@pytest.mark.parametrize(
    ("maps", "target", "said"),
    [
        (random_maps(regular(4)).isel(latitude=slice(None, None, -1)), regular(3), "latitudes must ascend.*sortby"),
        (random_maps(regular(4)), regular(3).isel(latitude=slice(None, None, -1)), "latitudes must ascend"),
        (random_maps(regular(4)).rename(latitude="lat"), regular(3), "maps have no coordinate 'latitude'.*time, lat"),
        (
            random_maps(regular(4)),
            xr.Dataset(),
            "target grid have no coordinate 'latitude'.*found the coordinates none",
        ),
        (random_maps(regular(4)), grid([0, 91], [0, 1]), "beyond the poles: 0..91"),
        (random_maps(regular(4)).astype(complex), regular(3), "'field' is no map of real numbers.*complex128"),
        (random_maps(regular(4)).astype("M8[ns]"), regular(3), "datetime64"),
        (
            xr.Dataset({"v": random_maps(regular(4)).mean("longitude"), "w": random_maps(regular(4))}),
            regular(3),
            "'v' is",
        ),
    ],
)
def test_what_cannot_be_regridded_is_refused(regrid, maps, target, said):
    with pytest.raises(DataError, match=said):
        regrid(maps, target)


@BOTH
def test_wrong_options_are_refused(regrid):
    maps = random_maps(regular(4))
    for min_valid in (-0.1, 1.5, float("nan")):
        with pytest.raises(DataError, match="from 0 to 1; found"):
            regrid(maps, regular(3), min_valid=min_valid)
    with pytest.raises(DataError, match="float32 or float64; float16"):
        regrid(maps, regular(3), dtype="float16")


@BOTH
def test_no_maps_give_no_maps(regrid):
    assert regrid(random_maps(regular(4))[:0], regular(3)).shape == (0, 3, 6)
