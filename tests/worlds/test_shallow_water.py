"""The shallow-water world: its equations, its climate, weather that cannot be foreseen for ever, and its files."""

from __future__ import annotations

import hashlib
import importlib.util
import json

import numpy as np
import pytest
import torch
import xarray as xr
from torch_harmonics.examples.shallow_water_equations import ShallowWaterSolver

from climbench import records
from climbench.cards import find_dataset, find_task, list_cards
from climbench.data.splits import Split
from climbench.data.windows import window_starts
from climbench.errors import DataError, MissingExtraError
from climbench.evaluate.forecasts import open_forecast_task
from climbench.harmonics import spherical_harmonics
from climbench.quadrature import quadrature
from climbench.tasks.forecast.matching import task_inits
from climbench.tasks.sources import whereabouts
from climbench.worlds.processes import run_jobs
from climbench.worlds.shallow_water import VARIABLES, ShallowWater
from climbench.worlds.shallow_water_flow import FIRST_WAVES, ShallowWaterFlow
from climbench.worlds.shallow_water_process import blocks
from climbench.worlds.shallow_water_settings import ShallowWaterSettings

TINY = {"grid": "32x16", "samples": 6, "spin_up_days": 1}
DAY = 4  # states


def area_mean(fields):
    weights = quadrature("legendre-gauss", fields.shape[-2]).weights / 2.0
    return (fields.mean(axis=-1) * weights).sum(axis=-1)


def rms(fields):
    return float(np.sqrt(area_mean(fields**2).mean()))


@pytest.fixture(scope="module")
def flow():
    return ShallowWaterFlow(ShallowWaterSettings())


@pytest.fixture(scope="module")
def small():
    """A flow to degree 15 in long steps: what has a climate and runs through months in seconds."""
    return ShallowWaterFlow(ShallowWaterSettings(grid="48x24", time_step=800.0, samples=60 * DAY, spin_up_days=15))


@pytest.fixture(scope="module")
def months(small):
    """Sixty days after the spin-up, by variable."""
    states = [block for block in blocks(small, 3, 0) if block is not None]
    return dict(zip(VARIABLES, np.moveaxis(np.concatenate(states), 1, 0).astype("float64"), strict=True))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    told = []
    ShallowWater(**TINY).write(folder, members=2, seed=5, progress=lambda done, total: told.append((done, total)))
    return folder, told


def digests(folder):
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_tendencies_are_the_solvers_and_what_drives_the_flow(flow):
    settings = flow.settings
    solver = ShallowWaterSolver(32, 64, 600.0, lmax=22, mmax=22, grid="legendre-gauss")
    state = flow.start(0, 0)
    driven = flow.dudtspec(state) - solver.dudtspec(state)
    wave = driven[1, 5, 3] / (flow.rest[1, 5, 3] - state[1, 5, 3])
    zonal = driven[1, 5, 0] / (flow.rest[1, 5, 0] - state[1, 5, 0])
    assert wave.real.item() == pytest.approx(1.0 / (settings.damping_days * 86400.0))
    assert zonal.real.item() == pytest.approx(1.0 / (settings.relaxation_days * 86400.0))
    # The slope of the ground pulls: -laplacian of its geopotential, at degree 5 times 30 / radius squared.
    pull = 30.0 / 6.37122e6**2 * flow.mountains[5, 3]
    assert torch.isclose(driven[2, 5, 3], pull, rtol=1e-9)


def test_what_the_flow_is_driven_to_is_balanced():
    """Jets without waves or mountains stay as they are: their tendencies are small against those of a lone jet."""
    plain = ShallowWaterFlow(ShallowWaterSettings(mountain_height=0.0))
    lone = plain.rest.clone()
    lone[0, 1:] = 0.0
    balanced, unbalanced = plain.dudtspec(plain.rest), plain.dudtspec(lone)
    assert abs(balanced[2]).max() < 1e-9 * abs(unbalanced[2]).max()
    assert abs(balanced[1]).max() * 86400.0 < 1e-9 * abs(plain.rest[1]).max()


