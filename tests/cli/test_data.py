"""``climbench data``: what is checked, made and refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tests.synthetic import outputs, write


def test_a_whole_data_set_has_no_problem(climbench, synthetic):
    done = climbench("data", "check", "climatebench", "--data", synthetic)
    assert (done.code, done.err) == (0, "")
    line = next(line for line in done.out.splitlines() if line.startswith("outputs_ssp245.nc"))
    for said in ("86 years 2015..2100", "3 members", "6 x 8 (latitude -75..75", "tas [K]", "pr90 [kg m-2 s-1]"):
        assert said in line
    assert any(line.startswith("no outputs of: ") and "piControl" in line for line in done.out.splitlines())


def test_every_problem_of_a_data_set_is_named(climbench, tmp_path):
    data = write(tmp_path / "data", ["ssp126", "ssp245", "ssp585"])
    outputs("ssp245").drop_vars("pr90").to_netcdf(data / "outputs_ssp245.nc")
    zero = outputs("ssp585")
    zero.assign(tas=zero["tas"] * 0.0, pr=zero["pr"] * np.nan).to_netcdf(data / "outputs_ssp585.nc")
    cut = data / "inputs_ssp126.nc"
    cut.write_bytes(cut.read_bytes()[:3000])
    done = climbench("data", "check", "climatebench", "--data", data)
    assert done.code == 2
    assert done.err.count("Error:") == 4
    for said in ("pr90", "tas is zero throughout", "pr is NaN throughout", "inputs_ssp126.nc"):
        assert said in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("make", "climatebench"), "nothing makes it. Run: climbench data pull climatebench"),
        (("pull", "mini-esm"), "no archive to pull from. Run: climbench data make mini-esm"),
        (("check", "climatebench"), "not on this machine"),
        (("check", "climatebench", "--data", "absent"), "There is no data folder absent"),
        (("make", "mini-esm", "--members", "0"), "--members"),
    ],
)
def test_what_cannot_be_done_says_what_can(climbench, arguments, said):
    done = climbench("data", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_folder_that_is_there_is_not_written_over(climbench, tmp_path):
    (tmp_path / "mine").mkdir()
    done = climbench("data", "make", "mini-esm", "--out", tmp_path / "mine")
    assert done.code == 2
    assert "exists already. Name another folder with --out." in done.err
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_made_data_set_is_marked_and_whole(climbench, tmp_path):
    done = climbench("data", "make", "mini-esm", "--members", 1, "--seed", 7, "--out", tmp_path / "made")
    assert done.code == 0
    assert done.out == f"mini-esm (simulated) is in {tmp_path / 'made'}\n"
    assert [p.name for p in tmp_path.iterdir()] == ["made"]
    with xr.open_dataset(tmp_path / "made" / "outputs_ssp245.nc") as data:
        assert '"seed": 7' in data.attrs["climbench_world"]
        assert data.sizes["member"] == 1
    assert climbench("data", "check", "mini-esm", "--data", tmp_path / "made").code == 0
