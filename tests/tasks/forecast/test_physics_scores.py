"""Scores of physics through the engine, of stores whose budgets are known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.tasks.forecast.physics_metrics import PHYSICS, PHYSICS_SCORES
from tests.tasks.forecast import made_stores as made
from tests.tasks.forecast import moist_stores as moist

TARGETS = ["surface_pressure", "specific_humidity_850"]
LOSS, RESIDUAL = 0.3, 2e-6  # kg m-2 a lead time; kg m-2 s-1


@pytest.fixture
def stores(tmp_path):
    """A function that writes a forecast beside its truth; returns the folder."""

    def written(forecast, truth=None, chunks=None):
        made.written(tmp_path / "truth.zarr", moist.moist_truth() if truth is None else truth)
        made.written(tmp_path / "forecast.zarr", forecast, chunks)
        return tmp_path

    return written


@pytest.fixture
def physics_of(stores, scores_of):
    """A function that gives values and floors of physics by (metric, lead), and all that was found."""

    def scored(forecast, truth=None, chunks=None, **changes):
        folder = stores(forecast, truth, chunks)
        changes = {"targets": TARGETS, "use_climatology": None, **changes}
        _, found = scores_of(folder, **changes)
        rows = [row for row in found.rows if row["variable"] == PHYSICS]
        by = {key: {(r["metric"], r["lead_time"]): r[key] for r in rows} for key in ("value", "floor")}
        return by["value"], by["floor"], found

    return scored


def test_known_losses_are_found_at_every_lead(physics_of):
    values, floors, found = physics_of(moist.moist_forecast(LOSS, RESIDUAL))
    for n, lead in enumerate(moist.LEADS, start=1):
        assert values["dry_air_drift", lead] == pytest.approx(n * LOSS, rel=1e-9)
        for name in ("water_residual_mean", "water_residual_rms"):
            assert values[name, lead] == pytest.approx(86400.0 * RESIDUAL, rel=1e-9)
            assert floors[name, lead] == pytest.approx(0.0, abs=1e-9)
        assert floors["dry_air_drift", lead] == pytest.approx(0.0, abs=1e-9)
        assert (values["negative_humidity", lead], values["negative_precipitation", lead]) == (0.0, 0.0)
    units = {row["metric"]: row["units"] for row in found.rows if row["variable"] == PHYSICS}
    assert (units["dry_air_drift"], units["water_residual_rms"]) == ("kg m-2", "mm/day")


def test_what_is_missing_is_named(physics_of):
    forecast = moist.moist_forecast(LOSS, RESIDUAL)
    _, _, whole = physics_of(forecast)
    assert "net solar radiation at the top" in whole.impossible["toa_net"][0]
    assert set(whole.impossible) | {r["metric"] for r in whole.rows} >= {
        name for name, score in PHYSICS_SCORES.items() if score.fluid == "air"
    }
    values, _, found = physics_of(forecast.drop_vars("specific_humidity"), targets=["surface_pressure"])
    assert found.impossible["dry_air_drift"][0].startswith("specific humidity (specific_total_water")
    assert not any(name.startswith("dry_air") for name, _ in values)


def test_a_gap_that_is_not_seen_by_the_mean_is_seen_by_the_root(physics_of):
    """Residuals of both signs at the initial times in turn."""
    one, other = (moist.moist_forecast(LOSS, sign * RESIDUAL, inits=8) for sign in (1.0, -1.0))
    values, _, _ = physics_of(one.where(one["time"].dt.hour == 0, other).transpose(*one["specific_humidity"].dims))
    assert values["water_residual_mean", 24] == pytest.approx(0.0, abs=1e-9)
    assert values["water_residual_rms", 24] == pytest.approx(86400.0 * RESIDUAL, rel=1e-9)


def test_scores_do_not_depend_on_chunks(physics_of):
    forecast = moist.moist_forecast(LOSS, RESIDUAL)
    forecast["surface_pressure"] = (
        forecast["surface_pressure"] * (1.0 + 0.01 * np.sin(np.arange(9.0)))[:, None, None, None]
    )
    whole, _, _ = physics_of(forecast)
    parts, _, _ = physics_of(forecast, chunks={"time": 2, "prediction_timedelta": 3, "latitude": -1})
    assert whole == pytest.approx(parts, rel=1e-12)


def test_a_part_of_the_globe_has_no_global_rows(physics_of):
    north = {"latitude": slice(0.0, 90.0)}
    forecast = moist.moist_forecast(LOSS, RESIDUAL).sel(north)
    values, _, found = physics_of(forecast, moist.moist_truth().sel(north), grids=["8x4"])
    assert {name for name, _ in values} == {"negative_humidity", "negative_precipitation"}
    for name in ("dry_air_drift", "water_residual_mean"):
        assert found.impossible[name] == ("the whole globe: the grid covers a part of it, whose budget is not closed",)


def test_a_single_lead_has_no_closure(physics_of):
    forecast = moist.moist_forecast(LOSS, RESIDUAL).isel(prediction_timedelta=[0])
    values, _, found = physics_of(forecast, leads={"first": 12, "last": 12, "step": 12})
    assert values["dry_air_drift", 12] == pytest.approx(LOSS, rel=1e-9)
    assert found.impossible["water_residual_rms"][0].startswith("two lead times or more")


def test_amounts_of_another_step_close_nothing(physics_of):
    forecast = moist.moist_forecast(LOSS, RESIDUAL)
    six = (forecast["mean_total_precipitation_rate"] * 6 * 3.6).assign_attrs(units="mm")
    forecast = forecast.drop_vars("mean_total_precipitation_rate").assign(total_precipitation_6hr=six)
    _, _, found = physics_of(forecast)
    assert found.impossible["water_residual_mean"] == (
        "fluxes over the time between lead times (12 h): they are over 6 h",
    )


def test_shares_below_zero(physics_of):
    forecast = moist.moist_forecast(LOSS, RESIDUAL)
    forecast["specific_humidity"][:, 1, 0] = -1e-6  # one level of three
    values, _, _ = physics_of(forecast)
    assert values["negative_humidity", 24] == pytest.approx(1.0 / 3.0)
    assert values["negative_humidity", 36] == 0.0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metrics": ["rmse"]}, set()),
        ({"metrics": ["rmse", "dry_air_drift"]}, {"dry_air_drift"}),
        ({"metrics": ["dry_air_drift"]}, {"dry_air_drift"}),
        ({"profile": "wb2"}, set()),
        ({"profile": "chaosbench", "more_metrics": ["water_residual_rms"]}, {"water_residual_rms"}),
    ],
)
def test_what_is_asked_for_is_scored(physics_of, changes, expected):
    values, _, found = physics_of(moist.moist_forecast(LOSS, RESIDUAL), **changes)
    assert {name for name, _ in values} == expected
    assert not found.impossible
    assert ("surface_pressure", "rmse") in {(r["variable"], r["metric"]) for r in found.rows} or changes == {
        "metrics": ["dry_air_drift"]
    }
