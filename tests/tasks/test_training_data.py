"""Members to means: what is refused, what is noted, and means worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.tasks.training_data import (
    common_years,
    ensemble_mean,
    on_one_grid,
    present_members,
    refuse_empty,
    usable_members,
)

NAN, INF = np.nan, np.inf


def field(values, years=(1850, 1851)):
    """Members in rows, years in columns; one cell, unless there are more dimensions."""
    values = np.asarray(values, "float64")
    values = values.reshape(*values.shape[:2], 1, -1)
    coords = {
        "member": np.arange(1, len(values) + 1),
        "time": list(years),
        "latitude": [0.0],
        "longitude": np.arange(values.shape[3]) * 10.0,
    }
    return xr.DataArray(values, coords=coords, dims=tuple(coords))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[NAN, NAN], [NAN, NAN]], "^The field is NaN throughout; it cannot be used. Look at the file"),
        ([[0.0, 0.0], [0.0, 0.0]], "^The field is zero throughout; it cannot be used"),
        ([[0.0, NAN], [0.0, 0.0]], "^The field is zero throughout; it cannot be used"),
        ([[NAN, NAN], [0.0, 0.0]], "^The field is zero throughout in member 2; it cannot be used"),
        ([[1.0, 2.0], [0.0, 0.0]], "^The field is zero throughout in member 2; it cannot be used"),
        ([[1.0, INF], [-INF, 2.0]], "^The field has 2 infinite values; it cannot be used"),
    ],
)
def test_empty_fields_are_refused_as_target_and_in_training(values, message):
    with pytest.raises(DataError, match=message):
        usable_members(field(values), "The field", "mask", print)
    with pytest.raises(DataError, match=message):
        ensemble_mean(field(values), "The field", print)


@pytest.mark.parametrize("values", [[[0.0, 1.0], [1.0, 0.0]], [[NAN, NAN], [1.0, 0.0]], [[NAN, 1.0], [0.0, -1.0]]])
def test_some_zeros_and_gaps_are_no_empty_field(values):
    refuse_empty(field(values), "The field")


def test_complete_members_pass_without_a_word():
    notes = []
    whole = field([[1.0, 2.0], [3.0, 4.0]])
    assert usable_members(whole, "tas", "error", notes.append) is whole
    assert notes == []


def test_a_member_without_the_variable_is_noted_and_left_out():
    notes = []
    target = usable_members(field([[NAN, NAN], [1.0, 2.0], [3.0, 5.0]]), "pr", "error", notes.append)
    assert notes == ["pr: no values in member 1; the mean is over the other members"]
    assert list(target["member"].values) == [1, 2, 3]
    assert list(present_members(target)["member"].values) == [2, 3]
    assert present_members(target[1:]) is not target
    xr.testing.assert_identical(present_members(target[1:]), target[1:])


def test_missing_values_here_and_there_are_an_error_that_names_member_and_number():
    broken = field([[1.0, NAN], [1.0, 2.0], [NAN, 5.0]])
    with pytest.raises(DataError) as error:
        usable_members(broken, "The target ssp245: pr", "error", lambda _: None)
    message = str(error.value)
    assert message.startswith("The target ssp245: pr has 2 missing values in member 1, 3. ")
    assert "--set test.members=[...]" in message
    assert "--set nan=mask" in message


def test_missing_values_can_be_left_for_the_scores_to_mask():
    notes = []
    broken = field([[1.0, NAN], [1.0, 2.0], [NAN, NAN]])
    xr.testing.assert_identical(usable_members(broken, "pr", "mask", notes.append), broken)
    assert notes == [
        "pr: no values in member 3; the mean is over the other members",
        "pr: 1 missing values; cells with any are left out of the scores",
    ]


def test_the_mean_is_over_the_members_that_are_there():
    notes = []
    mean = ensemble_mean(field([[1.0, 1.0], [NAN, 4.0], [4.0, 7.0]]), "historical: pr", notes.append)
    np.testing.assert_array_equal(mean.values.ravel(), [2.5, 4.0])
    assert notes == ["historical: pr: member 2 has gaps; the mean is over the members that are there"]


def test_a_whole_ensemble_is_averaged_in_double_precision_and_without_a_note():
    notes = []
    single = field([[1.0, 2.0], [1.0, 2.0], [1.0 + 2.0**-23, 2.0]]).astype("float32")
    mean = ensemble_mean(single, "tas", notes.append)
    assert mean.dtype == "float64"
    assert mean.values.ravel()[0] == pytest.approx(1.0 + 2.0**-23 / 3.0, rel=1e-15)
    assert notes == []


def test_years_that_no_member_has_are_named():
    with pytest.raises(DataError, match=r"^ssp126: tas has missing values in every member in 1 years, first 1851\.$"):
        ensemble_mean(field([[1.0, NAN], [2.0, NAN]]), "ssp126: tas", lambda _: None)


def test_one_cell_that_no_member_has_is_enough():
    values = np.ones((2, 2, 3))
    values[:, 0, 2] = NAN
    with pytest.raises(DataError, match=r"in every member in 1 years, first 1850"):
        ensemble_mean(field(values), "ssp126: tas", lambda _: None)


def years(*labels):
    return xr.Dataset(coords={"time": list(labels)})


def test_inputs_that_run_longer_are_cut_with_a_note():
    notes = []
    found = common_years(years(2015, 2016, 2017), years(2015, 2016), "ssp126", notes.append)
    np.testing.assert_array_equal(found, [2015, 2016])
    assert notes == ["ssp126: inputs have 1 year that outputs lack (2017), unused"]
    notes.clear()
    common_years(years(*range(2010, 2020)), years(2015, 2016), "ssp126", notes.append)
    assert notes == ["ssp126: inputs have 8 years that outputs lack (2010, 2011, 2012 ...), unused"]


@pytest.mark.parametrize(
    ("forcing", "lacking", "first"),
    [((2015, 2017), 1, 2016), ((2015, 2016), 1, 2017), ((2016, 2017), 1, 2015), ((1850, 1851), 3, 2015)],
)
def test_outputs_without_inputs_are_refused_not_cut(forcing, lacking, first):
    with pytest.raises(DataError) as error:
        common_years(years(*forcing), years(2015, 2016, 2017), "ssp126", lambda _: None)
    assert "outputs have the years 2015..2017, but inputs only" in str(error.value)
    assert f"{lacking} are missing, first {first}" in str(error.value)


def grid(shift=0.0, rows=4):
    latitude = np.linspace(-60.0, 60.0, rows) + shift
    return xr.Dataset(coords={"latitude": latitude, "longitude": [0.0, 120.0, 240.0]})


def test_scenarios_on_one_grid_get_exactly_the_coordinates_of_the_first():
    first = grid()
    assert on_one_grid(first, "ssp126", {}, tolerance=0.01) is first
    rounded = on_one_grid(grid(1e-5), "ssp585", {"ssp126": first}, tolerance=0.01)
    np.testing.assert_array_equal(rounded["latitude"], first["latitude"])


@pytest.mark.parametrize("other", [grid(40.0), grid(2.0), grid(rows=8)])
def test_scenarios_on_other_grids_are_refused(other):
    """A shift by a whole row shares rows with the first grid: arithmetic would go on with those alone."""
    with pytest.raises(DataError) as error:
        on_one_grid(other, "ssp585", {"ssp126": grid()}, tolerance=0.01)
    assert "The outputs of ssp585 lie on another grid than those of ssp126" in str(error.value)
    assert "4 x 3 (latitude -60..60" in str(error.value)
