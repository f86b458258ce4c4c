"""WeatherBench's climatology against a slow loop written apart, and where its values can be told by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data.climatology import at_valid_times, climatology, period_in_name, period_of
from climbench.data.climatology_store import write_climatology
from climbench.errors import DataError

NAME = "2m_temperature"
RAIN = "total_precipitation_24hr"
GRID = {"latitude": [-30.0, 30.0], "longitude": [0.0, 90.0, 180.0]}


def series(start, end, freq="12h", name=NAME, seed=0, scale=5.0):
    times = pd.date_range(start, end, freq=freq)
    values = np.random.default_rng(seed).normal(280.0, scale, (times.size, 2, 3))
    return xr.Dataset({name: (("time", *GRID), values.astype("float32"))}, {"time": times, **GRID})


def pool(data, name, hour, day):
    """All values and weights that count for a day of the year (1 to 366), by walking through the series."""
    found = []
    for n, time in enumerate(pd.DatetimeIndex(data["time"].values)):
        if time.hour != hour:
            continue
        days = [time.day_of_year]
        if time.day_of_year == 365 and not time.is_leap_year:
            days.append(366)
        for own in days:
            apart = min(abs(own - day), 366 - abs(own - day))
            if apart <= 30:
                found.append((data[name].values[n].astype("float64"), 1.0 - apart / 30.0))
    values, weights = zip(*found, strict=True)
    return np.stack(values), np.array(weights)


@pytest.fixture(scope="module")
def three_years():
    return series("2001-01-01T00", "2004-12-31T12")  # 2004 is a leap year


@pytest.mark.parametrize("hour", [0, 12])
@pytest.mark.parametrize("day", [1, 15, 60, 200, 365, 366])
def test_means_and_deviations_are_those_of_the_weighted_pool(three_years, hour, day):
    made = climatology(three_years, statistics=("mean", "std"))
    values, weights = pool(three_years, NAME, hour, day)
    mean = np.average(values, axis=0, weights=weights)
    deviation = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    at = {"hour": hour, "dayofyear": day}
    np.testing.assert_allclose(made[NAME].sel(at), mean, rtol=1e-6)
    np.testing.assert_allclose(made[f"{NAME}_std"].sel(at), deviation, rtol=1e-5)


def test_layout_and_attributes_are_weatherbenchs(three_years):
    made = climatology(three_years)
    assert made[NAME].dims == ("hour", "dayofyear", "latitude", "longitude")
    assert made["hour"].values.tolist() == [0, 12]
    assert made["dayofyear"].values.tolist() == list(range(1, 367))
    assert period_of(made) == (np.datetime64("2001-01-01T00:00:00"), np.datetime64("2004-12-31T12:00:00"))


def test_a_constant_has_no_spread_and_is_its_own_quantile():
    data = series("2001-01-01", "2002-12-31", freq="24h") * 0.0 + 7.0
    made = climatology(data, statistics=("mean", "std", "quantile"), quantiles=(0.1, 0.9))
    assert (made[NAME] == 7.0).all()
    assert (made[f"{NAME}_std"] == 0.0).all()
    assert (made[f"{NAME}_quantile"] == 7.0).all()


def test_a_slow_wave_is_damped_as_the_window_damps_it():
    """A triangle of half-width 30 multiplies a wave of one period a year by (sin(x) / x)^2, x = 30 pi / 365.25."""
    data = series("2001-01-01", "2008-12-31", freq="24h") * 0.0
    phase = 2 * np.pi * (data["time"].dt.dayofyear - 1) / 365.0
    made = climatology(data + np.cos(phase))[NAME].isel(hour=0, latitude=0, longitude=0)
    x = 30 * np.pi / 365.25
    assert float(made.sel(dayofyear=1)) == pytest.approx((np.sin(x) / x) ** 2, abs=2e-3)
    assert float(made.sel(dayofyear=183)) == pytest.approx(-((np.sin(x) / x) ** 2), abs=2e-3)


def test_quantiles_of_equal_weights_are_the_usual_ones():
    """With a window of three days only the middle one has weight: the median over years of that day."""
    data = series("2001-01-01", "2011-12-31", freq="24h")
    made = climatology(data, statistics=("quantile",), quantiles=(0.25, 0.5), window=3)
    by_year = data[NAME].where(data["time"].dt.dayofyear == 100, drop=True)
    for q in (0.25, 0.5):
        wanted = np.quantile(by_year.values.astype("float64"), q, axis=0)
        found = made[f"{NAME}_quantile"].isel(hour=0).sel(dayofyear=100, quantile=q)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_seeps_counts_dry_days_alike_and_weighs_wet_ones():
    rng = np.random.default_rng(3)
    data = series("2001-01-01", "2010-12-31", freq="24h", name=RAIN)
    rain = rng.gamma(0.5, 4e-3, data[RAIN].shape) * (rng.random(data[RAIN].shape) < 0.6)
    data[RAIN] = data[RAIN].copy(data=rain.astype("float32")).assign_attrs(units="m")
    made = climatology(data, statistics=("seeps",)).isel(hour=0)
    values, weights = pool(data, RAIN, 0, 100)
    dry = values < 0.25e-3
    np.testing.assert_allclose(made[f"{RAIN}_seeps_dry_fraction"].sel(dayofyear=100), dry.mean(axis=0), rtol=1e-6)
    for cell in np.ndindex(2, 3):
        wet = ~dry[:, *cell]
        value, weight = values[wet][:, *cell], weights[wet]
        order = np.argsort(value)
        share = (np.cumsum(weight[order]) - 0.5 * weight[order]) / weight.sum()
        wanted = np.interp(2 / 3, share, value[order])
        found = float(made[f"{RAIN}_seeps_threshold"].sel(dayofyear=100)[cell])
        assert found == pytest.approx(wanted, rel=0.05)  # definitions of a weighted quantile differ by a value or so


def test_incomplete_years_and_missing_values_have_no_weight():
    whole = series("2001-01-01", "2003-12-31", freq="24h", seed=4)
    part = whole.sel(time=slice("2001-06-10", "2003-03-05"))
    part[NAME][5, 0, 0] = np.nan
    made = climatology(part)[NAME].isel(hour=0)
    values, weights = pool(part, NAME, 0, 170)
    there = ~np.isnan(values[:, 0, 0])
    assert float(made.sel(dayofyear=170)[0, 0]) == pytest.approx(
        np.average(values[there, 0, 0], weights=weights[there]), rel=1e-6
    )
    empty = climatology(whole.sel(time=slice("2001-03-01", "2001-04-30")))[NAME].isel(hour=0)
    assert np.isnan(empty.sel(dayofyear=250)).all()


def test_bands_and_levels_make_no_difference():
    data = series("2001-01-01", "2002-12-31", freq="24h")
    levels = xr.concat([data[NAME], data[NAME] + 10.0], xr.DataArray([500, 850], dims="level", name="level"))
    narrow = climatology(levels.to_dataset(name="temperature"), memory=1)
    for level, more in ((500, 0.0), (850, 10.0)):
        wanted = climatology(data)[NAME] + more
        np.testing.assert_allclose(narrow["temperature"].sel(level=level), wanted, rtol=1e-6)


def test_fields_for_valid_times_go_by_hour_and_date(three_years):
    made = climatology(three_years)
    times = np.array(["2003-03-01T12", "2004-03-01T00", "2004-12-31T00"], "datetime64[ns]")
    found = at_valid_times(made, times)[NAME]
    for n, (hour, day) in enumerate([(12, 60), (0, 61), (0, 366)]):
        xr.testing.assert_equal(found.isel(time=n, drop=True), made[NAME].sel(hour=hour, dayofyear=day, drop=True))
    with pytest.raises(DataError, match=r"no field for 2003-03-01.*hour is 0, 12, and 6 is wanted"):
        at_valid_times(made, np.array(["2003-03-01T06"], "datetime64[ns]"))


@pytest.mark.parametrize(
    ("name", "years"),
    [
        ("1990-2019_6h_64x32_equiangular_conservative.zarr", ("1990-01-01T00:00:00", "2019-12-31T23:59:59")),
        (
            "gs://weatherbench2/datasets/era5-hourly-climatology/1990-2017_6h_1440x721.zarr",
            ("1990-01-01", "2017-12-31T23:59:59"),
        ),
        ("climatology.zarr", None),
        ("1440-721.zarr", None),
    ],
)
def test_years_in_the_name_of_a_store(name, years):
    assert period_in_name(name) == (years and tuple(np.datetime64(y, "s") for y in years))


def test_a_store_of_unknown_period_says_nothing(three_years):
    bare = climatology(three_years).drop_attrs()
    assert period_of(bare) is None
    assert period_of(bare, "1990-2019_6h.zarr")[0] == np.datetime64("1990-01-01T00:00:00")


def test_it_is_written_whole_and_once(three_years, tmp_path):
    store = write_climatology(three_years, tmp_path / "climatology.zarr")
    kept = xr.open_zarr(store, chunks=None)
    xr.testing.assert_equal(kept[NAME].load(), climatology(three_years)[NAME])
    assert [path.name for path in tmp_path.iterdir()] == ["climatology.zarr"]
    with pytest.raises(DataError, match="exists already"):
        write_climatology(three_years, store)


def test_nothing_is_left_where_it_cannot_be_made(three_years, tmp_path):
    with pytest.raises(DataError, match=r"no variable '2m_temperatur'.*Did you mean"):
        write_climatology(three_years, tmp_path / "climatology.zarr", variables=["2m_temperatur"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.assign_coords(time=d["time"] + np.timedelta64(30, "m")), "full hour"),
        (lambda d: xr.concat([d, d.isel(time=[3])], "time"), "repeats"),
        (lambda d: d.expand_dims(member=2), "dimension 'member' too"),
        (lambda d: d.rename(time="when"), "no variable of dimensions"),
    ],
)
def test_series_that_no_climatology_can_be_made_of(three_years, change, message):
    with pytest.raises(DataError, match=message):
        climatology(change(three_years))


def test_rain_in_millimetres_is_refused_for_seeps():
    data = series("2001-01-01", "2002-12-31", freq="24h", name=RAIN)
    data[RAIN].attrs["units"] = "mm"
    with pytest.raises(DataError, match="in metres"):
        climatology(data, statistics=("seeps",))
