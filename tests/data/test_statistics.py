"""Statistics of a split against NumPy on whole arrays in float64, for any way of chunking, and what they refuse."""

from __future__ import annotations

import json

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from climbench.cluster import cluster
from climbench.data.splits import Split
from climbench.data.statistics import Statistics
from climbench.errors import DataError

ALL = Split("made")
LATITUDE, LONGITUDE = np.array([-60.0, 0.0, 60.0]), np.array([0.0, 90.0, 180.0, 270.0])
ROUND_OFF = 1e-13


def made(values, time=None, dims=("time", "latitude", "longitude"), name="tas", **coords):
    sizes = dict(zip(dims, np.shape(values), strict=True))
    known = {
        "time": np.arange(sizes.get("time", 0)) if time is None else time,
        "latitude": LATITUDE,
        "longitude": LONGITUDE,
        **coords,
    }
    variable = xr.DataArray(values, dims=dims, coords={d: known[d] for d in dims if d in known}, attrs={"units": "K"})
    return variable.to_dataset(name=name)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def numbers(statistics, name="tas"):
    return {key: statistics[key][name].values for key in statistics.table["statistic"].values}


def expected(values):
    """Return what NumPy finds, from whole arrays in float64."""
    values = np.asarray(values, "float64")
    steps = np.diff(values, axis=0)
    return {
        "mean": values.mean(),
        "std": values.std(),
        "difference_mean": steps.mean(),
        "difference_std": steps.std(),
        "minimum": values.min(),
        "maximum": values.max(),
        "count": values.size,
        "difference_count": steps.size,
        "missing": 0,
    }


def assert_alike(found, wanted, rtol=ROUND_OFF, atol=1e-14):
    assert set(found) == set(wanted)
    for key, value in wanted.items():
        np.testing.assert_allclose(found[key], value, rtol=rtol, atol=atol, err_msg=key)


@pytest.mark.parametrize("chunks", [{"time": 1}, {"time": 7}, {"time": -1}, {"time": 5, "latitude": 2, "longitude": 3}])
def test_any_chunks_give_what_numpy_finds_on_the_whole(chunks):
    values = 280.0 + 10.0 * noise(50, 3, 4)
    assert_alike(numbers(Statistics.compute(made(values).chunk(chunks), ALL)), expected(values))


def test_numbers_worked_by_hand():
    values = np.array([1.0, 2.0, 4.0, 8.0])
    found = numbers(Statistics.compute(made(values, dims=("time",)).chunk(time=2), ALL))
    # mean 15/4; mean of squares 85/4; differences 1, 2, 4
    wanted = [3.75, (85 / 4 - 3.75**2) ** 0.5, 7 / 3, (21 / 3 - (7 / 3) ** 2) ** 0.5, 1.0, 8.0, 4.0, 3.0, 0.0]
    np.testing.assert_allclose(list(found.values()), wanted, rtol=1e-15)


def test_a_ramp_has_the_spread_of_whole_numbers_and_steps_without_spread():
    count = 100_001
    found = numbers(Statistics.compute(made(0.1 * np.arange(count), dims=("time",)).chunk(time=1000), ALL))
    np.testing.assert_allclose(found["std"], 0.1 * ((count**2 - 1) / 12) ** 0.5, rtol=ROUND_OFF)
    np.testing.assert_allclose(found["difference_mean"], 0.1, rtol=ROUND_OFF)
    assert found["difference_std"] < 1e-12  # what rounding leaves of the steps


@pytest.mark.parametrize(
    ("kind", "mean", "spread"), [("float32", 1e6, 0.1), ("float64", 1e6, 1e-2), ("float64", 1e9, 1e-3)]
)
@pytest.mark.parametrize("chunk", [1, 7, 200])
def test_a_small_spread_about_a_large_mean_is_kept(kind, mean, spread, chunk):
    values = (mean + spread * noise(200, 3, 4)).astype(kind)
    wanted = expected(values.astype("float64") - mean)  # exact: both are of one size
    naive = float(np.mean(values**2, dtype=kind) - np.mean(values, dtype=kind) ** 2)
    assert abs(naive - wanted["std"] ** 2) > 0.1 * wanted["std"] ** 2  # what the textbook's formula makes of it
    found = numbers(Statistics.compute(made(values).chunk(time=chunk), ALL))
    for key in ("mean", "minimum", "maximum"):
        np.testing.assert_allclose(found.pop(key), mean + wanted.pop(key), rtol=1e-15)
    assert_alike(found, wanted, rtol=1e-12, atol=1e-12 * spread)


