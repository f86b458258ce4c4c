"""Damped persistence: the share of an anomaly that is left, by hand, by a known process and on real pressure."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import climbench
from climbench.data.climatology import at_valid_times, climatology
from climbench.errors import ModelError
from climbench.models.climatology import Climatology
from climbench.models.damped_persistence import DampedPersistence, anomaly_autocorrelation
from tests.models.forecast_states import leads, series_of, states

FADING = 0.8


@pytest.fixture(scope="module")
def red():
    """Eight years of a first-order autoregression about 1e5 Pa, in every cell for itself."""
    rng = np.random.default_rng(5)
    values = np.zeros((2922, 4, 8))
    for day in range(1, len(values)):
        values[day] = FADING * values[day - 1] + rng.standard_normal(values.shape[1:])
    return series_of(1e5 + 300.0 * values)


@pytest.fixture(scope="module")
def fitted(red):
    model = DampedPersistence()
    model.fit({"train": red}, seed=0)
    return model


def test_the_share_of_a_known_process_is_its_power_law(fitted):
    mean = fitted.correlation["psl"].mean(("latitude", "longitude"))
    assert mean["lag"].values.tolist() == [24.0 * n for n in range(16)]
    np.testing.assert_allclose(mean[:6], FADING ** np.arange(6), atol=0.03)


def test_a_forecast_is_climatology_and_the_share_of_the_anomaly(red, fitted):
    found = fitted.predict(states(red, [400, 1000]), leads=leads(1, 3, 15), seed=0)["psl"]
    assert found.dims == ("init_time", "lead_time", "latitude", "longitude")
    assert found.attrs["units"] == "Pa"
    usual, init = climatology(red), red["time"][1000]
    anomaly = red["psl"][1000] - at_valid_times(usual, init)["psl"]
    for place, days in enumerate((1, 3, 15)):
        valid = init + np.timedelta64(24 * days, "h")
        share = fitted.correlation["psl"].sel(lag=24.0 * days)
        wanted = at_valid_times(usual, valid)["psl"] + share * anomaly
        np.testing.assert_allclose(found[1, place], wanted, rtol=1e-6)


def test_shares_between_lags_are_linear_and_beyond_the_last_nothing_is_left(red):
    six = series_of(red["psl"].values, step="6h")
    model, usual, given = DampedPersistence(longest_days=3), Climatology(), states(six, [1000])
    model.fit({"train": six}, seed=0)
    assert model.correlation["lag"].values.tolist() == [0.0, 6.0, 12.0, 18.0, 24.0, 48.0, 72.0]
    usual.fields = model.fields
    when = leads(0, 36, 78, step="1h")
    found, normal = (m.predict(given, leads=when, seed=0)["psl"].isel(init_time=0) for m in (model, usual))
    left = found.values.astype("float64") - normal.values
    share = [model.correlation["psl"].sel(lag=hours).values for hours in (24.0, 48.0)]
    np.testing.assert_allclose(found[0], six["psl"][1000], rtol=1e-6)
    np.testing.assert_allclose(left[1], 0.5 * (share[0] + share[1]) * left[0], atol=0.1)
    np.testing.assert_array_equal(found[2], normal[2])


def test_pairs_across_gaps_and_missing_values_do_not_count(monkeypatch):
    """Against sums written out pair by pair, whatever the blocks the series is read in."""
    rng = np.random.default_rng(2)
    data = series_of(rng.standard_normal((900, 4, 8)).cumsum(axis=0)).isel(time=[*range(300), *range(310, 900)])
    data["psl"][50, 1, 2] = np.nan
    usual = climatology(data)
    anomaly = (data["psl"] - at_valid_times(usual, data["time"])["psl"])[:, 1, 2].to_series()
    lags = np.array([1, 4]) * np.timedelta64(24, "h")
    wanted = []
    for lag in lags:
        pairs = [(a, anomaly.get(t - lag, np.nan)) for t, a in anomaly.items()]
        now, before = np.array([p for p in pairs if np.isfinite(p).all()], "float64").T
        wanted.append((now @ before) / np.sqrt((now @ now) * (before @ before)))
    for block in (8 * 32, 8 * 32 * 7, 2**25):
        monkeypatch.setattr("climbench.models.damped_persistence.BLOCK_BYTES", block)
        found = anomaly_autocorrelation(data, usual, lags)["psl"][1:, 1, 2]
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_what_swings_back_is_left_at_nothing():
    days = np.arange(1461)
    swing = series_of(((-1.0) ** days)[:, None, None] * np.ones((4, 8)))
    shares = anomaly_autocorrelation(swing, climatology(swing), np.array([1, 2]) * np.timedelta64(24, "h"))["psl"]
    np.testing.assert_array_equal(shares.isel(lag=1), 0.0)
    np.testing.assert_allclose(shares.isel(lag=2), 1.0, atol=1e-3)


def test_levels_keep_to_themselves(red):
    column = xr.concat([red["psl"], 2.0 * red["psl"]], xr.DataArray([500, 850], dims="level", name="level"))
    data = column.transpose("time", "level", ...).to_dataset(name="geopotential")
    model, given = DampedPersistence(longest_days=2), states(data, [500])
    model.fit({"train": data}, seed=0)
    found = model.predict(given, leads=leads(1, 2), seed=0)["geopotential"]
    assert found.dims == ("init_time", "lead_time", "level", "latitude", "longitude")
    np.testing.assert_allclose(found.sel(level=850), 2.0 * found.sel(level=500), rtol=1e-6)


def test_it_comes_back_from_its_folder(red, fitted, tmp_path):
    fitted.save(tmp_path / "kept")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["autocorrelation.nc", "climatology.nc"]
    one, other = (
        m.predict(states(red, [100]), leads=leads(1, 2), seed=0)
        for m in (fitted, DampedPersistence.load(tmp_path / "kept"))
    )
    xr.testing.assert_identical(one, other)
    assert fitted.parameters == (366 + 16) * 32


def test_it_must_be_fitted_on_the_grid_it_forecasts_on(red, fitted, tmp_path):
    with pytest.raises(ModelError, match="was not fitted"):
        DampedPersistence().predict(states(red, [0]), leads=leads(1), seed=0)
    with pytest.raises(ModelError, match="was not fitted"):
        DampedPersistence().save(tmp_path)
    with pytest.raises(ModelError, match="on another latitude"):
        fitted.predict(states(red.isel(latitude=slice(0, 2)), [0]), leads=leads(1), seed=0)
    with pytest.raises(ModelError, match="one day or more"):
        DampedPersistence(longest_days=0)


def test_on_real_pressure_it_beats_persistence_and_climatology_at_every_lead(shared_data, tmp_path):
    models = ["damped-persistence", "persistence", "climatology"]
    run = climbench.run("regional-slp", models, data=shared_data / "ncep", out=tmp_path / "run")
    rmse = run.scores.set_index(["metric", "model", "lead_time"])["value"].loc["rmse"].unstack("model")
    for other in ("persistence", "climatology"):
        assert (rmse["damped-persistence"] < rmse[other]).all()
