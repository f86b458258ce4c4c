"""The moist atmosphere: budgets that close, a climate of Earth's size, and files that the physics finds all in."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from climbench import records
from climbench.cards import find_dataset, find_task
from climbench.constants import CREDIT_AIR, EARTH_RADIUS
from climbench.data.readers.weatherbench import WeatherBenchReader
from climbench.errors import DataError
from climbench.physics import area_mean, exact_cell_areas
from climbench.physics.diagnosis import FIELDS, closures, diagnose
from climbench.physics.opening import open_quantities
from climbench.physics.quantities import source_of
from climbench.quadrature import quadrature
from climbench.tasks.forecast.matching import task_inits
from climbench.worlds import moist_process, shallow_water
from climbench.worlds.moist_atmosphere import FLUXES, IN_LAYERS, MoistAtmosphere
from climbench.worlds.moist_budget import CONVERGENCE, EVAPORATION, PRECIPITATION
from climbench.worlds.moist_fluxes import LATENT
from climbench.worlds.moist_layers import DRY_PRESSURE, LEVELS, WIND, layers, saturation
from climbench.worlds.moist_process import exact_series
from climbench.worlds.moist_transport import carried, origins
from climbench.worlds.shallow_water_settings import ShallowWaterSettings

TINY = {"grid": "32x16", "samples": 6, "spin_up_days": 2}
CARDS = ("moist-atmosphere", "moist-atmosphere-demo")
STEP = 6 * 3600.0


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As processes that make a store have: sums are taken in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def exact():
    """A trajectory in float64, the first of the last year."""
    return exact_series(ShallowWaterSettings(**TINY), seed=5)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    MoistAtmosphere(**TINY).write(folder, members=2, seed=5)
    return folder


@pytest.fixture(scope="module")
def stored(made):
    """The same trajectory from the store, through the door."""
    data = WeatherBenchReader(made, find_dataset("moist-atmosphere")).open()
    return data.isel(time=slice(-TINY["samples"], None)).load()


def over_globe(data, values):
    areas = exact_cell_areas(data["latitude"].values, data["longitude"].values)
    return area_mean(np.asarray(values, "float64"), areas)


def budgets(data):
    opened = open_quantities(data)
    fields = diagnose(opened.quantities, opened.column)
    return fields, closures(fields, STEP).fields


def test_budgets_close_to_round_off_in_float64(exact):
    """Also worked by hand, without the arithmetic that closed them."""
    a, b = layers()
    ps, q = exact["surface_pressure"].values, exact["specific_humidity"].values
    edges = a[:, None, None] + b[:, None, None] * ps[:, None]
    mass = np.diff(edges, axis=1) / 9.80665
    dry, water = ((1.0 - q) * mass).sum(axis=1), (q * mass).sum(axis=1)
    wind = 0.5 * (exact["u_component_of_wind"].values ** 2 + exact["v_component_of_wind"].values ** 2)
    heat = (1004.64 * (1.0 - q) + 1810.0 * q) * exact["temperature"].values
    ground = exact["geopotential_at_surface"].values
    energy = ((heat + 2.501e6 * q + ground + wind) * mass).sum(axis=1)

    assert np.ptp(over_globe(exact, dry)) < 1e-12 * DRY_PRESSURE / 9.80665
    assert over_globe(exact, dry) == pytest.approx(DRY_PRESSURE / 9.80665, rel=1e-12)

    rates = exact[[PRECIPITATION, EVAPORATION, CONVERGENCE]]
    gained = -rates[EVAPORATION] - rates[PRECIPITATION] + rates[CONVERGENCE]
    np.testing.assert_allclose(
        np.diff(water, axis=0) / STEP, gained[1:], atol=1e-10 * float(rates.max().to_array().max())
    )
    np.testing.assert_allclose(over_globe(exact, rates[CONVERGENCE]), 0.0, atol=1e-16)

    top = sum(exact[f"mean_top_net_{way}_wave_radiation_flux"] for way in ("short", "long"))
    down = ("net_short_wave_radiation", "net_long_wave_radiation", "latent_heat", "sensible_heat")
    into_ground = sum(exact[f"mean_surface_{name}_flux"] for name in down)
    change = np.diff(over_globe(exact, energy)) / STEP
    assert abs(change).max() > 0.1  # there is something to close
    np.testing.assert_allclose(change, over_globe(exact, top - into_ground)[1:], atol=1e-10 * 240.0)


def test_the_physics_finds_the_same(exact):
    fields, residuals = budgets(exact)
    dry = over_globe(exact, fields.fields["dry_air"])
    assert np.ptp(dry) < 1e-12 * dry.mean()
    rain = float(fields.fields["precipitation"].mean())
    assert abs(residuals["water_column_residual"]).max() < 1e-10 * rain
    assert abs(over_globe(exact, residuals["water_residual"])).max() < 1e-10 * rain
    assert abs(over_globe(exact, residuals["energy_credit_residual"])).max() < 1e-10 * 240.0
    # Other definitions of energy are other quantities: they do not close.
    assert abs(over_globe(exact, residuals["energy_credit_without_motion_residual"])).max() > 0.01


def test_a_store_closes_to_what_float32_allows(stored):
    fields, residuals = budgets(stored)
    dry = over_globe(stored, fields.fields["dry_air"])
    assert np.ptp(dry) < 2e-8 * dry.mean()
    assert abs(over_globe(stored, residuals["water_residual"])).max() < 1e-10  # of 4e-5 kg m-2 s-1
    assert abs(over_globe(stored, residuals["energy_credit_residual"])).max() < 2e-3  # W m-2


def test_a_store_is_the_exact_series_in_float32(exact, stored):
    assert set(stored.data_vars) == set(exact.data_vars)
    for name in (*IN_LAYERS, "surface_pressure", *FLUXES):
        np.testing.assert_array_equal(stored[name].values, exact[name].values.astype("float32"))
    np.testing.assert_array_equal(stored["time"].values, exact["time"].values)


def test_every_budget_of_the_air_can_be_had_of_a_store(stored):
    opened = open_quantities(stored)
    assert opened.notes == ()
    assert opened.column is not None
    assert opened.column.interface_offset is not None
    roles = {
        *("surface_pressure", "temperature", "humidity", "eastward", "northward", "surface_geopotential"),
        *("precipitation", "evaporation", "moisture_convergence", "latent_up", "sensible_up"),
        *("top_solar_net", "top_thermal_up", "surface_solar_net", "surface_thermal_net"),
    }
    assert set(opened.quantities.data_vars) == roles
    assert set(diagnose(opened.quantities, opened.column).missing) == set(FIELDS) & {"ocean_heat"}


def test_every_variable_states_its_unit(made):
    with xr.open_zarr(next(made.iterdir()), consolidated=False) as data:
        for name in (*data.data_vars, "level", "latitude", "longitude"):
            assert data[name].attrs["units"], name
        assert data["level"].values.tolist() == LEVELS.tolist()
        assert data["temperature"].dtype == "float32"
        mark = json.loads(data.attrs[records.WORLD_ATTRIBUTE])
        assert mark == {"world": "moist-atmosphere", "version": "1", "seed": 5, "members": 2, "settings": TINY}


def test_the_climate_has_earths_size(exact):
    mean = {name: float(over_globe(exact, exact[name]).mean()) for name in FLUXES}
    assert 2.0 < mean[PRECIPITATION] * 86400.0 < 4.5
    assert mean["mean_top_net_short_wave_radiation_flux"] == pytest.approx(240.0, abs=10.0)
    assert mean["mean_top_net_long_wave_radiation_flux"] == pytest.approx(-240.0, abs=10.0)
    assert 60.0 < -mean[LATENT] < 120.0
    assert exact["temperature"].min() > 180.0
    assert exact["temperature"].max() < 310.0
    assert 70_000.0 < exact["surface_pressure"].min() < exact["surface_pressure"].max() < 105_000.0
    assert 20.0 < float(abs(exact["u_component_of_wind"]).max()) < 80.0
    low = exact["temperature"].sel(level=925).mean(("time", "longitude"))
    assert low[7:9].mean() - low[[0, -1]].mean() > 30.0


def test_water_is_never_negative_and_never_saturated(exact):
    a, b = layers()
    edges = a[:, None, None] + b[:, None, None] * exact["surface_pressure"].values[:, None]
    limit = saturation(exact["temperature"].values, 0.5 * (edges[:, 1:] + edges[:, :-1]))
    humidity = exact["specific_humidity"].values
    assert humidity.min() >= 0.0
    assert (humidity <= limit).all()
    assert (humidity[:, -1] / limit[:, -1]).max() > 0.6
    assert exact[PRECIPITATION].min() >= 0.0
    assert (exact[PRECIPITATION] > 0.0).any()
    assert exact[EVAPORATION].max() <= 0.0
    np.testing.assert_allclose(exact[LATENT], CREDIT_AIR.vaporisation * exact[EVAPORATION])


def test_saturation_is_that_of_the_tables():
    """Of water at 20 degrees 2339 Pa, of ice at -20 degrees 103.2 Pa (Murphy & Koop 2005, table C1: 103.24)."""
    vapour = np.array([2339.0, 103.2])
    expected = 0.622 * vapour / (1e5 - 0.378 * vapour)
    np.testing.assert_allclose(saturation(np.array([293.15, 253.15]), np.full(2, 1e5)), expected, rtol=4e-3)


def test_each_layer_has_its_part_of_one_wind(exact):
    wind = exact["u_component_of_wind"].values
    np.testing.assert_allclose(wind / WIND[:, None, None], np.broadcast_to(wind[:, :1] / WIND[0], wind.shape))


def test_water_goes_with_the_wind_along_great_circles():
    latitude = quadrature("legendre-gauss", 32).latitude
    east = np.full((32, 64), 30.0)
    north, lon = origins(east, np.zeros_like(east), latitude, STEP)
    # Napier: due east over an angle d from latitude p, sin(latitude) = sin(p) cos(d), tan(longitude) = tan(d) / cos(p).
    d, p = 30.0 * STEP / EARTH_RADIUS, np.deg2rad(latitude)
    np.testing.assert_allclose(np.sin(np.deg2rad(north[:, 0])), np.sin(p) * np.cos(d), rtol=1e-12)
    np.testing.assert_allclose(np.tan(np.deg2rad(lon[:, 0])), -np.tan(d) / np.cos(p), rtol=1e-9)
    # Solid rotation by exactly one column moves the map by one column; half a turn over the pole meets the other side.
    spin = EARTH_RADIUS * np.cos(p)[:, None] * np.deg2rad(5.625) / STEP * np.ones((1, 64))
    field = 2.0 + np.cos(p)[:, None] * np.sin(np.deg2rad(np.arange(64) * 5.625))
    areas = exact_cell_areas(latitude, np.arange(64) * 5.625)
    moved = carried(field, spin, np.zeros_like(spin), latitude, areas, STEP)
    near_equator = abs(latitude) < 60.0
    np.testing.assert_allclose(moved[near_equator], np.roll(field, 1, axis=1)[near_equator], atol=0.02)


def test_winds_over_the_pole_bring_what_is_across_it():
    latitude = quadrature("legendre-gauss", 32).latitude
    across = 2.0 * np.deg2rad(90.0 - latitude[-1])
    southward = np.zeros((32, 64))
    southward[-1] = -across * EARTH_RADIUS / STEP
    field = 1.0 + np.arange(32)[:, None] / 32.0 + np.sin(np.deg2rad(np.arange(64) * 5.625)) * 0.5
    areas = exact_cell_areas(latitude, np.arange(64) * 5.625)
    moved = carried(field, np.zeros_like(southward), southward, latitude, areas, STEP)
    factor = moved[0, 0] / field[0, 0]
    np.testing.assert_allclose(moved[-1], factor * np.roll(field[-1], 32), rtol=1e-9)
    assert (moved * areas).sum() == pytest.approx((field * areas).sum(), rel=1e-12)


def digests(folder):
    return {f.relative_to(folder): hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.rglob("*") if f.is_file()}


def test_the_same_seed_gives_the_same_bytes_whichever_process_runs_what(made, tmp_path, monkeypatch):
    def here(module, jobs, heard):
        assert module == moist_process.__name__
        for job in jobs:
            given = {**job, "store": Path(job["store"]), "settings": ShallowWaterSettings(**job["settings"])}
            moist_process.run_trajectories(**given, told=lambda: heard("done"))

    told = []
    monkeypatch.setattr(shallow_water, "run_jobs", here)
    MoistAtmosphere(**TINY).write(tmp_path, members=2, seed=5, progress=lambda *counts: told.append(counts))
    assert digests(tmp_path) == digests(made)
    assert [done for done, _ in told] == list(range(1, told[-1][1] + 1))


def test_settings_are_those_of_the_flow():
    with pytest.raises(DataError, match="moist-atmosphere has no setting 'gird'"):
        MoistAtmosphere(gird="64x32")


@pytest.mark.parametrize("name", CARDS)
def test_cards_name_what_is_made(name, stored):
    card = find_dataset(name)
    settings = MoistAtmosphere(**card.world.init_args).settings
    assert set(card.variables) == set(stored.data_vars)
    assert card.grid.startswith(f"{settings.rows} x {2 * settings.rows}")
    for variable, entry in card.variables.items():
        assert entry.units == stored[variable].attrs["units"]


def test_the_task_asks_for_all_that_changes_and_its_truth_is_there():
    task = find_task("moist-atmosphere")
    assert set(task.targets) == {*IN_LAYERS, "surface_pressure", *FLUXES} - {CONVERGENCE}
    world = find_dataset(task.dataset).world
    times = MoistAtmosphere(**world.init_args).settings.times(world.members).astype("datetime64[s]")
    valid = task_inits(task)[:, None] + (np.array(task.leads.hours()) * 3600).astype("timedelta64[s]")
    assert np.isin(valid, times).all()
    roles = ("surface_pressure", "temperature", "humidity", "eastward", "northward", "precipitation", "evaporation")
    assert all(source_of(role, task.targets) for role in roles)