def test_a_fluid_at_rest_over_mountains_stays_at_rest(flow):
    still = torch.zeros_like(flow.rest)
    still[0, 0, 0] = flow.rest[0, 0, 0]
    still[0] -= flow.mountains
    pushed = ShallowWaterSolver.dudtspec(flow, still)[2] - flow.lap * flow.mountains
    assert abs(pushed).max() < 1e-10 * abs(flow.lap * flow.mountains).max()


def test_fields_are_those_of_one_wind_on_rows_from_the_south(flow):
    geopotential, vorticity, divergence, u, v = flow.fields(flow.start(1, 2)).astype("float64")
    transform = spherical_harmonics(quadrature("legendre-gauss", 32).latitude, np.arange(64) * 5.625)
    by_us = transform.vorticity_divergence(u, v)
    scale = 6.371e6 / 6.37122e6  # the solver's radius is a little larger than ours
    expected, _ = (transform.synthesis(part) * scale for part in by_us)
    np.testing.assert_allclose(vorticity, expected, atol=2e-4 * abs(vorticity).max())
    assert abs(divergence).max() < 1e-6 * abs(vorticity).max()
    assert u[6:10].mean() > 30.0  # both jets blow eastward
    assert u[22:26].mean() > 30.0
    assert geopotential[15:17].mean() > geopotential[[0, -1]].mean() + 1e4  # high at the equator


def test_mountains_stand_where_they_are_said_to(flow):
    ground = flow.ground()
    latitude = quadrature("legendre-gauss", 32).latitude
    row, column = np.unravel_index(ground.argmax(), ground.shape)
    assert abs(latitude[row] - 45.0) < 5.7
    assert min(abs(column * 5.625 - 90.0), abs(column * 5.625 - 250.0)) < 5.7
    assert ground.max() == pytest.approx(1500.0 * 9.80616, rel=0.1)


def test_mass_is_kept(months):
    mean = area_mean(months["geopotential"])
    assert np.ptp(mean) < 1e-6 * mean.mean()


def test_energy_and_enstrophy_are_stationary(months):
    energy = area_mean(0.5 * (months["u_component_of_wind"] ** 2 + months["v_component_of_wind"] ** 2))
    enstrophy = area_mean(0.5 * months["vorticity"] ** 2)
    for series in (energy, enstrophy):
        first, second = np.split(series, 2)
        assert first.mean() == pytest.approx(second.mean(), rel=0.1)
        assert series.max() < 1.3 * series.min()


def test_there_is_a_jet_on_each_hemisphere_and_waves_on_both(months):
    latitude = quadrature("legendre-gauss", 24).latitude
    wind = months["u_component_of_wind"]
    zonal = wind.mean(axis=(0, 2))
    for side in (latitude < 0, latitude > 0):
        assert 35.0 < abs(latitude[side][zonal[side].argmax()]) < 55.0
        assert zonal[side].max() > 40.0
        assert (wind[:, side] - wind[:, side].mean(axis=0)).std() > 3.0
    assert abs(zonal[abs(latitude) < 15.0]).max() < 15.0


def test_persistence_is_good_for_hours_and_loses_to_climatology_after_days(months):
    for name in ("geopotential", "vorticity"):
        field = months[name]
        usual = rms(field - field.mean(axis=0))
        assert rms(field[1:] - field[:-1]) < 0.4 * usual
        assert rms(field[5 * DAY :] - field[: -5 * DAY]) > 1.1 * usual


def test_two_nearby_starts_drift_apart_and_double_their_distance_in_days(flow):
    with torch.inference_mode():
        one = flow.start(3, 0)
        for _ in range(20 * DAY):
            one = flow.advance(one)
        other = one.clone()
        other[1] += 1e-4 * (flow.start(4, 0)[1] - flow.rest[1])
        apart = []
        for _ in range(25):
            for _ in range(DAY):
                one, other = flow.advance(one), flow.advance(other)
            apart.append(rms((flow.fields(one)[1] - flow.fields(other)[1]).astype("float64")[None]))
    doubling = 20.0 / np.log2(apart[24] / apart[4])
    assert 2.0 < doubling < 8.0
    assert apart[24] < 1e-6  # of a vorticity of 3e-5: it still grows as a small error does


