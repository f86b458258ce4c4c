"""Persistence and climatology: what they forecast, that they know only the training years, and real pressure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import climbench
from climbench.data.climatology import climatology
from climbench.errors import DataError, ModelError
from climbench.models.climatology import Climatology, ProbabilisticClimatology
from climbench.models.persistence import Persistence

LEADS = (np.array([1, 2, 5]) * np.timedelta64(24, "h")).astype("timedelta64[ns]")
GRID = {"latitude": [30.0, 40.0], "longitude": [0.0, 10.0, 20.0]}


def series(start, end, seed=0):
    times = pd.date_range(start, end, freq="24h")
    values = np.random.default_rng(seed).normal(1e5, 800.0, (times.size, 2, 3)).astype("float32")
    return xr.Dataset({"psl": (("time", *GRID), values, {"units": "Pa"})}, {"time": times, **GRID})


def states(data, inits):
    picked = data.sel(time=inits).rename(time="init_time")
    return picked.expand_dims(history=np.array([0], "timedelta64[ns]"), axis=1)


@pytest.fixture(scope="module")
def train():
    return series("2001-01-01", "2004-12-31")


@pytest.fixture(scope="module")
def test():
    return series("2006-01-01", "2006-12-31", seed=1)


def test_persistence_forecasts_what_it_was_given(test):
    inits = test["time"].values[[3, 40]]
    found = Persistence().predict(states(test, inits), leads=LEADS, seed=0)["psl"]
    assert found.dims == ("init_time", "lead_time", "latitude", "longitude")
    for n in range(3):
        np.testing.assert_array_equal(found.isel(lead_time=n), test["psl"].sel(time=inits))


def test_climatology_forecasts_the_training_mean_of_the_valid_day(train, test):
    model = Climatology()
    model.fit({"train": train}, None, seed=0)
    inits = test["time"].values[[3, 362]]  # the second reaches over the turn of the year
    found = model.predict(states(test, inits), leads=LEADS, seed=0)["psl"]
    made = climatology(train)["psl"].isel(hour=0)
    for i, init in enumerate(inits):
        for n, lead in enumerate(LEADS):
            day = pd.Timestamp(init + lead).day_of_year
            np.testing.assert_array_equal(found[i, n], made.sel(dayofyear=day))
    assert model.parameters == 366 * 6


def test_climatology_sees_no_other_years(train, test):
    one, other = Climatology(), Climatology()
    one.fit({"train": train}, None, seed=0)
    other.fit({"train": train}, {"validation": test}, seed=1)
    xr.testing.assert_identical(one.fields, other.fields)


def test_two_training_periods_are_one(train):
    whole, parts = Climatology(), Climatology()
    whole.fit({"train": train}, None, seed=0)
    cut = {"late": train.sel(time=slice("2003", "2004")), "early": train.sel(time=slice("2001", "2002"))}
    parts.fit(cut, None, seed=0)
    xr.testing.assert_allclose(whole.fields, parts.fields)


def test_members_of_the_probabilistic_climatology_are_training_years(train, test):
    model = ProbabilisticClimatology()
    model.fit({"train": train}, None, seed=0)
    inits = test["time"].values[[3, 200]]
    found = model.predict(states(test, inits), leads=LEADS, members=3, seed=0)["psl"]
    assert found["member"].values.tolist() == [2002, 2003, 2004]
    valid = pd.Timestamp(inits[1] + LEADS[2])
    own = train["psl"].sel(time=f"2003-{valid.month:02d}-{valid.day:02d}")
    # by day of the year: in 2003 as in 2006 there is no 29 February
    np.testing.assert_array_equal(found.sel(member=2003)[1, 2], own)


@pytest.mark.parametrize("made", [Persistence, Climatology, ProbabilisticClimatology])
def test_saved_and_loaded_they_forecast_the_same(made, train, test, tmp_path):
    model = made()
    model.fit({"train": train}, None, seed=0)
    model.save(tmp_path / "kept")
    given = states(test, test["time"].values[[3, 40]])
    members = 2 if made is ProbabilisticClimatology else 1
    one, other = (m.predict(given, leads=LEADS, members=members, seed=0) for m in (model, made.load(tmp_path / "kept")))
    np.testing.assert_array_equal(one["psl"], other["psl"])


def test_a_climatology_that_was_not_fitted_says_so(test, tmp_path):
    with pytest.raises(ModelError, match="not fitted"):
        Climatology().predict(states(test, test["time"].values[:1]), leads=LEADS, seed=0)
    with pytest.raises(ModelError, match="not fitted"):
        Climatology().save(tmp_path)


@pytest.fixture(scope="module")
def pressure(shared_data, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLIMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        out = tmp_path_factory.mktemp("slp") / "run"
        return climbench.run("regional-slp", data=shared_data / "ncep", out=out)


def test_real_pressure_over_the_north_atlantic(pressure):
    """The data's own README gives 643 Pa for persistence and 907 to 938 Pa for climatology at day 1."""
    table = pressure.scores.set_index(["model", "metric", "lead_time"])["value"]
    assert table["persistence", "rmse", 24.0] == pytest.approx(643.0, rel=0.005)
    assert 907.0 <= table["climatology", "rmse", 24.0] <= 938.0
    assert table["persistence", "rmse", 24.0] < table["climatology", "rmse", 24.0]
    assert table["persistence", "rmse", 240.0] > table["climatology", "rmse", 240.0]
    # far apart, two states differ by the root of two times one's deviation from the climatology
    assert table["persistence", "rmse", 240.0] / table["climatology", "rmse", 240.0] == pytest.approx(2**0.5, rel=0.06)
    assert pressure.modified is False
    assert pressure.data.kind == "real"


