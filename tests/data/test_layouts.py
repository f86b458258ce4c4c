"""Which layout a place has."""

from __future__ import annotations

import pytest

from climbench.data import READERS
from climbench.data.layouts import recognise
from climbench.data.readers.base import Reader
from climbench.errors import DataError
from tests.data.readers.cmip_files import monthly


def test_every_reader_is_one_and_is_called_as_it_is_registered():
    for name in READERS.places:
        reader = READERS.load(name)
        assert issubclass(reader, Reader)
        assert reader.layout == name


def test_the_plain_layout_is_tried_last():
    assert list(READERS.places)[-1] == "plain"


@pytest.mark.parametrize(
    ("folder", "layout"),
    [
        ("climatebench-cesm2", "climatebench"),
        ("cmip6-access", "cmip6-drs"),
        ("cmip6-ipsl", "cmip6-drs"),
        ("cmip5-hadgem2-360day", "cmip6-drs"),
    ],
)
def test_real_data_is_recognised(shared_data, folder, layout):
    assert recognise(shared_data / folder) == layout


@pytest.mark.parametrize(
    ("path", "layout"),
    [
        ("interim/CMIP6/M/r1-r50i1p1f1/ssp126/tas/250_km/mon/2015-2100/ensemble.nc", "em-mpi"),
        ("raw/CMIP6/M/r1i1p1f1/piControl/tas/250_km/mon/1850/a.nc", "em-mpi"),
        ("outputs/CMIP6/M/r1i1p1f1/ssp126/tas/250_km/mon/2015/a.nc", "climateset"),
        ("inputs/input4mips/ssp126/BC_sum/250_km/mon/2015/a.nc", "climateset"),
        ("CMIP6/CMIP/C/M/historical/r1i1p1f1/Amon/tas/gn/v1/tas_Amon_M_historical_r1i1p1f1_gn.nc", "cmip6-drs"),
        ("outputs_ssp126.nc", "climatebench"),
    ],
)  # fmt: skip
def test_layouts_are_told_by_paths_alone(tmp_path, path, layout):
    place = tmp_path / "data" / path
    place.parent.mkdir(parents=True)
    place.write_bytes(b"")
    assert recognise(tmp_path / "data") == layout


def test_a_single_file_is_plain(tmp_path):
    monthly("tas", 2000, 1).to_netcdf(tmp_path / "tas_Amon_M_historical_r1i1p1f1_gn_200001-200012.nc")
    assert recognise(next(tmp_path.glob("*.nc"))) == "plain"


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match=r"There is no file or folder .*gone"):
        recognise(tmp_path / "gone")


def test_what_nobody_recognises_lists_the_layouts(tmp_path):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(
        DataError, match=r"not recognised\. Name it with --reader NAME, one of: climatebench, .*, plain\."
    ):
        recognise(tmp_path)