def test_single_precision_is_summed_in_double():
    values = noise(2000, 3, 4).astype("float32") + np.float32(300.0)
    assert_alike(numbers(Statistics.compute(made(values).chunk(time=300), ALL)), expected(values))


@pytest.mark.parametrize("chunk", [4, 9])
def test_chunks_larger_than_the_cache_are_cut_without_loss(chunk):
    values = noise(9, 150, 200).astype("float32")
    data = made(values, latitude=np.linspace(-75, 75, 150), longitude=np.arange(200) * 1.8)
    found = numbers(Statistics.compute(data.chunk(time=chunk), ALL))
    assert_alike(found, expected(values), rtol=1e-12, atol=1e-13)


def test_levels_are_kept_apart_and_members_are_not():
    values = noise(2, 20, 2, 3, 4) + np.array([0.0, 50.0])[:, None, None]
    data = made(values, dims=("member", "time", "level", "latitude", "longitude"), level=[500, 850])
    found = Statistics.compute(data.chunk(time=6, level=1, member=1), ALL)
    for i in range(2):
        at_level = {key: value[i] for key, value in numbers(found).items()}
        assert_alike(at_level, expected(np.moveaxis(values[:, :, i], 1, 0)))
    np.testing.assert_array_equal(found.table["level"], [500, 850])
    assert found["mean"]["tas"].attrs == {"units": "K"}


def test_variables_with_and_without_levels_or_time_stand_side_by_side():
    data = made(noise(6, 2, 3, 4), dims=("time", "level", "latitude", "longitude"), level=[500, 850], name="t")
    data = data.assign(ps=data["t"].sel(level=500, drop=True), orography=(("latitude", "longitude"), noise(3, 4)))
    found = Statistics.compute(data.chunk(), ALL)
    assert found["mean"]["t"].dims == ("level",)
    assert found["mean"]["ps"] == found["mean"]["t"][0]
    np.testing.assert_allclose(found["std"]["orography"], data["orography"].std(), rtol=ROUND_OFF)
    assert np.isnan(found["difference_std"]["orography"])
    assert found["difference_count"]["orography"] == 0


@pytest.mark.parametrize("order", [("longitude", "latitude", "time"), ("latitude", "time", "longitude")])
def test_the_order_of_dimensions_does_not_matter(order):
    values = noise(20, 3, 4)
    data = made(values).transpose(*order).chunk(time=7)
    assert_alike(numbers(Statistics.compute(data, ALL)), expected(values))


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "standard"])
def test_gaps_are_no_steps_on_any_calendar(calendar):
    time = xr.date_range("1999-01-01", periods=36, freq="MS", calendar=calendar, use_cftime=calendar != "standard")
    values = np.cumsum(noise(36, 3, 4), axis=0)
    keep = np.delete(np.arange(36), 14)  # March 2000 is missing
    data = made(values, time=time).isel(time=keep).chunk(time=5)
    found = numbers(Statistics.compute(data, ALL))
    steps = np.concatenate([np.diff(values[:14], axis=0), np.diff(values[15:], axis=0)])
    assert found["difference_count"] == steps.size
    np.testing.assert_allclose(found["difference_mean"], steps.mean(), rtol=ROUND_OFF)
    np.testing.assert_allclose(found["difference_std"], steps.std(), rtol=ROUND_OFF)


@pytest.mark.parametrize("chunk", [1, 4, 60])
def test_only_the_samples_of_the_split_count(chunk):
    values = noise(60, 3, 4)
    values[[0, 19, 31, 59]] = 1e6  # times next to the periods
    split = Split("made", ((1, 18), (20, 30), (40, 49)))
    found = numbers(Statistics.compute(made(values).chunk(time=chunk), split))
    periods = [values[1:19], values[20:31], values[40:50]]
    steps = np.concatenate([np.diff(period, axis=0) for period in periods])
    chosen = np.concatenate(periods)
    wanted = {**expected(chosen), "difference_count": steps.size}
    wanted |= {"difference_mean": steps.mean(), "difference_std": steps.std()}
    assert_alike(found, wanted)


def test_a_period_of_one_sample_has_no_step():
    found = Statistics.compute(made(noise(9, 3, 4)).chunk(time=2), Split("made", ((0, 1), (6, 6))))
    assert found["difference_count"]["tas"] == 12


