"""The rain world: rain of a known climate that moves, climbs mountains and is not determined by its coarse means."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import xarray as xr

from climbench import records
from climbench.cards import find_dataset
from climbench.data.check import check
from climbench.data.readers.rainshift import RainShiftReader
from climbench.data.stores import open_store
from climbench.errors import DataError
from climbench.tasks.sources import Source
from climbench.worlds import rain_waves
from climbench.worlds.rain import Rain
from climbench.worlds.rain_files import INPUTS
from climbench.worlds.rain_law import RainLaw, law_of, share_above
from climbench.worlds.rain_regions import CELLS, REGIONS, region_of
from climbench.worlds.rain_sequence import block_means, simulate
from climbench.worlds.rain_terrain import climb, terrain

TINY = {"regions": ("monsoon", "drylands"), "sequences": 2, "hours": 3}
CARDS = ("rain", "rain-demo")


@pytest.fixture(scope="module")
def climate():
    """The year that tests are done on, by region: rain by sequence and hour, and the wind of each sequence."""
    world, found = Rain(), {}
    for name in REGIONS:
        year = [simulate(name, (2100, number), world.hours, seed=0) for number in range(world.sequences)]
        found[name] = np.stack([made.rain for made in year]).astype("float64"), [made.wind for made in year]
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    told = []
    Rain(**TINY).write(folder, members=2, seed=5, progress=lambda *counts: told.append(counts))
    return folder, told


def digests(folder):
    return {f.relative_to(folder): hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.rglob("*") if f.is_file()}


def share_error(fields, amount):
    """The share above an amount and the standard error of it, sequences being independent."""
    shares = (fields >= amount).mean(axis=(1, 2, 3))
    return shares.mean(), shares.std(ddof=1) / np.sqrt(len(shares))


def radial_power(fields):
    """Power on the plane, averaged over directions, by cycles along a side; edges are tapered."""
    taper = np.outer(np.hanning(CELLS), np.hanning(CELLS))
    anomalies = (fields - fields.mean(axis=(1, 2), keepdims=True)) * taper
    power = (abs(np.fft.fft2(anomalies)) ** 2).mean(axis=0)
    cycles = np.fft.fftfreq(CELLS) * CELLS
    band = np.rint(np.hypot(cycles[:, None], cycles)).astype(int).ravel()
    return (np.bincount(band, power.ravel()) / np.bincount(band))[: CELLS // 2]


@pytest.mark.parametrize("name", REGIONS)
def test_rain_has_the_climate_of_the_table(climate, name):
    """Wet frequency and percentile are those the region is set to, to 3.5 standard errors of the sample."""
    fields, _ = climate[name]
    region = region_of(name)
    assert np.isfinite(fields).all()
    assert fields.min() == 0.0
    for amount, expected in ((0.1, region.wet_frequency), (region.percentile_99_9, 1e-3)):
        share, error = share_error(fields, amount)
        assert abs(share - expected) < 3.5 * error
        assert error < 0.2 * expected


def test_the_law_is_that_of_plain_sampling():
    """Shares by the integral against shares among random numbers, drawn without any field."""
    region = region_of("rainforest")
    law = law_of(region)
    rng = np.random.default_rng(0)
    gains = 0.3 * np.tanh(rng.choice(climb(region, region.wind).ravel(), 400_000) / 0.15)  # of the mean wind alone
    noise = rng.standard_normal((2, gains.size))
    exponent = np.hypot(region.cells, region.instability) * noise[1] + gains
    sampled = law.scale * np.clip(noise[0] - law.threshold, 0.0, None) ** 1.3 * np.exp(exponent)
    for amount in (0.1, 2.0, 17.0):
        assert share_above(amount, region, law) == pytest.approx((sampled >= amount).mean(), rel=0.08)
    assert share_above(17.0, region, RainLaw(law.threshold, 2.0 * law.scale)) == pytest.approx(
        share_above(8.5, region, law), rel=1e-9
    )


@pytest.mark.parametrize("name", REGIONS)
def test_the_rare_percentile_can_be_told_from_a_test_year(climate, name):
    """Sequences drawn again: the standard error of the 99.9th percentile of 128 fields is a few per cent."""
    fields, _ = climate[name]
    assert fields.shape[0] * fields.shape[1] == 128
    year = fields.reshape(len(fields), -1)[:, ::2]
    draws = np.random.default_rng(0).integers(0, len(year), (30, len(year)))
    again = [np.quantile(year[draw], 0.999) for draw in draws]
    assert np.std(again) / np.mean(again) < 0.06
    assert np.quantile(year, 0.999) == pytest.approx(region_of(name).percentile_99_9, rel=0.1)


@pytest.mark.parametrize("name", REGIONS)
def test_power_falls_as_that_of_rain_does(climate, name):
    power = radial_power(climate[name][0].reshape(-1, CELLS, CELLS))
    cycles = np.arange(8, 33)  # wavelengths from 88 to 22 km
    slope = np.polyfit(np.log(cycles), np.log(power[cycles]), 1)[0]
    assert -3.0 < slope < -2.0


def test_regions_differ(climate):
    """Each from each other, in wet frequency or percentile, by more than five standard errors of the difference."""
    shares = {name: [share_error(fields, amount) for amount in (0.1, 3.0)] for name, (fields, _) in climate.items()}
    for i, one in enumerate(REGIONS):
        for other in list(REGIONS)[i + 1 :]:
            apart = [
                abs(a - b) / np.hypot(error_a, error_b)
                for (a, error_a), (b, error_b) in zip(shares[one], shares[other], strict=True)
            ]
            assert max(apart) > 5.0, (one, other)


@pytest.mark.parametrize("name", ["storm-track", "monsoon"])
def test_rain_goes_with_the_wind(name):
    """An hour later it is like that upwind, less like that downwind, and less like it was than the other hour is."""
    downwind, upwind, there, later = [], [], [], []
    for number in range(12):
        hours = simulate(name, (2100, number), 3, seed=1)
        east, north = (round(component * 3.6 / 5.5) for component in hours.wind)
        rain = np.log1p(hours.rain.astype("float64"))
        inner = rain[:, 32:-32, 32:-32]
        moved = [np.roll(rain[0], sign * np.array([north, east]), (0, 1))[32:-32, 32:-32] for sign in (1, -1, 0)]
        for values, field in zip((downwind, upwind, there), moved, strict=True):
            values.append(np.corrcoef(inner[1].ravel(), field.ravel())[0, 1])
        twice = np.roll(rain[0], 2 * np.array([north, east]), (0, 1))[32:-32, 32:-32]
        later.append(np.corrcoef(inner[2].ravel(), twice.ravel())[0, 1])
    assert np.mean(downwind) > 0.5
    assert np.mean(downwind) > np.mean(there) + 0.05 > np.mean(upwind) + 0.1
    assert np.mean(downwind) > np.mean(later) + 0.05 > 0.2


@pytest.mark.parametrize("name", ["storm-track", "ranges", "monsoon", "islands"])
def test_slopes_that_the_wind_climbs_are_wetter_than_those_in_its_lee(climate, name):
    fields, winds = climate[name]
    region = region_of(name)
    rising = np.broadcast_to(np.stack([climb(region, wind) for wind in winds])[:, None], fields.shape)
    up, down = fields[rising > 0.1].mean(), fields[rising < -0.1].mean()
    assert (rising > 0.1).mean() > 0.01
    assert up > 1.5 * down


def test_gaussian_waves_have_variance_one_and_the_slope_they_are_given():
    amplitude = rain_waves.amplitudes(150.0, 3.0)
    assert rain_waves.mean_square(amplitude) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    sample = np.stack([rain_waves.field(amplitude * rain_waves.white(rng)) for _ in range(200)])
    assert sample.var() == pytest.approx(1.0, rel=0.05)
    power = radial_power(sample)
    slope = np.polyfit(np.log(np.arange(16, 48)), np.log(power[16:48]), 1)[0]
    assert slope == pytest.approx(-3.0, abs=0.15)


def test_long_waves_are_those_of_noise_on_a_coarser_grid():
    long = (rain_waves.wavenumber() < 1.0 / rain_waves.LARGE) * rain_waves.amplitudes(300.0, 4.0)
    rng = np.random.default_rng(0)
    power = [
        np.mean([abs(rain_waves.white(rng, cells) * long) ** 2 for _ in range(400)], axis=0) for cells in (24, 192)
    ]
    assert power[0].sum() == pytest.approx(power[1].sum(), rel=0.05)
    np.testing.assert_array_equal(power[0] > 0.0, long > 0.0)
    noise = np.random.default_rng(1).standard_normal((24, 24))
    waves = rain_waves.white(np.random.default_rng(1), 24) * (rain_waves.wavenumber() < 1.0 / rain_waves.LARGE)
    coefficients = np.fft.fft2(noise)
    assert abs(np.fft.fft2(np.fft.irfft2(waves))[-3, 5] - 8.0 * coefficients[-3, 5]) < 1e-9


def test_waves_longer_along_a_direction():
    rng = np.random.default_rng(0)
    amplitude = rain_waves.amplitudes(150.0, 3.0, 2.0, 90.0)
    sample = np.stack([rain_waves.field(amplitude * rain_waves.white(rng)) for _ in range(50)])
    north, east = (np.diff(sample, axis=axis).std() for axis in (1, 2))
    assert east > 1.5 * north


def test_waves_keep_their_variance_and_move_by_the_wind():
    """Three cells in an hour eastward, with a memory without end."""
    amplitude = rain_waves.amplitudes(150.0, 3.0)
    rng = np.random.default_rng(0)
    noise = iter([rain_waves.white(rng) for _ in range(2)])
    states = rain_waves.series(amplitude, rain_waves.motion(1e12, (3 * 5.5 / 3.6, 0.0)), 2, noise)
    first, second = np.fft.irfft2(states)
    np.testing.assert_allclose(second, np.roll(first, 3, axis=1), atol=1e-3)
    noise = (rain_waves.white(rng) for _ in range(40))
    states = rain_waves.series(amplitude, rain_waves.motion(2.0, (5.0, 1.0)), 40, noise)
    assert np.fft.irfft2(states[20:]).var() == pytest.approx(1.0, rel=0.1)


def test_the_coarse_does_not_determine_the_fine():
    """Other draws have the same weather, the same rain at large and other rain at small scales."""
    one, same, other = (simulate("rainforest", (2100, 4), 2, seed=0, draw=draw) for draw in (0, 0, 1))
    assert np.array_equal(one.rain, same.rain)
    for name, values in one.weather.items():
        np.testing.assert_array_equal(values, other.weather[name])
    fine = np.corrcoef(np.log1p(one.rain).ravel(), np.log1p(other.rain).ravel())[0, 1]
    wide = np.corrcoef(*(block_means(made.rain, 16).ravel() for made in (one, other)))[0, 1]
    assert 0.1 < fine < 0.8
    assert wide > fine


def test_land_is_what_the_table_says():
    for name, region in REGIONS.items():
        land, height = terrain(region)
        assert land.mean() == pytest.approx(region.land, abs=0.01), name
        assert height.min() >= 0.0
        assert (height[land == 0.0] == 0.0).all()
    assert terrain(REGIONS["ranges"])[1].max() > 2000.0 > 800.0 > terrain(REGIONS["rainforest"])[1].max()


def test_files_are_read_as_rainshifts(made):
    folder, told = made
    reader = RainShiftReader(folder, find_dataset("rain"))
    parts = ["train inputs", "train targets", "test inputs", "test targets", "static"]
    assert sorted(reader.parts()) == sorted(f"{name} {part}" for name in TINY["regions"] for part in parts)
    assert told == [(n, 6) for n in range(1, 7)]
    fine, coarse = (reader.open(f"monsoon train {what}").load() for what in ("targets", "inputs"))
    assert fine.sizes == {"time": 12, "latitude": CELLS, "longitude": CELLS}
    assert coarse.sizes == {"time": 12, "latitude": CELLS // 8, "longitude": CELLS // 8}
    np.testing.assert_array_equal(fine["time"], coarse["time"])
    assert (fine["time"].dt.year < 2100).all()
    test = reader.open("monsoon test targets")
    assert (test["time"].dt.year == 2100).all()
    static = reader.open("monsoon static").load()
    assert set(static) == {"land_sea_mask", "geopotential_at_surface"}
    for data in (fine, coarse, static):
        for name in data.data_vars:
            assert data[name].dtype == "float32"
            assert data[name].attrs["units"]
    np.testing.assert_array_equal(static["latitude"], fine["latitude"])


def test_values_are_whole_and_sane(made):
    report = check(made[0], layout="rainshift", card=find_dataset("rain"))
    assert report.problems == []
    assert len(report.lines) == 1 + 2 * 5


def test_coarse_rain_is_the_mean_of_the_fine_cells_it_covers(made):
    """By xarray's own coarsening, whose coordinates are the coarse ones too."""
    reader = RainShiftReader(made[0], find_dataset("rain"))
    fine, coarse = (reader.open(f"monsoon train {what}").load() for what in ("targets", "inputs"))
    means = fine["precipitation"].astype("float64").coarsen(latitude=8, longitude=8).mean()
    np.testing.assert_array_equal(coarse["total_precipitation"].values, means.values.astype("float32"))
    for axis in ("latitude", "longitude"):
        np.testing.assert_allclose(coarse[axis], means[axis], atol=1e-5)
    assert coarse["total_precipitation"].attrs["units"] == fine["precipitation"].attrs["units"] == "mm"
    assert float(means.max()) > 0.5


