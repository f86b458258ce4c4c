"""How long a classic netCDF file must be, against files the netCDF library itself wrote."""

from __future__ import annotations

import contextlib

import netCDF4
import numpy as np
import pytest

from climbench.data.classic_netcdf import expected_size

FORMS = ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]


def written(path, form, *, unlimited=False, kinds=("f8",), steps=5):
    """Write a file whose variables end in every way: odd lengths, attributes, names of all lengths."""
    with netCDF4.Dataset(path, "w", format=form) as file:
        file.title = "odd"
        file.numbers = np.arange(3, dtype="i2")
        file.createDimension("time", None if unlimited else steps)
        file.createDimension("x", 3)
        file.createVariable("x", "f4", ("x",))[:] = np.arange(3)
        file.createVariable("alone", "i1", ())[:] = 1
        for n, kind in enumerate(kinds):
            variable = file.createVariable("v" * (n + 1), kind, ("time", "x"))
            variable.units = "K"
            variable[:] = np.ones((steps, 3))
    return path


@pytest.mark.parametrize("kinds", [("f8",), ("i1",), ("i2",), ("f4", "i1"), ("i1", "i2", "f8")])
@pytest.mark.parametrize("unlimited", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_the_size_is_the_files_but_for_padding(tmp_path, form, unlimited, kinds):
    path = written(tmp_path / "file.nc", form, unlimited=unlimited, kinds=kinds)
    assert 0 <= path.stat().st_size - expected_size(path) < 4


@pytest.mark.parametrize("form", FORMS)
def test_without_a_record_only_the_fixed_variables_count(tmp_path, form):
    path = written(tmp_path / "file.nc", form, unlimited=True, steps=0)
    assert expected_size(path) <= path.stat().st_size


def test_a_type_of_64_bit_integers_counts(tmp_path):
    path = written(tmp_path / "file.nc", "NETCDF3_64BIT_DATA", kinds=("i8", "u2", "u8"))
    assert 0 <= path.stat().st_size - expected_size(path) < 4


@pytest.mark.parametrize("form", FORMS)
def test_a_header_cut_short_makes_no_sense(tmp_path, form):
    path = written(tmp_path / "file.nc", form)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match="ends within its header"):
        expected_size(path)


@pytest.mark.parametrize("content", [b"", b"CDF", b"CDF\x03....", b"\x89HDF\r\n\x1a\n", b"hello"])
def test_other_files_are_none_of_its_business(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert expected_size(tmp_path / "file") is None


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_header_is_read_to_its_end_at_most(tmp_path, form):
    """Counts of 2**32 and more must neither take memory nor time."""
    path = written(tmp_path / "file.nc", form)
    content = path.read_bytes()
    for place in range(4, 200, 4):
        path.write_bytes(content[:place] + b"\xff\xff\xff\xf0" + content[place + 4 :])
        with contextlib.suppress(ValueError):
            assert expected_size(path) > 0
