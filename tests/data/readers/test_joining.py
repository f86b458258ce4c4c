"""Joining a variable's files in time, and variables side by side: what fits, and what is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.cards import find_dataset
from climbench.data.readers.joining import join_in_time, side_by_side
from climbench.data.stores import open_store
from climbench.errors import DataError
from tests.data.readers.cmip_files import LATITUDE, monthly, months


def piece(start, years, variable="tas", **options):
    return monthly(variable, start, years, **options)[[variable]].drop_vars("height")


def card(**keys):
    return find_dataset("cmip6-pangeo").model_copy(update=keys)


def test_files_are_joined_in_the_order_of_their_times_whatever_their_names():
    joined = join_in_time({"a.nc": piece(2010, 5), "b.nc": piece(2000, 10)}, "tas")
    np.testing.assert_array_equal(joined["time"], months(2000, 15))
    xr.testing.assert_equal(joined.load(), piece(2000, 15))


def test_joining_reads_no_values():
    pieces = {str(start): piece(start, 5).chunk({"time": 12}) for start in (2000, 2005)}
    joined = join_in_time(pieces, "tas")
    assert joined["tas"].chunks[0] == (12,) * 10


def test_attributes_that_all_files_share_are_kept():
    joined = join_in_time({"a": piece(2000, 1), "b": piece(2001, 1)}, "tas")
    assert joined.attrs["source_id"] == "Model-1"
    assert "creation_date" not in joined.attrs
    assert joined["tas"].attrs["units"] == "K"


def test_a_hole_between_files_stays_a_hole():
    joined = join_in_time({"a": piece(2000, 1), "b": piece(2003, 1)}, "tas")
    np.testing.assert_array_equal(joined["time"], np.concatenate([months(2000, 1), months(2003, 1)]))


def test_files_that_overlap_are_named_with_what_to_declare():
    pieces = {"a.nc": piece(2000, 5), "b.nc": piece(2003, 5)}
    with pytest.raises(
        DataError, match=r"tas: a\.nc and b\.nc overlap: 24 times .*first 2003-01-16.*duplicate_times: first"
    ):
        join_in_time(pieces, "tas")


def test_a_long_file_that_covers_two_others_is_seen():
    pieces = {"long.nc": piece(2000, 10), "b.nc": piece(2000, 2), "c.nc": piece(2008, 2)}
    with pytest.raises(DataError, match=r"overlap: 48 times"):
        join_in_time(pieces, "tas")


@pytest.mark.parametrize(("keep", "expected"), [("first", 1.0), ("last", 2.0)])
def test_an_overlap_that_is_declared_is_left_in_order_for_the_door(keep, expected):
    first, last = piece(2000, 2) * 0 + 1.0, piece(2001, 2) * 0 + 2.0
    joined = join_in_time({"a": first, "b": last}, "tas", card(duplicate_times=keep))
    assert (np.diff(joined["time"].values) >= np.timedelta64(0)).all()
    kept = joined.drop_duplicates("time", keep=keep)
    np.testing.assert_array_equal(kept["time"], months(2000, 3))
    assert (kept["tas"].sel(time="2001") == expected).all()


def test_disorder_inside_a_file_is_left_for_the_door_to_refuse():
    turned = piece(2001, 1).isel(time=slice(None, None, -1))
    joined = join_in_time({"a": piece(2000, 1), "b": turned}, "tas")
    assert not (np.diff(joined["time"].values) > np.timedelta64(0)).all()


def test_calendars_of_climate_models_are_joined():
    joined = join_in_time({n: piece(s, 1, calendar="360_day") for n, s in (("b", 1), ("a", 2))}, "tas")
    assert joined["time"].values.tolist() == [*months(1, 1, "360_day"), *months(2, 1, "360_day")]


def test_a_calendar_that_changes_from_file_to_file_is_refused():
    pieces = {"a.nc": piece(2000, 1, calendar="noleap"), "b.nc": piece(2001, 1, calendar="360_day")}
    with pytest.raises(DataError, match=r"calendar changes .*noleap in a\.nc, 360_day in b\.nc"):
        join_in_time(pieces, "tas")


def test_the_standard_calendar_is_joined_across_its_reform(tmp_path):
    """Before 1582 its dates are decoded as one type, after it as another."""
    pieces = {}
    for start in (1500, 1600):
        data = piece(start, 1).drop_vars("time").assign_coords(time=np.arange(12) * 30 + 365.25 * (start - 1500))
        data["time"].attrs = {"units": "days since 1500-01-01", "calendar": "standard"}
        data.to_netcdf(tmp_path / f"{start}.nc")
        pieces[str(start)] = open_store(tmp_path / f"{start}.nc")
    assert {p["time"].dtype.kind for p in pieces.values()} == {"O", "M"}
    joined = join_in_time(pieces, "tas")
    dates = [t.strftime("%Y-%m-%d") for t in joined["time"].values]
    # 36525 days after 1 January 1500 (Julian): ten days of 1582 were left out.
    assert (dates[0], dates[1], dates[12]) == ("1500-01-01", "1500-01-31", "1600-01-11")


def test_a_unit_that_changes_from_file_to_file_is_refused():
    other = piece(2001, 1)
    other["tas"].attrs["units"] = "degC"
    with pytest.raises(DataError, match=r"the unit of tas changes from file to file: K in a\.nc, degC in b\.nc"):
        join_in_time({"a.nc": piece(2000, 1), "b.nc": other}, "tas")


def test_a_grid_that_changes_from_file_to_file_is_refused_and_round_off_is_not():
    with pytest.raises(DataError, match=r"a and b differ in 'lat' \(3 values -45\.\.45 against 3 values -44\.\.46\)"):
        join_in_time({"a": piece(2000, 1), "b": piece(2001, 1, latitude=LATITUDE + 1)}, "tas")
    joined = join_in_time({"a": piece(2000, 1), "b": piece(2001, 1, latitude=LATITUDE + 1e-9)}, "tas")
    np.testing.assert_array_equal(joined["lat"], LATITUDE)


def test_two_files_without_a_time_are_refused():
    with pytest.raises(DataError, match=r"areacella: a\.nc has no times to join it by to b\.nc"):
        join_in_time(dict.fromkeys(("a.nc", "b.nc"), piece(2000, 1).isel(time=0, drop=True)), "areacella")


# Variables side by side


def test_variables_of_one_grid_stand_side_by_side():
    notes = []
    data = side_by_side({"tas": piece(2000, 2), "pr": piece(2000, 2, "pr", latitude=LATITUDE + 1e-9)}, "part", notes)
    assert list(data) == ["tas", "pr"]
    xr.testing.assert_equal(data["pr"].drop_vars("lat"), piece(2000, 2, "pr")["pr"].drop_vars("lat"))
    assert notes == []


def test_variables_that_cover_different_times_are_cut_to_what_all_cover():
    notes = []
    data = side_by_side({"tas": piece(2000, 5), "pr": piece(2003, 5, "pr")}, "part", notes)
    np.testing.assert_array_equal(data["time"], months(2003, 2))
    xr.testing.assert_equal(data[["tas"]].drop_attrs(), piece(2003, 2).drop_attrs())
    assert notes == ["part: cut to the times that all variables cover, 2003-01-16..2004-12-16"]


@pytest.mark.parametrize("other", [piece(2010, 2, "pr"), piece(2000, 2, "pr").isel(time=slice(None, None, 2))])
def test_variables_whose_times_do_not_fit_are_refused(other):
    with pytest.raises(
        DataError, match=r"differ in their times: tas 2000-01-16\.\.2001-12-16 \(24\), pr .*one at a time"
    ):
        side_by_side({"tas": piece(2000, 2), "pr": other}, "part", [])


def test_variables_on_other_points_of_a_curvilinear_grid_are_refused():
    """Ocean models give currents and temperatures on points that differ, along dimensions called the same."""
    points = np.arange(12.0).reshape(3, 4)
    cells = [
        xr.Dataset({name: (("j", "i"), points)}, coords={"latitude": (("j", "i"), points + shift)})
        for name, shift in (("thetao", 0.0), ("uo", 0.5))
    ]
    with pytest.raises(DataError, match=r"thetao and uo differ in 'latitude'"):
        side_by_side({"thetao": cells[0], "uo": cells[1]}, "part", [])


def test_fields_without_a_time_stand_beside_those_with_one():
    area = piece(2000, 1, "pr").isel(time=0, drop=True).rename(pr="areacella")
    data = side_by_side({"tas": piece(2000, 1), "areacella": area}, "part", [])
    assert data["areacella"].dims == ("lat", "lon")
    assert data.sizes["time"] == 12