def test_with_a_stride_steps_are_from_one_sample_to_the_next():
    values = noise(40, 3, 4)
    found = numbers(Statistics.compute(made(values).chunk(time=7), Split("made", ((2, 38),), stride=3)))
    assert_alike(found, expected(values[2:39:3]))


def test_scenarios_are_pooled_without_steps_between_them():
    a, b = noise(10, 3, 4), noise(15, 3, 4, seed=1) + 5.0
    data = {"ssp126": made(a), "ssp585": made(b), "ssp245": made(1e6 * a)}
    found = numbers(Statistics.compute(data, Split("made", scenarios=("ssp585", "ssp126"))))
    both = np.concatenate([a.ravel(), b.ravel()])
    steps = np.concatenate([np.diff(a, axis=0).ravel(), np.diff(b, axis=0).ravel()])
    np.testing.assert_allclose([found["mean"], found["std"]], [both.mean(), both.std()], rtol=ROUND_OFF)
    np.testing.assert_allclose(found["difference_std"], steps.std(), rtol=ROUND_OFF)
    assert (found["count"], found["difference_count"]) == (both.size, steps.size)


def test_a_period_may_lie_in_one_scenario_only():
    data = {
        "historical": made(noise(5, 3, 4), time=np.arange(2010, 2015)),
        "ssp126": made(noise(3, 3, 4), time=[2015, 2016, 2017]),
    }
    found = Statistics.compute(data, Split("made", ((2012, 2014),)), variables=["tas"])
    assert found["count"]["tas"] == 3 * 12


@pytest.mark.parametrize("chunks", [{"time": 3}, {"time": 3, "latitude": 1}])
def test_area_weights(chunks):
    values = noise(10, 3, 4)
    found = numbers(Statistics.compute(made(values).chunk(chunks), ALL, weights="cell_area"))
    # rows reach to -90, -30, 30, 90 degrees: differences of the sine are 1/2, 1, 1/2
    weights = np.broadcast_to(np.array([0.5, 1.0, 0.5])[:, None], (3, 4))

    def mean(x):
        return np.average(x, weights=np.broadcast_to(weights, x.shape))

    steps = np.diff(values, axis=0)
    np.testing.assert_allclose(found["mean"], mean(values), rtol=1e-12)
    np.testing.assert_allclose(found["std"], mean((values - mean(values)) ** 2) ** 0.5, rtol=ROUND_OFF)
    np.testing.assert_allclose(found["difference_std"], mean((steps - mean(steps)) ** 2) ** 0.5, rtol=ROUND_OFF)
    np.testing.assert_allclose([found["count"], found["difference_count"]], [120.0, 108.0], rtol=ROUND_OFF)


@pytest.mark.parametrize(("chunk", "piece"), [(1, 2**16), (4, 2**16), (30, 2**16), (30, 50), (30, 8)])
def test_masked_values_are_left_out_and_counted(monkeypatch, chunk, piece):
    monkeypatch.setattr("climbench.data.summaries.PIECE", piece)  # four times, or two points of a time, at once
    values = 300.0 + noise(30, 3, 4)
    values[:, 1, 2] = np.nan  # land
    values[7, 0] = np.nan  # a row of one time
    found = numbers(Statistics.compute(made(values).chunk(time=chunk), ALL, nan="mask"))
    steps = np.diff(values, axis=0)
    wanted = [np.nanmean(values), np.nanstd(values), np.nanmean(steps), np.nanstd(steps), np.nanmin(values)]
    wanted += [np.nanmax(values), np.isfinite(values).sum(), np.isfinite(steps).sum(), np.isnan(values).sum()]
    np.testing.assert_allclose(list(found.values()), wanted, rtol=ROUND_OFF, atol=1e-14)


def test_masked_values_under_area_weights():
    values = noise(10, 3, 4)
    values[:, 0] = np.nan
    found = numbers(Statistics.compute(made(values).chunk(time=4), ALL, nan="mask", weights="cell_area"))
    weights = np.broadcast_to(np.array([1.0, 0.5])[:, None], (10, 2, 4))
    np.testing.assert_allclose(found["mean"], np.average(values[:, 1:], weights=weights), rtol=1e-12)


def test_a_level_without_values_is_nan_not_zero():
    values = noise(5, 2, 3, 4)
    values[:, 1] = np.nan
    data = made(values, dims=("time", "level", "latitude", "longitude"), level=[500, 1000])
    found = numbers(Statistics.compute(data.chunk(time=2), ALL, nan="mask"))
    for key in ("mean", "std", "difference_mean", "difference_std", "minimum", "maximum"):
        assert np.isfinite(found[key][0])
        assert np.isnan(found[key][1])
    np.testing.assert_array_equal(found["count"], [60, 0])


