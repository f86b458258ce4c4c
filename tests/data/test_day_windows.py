"""Windows over days of the year and weighted quantiles, against xarray's and by hand."""

from __future__ import annotations

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data.climatology import STATISTICS, climatology
from climbench.data.day_windows import DAYS, CalendarDays, window_days, window_quantiles, window_weights
from climbench.errors import DataError

RAIN = "total_precipitation_24hr"
POOL = ("window", "year")


def by_recipe(series):
    """Return windows of years stacked by day, and weights, by the steps of WeatherBench 2's description with xarray."""
    years = []
    for year, one in series.groupby("time.year"):
        own = one.assign_coords(time=one["time"].dt.dayofyear.values).rename(time="dayofyear")
        own = own.reindex(dayofyear=np.arange(1, 367))
        if not pd.Timestamp(f"{year}-01-01").is_leap_year:
            own = xr.concat(
                [own.sel(dayofyear=slice(1, 365)), own.sel(dayofyear=[365]).assign_coords(dayofyear=[366])], "dayofyear"
            )
        years.append(own)
    padded = xr.concat(years, "year").pad(dayofyear=30, mode="wrap")
    windows = padded.rolling(dayofyear=61, center=True).construct("window").isel(dayofyear=slice(30, -30))
    half = np.linspace(0.0, 1.0, 31)
    weights = np.concatenate([half, half[-2::-1]])
    return windows, xr.DataArray(weights / weights.mean(), dims="window")


def gauges(start="2001-03-05", end="2004-10-01"):
    """Return rain of two hours a day that begins and ends within a year, half of it dry, some of it missing."""
    times = pd.date_range(start, end, freq="12h")
    rng = np.random.default_rng(8)
    rain = rng.gamma(0.5, 2e-3, (times.size, 2, 2)).astype("float32")
    rain[rng.random(rain.shape) < 0.02] = np.nan
    coords = {"time": times, "latitude": [0.0, 30.0], "longitude": [0.0, 90.0]}
    return xr.Dataset({RAIN: (tuple(coords), rain, {"units": "m"})}, coords)


@pytest.mark.parametrize("hour", [0, 12])
def test_every_statistic_is_that_of_the_recipe(hour):
    data, levels = gauges(), (0.1, 0.5, 0.99)
    made = climatology(data, statistics=STATISTICS, quantiles=levels).sel(hour=hour)
    windows, weights = by_recipe(data[RAIN].sel(time=data["time"].dt.hour == hour))
    weighted, dry = windows.weighted(weights), windows < 0.25e-3
    wanted = {
        "": weighted.mean(POOL),
        "_std": weighted.std(POOL),
        "_quantile": weighted.quantile(list(levels), dim=POOL),
        "_seeps_threshold": windows.where(~dry).weighted(weights).quantile(2 / 3, dim=POOL),
        "_seeps_dry_fraction": dry.where(windows.notnull()).mean(POOL),
    }
    for suffix, field in wanted.items():
        found = made[RAIN + suffix]
        np.testing.assert_allclose(found, field.transpose(*found.dims), rtol=2e-5, err_msg=suffix)


def test_weights_are_those_of_the_description():
    weights = window_weights()
    np.testing.assert_allclose(weights[100, 70:131] / 30.0, [*np.linspace(0, 1, 31), *np.linspace(1, 0, 31)[1:]])
    assert weights[100].sum() == 900.0  # 30 squared; so many thirtieths make a mean weight of one over 61 days
    np.testing.assert_array_equal(weights, weights.T)
    np.testing.assert_array_equal(weights[0, -3:], [27.0, 28.0, 29.0])  # the last days of a year are near the first
    assert window_days()[0].sum() == 61


@pytest.mark.parametrize("window", [60, 1, 367, 0, -61])
def test_a_window_without_a_middle_or_longer_than_a_year_is_refused(window):
    with pytest.raises(DataError, match=f"A window of {window} days"):
        window_weights(window)


@pytest.mark.parametrize("years", [1, 2, 40])
def test_quantiles_whatever_the_number_of_values(years):
    """From values that do not fill a block of the sorting to many blocks; q at both ends are the extremes."""
    rng = np.random.default_rng(years)
    values = rng.normal(size=(1, years, DAYS)).astype("float32")
    values[0, :, 200:280] = np.nan
    found = window_quantiles(values, (0.0, 0.3, 1.0), window=21)[:, :, 0]
    weights = xr.DataArray(window_weights(21), dims=("day", "own"))
    for day in (0, 100, 195, 365):
        pool = xr.DataArray(values[0], dims=("year", "own"))
        wanted = pool.weighted(weights[day]).quantile([0.0, 0.3, 1.0], dim=("year", "own"))
        np.testing.assert_allclose(found[:, day], wanted, rtol=1e-5, atol=1e-6)
    assert np.isnan(found[:, 240]).all()


def test_quantiles_of_large_equal_values_stay_exact():
    values = np.full((1, 30, DAYS), 54321.5, np.float32)
    np.testing.assert_array_equal(window_quantiles(values, (0.01, 0.5, 0.99)), np.float32(54321.5))


def test_day_366_of_years_without_one_is_their_day_365():
    days = CalendarDays.of(xr.DataArray(pd.date_range("2003-12-30", "2005-01-02"), dims="time"))
    assert days.day[:3].tolist() == [363, 364, 0]
    assert np.flatnonzero(days.twice).tolist() == [1]  # 31 December 2003; in 2004 it is day 366 itself
    assert days.day[days.year == 1].max() == 365


def test_dates_of_cftime_are_known_and_other_calendars_refused():
    dates = [cftime.DatetimeGregorian(2004, 2, 29, 6), cftime.DatetimeGregorian(2004, 3, 1, 6)]
    days = CalendarDays.of(xr.DataArray(dates, dims="time"))
    assert (days.day.tolist(), days.hours.tolist()) == ([59, 60], [6])
    no_leap = xr.DataArray([cftime.DatetimeNoLeap(2004, 2, 28), cftime.DatetimeNoLeap(2004, 3, 1)], dims="time")
    with pytest.raises(DataError, match="calendar 'noleap'"):
        CalendarDays.of(no_leap)


def test_a_month_of_real_hours_is_a_climatology_of_24_hours(shared_data):
    """Hourly temperature over Britain: each hour of the day is pooled by itself, and days far from March have none."""
    with xr.open_dataset(shared_data / "era5" / "era5_t2m_uk_hourly_2019-03.nc") as source:
        series = source[["t2m"]].isel(latitude=[3], longitude=[10, 20]).drop_attrs().load()
    made = climatology(series, statistics=("mean", "quantile"), quantiles=(0.9,))
    assert made["hour"].values.tolist() == list(range(24))
    windows, weights = by_recipe(series["t2m"].sel(time=series["time"].dt.hour == 15))
    march = slice(60, 90)
    wanted = windows.weighted(weights).mean(POOL).sel(dayofyear=march)
    np.testing.assert_allclose(made["t2m"].sel(hour=15, dayofyear=march), wanted, rtol=1e-6)
    afternoon, night = (made["t2m"].sel(hour=h, dayofyear=75).mean() for h in (15, 5))
    assert 1.0 < float(afternoon - night) < 10.0
    assert np.isnan(made["t2m"].sel(dayofyear=200)).all()
