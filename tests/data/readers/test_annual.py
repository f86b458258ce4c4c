"""Years made of months, and changes made of absolute values."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.data.readers.annual import annual_means, changes, mean_of_years
from climbench.errors import DataError
from tests.data.readers.cmip_files import months

LATITUDE = np.array([-45.0, 45.0])


def monthly(start, years, calendar="standard"):
    """Return a field whose value is the number of the month, 1 to 12, in every year; twice that in the north."""
    time = months(start, years, calendar)
    values = np.tile(np.arange(1.0, 13.0), years)[:, None] * np.array([1.0, 2.0])
    return xr.Dataset(
        {"tas": (("time", "latitude"), values.astype("f4"), {"units": "K"})},
        coords={"time": time, "latitude": LATITUDE},
    )


def test_months_count_by_their_lengths_in_their_own_calendar():
    """By hand: the sum of month number times its days, over 365, 366 and 360 days."""
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    leap = days + (np.arange(12) == 1)
    number = np.arange(1, 13)
    means = annual_means(monthly(2015, 2), "x")["tas"]
    assert means["time"].values.tolist() == [2015, 2016]
    np.testing.assert_allclose(means.sel(latitude=-45.0), [number @ days / 365, number @ leap / 366], rtol=1e-12)
    np.testing.assert_allclose(means.sel(latitude=45.0), 2.0 * means.sel(latitude=-45.0))
    assert float(annual_means(monthly(2016, 1, "noleap"), "x")["tas"][0, 0]) == pytest.approx(number @ days / 365)
    assert float(annual_means(monthly(2016, 1, "360_day"), "x")["tas"][0, 0]) == pytest.approx(6.5)


def test_months_count_the_same_where_that_is_asked_for():
    means = annual_means(monthly(2015, 1), "x", by_length=False)["tas"]
    np.testing.assert_allclose(means[0], [6.5, 13.0])
    assert means.attrs == {"units": "K"}


def test_lazy_months_give_lazy_years_of_the_same_values():
    lazy = annual_means(monthly(2015, 3).chunk(time=5), "x")
    assert lazy["tas"].chunks is not None
    xr.testing.assert_allclose(lazy.compute(), annual_means(monthly(2015, 3), "x"))


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (slice(0, 23), "1 years have other than twelve months, first 2016 with 11"),
        ([1, 0, *range(2, 24)], "the months are not in order"),
        ([0, 0, *range(2, 24)], "the months are not in order, or some are there twice"),
    ],
)
def test_years_that_are_not_whole_are_refused(places, message):
    with pytest.raises(DataError, match=f"tas of X: {message}"):
        annual_means(monthly(2015, 2).isel(time=places), "tas of X")


def absolute():
    values = np.arange(12.0).reshape(2, 3, 2)
    coords = {"member": [1, 2], "time": [2000, 2001, 2002], "latitude": LATITUDE}
    return xr.Dataset({"tas": (("member", "time", "latitude"), values)}, coords)


def test_a_reference_is_the_mean_over_its_years_and_members():
    mean = mean_of_years(absolute(), 2001, 2005)
    np.testing.assert_array_equal(mean["tas"], [(2 + 4 + 8 + 10) / 4, (3 + 5 + 9 + 11) / 4])
    assert mean_of_years(absolute(), 1850, 1900) is None


def test_changes_are_differences_on_the_same_grid_alone():
    data = absolute().expand_dims(longitude=[0.0, 180.0])
    reference = mean_of_years(data, 2000, 2000)
    changed = changes(data, reference, ["tas"])["tas"]
    assert changed.dims == data["tas"].dims
    np.testing.assert_array_equal(changed.isel(member=0, longitude=0), [[-3.0, -3.0], [-1.0, -1.0], [1.0, 1.0]])
    with pytest.raises(DataError, match="reference of tas lies on another latitude"):
        changes(data, reference.assign_coords(latitude=[-40.0, 40.0]), ["tas"])
