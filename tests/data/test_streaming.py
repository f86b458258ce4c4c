"""Streams give what the store holds, each window once, each chunk once, in an order that can be gone on from."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
import xarray as xr
import zarr

pytest.importorskip("torch", reason="streaming needs the extra 'models'")

import torch

from climbench.data.splits import Split
from climbench.data.statistics import Statistics
from climbench.data.streaming import Part, WindowStream
from climbench.errors import DataError
from tests.data.streamed import LEVELS, PARTS, CountingStore, chunks_there, fields, given, open_lazily, seconds, write

ALL = Split("x")
SMALL = 30_000  # bytes: blocks of a few pieces


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "plain.zarr"
    write(path, fields())
    return path


@pytest.fixture
def data(path):
    return open_lazily(path)


def stream(data, parts=PARTS, split=ALL, **kw):
    return WindowStream(data, parts, split, **{"batch_size": 8, "memory": SMALL, **kw})


def assert_batch_is(batch, data, parts=PARTS):
    """Compare every tensor of a batch with what xarray reads at the same place."""
    position = {time: index for index, time in enumerate(seconds(data))}
    for sample, (time, member) in enumerate(zip(batch["time"].tolist(), batch["member"].tolist(), strict=True)):
        for name, part in parts.items():
            for step, offset in enumerate(part.offsets):
                here = data.isel(time=position[time] + offset)
                here = here.isel(member=member) if "member" in here.dims else here
                maps = []
                for variable, levels in part.variables.items():
                    values = here[variable].broadcast_like(here["so2"])
                    if "level" in values.dims:
                        values = values.sel(level=list(levels or LEVELS))
                    values = values.transpose("level", "latitude", "longitude", missing_dims="ignore").values
                    maps.append(values.reshape(-1, *values.shape[-2:]))
                np.testing.assert_array_equal(batch[name][sample, step].numpy(), np.concatenate(maps))


def test_a_batch_has_named_tensors_of_the_documented_shapes(data):
    batch = next(iter(stream(data, static=["orography"])))
    assert {name: tuple(tensor.shape) for name, tensor in batch.items()} == {
        "inputs": (8, 2, 4, 3, 4),
        "targets": (8, 1, 1, 3, 4),
        "forcings": (8, 2, 2, 3, 4),
        "static": (8, 1, 3, 4),
        "time": (8,),
        "member": (8,),
        "scenario": (8,),
    }
    assert {batch[name].dtype for name in ("inputs", "targets", "forcings", "static")} == {torch.float32}
    assert batch["time"].dtype == torch.int64


def test_values_are_those_that_xarray_reads(data):
    for batch in stream(data, static=["orography"]):
        assert_batch_is(batch, data)
        np.testing.assert_array_equal(batch["static"][0, 0].numpy(), data["orography"].values)


def test_chosen_levels_in_any_order_are_channels_in_that_order(data):
    parts = {"inputs": Part({"z": [850, 300], "t": None, "so2": None})}
    one = stream(data, parts)
    assert [channel.name for channel in one.source.channels.parts["inputs"]] == ["z_850", "z_300", "t", "so2"]
    for batch in one:
        assert_batch_is(batch, data, parts)


@pytest.mark.parametrize("together", [1, 2, 3])
def test_members_are_samples_whatever_their_chunks(tmp_path, together):
    data = write(tmp_path / "m.zarr", fields(60, members=3), {"member": together})
    one = stream(data, memory=60_000)
    batches = list(one)
    for batch in batches[:3]:
        assert_batch_is(batch, data)
    assert sorted(given(batches)) == [(0, m, t) for m in range(3) for t in seconds(data)[1:-1]]


def test_dimensions_are_known_by_name(tmp_path):
    order = ("time", "level", "longitude", "latitude", "member")
    turned = fields(60, members=2).transpose(*order, missing_dims="ignore")
    data = write(tmp_path / "t.zarr", turned)
    for batch in stream(data):
        assert_batch_is(batch, data)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.sortby("latitude", ascending=False),
        lambda data: data.isel(longitude=slice(None, None, -1)),
        lambda data: data.isel(latitude=slice(1, 3), level=[2, 0]),
        lambda data: data.transpose("longitude", "time", "level", "latitude"),
        lambda data: data.isel(time=slice(3, 57)),
        lambda data: data.assign(z=data["z"].variable.astype("float64")),
    ],
    ids=["sorted", "flipped", "cut", "transposed", "cut in time", "double"],
)
def test_data_that_were_changed_lazily_are_read_as_they_are_now(data, change):
    changed = change(data)
    parts = {"inputs": Part({"z": [850, 300], "t": None, "so2": None}, (0, 1))}
    for batch in stream(changed, parts):
        assert_batch_is(batch, changed, parts)


def test_packed_values_are_decoded(tmp_path):
    packed = {"dtype": "int16", "scale_factor": 0.01, "add_offset": 0.5, "_FillValue": -32768, "chunks": (10, 3, 4)}
    fields(60)[["t", "so2"]].to_zarr(tmp_path / "p.zarr", zarr_format=3, consolidated=False, encoding={"t": packed})
    data = open_lazily(tmp_path / "p.zarr")
    parts = {"inputs": Part(["t"])}
    for batch in stream(data, parts):
        assert_batch_is(batch, data.astype("float32"), parts)


def test_times_are_given_as_integers(data):
    assert sorted(time for _, _, time in given(stream(data))) == seconds(data)[1:-1]
    years = data.assign_coords(time=np.arange(1900, 2100))
    assert sorted(time for _, _, time in given(stream(years))) == list(range(1901, 2099))
    dates = xr.date_range("0001-01-01", periods=200, freq="D", calendar="noleap", use_cftime=True)
    days = [time for _, _, time in given(stream(data.assign_coords(time=dates)))]
    assert sorted(days) == [(-1969 * 365 + day) * 86400 for day in range(1, 199)]


def test_other_ways_of_opening_give_the_same(data, tmp_path):
    expected = given(stream(data))
    data.load().to_netcdf(tmp_path / "x.nc")
    for other in (data, xr.open_dataset(tmp_path / "x.nc"), open_lazily(data.encoding["source"]).chunk(time=10)):
        one = stream(other)
        assert sorted(given(one)) == sorted(expected)
        assert_batch_is(next(iter(one)), data)
        other.close()


def test_scenarios_are_streamed_together(tmp_path):
    sets = {name: write(tmp_path / name, fields(n, seed=n)) for name, n in {"ssp585": 50, "ssp126": 80}.items()}
    one = stream(sets)
    assert one.source.scenarios == ("ssp126", "ssp585")
    batches = list(one)
    assert sorted(given(batches)) == sorted(
        (number, 0, time) for number, name in enumerate(one.source.scenarios) for time in seconds(sets[name])[1:-1]
    )
    mixed = batches[0]
    assert set(mixed["scenario"].tolist()) == {0, 1}
    for number, name in enumerate(one.source.scenarios):
        where = mixed["scenario"] == number
        assert_batch_is({key: tensor[where] for key, tensor in mixed.items()}, sets[name])
    assert {scenario for scenario, _, _ in given(stream(sets, split=Split("x", scenarios=("ssp585",))))} == {0}


def test_no_window_leaves_its_period(data):
    split = Split("x", (("2001-01-03", "2001-01-10"), ("2001-02-01", None)))
    times = [np.datetime64(time, "s") for _, _, time in sorted(given(stream(data, split=split)))]
    assert times[0] == np.datetime64("2001-01-03T06:00")
    assert times[29] == np.datetime64("2001-01-10T12:00")
    assert times[30] == np.datetime64("2001-02-01T06:00")
    assert len(times) == 30 + 200 - 31 * 4 - 2


def test_every_window_is_given_once_over_all_ranks(data):
    streams = [stream(data, rank=rank, ranks=3) for rank in range(3)]
    batches = [list(one) for one in streams]
    assert {len(of_rank) for of_rank in batches} == {len(streams[0])} == {9}
    assert sorted(given(chain(*batches))) == [(0, 0, time) for time in seconds(data)[1:-1]]


def counted(path, **kw):
    store = CountingStore(path)
    one = stream(xr.open_zarr(store, chunks=None, consolidated=False), **kw)
    store.asked.clear()
    return one, store.asked


@pytest.mark.parametrize("shuffle", [True, False])
def test_each_chunk_is_read_once_an_epoch(path, shuffle):
    one, asked = counted(path, shuffle=shuffle)
    assert one.plan().n_blocks > 3
    list(one)
    read = [key for key in asked if key.split("/")[0] in ("t", "z", "so2")]
    assert sorted(read) == sorted(chunks_there(path, ("t", "z", "so2")))


def test_levels_that_are_not_wanted_are_not_read(path):
    one, asked = counted(path, parts={"inputs": Part({"z": [850]})})
    list(one)
    assert {key for key in asked if key.startswith("z")} == {f"z/c/{n}/1/0/0" for n in range(20)}


def test_chunks_of_different_lengths_are_all_read_once(tmp_path):
    write(tmp_path / "x.zarr", fields()[["t"]])
    write(tmp_path / "y.zarr", fields()[["so2"]], {"time": 15})
    stores = [CountingStore(tmp_path / name) for name in ("x.zarr", "y.zarr")]
    data = xr.merge([xr.open_zarr(store, chunks=None, consolidated=False) for store in stores])
    one = stream(data, {"inputs": Part(["t", "so2"], (0, 1))})
    assert one.order().piece == 30
    list(one)
    assert sorted(k for k in stores[0].asked if k.startswith("t/")) == sorted(f"t/c/{n}/0/0" for n in range(20))
    assert sorted(k for k in stores[1].asked if k.startswith("so2")) == sorted(f"so2/c/{n}/0/0" for n in range(14))


def test_old_names_of_dimensions_still_say_how_chunks_lie(data):
    data["t"].encoding["preferred_chunks"] = {"valid_time": 40, "lat": 3, "lon": 4}
    assert stream(data, {"inputs": Part(["t"])}).order().piece == 40


@pytest.mark.parametrize("skip", [0, 1, 7, 16, 24, 25])
def test_resuming_equals_going_on_and_reads_only_what_is_needed(path, skip):
    one, asked = counted(path)
    whole = list(one)
    asked.clear()
    one.set_epoch(0, skip)
    rest = list(one)
    assert len(whole) == 25
    assert len(rest) == 25 - skip
    for expected, batch in zip(whole[skip:], rest, strict=True):
        assert expected.keys() == batch.keys()
        assert all(torch.equal(expected[name], batch[name]) for name in expected)
    used = {f"t/c/{p // 10}/0/0" for p in needed(rest, open_lazily(path))}
    assert {key for key in asked if key.startswith("t/")} == used


def needed(batches, data):
    position = {time: index for index, time in enumerate(seconds(data))}
    return {position[time] + offset for _, _, time in given(batches) for offset in (-1, 0, 1)}


def test_the_same_seed_gives_the_same_order_and_another_seed_or_epoch_another(data):
    first, second = stream(data, seed=3), stream(data, seed=3)
    assert given(first) == given(second)
    second.set_epoch(1)
    assert given(first) != given(second)
    assert given(first) != given(stream(data, seed=4))


def test_a_stream_holds_no_more_than_it_may(data):
    for memory in range(15_000, 100_000, 5000):
        one = stream(data, memory=memory)
        assert 2 * one.plan().live_steps * one.slot_bytes <= memory
        list(one)
        assert sum(room.nbytes for room in one._room) <= memory


def test_a_longer_store_is_held_in_the_same_memory(tmp_path, data):
    longer = write(tmp_path / "long.zarr", fields(2000))
    steps = [stream(one).plan().live_steps for one in (data, longer)]
    assert steps[1] <= steps[0] * 1.1


def test_a_batch_that_was_given_does_not_change(data):
    batches = iter(stream(data))
    first = next(batches)
    kept = {name: tensor.clone() for name, tensor in first.items()}
    list(batches)
    assert all(torch.equal(first[name], kept[name]) for name in kept)


def test_two_passes_at_once_do_not_disturb_each_other(data):
    """The second starts when the first is some blocks ahead."""
    one = stream(data)
    expected = list(one)
    ahead = iter(one)
    first, second = [next(ahead) for _ in range(10)], []
    for batch in one:
        second.append(batch)
        first.extend([next(ahead)] if len(first) < 25 else [])
    for batches in (first, second):
        assert all(torch.equal(x[n], y[n]) for x, y in zip(batches, expected, strict=True) for n in x)


def test_fields_are_normalised_with_the_statistics_of_the_training_samples(data):
    train = Split("x", ((None, "2001-01-20"),))
    one = stream(
        data,
        split=train,
        statistics=Statistics.compute(data, train),
        static=["orography"],
        parts={"all": Part(["t", "z", "co2"])},
    )
    values = torch.cat([batch["all"] for batch in one]).double()
    assert values.shape[0] == 80
    assert values.mean((0, 1, 3, 4)).abs().max() < 1e-6
    np.testing.assert_allclose(values.var((0, 1, 3, 4), correction=0), 1.0, rtol=1e-5)
    mean, std = one.normaliser.of_channels(one.source.channels.parts["all"])
    z_500 = data["z"].sel(level=500, time=slice(None, "2001-01-20")).values.astype("float64")
    np.testing.assert_allclose([mean[2], std[2]], [z_500.mean(), z_500.std()], rtol=1e-6)
    batch = next(iter(one))
    here = data["z"].sel(level=500, time=batch["time"].numpy().astype("datetime64[s]").astype("datetime64[ns]")).values
    np.testing.assert_allclose(batch["all"][:, 0, 2], (here - z_500.mean()) / z_500.std(), atol=1e-6)


def test_statistics_without_a_channel_are_refused(data):
    with pytest.raises(DataError, match="The statistics lack 'z'"):
        stream(data, statistics=Statistics.compute(data[["t", "so2", "co2"]], ALL))
    with pytest.raises(DataError, match="The statistics lack 'z_850'; compute them with this level"):
        stream(data, statistics=Statistics.compute(data.sel(level=[300, 500]), ALL))


@pytest.fixture
def with_nan(tmp_path):
    data = fields()
    data["z"][{"time": 57, "level": 1, "latitude": 0, "longitude": [1, 2]}] = np.nan
    return write(tmp_path / "nan.zarr", data)


def test_nan_is_an_error_that_says_where(with_nan):
    with pytest.raises(DataError, match=r"'z_500' has 2 NaN at 2001-01-15T06:00\. .*nan='keep'"):
        list(stream(with_nan))


def test_nan_can_be_kept_or_set_to_the_mean(with_nan):
    parts = {"inputs": Part({"z": [500]})}
    kept = torch.cat([batch["inputs"] for batch in stream(with_nan, parts, nan="keep")])
    assert int(kept.isnan().sum()) == 2
    statistics = Statistics.compute(with_nan, ALL, nan="mask")
    zeros = torch.cat([b["inputs"] for b in stream(with_nan, parts, nan="zero", statistics=statistics)])
    assert int((zeros == 0).sum()) == 2


def test_nan_in_a_series_is_an_error(data):
    data["co2"] = data["co2"].where(data["time"] > data["time"][3])
    with pytest.raises(DataError, match="'co2' has 4 NaN"):
        list(stream(data))


def test_a_damaged_chunk_is_named_by_variable_and_time(path, tmp_path):
    damaged = tmp_path / "damaged.zarr"
    shutil.copytree(path, damaged)
    (damaged / "t" / "c" / "3" / "0" / "0").write_bytes(b"not a chunk")
    with pytest.raises(DataError, match=r"'t' cannot be read from 2001-01-\S+ to 2001-01-\S+; the file may be damaged"):
        list(stream(open_lazily(damaged)))


def test_a_store_that_grows_while_it_is_read_is_noticed(path, tmp_path):
    growing = tmp_path / "growing.zarr"
    shutil.copytree(path, growing)
    batches = iter(stream(open_lazily(growing), memory=15_000))
    next(batches)
    more = fields(10).assign_coords(time=open_lazily(growing)["time"].values[-10:] + np.timedelta64(60, "h"))
    more.drop_vars("orography").to_zarr(growing, append_dim="time", consolidated=False)
    with pytest.raises(DataError, match=r"The store was changed while it was read: '\w+' had shape \(200,.*\(210,"):
        list(batches)


def test_a_store_that_is_chunked_anew_is_noticed(path, tmp_path):
    changed = tmp_path / "changed.zarr"
    shutil.copytree(path, changed)
    one = stream(open_lazily(changed))
    list(one)
    zarr.open_group(changed, mode="r+").create_array(
        "t", shape=(200, 3, 4), chunks=(25, 3, 4), dtype="f4", overwrite=True
    )
    with pytest.raises(DataError, match=r"'t' had chunk_grid .*10.* at first, and has .*25"):
        list(one)


def test_a_file_that_is_replaced_while_it_is_read_is_noticed(tmp_path):
    fields(60).to_netcdf(tmp_path / "x.nc")
    with xr.open_dataset(tmp_path / "x.nc") as data:
        batches = iter(stream(data, memory=15_000))
        next(batches)
        fields(61).to_netcdf(tmp_path / "y.nc")
        (tmp_path / "y.nc").rename(tmp_path / "x.nc")
        with pytest.raises(DataError, match=r"x\.nc was changed while it was read"):
            list(batches)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": {"inputs": Part(["tt"])}}, r"no variable 'tt'.*Did you mean 't'"),
        ({"parts": {"inputs": Part({"z": [400]})}}, r"'z' has no level 400\. There is: 300, 500, 850"),
        ({"parts": {"inputs": Part({"t": [500]})}}, r"'t' has no levels"),
        ({"parts": {"inputs": Part(["orography"])}}, r"'orography' has no time; name it among the static fields"),
        (
            {"parts": {"inputs": Part(["quality"])}},
            r"'quality' has the dimensions \('time', 'station'\).*isel\(station=0\)",
        ),
        ({"parts": {"inputs": Part(["zonal"])}}, r"'zonal' has dimensions .*, and so is no map"),
        ({"parts": {"inputs": Part(["name"])}}, r"'name' holds .*, not numbers"),
        ({"parts": {"time": Part(["t"])}}, r"cannot be named 'time'"),
        ({"parts": {}}, r"nothing to stream"),
        ({"static": ["t"]}, r"a static field has neither time nor member"),
        ({"batch_size": 500}, r"The 198 windows.*fewer than one batch of 500"),
        ({"nan": "drop"}, r"nan='drop' is not known.*There is: error, keep, zero"),
        ({"batch_size": 0}, r"batch size is 0"),
        ({"rank": 2, "ranks": 2}, r"rank 2 of 2 ranks"),
        ({"rank": 1}, r"rank 1 of None ranks"),
        ({"ranks": 400, "rank": 0, "batch_size": 1}, r"leave some of the 400 ranks without a sample"),
        ({"split": Split("x", ((1990, 1999),))}, r"No sample lies in the period 1990\.\.1999"),
        ({"split": Split("x", (("2001-01-01", "2001-01-01T06"),))}, r"No window of 3 consecutive times"),
        ({"memory": 4000}, r"memory=4000 bytes hold no 10 times.*Allow \d+ or more"),
    ],
)
def test_wrong_use_is_said_at_once(data, change, message):
    data["quality"] = (("time", "station"), np.zeros((200, 2)))
    data["zonal"] = (("time", "latitude"), np.zeros((200, 3)))
    data["name"] = ("time", np.array(["a"] * 200))
    with pytest.raises(DataError, match=message):
        len(stream(data, **change)), list(stream(data, **change))


def test_the_memory_that_an_error_asks_for_suffices(data):
    with pytest.raises(DataError, match="Allow") as caught:
        stream(data, memory=4000)
    enough = int(str(caught.value).partition("Allow ")[2].split()[0])
    assert len(list(stream(data, memory=enough))) == 25


def test_a_part_needs_variables_and_offsets():
    with pytest.raises(DataError, match="needs variables, each once"):
        Part([])
    with pytest.raises(DataError, match=r"needs offsets, each once; found \[0, 0\]"):
        Part(["t"], (0, 0))


def test_data_sets_of_scenarios_must_agree(data):
    other = data.assign_coords(latitude=data["latitude"] + 1.0)
    with pytest.raises(DataError, match="'ssp585' has another grid, calendar or other levels than 'ssp126'"):
        stream({"ssp126": data, "ssp585": other})


@pytest.mark.parametrize(("missing", "module"), [("torch", "streaming"), ("pytorch_lightning", "streaming.datamodule")])
def test_what_is_not_installed_is_named_by_its_extra(missing, module):
    code = f"import sys; sys.modules['{missing}'] = None; import climbench.data.{module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MissingExtraError: Streaming to" in done.stderr
    assert "pip install 'climbench[models]'" in done.stderr


def test_the_randomness_is_told_in_numbers(data):
    one = stream(data)
    order = one.order()
    text = one.describe_shuffling()
    for number in (order.samples, order.pieces, order.piece, order.places):
        assert f" {number} " in text
    assert "in order of time" in stream(data, shuffle=False).describe_shuffling()