def test_free_waves_are_not_driven_and_have_the_published_size():
    free = ShallowWaterFlow(ShallowWaterSettings(flow="free", grid="128x64", truncation=21, mach=0.2, time_step=300.0))
    state = free.start(0, 0)
    assert torch.equal(free.dudtspec(state), ShallowWaterSolver.dudtspec(free, state))
    # Gaussian coefficients of variance 4 pi / (120 * 121), times 0.2 times the speed of waves over the radius.
    size = 0.2 * np.sqrt(9.80616 * 1e4) / 6.37122e6 * np.sqrt(4 * np.pi / (120 * 121))
    drawn = state[1][torch.tril(torch.ones(22, 22, dtype=torch.bool))]
    assert float((abs(drawn) ** 2).mean()) == pytest.approx(size**2, rel=0.2)
    assert not torch.equal(state, free.start(0, 1))
    assert torch.equal(state, free.start(0, 0))


def test_a_store_has_weatherbenchs_layout_and_the_worlds_mark(made):
    folder, _ = made
    assert [item.name for item in folder.iterdir()] == ["shallow-water-6h-32x16.zarr"]
    with xr.open_zarr(folder / "shallow-water-6h-32x16.zarr", consolidated=False) as data:
        for name in VARIABLES:
            assert data[name].dims == ("time", "latitude", "longitude")
            assert data[name].dtype == "float32"
            assert np.isfinite(data[name].values).all()
        np.testing.assert_allclose(data["latitude"], quadrature("legendre-gauss", 16).latitude)
        np.testing.assert_allclose(data["longitude"], np.arange(32) * 11.25)
        assert data["geopotential_at_surface"].values.max() > 9000.0
        assert data["vorticity"].attrs["units"] == "s-1"
        mark = json.loads(data.attrs[records.WORLD_ATTRIBUTE])
        assert mark == {"world": "shallow-water", "version": "1", "seed": 5, "members": 2, "settings": TINY}


def test_no_window_crosses_from_one_trajectory_into_the_next(made):
    with xr.open_zarr(made[0] / "shallow-water-6h-32x16.zarr", consolidated=False) as data:
        time = data["time"]
        assert str(time.values[0])[:13] == "2099-01-01T00"
        assert str(time.values[6])[:13] == "2100-01-01T00"
        starts = window_starts(time, Split("shallow-water"), (0, 1, 2))
    assert starts.tolist() == [0, 1, 2, 3, 6, 7, 8, 9]


def test_progress_reaches_its_end(made):
    _, told = made
    assert [done for done, _ in told] == list(range(1, told[-1][1] + 1))


def test_the_same_seed_gives_the_same_bytes_whichever_process_runs_what(made, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "hardware", lambda: {"cores": 1})
    ShallowWater(**TINY).write(tmp_path, members=2, seed=5)
    assert digests(tmp_path) == digests(made[0])


def test_seeds_and_trajectories_differ(flow):
    first = flow.start(0, 0)
    assert not torch.equal(first, flow.start(1, 0))
    assert not torch.equal(first, flow.start(0, 1))
    assert abs(first[1] - flow.rest[1]).max() < 5 * FIRST_WAVES


def test_more_years_leave_later_ones_as_they_are():
    settings = ShallowWaterSettings()
    few, many = settings.times(2), settings.times(5)
    np.testing.assert_array_equal(few, many[-few.size :])
    for trajectory in (0, 1):
        few_from_end = few.size - settings.first_state(trajectory, 2)
        assert few_from_end == many.size - settings.first_state(trajectory, 5)


def test_a_process_that_fails_leaves_nothing_and_says_why(tmp_path):
    with pytest.raises(DataError, match="shorter time_step"):
        ShallowWater(grid="32x16", samples=4, spin_up_days=20, time_step=7200.0).write(tmp_path, members=1)
    assert not list(tmp_path.iterdir())


def test_a_module_that_cannot_run_is_named_with_its_last_words():
    with pytest.raises(DataError, match=r"climbench\.no_such_module has failed: .*No module named"):
        run_jobs("climbench.no_such_module", [{}], print)