def test_missing_values_are_an_error_that_names_variable_and_time():
    values = noise(10, 3, 4)
    values[6, 1, 1] = np.nan
    with pytest.raises(DataError, match=r"'tas' has 1 missing \(NaN\) values in 4\.\.7, the first at 6.*nan='mask'"):
        Statistics.compute(made(values).chunk(time=4), ALL)


@pytest.mark.parametrize("nan", ["error", "mask"])
def test_infinite_values_are_always_an_error(nan):
    values = noise(10, 3, 4)
    values[2, 0, 0] = -np.inf
    with pytest.raises(DataError, match=r"'tas' has 1 infinite values in 0\.\.9, the first at 2"):
        Statistics.compute(made(values).chunk(), ALL, nan=nan)


def test_missing_values_outside_the_split_do_not_matter():
    values = noise(10, 3, 4)
    values[6] = np.nan
    assert Statistics.compute(made(values).chunk(time=4), Split("made", ((0, 5),)))["count"]["tas"] == 72


def store(path, values, **encoding):
    data = made(values)
    data.to_zarr(path, consolidated=False, encoding={"tas": {"chunks": (3, 3, 4), **encoding}})
    return path


def test_packed_integers_are_decoded_before_they_are_summed(tmp_path):
    values = 280.0 + 10.0 * noise(20, 3, 4)
    path = store(tmp_path / "packed.zarr", values, dtype="int16", scale_factor=0.01, add_offset=280.0, _FillValue=-9999)
    with xr.open_zarr(path, chunks={}, consolidated=False) as data:
        whole = data["tas"].values
        assert_alike(numbers(Statistics.compute(data, ALL)), expected(whole))
    np.testing.assert_allclose(whole, values, atol=0.006)


def test_plain_integers(tmp_path):
    values = np.arange(240, dtype="int16").reshape(20, 3, 4)
    assert_alike(numbers(Statistics.compute(made(values).chunk(time=3), ALL)), expected(values))


@pytest.mark.parametrize("chunks", [{}, None])
def test_each_chunk_of_a_store_is_read_once_and_only_those_of_the_split(tmp_path, monkeypatch, chunks):
    from zarr.storage import LocalStore

    values = noise(30, 3, 4)
    path, read = store(tmp_path / "a.zarr", values), []
    get = LocalStore.get

    async def counted(self, key, *arguments, **options):
        if key.startswith("tas/c/"):
            read.append(key)
        return await get(self, key, *arguments, **options)

    data = xr.open_zarr(path, chunks=chunks, consolidated=False)
    monkeypatch.setattr(LocalStore, "get", counted)
    monkeypatch.setattr("climbench.data.one_pass.BLOCK", 600)  # two chunks of the store at a time
    found = Statistics.compute(data, Split("made", ((5, 7), (8, 13), (20, 29))))
    assert found["count"]["tas"] == 19 * 12
    wanted = {1, 2, 3, 4, 6, 7, 8, 9} if chunks == {} else set(range(10))
    assert sorted(read) == sorted(f"tas/c/{i}/0/0" for i in wanted)


def test_the_number_of_threads_changes_no_bit():
    data = made(1e3 + noise(60, 3, 4).astype("float32")).chunk(time=4, latitude=2)
    tables = []
    for workers in (1, 2, 5):
        with cluster("threads", workers=workers):
            tables.append(Statistics.compute(data, ALL).table)
    assert tables[0].identical(tables[1])
    assert tables[0].identical(tables[2])


def test_real_monthly_data_of_a_control_run(shared_data):
    """Dates begin in year 101; the values are float32 on a thinned grid."""
    (path, *_) = sorted((shared_data / "cmip6-access").rglob("tas_*piControl*.nc"))
    with xr.open_dataset(path, decode_times=xr.coders.CFDatetimeCoder(time_unit="us")) as data:
        data = data.rename(lat="latitude", lon="longitude")[["tas"]].load()
    split = Split("access", ((102, 105),))
    found = numbers(Statistics.compute(data.chunk(time=10), split))
    assert_alike(found, expected(data["tas"].values[12:60]))