def test_forecasts_are_kept_in_weatherbenchs_layout(pressure):
    kept = pressure.predictions["persistence"]
    assert kept["psl"].dims == ("time", "prediction_timedelta", "latitude", "longitude")
    assert kept["psl"].attrs["units"] == "Pa"
    assert kept.sizes["prediction_timedelta"] == 10


def test_only_whole_years_are_members_and_none_is_given_twice(train, test):
    model = ProbabilisticClimatology()
    model.fit({"train": train.sel(time=slice("2001-02-01", None)).drop_sel(time="2003-06-01")}, seed=0)
    found = model.predict(states(test, test["time"].values[[3]]), leads=LEADS, members=10, seed=0)["psl"]
    assert found["member"].values.tolist() == [2002, 2004]
    model.fit({"train": train.sel(time=slice("2001-02-01", "2001-11-30"))}, seed=0)
    with pytest.raises(ModelError, match="No training year is whole"):
        model.predict(states(test, test["time"].values[[3]]), leads=LEADS, members=10, seed=0)


def test_on_day_366_years_without_one_give_their_day_365(train):
    model = ProbabilisticClimatology()
    model.fit({"train": train}, seed=0)
    leap = series("2008-12-20", "2008-12-31", seed=2)
    given = states(leap, leap["time"].values[[-2]])  # 30 December of a leap year is day 365, and the next day 366
    found = model.predict(given, leads=LEADS[:1], members=4, seed=0)["psl"].isel(init_time=0, lead_time=0)
    for year in (2001, 2002, 2003, 2004):
        np.testing.assert_array_equal(found.sel(member=year), train["psl"].sel(time=f"{year}-12-31"))


def test_an_hour_that_was_not_trained_on_is_refused(train, test):
    given = states(test, test["time"].values[[3]])
    for model, error in ((Climatology(), DataError), (ProbabilisticClimatology(), ModelError)):
        model.fit({"train": train}, seed=0)
        with pytest.raises(error, match=r"for 2006-01-04.06|2006-01-04T06"):
            model.predict(given, leads=np.array([6], "timedelta64[h]"), members=2, seed=0)


def test_persistence_takes_the_state_at_lag_zero_of_a_history(test):
    given = states(test, test["time"].values[[3]])
    before = given.assign(psl=given["psl"] - 7.0).assign_coords(history=np.array([-24], "timedelta64[h]"))
    both = xr.concat([before, given], "history")
    found = Persistence().predict(both, leads=LEADS, seed=0)["psl"]
    np.testing.assert_array_equal(found[0, 2], test["psl"][3])
    with pytest.raises(ModelError, match="no state at the initial time"):
        Persistence().predict(before, leads=LEADS, seed=0)