def test_a_coarser_factor_has_the_same_fine_fields(made, tmp_path):
    Rain(**TINY, factor=16).write(tmp_path, members=1, seed=5)
    with (
        xr.open_zarr(made[0] / "monsoon" / "test_data_in.zarr", consolidated=False) as eight,
        xr.open_zarr(tmp_path / "monsoon" / "test_data_in.zarr", consolidated=False) as sixteen,
    ):
        means = eight.coarsen(latitude=2, longitude=2).mean()
        for name in INPUTS:
            np.testing.assert_allclose(sixteen[name], means[name], rtol=2e-6, atol=1e-6)
    for part in ("test_data_out.zarr", "static_variables.nc"):
        with open_store(made[0] / "monsoon" / part) as one, open_store(tmp_path / "monsoon" / part) as other:
            xr.testing.assert_equal(one, other)


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(made, tmp_path):
    for seed in (5, 6):
        (tmp_path / str(seed)).mkdir()
        Rain(**TINY).write(tmp_path / str(seed), members=2, seed=seed)
    assert digests(tmp_path / "5") == digests(made[0])
    apart = [xr.open_zarr(tmp_path / seed / "monsoon/test_data_out.zarr", consolidated=False).load() for seed in "56"]
    assert not (apart[0]["precipitation"] == apart[1]["precipitation"]).all()


