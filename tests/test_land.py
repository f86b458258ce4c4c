"""Land fraction: of fields that are given, and of the global mask against what is known of the Earth."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import xarray as xr

from climbench import land
from climbench.errors import DataError
from climbench.grids import cell_areas
from climbench.land import land_fraction
from climbench.metrics.base import area_mean
from tests.example_grids import gaussian, grid, regular, with_poles


def at(fraction, latitude, longitude):
    return float(fraction.sel(latitude=latitude, longitude=longitude % 360, method="nearest"))


# The global mask


@pytest.mark.parametrize("on", [regular(36), with_poles(96), gaussian(64)], ids=["regular", "poles", "gaussian"])
def test_three_tenths_of_the_earth_are_land(on):
    """29.2 % is the textbook number; coarse grids keep it, as the mask is averaged by area."""
    fraction = land_fraction(on)
    assert fraction.dims == ("latitude", "longitude")
    assert float(fraction.min()) >= 0.0
    assert float(fraction.max()) <= 1.0
    assert float(area_mean(fraction, cell_areas(on))) == pytest.approx(0.292, abs=0.005)


def test_where_land_is():
    fraction = land_fraction(grid(np.arange(-89.5, 90), np.arange(0.5, 360)))
    for name, latitude, longitude in (
        ("Sahara", 23.5, 10.5),
        ("Siberia", 62.5, 100.5),
        ("Amazon", -5.5, -60.5),
        ("Australia", -25.5, 134.5),
        ("Antarctica", -85.5, 60.5),
        ("Greenland", 72.5, -40.5),
    ):
        assert at(fraction, latitude, longitude) == pytest.approx(1.0), name
    for name, latitude, longitude in (
        ("Pacific", 0.5, -150.5),
        ("Atlantic", 30.5, -40.5),
        ("Indian Ocean", -20.5, 80.5),
        ("North Pole", 89.5, 0.5),
        ("Mediterranean", 34.5, 18.5),
    ):
        assert at(fraction, latitude, longitude) == pytest.approx(0.0, abs=1e-9), name
    coast = at(fraction, 40.5, -8.5)  # Portugal's
    assert 0.1 < coast < 0.9


def test_cells_of_a_coarser_grid_hold_what_their_parts_hold():
    fine, coarse = regular(180), regular(18)
    rows, parts = ((land_fraction(on) * cell_areas(on)).sum("longitude") for on in (coarse, fine))
    np.testing.assert_allclose(rows, parts.coarsen(latitude=10).sum(), rtol=1e-9)


def test_a_regional_grid_is_covered():
    iberia = grid([36.0, 38.0, 40.0, 42.0], [352.0, 354.0, 356.0, 358.0])
    assert float(land_fraction(iberia).mean()) > 0.6


def test_the_mask_is_kept_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIMBENCH_CACHE", str(tmp_path / "cache"))
    first = land._quarter_degree.__wrapped__()
    (kept,) = (tmp_path / "cache" / "land").iterdir()
    assert kept.suffix == ".npy"
    monkeypatch.setattr(land, "_averaged", lambda path: pytest.fail("the mask was read again"))
    assert land._quarter_degree.__wrapped__().equals(first)


@pytest.mark.parametrize("spoil", [lambda f: f.write_bytes(b"no array"), lambda f: np.save(f, np.zeros(3))])
def test_a_damaged_copy_is_made_again(tmp_path, monkeypatch, spoil):
    monkeypatch.setenv("CLIMBENCH_CACHE", str(tmp_path))
    whole = np.full((land.ROWS, land.COLUMNS), 0.25, "float32")
    monkeypatch.setattr(land, "_averaged", lambda path: whole)
    land._quarter_degree.__wrapped__()
    (kept,) = (tmp_path / "land").iterdir()
    spoil(kept)
    assert float(land._quarter_degree.__wrapped__().mean()) == 0.25
    assert np.load(kept).shape == whole.shape


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file where a folder should be")
    monkeypatch.setenv("CLIMBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(land, "_averaged", lambda path: np.zeros((land.ROWS, land.COLUMNS), "float32"))
    assert float(land._quarter_degree.__wrapped__().max()) == 0.0


def test_the_mask_is_averaged_by_area(tmp_path):
    """A mask that is sea north of each box's middle: north of the equator its northern half is the smaller one."""
    rows = np.tile(np.repeat([True, False], 15), land.ROWS)
    mask = np.broadcast_to(rows[:, None], (30 * land.ROWS, 30 * land.COLUMNS))
    header = {"descr": "|b1", "fortran_order": False, "shape": mask.shape}
    with (
        zipfile.ZipFile(tmp_path / "mask.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("mask.npy", "w", force_zip64=True) as file,
    ):
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, mask.shape[0], 300):
            file.write(mask[start : start + 300].tobytes())
    found = land._averaged(tmp_path / "mask.npz")
    south, middle, north = (np.sin(np.deg2rad(angle)) for angle in (60.0, 60.125, 60.25))
    box = 4 * (60 + 90)
    np.testing.assert_allclose(found[box], (middle - south) / (north - south), rtol=1e-5)
    assert found[box, 0] > 0.5


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(land, "PACKAGE", "no-such-package")
    with pytest.raises(DataError, match="pip install no-such-package, or give a field of land fraction"):
        land._quarter_degree.__wrapped__()


