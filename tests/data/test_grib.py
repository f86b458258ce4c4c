"""GRIB files of ERA5: read where cfgrib is installed, and one line that names the extra where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from climbench.data.grib import open_grib
from climbench.data.layouts import recognise
from climbench.data.readers.era5 import Era5Reader
from climbench.errors import DataError, MissingExtraError

LATITUDE, LONGITUDE = (90, -90), (0, 330)
STEP, ROWS, COLUMNS = 30, 7, 12


@pytest.fixture
def eccodes():
    pytest.importorskip("cfgrib", reason="reading GRIB needs the extra 'grib'")
    return pytest.importorskip("eccodes", reason="reading GRIB needs the extra 'grib'")


def message(eccodes, parameter, date, hour, value, level=None, step=None):
    """One field of one value everywhere, on a grid of 30 degrees from north to south."""
    handle = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib1" if level else "regular_ll_sfc_grib1")
    keys = {"Ni": COLUMNS, "Nj": ROWS, "paramId": parameter, "dataDate": date, "dataTime": hour * 100}
    first, last = "OfFirstGridPointInDegrees", "OfLastGridPointInDegrees"
    keys |= {"latitude" + first: LATITUDE[0], "latitude" + last: LATITUDE[1], "longitude" + first: LONGITUDE[0]}
    keys |= {
        "longitude" + last: LONGITUDE[1],
        "iDirectionIncrementInDegrees": STEP,
        "jDirectionIncrementInDegrees": STEP,
    }
    keys |= {"level": level} if level else {}
    keys |= {"stepType": "accum", "stepRange": f"{step - 1}-{step}"} if step else {}
    for key, content in keys.items():
        eccodes.codes_set(handle, key, content)
    eccodes.codes_set_values(handle, np.full(ROWS * COLUMNS, float(value)))
    return handle


def written(eccodes, path, messages):
    with path.open("wb") as file:
        for handle in messages:
            eccodes.codes_write(handle, file)
            eccodes.codes_release(handle)
    return path


@pytest.fixture
def era5_grib(eccodes, tmp_path):
    """Three hours of t2m, t on two levels, and precipitation from one forecast's steps."""
    messages = [message(eccodes, 167, 20200101, hour, 280 + hour) for hour in range(3)]
    messages += [message(eccodes, 130, 20200101, h, 250 + h + lv / 1000, lv) for h in range(3) for lv in (500, 850)]
    messages += [message(eccodes, 228, 20191231, 18, (step - 5) * 1e-3, step=step) for step in (6, 7, 8)]
    return written(eccodes, tmp_path / "era5.grib", messages)


def test_what_a_grib_file_holds_is_joined(era5_grib):
    assert recognise(era5_grib) == "era5"
    data = Era5Reader(era5_grib).open()
    assert set(data) == {"2m_temperature", "temperature", "total_precipitation"}
    np.testing.assert_array_equal(data["time"], pd.date_range("2020-01-01", periods=3, freq="h"))
    np.testing.assert_array_equal(data["level"], [500, 850])
    np.testing.assert_allclose(data["2m_temperature"][:, 0, 0], [280.0, 281.0, 282.0])
    np.testing.assert_allclose(data["temperature"][1, :, 0, 0], [251.5, 251.85], rtol=1e-6)
    np.testing.assert_allclose(data["total_precipitation"][:, 0, 0], [1e-3, 2e-3, 3e-3], rtol=1e-4)
    assert (np.diff(data["latitude"]) > 0).all()


def test_no_index_is_left_beside_a_grib_file(era5_grib):
    Era5Reader(era5_grib).open()
    assert [path.name for path in era5_grib.parent.iterdir()] == ["era5.grib"]


def test_a_grib_file_cut_short_is_refused(era5_grib):
    era5_grib.write_bytes(era5_grib.read_bytes()[:400])
    with pytest.raises(DataError, match=r"era5\.grib (cannot be opened|has no messages)"):
        open_grib(era5_grib)


def test_without_cfgrib_one_line_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (tmp_path / "a.grib").write_bytes(b"GRIB")
    with pytest.raises(MissingExtraError, match=r"a\.grib needs packages.*pip install 'climbench\[grib\]'"):
        Era5Reader(tmp_path / "a.grib").open()