def test_more_years_leave_others_as_they_are(made, tmp_path):
    Rain(**TINY).write(tmp_path, members=1, seed=5)
    with (
        xr.open_zarr(made[0] / "drylands" / "train_data_out.zarr", consolidated=False) as two,
        xr.open_zarr(tmp_path / "drylands" / "train_data_out.zarr", consolidated=False) as one,
    ):
        xr.testing.assert_equal(two.isel(time=slice(6, None)), one)


def test_every_file_is_marked_as_simulated(made):
    folder, _ = made
    card = find_dataset("rain")
    reader = RainShiftReader(folder, card)
    data = Source(card, reader, "").data(reader.paths(["monsoon test inputs"]))
    assert (data.name, data.kind) == ("rain", "simulated")
    for path in reader.paths(reader.parts()):
        opened = xr.open_zarr(path, consolidated=False) if path.suffix == ".zarr" else xr.open_dataset(path)
        with opened:
            mark = json.loads(opened.attrs[records.WORLD_ATTRIBUTE])
        expected = {"regions": list(TINY["regions"]), "sequences": 2, "hours": 3}
        assert mark == {"world": "rain", "version": "1", "seed": 5, "members": 2, "settings": expected}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"regions": ["monsun"]}, "has no region 'monsun'. Did you mean 'monsoon'"),
        ({"factor": 10}, "factor is 10; it must divide the 128 cells"),
        ({"sequences": 3000}, "3000 sequences of 2 h"),
    ],
)
def test_settings_that_cannot_be_are_named(settings, said):
    with pytest.raises(DataError, match=said):
        Rain(**settings)


@pytest.mark.parametrize("name", CARDS)
def test_cards_name_what_is_made(name, made):
    card = find_dataset(name)
    world = Rain(**card.world.init_args)
    assert world.regions == tuple(REGIONS)
    reader = RainShiftReader(made[0], card)
    coarse, fine, static = (reader.open(f"monsoon {part}") for part in ("test inputs", "test targets", "static"))
    assert set(card.inputs) == set(coarse.data_vars)
    assert set(card.variables) == {*fine.data_vars, *static.data_vars}


def test_the_card_states_the_climates():
    said = " ".join(find_dataset("rain").summary.split())
    for name, region in REGIONS.items():
        assert f"{name} {region.wet_frequency:g} and {region.percentile_99_9:g}" in said