def test_the_mask_takes_little_memory(tmp_path):
    code = (
        "import resource, json, numpy as np, xarray as xr\n"
        "from climbench.land import land_fraction\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "land_fraction(xr.Dataset(coords={'latitude': np.arange(-85., 90, 10), 'longitude': np.arange(0., 360, 10)}))\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "import sys; print(json.dumps([after - before, 'global_land_mask' in sys.modules]))\n"
    )
    environment = {"CLIMBENCH_CACHE": str(tmp_path), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    kilobytes, imported = json.loads(done.stdout)
    assert kilobytes < 200_000
    assert imported is False


# A field that is given


def sftlf(values, on, **attrs):
    coords = {d: on[d] for d in ("latitude", "longitude")}
    return xr.DataArray(values, coords=coords, dims=("latitude", "longitude"), attrs=attrs)


@pytest.mark.parametrize(("factor", "attrs"), [(100.0, {"units": "%"}), (100.0, {}), (1.0, {"units": "1"}), (1.0, {})])
def test_a_field_is_read_in_per_cent_or_as_a_fraction(factor, attrs):
    on = regular(18)
    values = np.random.default_rng(0).random((18, 36))
    values[0, 0] = 1.0
    found = land_fraction(on, sftlf(factor * values, on, **attrs))
    np.testing.assert_allclose(found, values)
    assert found.attrs == {}


def test_a_field_of_one_per_cent_at_most_is_per_cent_where_it_says_so():
    on = regular(18)
    found = land_fraction(on, sftlf(np.full((18, 36), 1.0), on, units="%"))
    np.testing.assert_allclose(found, 0.01)


def test_a_field_on_another_grid_is_averaged_by_area():
    fine, coarse = regular(36), regular(18)
    values = sftlf(np.random.default_rng(1).random((36, 72)), fine, units="1")
    found = land_fraction(coarse, values)
    assert float(area_mean(found, cell_areas(coarse))) == pytest.approx(float(area_mean(values, cell_areas(fine))))
    assert found["latitude"].equals(coarse["latitude"])


def test_coordinates_that_differ_by_rounding_become_the_grids():
    on = regular(18)
    rounded = on.assign_coords(latitude=on["latitude"] + 1e-6)
    found = land_fraction(on, sftlf(np.full((18, 36), 0.5), rounded, units="1"))
    assert found["latitude"].equals(on["latitude"])


def test_the_order_of_dimensions_makes_no_difference():
    on = regular(18)
    field = sftlf(np.random.default_rng(2).random((18, 36)), on, units="1")
    turned = field.transpose("longitude", "latitude").expand_dims("time")
    xr.testing.assert_equal(land_fraction(on, turned), land_fraction(on, field))


def test_unusable_fields_are_refused():
    on = regular(18)
    with pytest.raises(DataError, match=r"between 0 and 1 in every cell; found 0\.5 to 3\."):
        land_fraction(on, sftlf(np.linspace(0.5, 3.0, 18 * 36).reshape(18, 36), on, units="1"))
    with pytest.raises(DataError, match="between 0 and 1 in every cell; found nan to nan"):
        land_fraction(on, sftlf(np.full((18, 36), np.nan), on))
    with pytest.raises(DataError, match="does not cover the grid"):
        land_fraction(on, sftlf(np.ones((18, 36)), on, units="1").isel(latitude=slice(9)))
    with pytest.raises(DataError, match="has the dimensions"):
        land_fraction(on, sftlf(np.ones((18, 36)), on).isel(latitude=0))
