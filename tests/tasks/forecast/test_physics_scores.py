"""Scores of physics through the engine, of stores whose budgets are known by construction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from climbench.cluster import cluster
from climbench.constants import ACE_AIR, EARTH_RADIUS, GRAVITY, ROTATION_RATE
from climbench.tasks.forecast.physics_metrics import PHYSICS_SCORES
from climbench.tasks.forecast.physics_score import PHYSICS
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
        # Between fixed pressures there is as much less dry air as there is more water.
        gained = n * moist.STEP * (moist.EVAPORATION - moist.PRECIPITATION + RESIDUAL)
        assert values["dry_air_mass_drift", lead] == pytest.approx(gained, rel=1e-9)
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


def test_workers_elsewhere_give_the_same(stores, scores_of):
    folder = stores(moist.moist_forecast(LOSS, RESIDUAL))
    _, here = scores_of(folder, targets=TARGETS, use_climatology=None)
    with cluster(workers=2) as client:
        _, there = scores_of(folder, targets=TARGETS, use_climatology=None, client=client)
    ours, theirs = ([row for row in found.rows if row["variable"] == PHYSICS] for found in (here, there))
    assert len(ours) > 8
    assert ours == theirs


def test_a_part_of_the_globe_has_no_global_rows(physics_of):
    north = {"latitude": slice(0.0, 90.0)}
    forecast = moist.moist_forecast(LOSS, RESIDUAL).sel(north)
    values, _, found = physics_of(forecast, moist.moist_truth().sel(north), grids=["8x4"])
    assert {name for name, _ in values} == {
        "negative_humidity",
        "negative_precipitation",
        "negative_water",
        "drizzle_area",
        "drizzle_share",
    }
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
        "fluxes over the 12 h between lead times: they are means over 6 h; score all lead times that far apart",
    )


def test_of_two_accumulations_the_one_of_the_step_is_taken(physics_of):
    """That of six hours says that nothing falls."""
    stores = []
    for data in (moist.moist_forecast(LOSS, RESIDUAL), moist.moist_truth()):
        rain = data["mean_total_precipitation_rate"] * 3600.0
        amounts = {f"total_precipitation_{h}hr": (h // 12 * h * rain).assign_attrs(units="mm") for h in (6, 12)}
        stores.append(data.drop_vars("mean_total_precipitation_rate").assign(amounts))
    values, floors, _ = physics_of(*stores)
    assert values["water_residual_rms", 24] == pytest.approx(86400.0 * RESIDUAL, rel=1e-9)
    assert floors["water_residual_rms", 24] == pytest.approx(0.0, abs=1e-9)


def closing_every_six_hours(periods=17):
    """A truth whose water changes by exactly what the means over each six hours bring, and each is another."""
    truth = moist.moist_truth(periods)
    rain = 1e-5 * (1.0 + np.sin(np.arange(periods) ** 2))  # kg m-2 s-1
    gained = np.cumsum(np.where(np.arange(periods) > 0, 2e-5 - rain, 0.0)) * 6 * 3600.0
    along = lambda values: xr.DataArray(values, dims="time")  # noqa: E731
    units = {name: truth[name].attrs for name in truth}
    lowest = truth["level"] == 850
    truth["specific_humidity"] = truth["specific_humidity"] + lowest * along(moist.column_loss(gained))
    truth["mean_total_precipitation_rate"] = 0.0 * truth["surface_pressure"] + along(rain)
    truth["mean_evaporation_rate"] = 0.0 * truth["surface_pressure"] - 2e-5
    order = ("time", "level", "latitude", "longitude")
    for name in truth:
        truth[name] = truth[name].transpose(*(d for d in order if d in truth[name].dims)).assign_attrs(units[name])
    return truth.assign_coords(time=truth["time"].values[0] + np.arange(periods) * np.timedelta64(6, "h"))


def perfect(truth, hours, inits=4):
    """The truth as a forecast, at some lead times."""
    first = truth["time"].values[: 2 * inits : 2]
    leads = np.asarray(hours).astype("timedelta64[h]").astype("timedelta64[ns]")
    valid = xr.DataArray(first[:, None] + leads, dims=("init", "prediction_timedelta"))
    found = truth.sel(time=valid).drop_vars("time").rename(init="time")
    return found.assign_coords(time=first, prediction_timedelta=leads)


def test_rates_are_means_over_the_truths_step_whatever_lead_times_are_kept(physics_of):
    """A perfect forecast closes at each of its lead times; of every other one its fluxes say nothing."""
    truth = closing_every_six_hours()
    every = {"first": 6, "last": 48, "step": 6}
    values, _, _ = physics_of(perfect(truth, range(6, 49, 6)), truth, leads=every)
    assert max(values["water_residual_rms", lead] for lead in range(6, 49, 6)) < 1e-9
    kept = perfect(truth, moist.LEADS)
    values, _, found = physics_of(kept, truth)
    assert not [name for name, _ in values if name.startswith("water_residual")]
    for name in ("water_residual_mean", "water_residual_rms"):
        assert found.impossible[name] == (
            "fluxes over the 12 h between lead times: they are means over 6 h; score all lead times that far apart",
        )
    values, _, found = physics_of(perfect(truth, [6, 12, 24, 36]), truth, leads={**every, "last": 36})
    assert values["water_residual_rms", 12] < 1e-9
    assert values["water_residual_rms", 24] is None
    assert "physics: water_residual_rms has no value at 24, 36 h: its fluxes are of other hours" in found.notes


def test_shares_below_zero(physics_of):
    forecast = moist.moist_forecast(LOSS, RESIDUAL)
    forecast["specific_humidity"][:, 1, 0] = -1e-6  # one level of three
    values, _, _ = physics_of(forecast)
    assert values["negative_humidity", 24] == pytest.approx(1.0 / 3.0)
    assert values["negative_humidity", 36] == 0.0
    assert values["negative_water", 24] == pytest.approx(moist.WEIGHTS[0] * 1e-6 / GRAVITY, rel=1e-9)
    assert values["negative_water", 36] == 0.0


def test_drizzle_beside_the_truths(physics_of):
    """Half of the globe has 0.5 mm a day and the other half 3; a quarter of the truth has 0.5, the rest nothing."""
    forecast, truth = moist.moist_forecast(LOSS, RESIDUAL), moist.moist_truth()
    east = xr.where(forecast["longitude"] < 180.0, 0.5, 3.0) / 86400.0
    part = xr.where(forecast["longitude"] < 90.0, 0.5, 0.0) / 86400.0
    for data, rain in ((forecast, east), (truth, part)):
        rates = data["mean_total_precipitation_rate"]
        data["mean_total_precipitation_rate"] = (0.0 * rates + rain).assign_attrs(rates.attrs)
    values, floors, _ = physics_of(forecast, truth)
    assert (values["drizzle_area", 24], floors["drizzle_area", 24]) == pytest.approx((0.5, 0.25), rel=1e-9)
    assert (values["drizzle_share", 24], floors["drizzle_share", 24]) == pytest.approx((0.5 / 3.5, 1.0), rel=1e-9)


def test_water_above_saturation_by_hand(physics_of):
    """Over the northern half, of air at 250 K and 850 hPa."""
    coords = {"time": moist.moist_truth()["time"].values}
    ours = moist.moist_forecast(LOSS, RESIDUAL, inits=2)
    truth = balanced(coords, 20.0, 0.0)
    forecast = balanced({c: ours[c].values for c in ("time", "prediction_timedelta")}, 20.0, 0.0)
    wet = 0.01 * ((forecast["latitude"] > 0.0) & (forecast["level"] == 850))
    forecast["specific_humidity"] = (forecast["specific_humidity"] + wet).transpose(*forecast["temperature"].dims)
    values, floors, _ = physics_of(forecast, truth, targets=["geopotential_500"], grids=["36x36"])
    vapour, share = 611.2 * np.exp(17.67 * -23.15 / (243.5 - 23.15)), 287.05 / 461.5
    most = share * vapour / (85000.0 - (1.0 - share) * vapour)
    assert values["water_above_saturation", 24] == pytest.approx(0.5 * (0.01 - most) * 17500.0 / GRAVITY, rel=1e-9)
    assert floors["water_above_saturation", 24] == 0.0


def test_negative_water_of_layers(physics_of):
    """The middle of three layers is 0.3 of the surface pressure deep."""
    share = {"ak": ("interface", np.zeros(4), {"units": "Pa"}), "bk": ("interface", np.array([0.0, 0.4, 0.7, 1.0]))}
    forecast = moist.moist_forecast(0.0, 0.0)
    forecast["specific_humidity"][:, :, 1] = -1e-5
    values, _, _ = physics_of(forecast, moist.moist_truth().assign(share))
    pressure = 1e5 + 2.0 * GRAVITY * moist.STEP * (moist.EVAPORATION - moist.PRECIPITATION)
    assert values["negative_water", 24] == pytest.approx(0.3 * pressure * 1e-5 / GRAVITY, rel=1e-9)


def test_layers_are_those_of_the_truths_coefficients(physics_of):
    """Over sigma layers of one humidity q, a loss of pressure is one of (1 - q) times as much dry air."""
    share = {"ak": ("interface", np.zeros(4), {"units": "Pa"}), "bk": ("interface", np.array([0.0, 0.4, 0.7, 1.0]))}
    moisture = 0.004
    truth, forecast = moist.moist_truth(), moist.moist_forecast(LOSS, RESIDUAL)
    for data in (truth, forecast):
        data["specific_humidity"] = 0.0 * data["specific_humidity"] + moisture
        data["specific_humidity"].attrs["units"] = "kg kg-1"
        data["temperature"] = (0.0 * data["specific_humidity"] + 250.0).assign_attrs(units="K")
    forecast["surface_pressure"] = (0.0 * forecast["surface_pressure"] + 99000.0).assign_attrs(units="Pa")
    values, _, found = physics_of(forecast, truth.assign(share))
    assert values["dry_air_drift", 24] == pytest.approx(1000.0 * (1.0 - moisture) / GRAVITY, rel=1e-9)
    assert found.impossible["above_saturation"] == ("levels of pressure: these are layers between hybrid interfaces",)


INTERFACES = np.array([2e4, 4e4, 7e4, 1e5])  # Pa, under 1000 hPa at the ground
WARMING, FASTER = 0.02, 3.0  # K and m2 s-2 of motion, from each lead time to the next
FLUXES = {  # W m-2 downward; as much comes in at the top as goes out there, and into the ground as out of it
    "mean_top_net_short_wave_radiation_flux": 240.0,
    "mean_top_net_long_wave_radiation_flux": -240.0,
    "mean_surface_net_short_wave_radiation_flux": 160.0,
    "mean_surface_net_long_wave_radiation_flux": -60.0,
    "mean_surface_latent_heat_flux": -80.0,
    "mean_surface_sensible_heat_flux": -20.0,
}


def warming(data, steps):
    """Dry layers that grow warmer and faster by nothing at all."""
    layers, surface = data["specific_humidity"].dims, data["surface_pressure"].dims
    n = xr.DataArray(steps, dims="prediction_timedelta") if np.size(steps) > 1 else 0.0
    still = 0.0 * data["specific_humidity"]
    named = {
        "specific_humidity": (still, "kg kg-1"),
        "temperature": ((still + 250.0 + WARMING * n).transpose(*layers), "K"),
        "u_component_of_wind": ((still + np.sqrt(2.0 * FASTER * n)).transpose(*layers), "m s-1"),
        "v_component_of_wind": (still, "m s-1"),
        "surface_pressure": (0.0 * data["surface_pressure"] + 1e5, "Pa"),
    }
    named |= {
        name: (0.0 * data["surface_pressure"].transpose(*surface) + value, "W m-2") for name, value in FLUXES.items()
    }
    return xr.Dataset({name: values.assign_attrs(units=units) for name, (values, units) in named.items()})


def warming_by_hand(definition):
    """Energy in W m-2 that such layers gain without a flux, one after the other from the ground up."""
    gained, below = 0.0, 0.0
    for upper, lower in zip(INTERFACES[-2::-1], INTERFACES[:0:-1], strict=True):
        deeper = 287.05 * WARMING * np.log(lower / upper)
        of_heat = {"credit": 1004.64 * WARMING, "ace": (1004.6 - 287.05) * WARMING + below + deeper / 2.0}[definition]
        gained += of_heat * (lower - upper) / 9.80665
        below += deeper
    return gained / moist.STEP


def test_each_definition_of_energy_has_its_closure(physics_of):
    layers = {"ak": ("interface", [2e4, 2e4, 1e4, 0.0], {"units": "Pa"}), "bk": ("interface", [0.0, 0.2, 0.6, 1.0])}
    truth = warming(moist.moist_truth(), 0.0).assign(layers)
    truth["geopotential_at_surface"] = (0.0 * truth["surface_pressure"].isel(time=0, drop=True)).assign_attrs(
        units="m2 s-2"
    )
    forecast = warming(moist.moist_forecast(0.0, 0.0), np.arange(1.0, 5.0))
    values, floors, found = physics_of(forecast, truth)
    motion = FASTER * 8e4 / 9.80665 / moist.STEP
    for name in ("mean", "rms"):
        whole, ace = (values[f"energy_{of}_residual_{name}", 36] for of in ("credit", "ace"))
        assert whole == pytest.approx(warming_by_hand("credit") + motion, rel=1e-6)
        assert ace == pytest.approx(warming_by_hand("ace"), rel=1e-6)
        assert floors[f"energy_ace_residual_{name}", 36] == pytest.approx(0.0, abs=1e-9)
        assert found.impossible[f"energy_credit_without_motion_residual_{name}"] == (
            "data that lacks what energy_credit_residual needs: that is scored, and says more",
        )
    assert found.impossible["dry_air_mass_drift"] == ("levels of pressure: these are layers between hybrid interfaces",)
    values, _, found = physics_of(forecast.drop_vars("u_component_of_wind"), truth)
    assert values["energy_credit_without_motion_residual_rms", 36] == pytest.approx(warming_by_hand("credit"), rel=1e-6)
    assert found.impossible["energy_credit_residual_rms"][0].startswith("eastward wind")
    asked = {"metrics": ["energy_credit_without_motion_residual_mean"]}
    values, _, found = physics_of(forecast, truth, **asked)
    assert values["energy_credit_without_motion_residual_mean", 36] == pytest.approx(
        warming_by_hand("credit"), rel=1e-6
    )


def test_missing_values_leave_no_budget(physics_of):
    forecast = moist.moist_forecast(LOSS, RESIDUAL)
    forecast["surface_pressure"] = forecast["surface_pressure"].where(forecast["latitude"] < 80.0)
    values, _, found = physics_of(forecast, nan="mask")
    assert found.impossible["dry_air_drift"] == (
        "values: 36 of 36 states have missing values, and a mean over the globe needs all",
    )
    assert values["water_residual_rms", 24] == pytest.approx(86400.0 * RESIDUAL, rel=1e-9)


def test_missing_values_at_some_initial_times_are_refused_or_counted(physics_of):
    """The two starts without a value at two lead times each would have been the worst."""
    forecast, truth = moist.moist_forecast(LOSS, RESIDUAL), moist.moist_truth()
    pressure = forecast["surface_pressure"].copy()
    pressure[:2, 2:] = np.nan
    forecast["surface_pressure"] = pressure
    truth["surface_pressure"][6:] += 5.0 * GRAVITY  # from 72 h on
    # Means of other targets are asked for: an error of surface pressure itself would be refused before.
    values, floors, found = physics_of(forecast, truth, targets=["specific_humidity_850"])
    assert found.impossible["dry_air_drift"] == (
        "values: 4 of 36 states have missing values, and a mean over the globe needs all",
    )
    assert not [name for name, _ in values if name == "dry_air_drift"]
    assert values["water_residual_rms", 36] == pytest.approx(86400.0 * RESIDUAL, rel=1e-9)
    values, floors, found = physics_of(forecast, truth, targets=["specific_humidity_850"], nan="mask")
    assert any("dry_air_drift leaves out what is missing: 4 of 36 states" in note for note in found.notes)
    # Of the truth's changes over 36 h, those from the starts 3 to 5 hold the step: 3 of 7 that are left.
    assert floors["dry_air_drift", 36] == pytest.approx(5.0 * np.sqrt(3.0 / 7.0), rel=1e-9)


def test_amounts_may_begin_after_lead_time_zero(physics_of):
    forecast = moist.moist_forecast(LOSS, RESIDUAL)
    first = forecast.isel(prediction_timedelta=[0]).assign_coords(prediction_timedelta=[np.timedelta64(0, "ns")])
    first["mean_total_precipitation_rate"] = np.nan * first["mean_total_precipitation_rate"]
    whole = xr.concat([first, forecast], "prediction_timedelta").transpose(*forecast["specific_humidity"].dims)
    values, _, _ = physics_of(whole)
    assert values["negative_precipitation", 0] is None
    assert values["negative_precipitation", 12] == 0.0
    assert values["water_residual_rms", 24] == pytest.approx(86400.0 * RESIDUAL, rel=1e-9)


def test_a_lead_time_of_zero_is_what_changes_are_from(physics_of):
    """The forecast starts 5 kg m-2 heavier than the truth: with its own start at hand that is no loss."""
    forecast = moist.moist_forecast(LOSS, RESIDUAL)
    forecast["surface_pressure"] = (forecast["surface_pressure"] + 5.0 * GRAVITY).assign_attrs(units="Pa")
    first = forecast.isel(prediction_timedelta=[0])
    first = first.assign_coords(prediction_timedelta=[np.timedelta64(0, "ns")])
    values, _, _ = physics_of(
        xr.concat([first, forecast], "prediction_timedelta").transpose(*first["specific_humidity"].dims)
    )
    assert values["dry_air_drift", 0] == 0.0
    assert values["dry_air_drift", 36] == pytest.approx(2.0 * LOSS, rel=1e-9)
    values, _, _ = physics_of(forecast)
    assert values["dry_air_drift", 36] == pytest.approx(5.0 - 3.0 * LOSS, rel=1e-9)


def test_members_do_not_make_up_for_each_other(physics_of):
    members = [moist.moist_forecast(loss, RESIDUAL).expand_dims(number=[n]) for n, loss in enumerate((LOSS, -LOSS))]
    values, _, _ = physics_of(xr.concat(members, "number"))
    assert values["dry_air_drift", 24] == pytest.approx(2.0 * LOSS, rel=1e-9)


GLOBE = {"latitude": np.linspace(-87.5, 87.5, 36), "longitude": np.arange(0.0, 360.0, 10.0)}


def balanced(coords, wind, level_step):
    """Turning air at rest against itself: temperature of 250 K, geopotential in both balances, u = U cos(latitude)."""
    level, x = np.array([300.0, 500.0, 850.0]), np.sin(np.deg2rad(GLOBE["latitude"]))
    turning = -(EARTH_RADIUS * ROTATION_RATE * wind) * x**2  # of f u = -d(Phi)/dy
    depth = -ACE_AIR.dry_gas * 250.0 * np.log(level / 1000.0)
    phi = depth[:, None] + turning + np.array([level_step, 0.0, 0.0])[:, None]
    shape = tuple(map(len, coords.values()))
    fields = {
        "geopotential": phi,
        "temperature": np.full(phi.shape, 250.0),
        "specific_humidity": np.zeros(phi.shape),
        "u_component_of_wind": np.tile(wind * np.cos(np.arcsin(x)), (3, 1)),
        "v_component_of_wind": np.zeros(phi.shape),
    }
    spread = {n: v[..., None] * np.ones((*shape, 3, 36, 36)) for n, v in fields.items()}
    axes = {**coords, "level": level.astype(int), **GLOBE}
    return xr.Dataset({n: (tuple(axes), v) for n, v in spread.items()}, axes)


def test_balances_beside_the_truth(physics_of):
    """The truth misses hydrostatic balance by 10 between two of three levels, the forecast by 30."""
    coords = {"time": moist.moist_truth()["time"].values}
    truth = balanced(coords, 20.0, 10.0)
    ours = moist.moist_forecast(LOSS, RESIDUAL, inits=2)
    forecast = balanced({c: ours[c].values for c in ("time", "prediction_timedelta")}, 20.0, 30.0)
    forecast["u_component_of_wind"] = 1.5 * forecast["u_component_of_wind"]  # a third of it is not geostrophic
    values, floors, found = physics_of(forecast, truth, targets=["geopotential_500"], grids=["36x36"])
    assert values["hydrostatic_residual", 24] == pytest.approx(30.0 / np.sqrt(2.0), rel=1e-6)
    assert floors["hydrostatic_residual", 24] == pytest.approx(10.0 / np.sqrt(2.0), rel=1e-6)
    kelvin = 10.0 / (ACE_AIR.dry_gas * np.log(500.0 / 300.0))
    assert values["hydrostatic_residual_kelvin", 24] == pytest.approx(3.0 * kelvin / np.sqrt(2.0), rel=1e-6)
    assert floors["hydrostatic_residual_kelvin", 24] == pytest.approx(kelvin / np.sqrt(2.0), rel=1e-6)
    assert values["hydrostatic_relative", 24] == pytest.approx(3.0, rel=1e-6)
    slope = np.sin(np.deg2rad(10.0)) / np.deg2rad(10.0)  # what differences over ten degrees leave of that of sin^2
    assert values["ageostrophic_ratio", 24] == pytest.approx((1.5 - slope) / 1.5, rel=1e-6)
    assert floors["ageostrophic_ratio", 24] == pytest.approx(1.0 - slope, rel=1e-6)
    assert (values["above_saturation", 24], values["negative_humidity", 24]) == (0.0, 0.0)
    assert found.impossible["dry_air_drift"][0].startswith("surface pressure")


@pytest.mark.parametrize("level", [500, 850])
def test_one_level_has_what_needs_no_other(physics_of, level):
    """A wind a third of which is not geostrophic, and more water than the air holds over half of the globe."""
    coords = {"time": moist.moist_truth()["time"].values}
    ours = moist.moist_forecast(LOSS, RESIDUAL, inits=2)
    truth = balanced(coords, 20.0, 0.0).sel(level=[level])
    forecast = balanced({c: ours[c].values for c in ("time", "prediction_timedelta")}, 20.0, 0.0).sel(level=[level])
    forecast["u_component_of_wind"] = 1.5 * forecast["u_component_of_wind"]
    wet = xr.where(forecast["latitude"] > 0.0, 0.01, 0.0)  # kg kg-1; at 250 K air holds less than 0.002
    forecast["specific_humidity"] = (forecast["specific_humidity"] + wet).transpose(*forecast["temperature"].dims)
    values, _, found = physics_of(forecast, truth, targets=[f"geopotential_{level}"], grids=["36x36"])
    assert values["above_saturation", 24] == pytest.approx(0.5, rel=1e-9)
    assert found.impossible["hydrostatic_residual"] == ("two levels of pressure or more",)
    if level == 500:
        slope = np.sin(np.deg2rad(10.0)) / np.deg2rad(10.0)
        assert values["ageostrophic_ratio", 24] == pytest.approx((1.5 - slope) / 1.5, rel=1e-6)
    else:
        assert found.impossible["ageostrophic_ratio"] == (
            "a level within 100 hPa of 500 hPa: the nearest is that of 850 hPa",
        )


def shallow(coords, surface):
    """A layer at rest over flat ground whose depth is the same everywhere."""
    values = np.asarray(surface)[..., None, None] * np.ones((made.LATITUDE.size, made.LONGITUDE.size))
    axes = {**coords, "latitude": made.LATITUDE, "longitude": made.LONGITUDE}
    still = np.zeros_like(values)
    names = {"geopotential": values, "u_component_of_wind": still, "v_component_of_wind": still}
    return xr.Dataset({name: (tuple(axes), part) for name, part in names.items()}, axes)


def test_a_layer_of_fluid_has_its_own_budgets_where_its_card_says_so(stores, scores_of):
    ours, times = moist.moist_forecast(LOSS, RESIDUAL), moist.moist_truth()["time"].values
    truth = shallow({"time": times}, 1000.0 * np.ones(times.size))
    truth["geopotential_at_surface"] = 0.0 * truth["geopotential"].isel(time=0, drop=True)
    lost = np.broadcast_to(1000.0 - np.arange(1.0, 5.0), (9, 4))
    forecast = shallow({c: ours[c].values for c in ("time", "prediction_timedelta")}, lost)
    opened = scores_of.opened(stores(forecast, truth), targets=["geopotential"], use_climatology=None)
    assert not [row for row in opened.score().rows if row["variable"] == PHYSICS]  # nobody said it is such a fluid
    fluid = replace(opened, dataset=opened.dataset.model_copy(update={"fluid": "shallow-water"}))
    found = fluid.score()
    rows = {(row["metric"], row["lead_time"]): row for row in found.rows if row["variable"] == PHYSICS}
    assert {name for name, _ in rows} == {"layer_mass_drift", "layer_energy_drift"}
    assert rows["layer_mass_drift", 36]["value"] == pytest.approx(3.0, rel=1e-12)
    # of energy depth^2 / 2 by the first depth: (1000^2 - 997^2) / 2 / 1000
    assert rows["layer_energy_drift", 36]["value"] == pytest.approx(2.9955, rel=1e-9)
    assert rows["layer_energy_drift", 36]["floor"] == 0.0
    assert not found.impossible


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