def test_the_base_install_is_told_what_to_install(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch_harmonics" else find(name))
    with pytest.raises(MissingExtraError, match=r"pip install 'climbench\[models\]'"):
        ShallowWater().write(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_free_flow_has_no_ground_and_leaves_none_of_its_chunks_out(tmp_path):
    ShallowWater(grid="32x16", flow="free", samples=3, step_hours=1, starts=2, spin_up_days=0).write(
        tmp_path, members=1
    )
    with xr.open_zarr(tmp_path / "shallow-water-1h-32x16.zarr", consolidated=False) as data:
        assert not data["geopotential_at_surface"].values.any()
        assert data["time"].dt.day.values.tolist() == [1, 1, 1, 2, 2, 2]
        assert np.isfinite(data["geopotential"].values).all()
    assert (tmp_path / "shallow-water-1h-32x16.zarr" / "geopotential_at_surface" / "c" / "0" / "0").is_file()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"gird": "64x32"}, "Did you mean 'grid'"),
        ({"grid": "64x64"}, "twice as many columns"),
        ({"flow": "wild"}, "There is: forced, free"),
        ({"truncation": 40}, "32 rows resolve degrees below 32"),
        ({"time_step": 700.0}, "no whole number of steps"),
        ({"samples": 0}, "samples is 0"),
        ({"starts": 6}, "longer than a year"),
        ({"spin_up_days": -1}, "spin_up_days is -1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(DataError, match=said):
        ShallowWater(**settings)


GRIDS = [("64x32", 21, 600.0), ("128x64", 42, 300.0), ("256x128", 85, 150.0)]


@pytest.mark.parametrize(("grid", "degree", "step"), GRIDS)
def test_finer_grids_have_shorter_waves_and_steps(grid, degree, step):
    settings = ShallowWaterSettings(grid=grid)
    assert settings.degree == degree
    assert settings.step <= step * 1.02
    assert settings.step > 0.9 * step
    assert settings.steps * settings.step == pytest.approx(21600.0)


def worlds():
    cards = [card for card in list_cards("dataset") if card.world is not None]
    return [card.name for card in cards if card.world.class_path.endswith(".ShallowWater")]


@pytest.mark.parametrize("name", worlds())
def test_cards_can_be_made_and_name_what_is_made(name):
    card = find_dataset(name)
    settings = ShallowWater(**card.world.init_args).settings
    assert set(card.variables) == {*VARIABLES, "geopotential_at_surface"}
    assert card.grid.startswith(f"{settings.rows} x {2 * settings.rows}")
    assert whereabouts(card) is None


@pytest.mark.parametrize("name", ["shallow-water", "shallow-water-sfno"])
def test_all_initial_times_of_a_task_have_their_truth(name):
    task = find_task(name)
    world = find_dataset(task.dataset).world
    times = ShallowWater(**world.init_args).settings.times(world.members)
    valid = task_inits(task)[:, None] + (np.array(task.leads.hours()) * 3600).astype("timedelta64[s]")
    assert np.isin(valid, times.astype("datetime64[s]")).all()
    for period in (task.train, task.validation):
        inside = (times >= np.datetime64(period[0])) & (times < np.datetime64(period[1]) + 1)
        assert inside.any()


def test_a_task_makes_its_truth_where_it_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIMBENCH_CACHE", str(tmp_path / "cache"))
    cards = tmp_path / "cards"
    for folder in ("datasets", "benchmarks"):
        (cards / folder).mkdir(parents=True)
    data = find_dataset("shallow-water").path.read_text().replace("name: shallow-water", "name: tiny-water")
    data = data.replace("  members: 8", f"  members: 3\n  init_args: {json.dumps(TINY)}")
    (cards / "datasets" / "tiny-water.yaml").write_text(data)
    task = find_task("shallow-water").path.read_text().replace("name: shallow-water", "name: tiny-task")
    task = task.replace("dataset: shallow-water", "dataset: tiny-water")
    (cards / "benchmarks" / "tiny-task.yaml").write_text(task)
    settings = {
        "grids": ["32x16"],
        "train": ["2098-01-01", "2098-12-31"],
        "test.period": ["2100-01-01", "2100-01-01"],
        "test.hours": [0, 6],
        "leads.last": 6,
    }
    opened = open_forecast_task("tiny-task", None, settings, [cards])
    assert opened.data.kind == "simulated"
    assert opened.data.name == "shallow-water"
    assert opened.data.world["seed"] == 0
    assert opened.open_truth().sizes == {"time": 18, "latitude": 16, "longitude": 32}
    assert whereabouts(opened.dataset) is not None