def test_statistics_survive_a_file_to_the_bit(tmp_path):
    data = made(noise(6, 2, 3, 4), dims=("time", "level", "latitude", "longitude"), level=[500, 850], name="t")
    data = data.assign(orography=(("latitude", "longitude"), noise(3, 4)))
    split = Split("made", ((0, 4),))
    written = Statistics.compute(data, split, weights="cell_area")
    written.save(tmp_path / "statistics.json")
    read = Statistics.load(tmp_path / "statistics.json")
    assert read.table.identical(written.table)
    assert (read.split, read.weights, read.nan) == (split, "cell_area", "error")
    assert json.loads((tmp_path / "statistics.json").read_text())["fingerprint"] == split.fingerprint


def test_a_damaged_or_altered_file_is_refused(tmp_path):
    path = tmp_path / "statistics.json"
    Statistics.compute(made(noise(6, 3, 4)), Split("made", ((0, 3),))).save(path)
    content = json.loads(path.read_text())
    for change, message in [
        ({"split": {**content["split"], "periods": [["0000", "0005"]]}}, "its split was changed"),
        ({"climbench_statistics": 99}, "no statistics of climbench in version 1"),
        ({"variables": {"tas": {"units": "K"}}}, "is damaged"),
    ]:
        path.write_text(json.dumps({**content, **change}))
        with pytest.raises(DataError, match=message):
            Statistics.load(path)
    path.write_text(json.dumps(content)[:100])
    with pytest.raises(DataError, match="cannot be read as statistics"):
        Statistics.load(path)
    with pytest.raises(DataError, match="cannot be read as statistics"):
        Statistics.load(tmp_path / "nothing.json")


def test_another_training_split_is_refused():
    train = Split("made", ((0, 3),))
    statistics = Statistics.compute(made(noise(6, 3, 4)), train)
    statistics.check(Split("made", ((0, "0003"),)), held_out=[Split("made", ((4, 5),))])
    with pytest.raises(
        DataError, match=r"those of 'made 0000\.\.0003', not of the training samples 'made 0000\.\.0002'"
    ):
        statistics.check(Split("made", ((0, 2),)))


def test_a_held_out_period_that_was_seen_is_refused():
    train = Split("made", ((0, 3),))
    statistics = Statistics.compute(made(noise(6, 3, 4)), train)
    with pytest.raises(DataError, match=r"overlaps the held-out samples 'made 0003\.\.0005': .* would leak"):
        statistics.check(train, held_out=[Split("made", ((3, 5),))])


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (made(noise(3, 3, 4)), {"variables": ["tsa"]}, "no variable 'tsa'. Did you mean 'tas'"),
        (made(noise(3, 3, 4)).assign(name=("time", ["a", "b", "c"])), {"variables": ["name"]}, "which has no mean"),
        (made(noise(3, 3, 4), time=[2000, 2001, 2001]), {}, "repeats a time"),
        (made(noise(3, 3, 4)).drop_vars("time"), {}, "along 'time'"),
        ({}, {}, "no data sets"),
        (
            made(noise(3, 3, 4)),
            {"weights": "cell_areas"},
            "no option 'cell_areas' for statistics. Did you mean 'cell_area'",
        ),
        (made(noise(3, 3, 4)), {"nan": "masked"}, "no option 'masked' for statistics. Did you mean 'mask'"),
        (
            {"a": made(noise(3, 3, 4)), "b": made(noise(3, 3, 4)).drop_attrs()},
            {},
            "'tas' is in None in one scenario and in K in another",
        ),
    ],
)
def test_what_is_refused(data, options, message):
    with pytest.raises(DataError, match=message):
        Statistics.compute(data, ALL, **options)


def test_an_unknown_statistic_is_named_with_the_closest():
    with pytest.raises(KeyError, match="Did you mean 'std'"):
        Statistics.compute(made(noise(3, 3, 4)), ALL)["sdt"]


def test_memory_of_a_chunk_is_not_held(tmp_path):
    """Each chunk leaves a small summary: with many more chunks than fit at a time, few are alive together."""
    alive, most = [0], [0]

    def chunk(block_info=None):
        alive[0] += 1
        most[0] = max(most[0], alive[0])
        values = np.zeros((10, 3, 4)).view(_Counted)
        values.alive = alive
        return values

    array = da.map_blocks(chunk, chunks=((10,) * 200, (3,), (4,)), dtype="float64", meta=np.empty((0, 0, 0)))
    with cluster("threads", workers=2):
        found = Statistics.compute(made(array), ALL)
    assert found["count"]["tas"] == 200 * 120
    assert most[0] < 20


class _Counted(np.ndarray):
    """An array that says when it is gone."""

    alive = None

    def __del__(self):
        if self.alive is not None:
            self.alive[0] -= 1
